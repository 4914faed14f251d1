/* SPDX-License-Identifier: Apache-2.0 */
/* Reload: what differs between the running and a fresh config, and taking over what may change at once. */
#include <errno.h>

#include "config/config_private.h"

void config_compare(const struct config *running, const struct config *fresh,
                    void (*say)(void *data, const char *key, bool is_live), void *data)
{
        for (size_t i = 0; i < setting_count; i++)
                if (!setting_equal(running, fresh, &settings[i]))
                        say(data, settings[i].key, settings[i].is_live);
}

int config_apply_live(struct config *running, const struct config *fresh)
{
        struct config next = {0};
        int rc = 0;

        for (size_t i = 0; rc == 0 && i < setting_count; i++)
                rc = setting_copy(&next, settings[i].is_live ? fresh : running, &settings[i]);
        if (rc < 0) {
                config_done(&next);
                return rc;
        }
        config_done(running);
        *running = next;
        return 0;
}
