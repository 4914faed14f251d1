/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration file: refused with reasons or accepted, never a crash, never half an answer; what is
 * accepted keeps the promises of a checked configuration and can be copied and compared with itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "fuzz.h"

static void never(void *data, const char *key, bool is_live)
{
        (void)data;
        (void)key;
        (void)is_live;
        abort();
}

static void must(bool claim)
{
        if (!claim)
                abort();
}

static void check_accepted(struct config *config)
{
        struct config again = {0};

        must(config->listen[0] != NULL);
        must(config->retry_days < config->key_window_days);
        must(config->heartbeat_ms < config->dead_ms);
        must(config->net_threads >= 1);
        must(!*config->cert == !*config->key);
        for (size_t i = 0; config->listen[i] && !*config->cert && !config->insecure_dev; i++)
                must(config_is_loopback(config->listen[i]));
        struct config_errors errors = {0};
        must(config_read(SPAN(""), "", NULL, 0, &again, &errors) == 0);
        must(config_apply_live(&again, config) == 0);
        must(again.rate_burst == config->rate_burst);
        config_compare(config, config, never, NULL);
        config_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
        struct config config = {.readers = 77};
        struct config_errors errors = {0};
        int rc = config_read((struct span){(const char *)bytes, len}, "fuzz.ini", NULL, 0, &config, &errors);

        must(rc == 0 || rc == -EINVAL);
        must((rc == 0) == (errors.count == 0));
        must((errors.count == 0) == (errors.text == NULL));
        if (rc == 0) {
                check_accepted(&config);
                config_done(&config);
        } else {
                must(config.readers == 77);
                for (const char *at = errors.text; *at; at++)
                        must(*at == '\n' || ((unsigned char)*at >= 0x20 && *at != 0x7f));
        }
        config_errors_done(&errors);
        return 0;
}
