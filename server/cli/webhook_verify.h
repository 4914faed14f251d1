/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell webhook verify: the receiver's side, as a reference. */
#pragma once

int webhook_run_verify(int argc, char **argv);
