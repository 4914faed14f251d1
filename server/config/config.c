/* SPDX-License-Identifier: Apache-2.0 */
/* Config: see config.h. Each source is put on top of the one before; a list that is said again replaces, scalars
 * overwrite. */
#include "config/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config_private.h"
#include "ops/files.h"

enum { MAX_FILE_BYTES = 262144 };

static int put_defaults(struct config *config, struct config_errors *errors)
{
        int rc = 0;

        for (size_t i = 0; rc == 0 && i < setting_count; i++)
                rc = setting_put(config, &settings[i], span_of(settings[i].initial), "default", errors);
        return rc;
}

static int put_over(struct config *config, const struct setting *setting, const char *value, const char *where,
                    struct config_errors *errors)
{
        setting_clear(config, setting);
        return setting_put(config, setting, span_of(value), where, errors);
}

static int put_environment(struct config *config, struct config_errors *errors)
{
        int rc = 0;

        for (size_t i = 0; rc == 0 && i < setting_count; i++) {
                char name[64];
                int len = snprintf(name, sizeof(name), "DESKBELL_%s", settings[i].key);
                for (int c = 0; c < len; c++)
                        name[c] = (char)toupper((unsigned char)name[c]);
                const char *value = getenv(name);
                if (value)
                        rc = put_over(config, &settings[i], value, name, errors);
        }
        return rc;
}

static int put_overrides(struct config *config, const struct config_override *overrides, size_t count,
                         struct config_errors *errors)
{
        int rc = 0;

        for (size_t i = 0; rc == 0 && i < count; i++) {
                const struct setting *setting = setting_find(span_of(overrides[i].key));
                bool is_again = false;
                for (size_t j = 0; j < i; j++)
                        is_again = is_again || strcmp(overrides[j].key, overrides[i].key) == 0;
                if (!setting)
                        config_error(errors, overrides[i].said_as, overrides[i].key, "there is no such setting");
                else if (is_again)
                        rc = setting_put(config, setting, span_of(overrides[i].value), overrides[i].said_as, errors);
                else
                        rc = put_over(config, setting, overrides[i].value, overrides[i].said_as, errors);
        }
        return rc;
}

static int build(const struct span *file, const char *name, bool with_environment,
                 const struct config_override *overrides, size_t count, struct config *out,
                 struct config_errors *errors)
{
        struct config config = {0};
        size_t before = errors->count;
        int rc = put_defaults(&config, errors);

        if (rc == 0 && file)
                rc = config_put_file(&config, *file, name, errors);
        if (rc == 0 && with_environment)
                rc = put_environment(&config, errors);
        if (rc == 0)
                rc = put_overrides(&config, overrides, count, errors);
        if (rc == 0)
                rc = config_check(&config, errors);
        if (rc == 0 && errors->count > before)
                rc = -EINVAL;
        if (rc < 0)
                config_done(&config);
        else
                *out = config;
        return rc;
}

int config_read(struct span bytes, const char *name, const struct config_override *overrides, size_t count,
                struct config *out, struct config_errors *errors)
{
        return build(&bytes, name, false, overrides, count, out, errors);
}

int config_load(const char *path, const struct config_override *overrides, size_t count, struct config *out,
                struct config_errors *errors)
{
        if (!path)
                return build(NULL, "", true, overrides, count, out, errors);

        char *bytes = malloc(MAX_FILE_BYTES);
        if (!bytes)
                return -ENOMEM;
        struct span file = {bytes, 0};
        int rc = files_read(NULL, path, bytes, MAX_FILE_BYTES, &file.len);
        if (rc == 0) {
                rc = build(&file, path, true, overrides, count, out, errors);
        } else {
                config_error(errors, path, "", "%s", strerror(-rc));
                rc = -EINVAL;
        }
        free(bytes);
        return rc;
}

void config_done(struct config *config)
{
        for (size_t i = 0; i < setting_count; i++)
                setting_clear(config, &settings[i]);
        *config = (struct config){0};
}
