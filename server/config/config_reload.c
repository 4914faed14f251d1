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

/* First everything is copied, then exchanged, so that a failure changes nothing. */
int config_apply_live(struct config *running, const struct config *fresh)
{
        struct config next = {0};
        int rc = 0;

        for (size_t i = 0; rc == 0 && i < setting_count; i++)
                if (settings[i].is_live)
                        rc = setting_copy(&next, fresh, &settings[i]);
        for (size_t i = 0; rc == 0 && i < setting_count; i++)
                if (settings[i].is_live)
                        setting_swap(running, &next, &settings[i]);
        config_done(&next);
        return rc;
}
