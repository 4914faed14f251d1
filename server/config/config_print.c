/* SPDX-License-Identifier: Apache-2.0 */
/* The commented default file, made from the table of settings. */
#include <ctype.h>
#include <string.h>

#include "config/config_private.h"

static void print_doc(FILE *out, const char *doc)
{
        while (*doc) {
                int len = (int)strcspn(doc, "\n");
                fprintf(out, "# %.*s\n", len, doc);
                doc += len + (doc[len] == '\n');
        }
}

static void print_environment(FILE *out, const char *key)
{
        fprintf(out, " DESKBELL_");
        for (; *key; key++)
                fputc(toupper((unsigned char)*key), out);
}

static void print_setting(FILE *out, const struct setting *setting)
{
        print_doc(out, setting->doc);
        if (setting->type == SETTING_NUMBER)
                fprintf(out, "# %u to %u %s;", setting->min, setting->max, setting->unit);
        else
                fprintf(out, "# %s;", setting->unit);
        fprintf(out, " %s;", setting->is_live ? "changes on SIGHUP" : "changes on restart");
        print_environment(out, setting->key);
        fprintf(out, "\n#%s = %s\n\n", setting->key, setting->initial);
}

void config_print_default(FILE *out)
{
        const char *section = "";

        fprintf(out,
                "# Settings of deskbell. What is commented out is the default. The environment goes before this file,\n"
                "# the command line before the environment. Check with: deskbell serve --config FILE "
                "--check-config\n\n");
        for (size_t i = 0; i < setting_count; i++) {
                if (strcmp(section, settings[i].section) != 0)
                        fprintf(out, "[%s]\n", section = settings[i].section);
                print_setting(out, &settings[i]);
        }
}
