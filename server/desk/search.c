/* SPDX-License-Identifier: Apache-2.0 */
/* search.rebuild and search.settle: the operator's hold on the index. */
#include <unistd.h>

#include "desk/desk_private.h"
#include "desk/indexer.h"

/* Nobody serves from this folder: what the thread would do is done here and now. */
static int follow_alone(struct desk *desk)
{
        int64_t rev = desk_rev(desk);
        int rc = 1;
        while (!indexer_settle(desk->indexer, rev) && rc >= 0)
                rc = indexer_turn(desk->indexer);
        if (rc >= 0)
                return 0;
        return rc == DB_FULL ? -PROTOCOL_ERR_STORAGE_FULL : -PROTOCOL_ERR_OVERLOADED;
}

int handle_search_rebuild(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)command;
        (void)fault;
        struct protocol_search_rebuild_result result = {0};
        indexer_rebuild(desk->indexer);
        int rc = indexer_is_running(desk->indexer) ? 0 : follow_alone(desk);
        if (rc < 0)
                return rc;
        protocol_search_rebuild_result_write(out, &result);
        return 0;
}

int handle_search_settle(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        (void)fault;
        const struct protocol_search_settle *params = command->params;
        struct protocol_search_settle_result result = {.rev = desk_rev(desk)};
        if (params->has_rev && params->rev < result.rev)
                result.rev = params->rev;
        if (indexer_is_running(desk->indexer)) {
                result.done = indexer_settle(desk->indexer, result.rev);
        } else {
                /* Without an index there is no word in it: it is made when the server runs. */
                bool is_there = access(indexer_path(desk->indexer), F_OK) == 0;
                int rc = is_there ? follow_alone(desk) : 0;
                if (rc < 0)
                        return rc;
                result.done = true;
        }
        protocol_search_settle_result_write(out, &result);
        return 0;
}
