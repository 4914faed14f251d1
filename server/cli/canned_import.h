/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* deskbell canned import: an exit code, printed when it is not 0. */
int canned_run_import(int argc, char **argv);
