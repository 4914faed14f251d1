/* SPDX-License-Identifier: Apache-2.0 */
/* Pack: the files of the ready-made bots, as authors get them (`deskbell bot new`). A library of its own: only programs
 * that hand them out carry them. */
#pragma once

struct bot_pack_file {
        const char *pack, *name; /* "shop", "returns.ko.bot" */
        const char *text;
};

/* Ends with a row of NULLs; a pack's files stand together, in the order of their names. */
extern const struct bot_pack_file bot_pack_files[];
