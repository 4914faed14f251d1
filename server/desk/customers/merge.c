/* SPDX-License-Identifier: Apache-2.0 */
/* customer.merge: the team finds that a visitor is somebody it knows. The same as a claim (claim.c), but that nobody
 * has proved it: the visitor's devices are signed out and get to see nothing of the other one. */
#include "desk/customers/customers.h"

#include "desk/desk_private.h"
#include "desk/people/people.h"

static int check(const struct principal_row *from, const struct principal_row *into, struct fault *fault)
{
        if (from->external_id[0])
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "from",
                                 "a visitor: the app knows this one by an id of its own");
        if (into->app != 0 && into->app != from->app)
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, "into", "a user, or a visitor of the same app");
        if (from->revoked_ms != 0 || into->revoked_ms != 0)
                return fault_set(fault, PROTOCOL_ERR_CONFLICT, into->revoked_ms != 0 ? "into" : "from",
                                 "one that is neither revoked nor erased");
        return 0;
}

int handle_customer_merge(struct desk *desk, struct desk_command *command, struct writer *out, struct fault *fault)
{
        const struct protocol_customer_merge *params = command->params;
        struct principal_row from = {0}, into = {0};
        if (params->from.id == params->into.id)
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "from", "somebody else than into");
        int rc = customers_find(desk, &command->caller, params->from, &from);
        if (rc == 0)
                rc = customers_find(desk, &command->caller, params->into, &into);
        if (rc < 0)
                return rc;
        struct protocol_customer_merge_result result = {0};
        protocol_customer_merge_result_write(out, &result);
        if (from.id == into.id)
                return 0; /* they are one already */
        if ((rc = check(&from, &into, fault)) < 0)
                return rc;
        char detail[ID_TEXT_BYTES];
        id_write(detail, "usr", from.ext);
        rc = admin_audit(desk, &command->caller, "customer.merge", "usr", into.ext,
                         (struct span){detail, sizeof detail});
        return rc < 0 ? rc : claim_merge(desk, &from, &into);
}
