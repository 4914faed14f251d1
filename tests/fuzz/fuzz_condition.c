/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a condition: compiled or refused at a place within them; what compiles prints to what compiles to the
 * same, and is asked, explained and timed without a fault whatever the facts are. */
#include <stdlib.h>
#include <string.h>

#include "desk/rules/condition.h"
#include "fuzz.h"
#include "protocol_generated.h"

static void must(bool claim)
{
        if (!claim)
                abort();
}

static int64_t find(void *data, enum fact fact, struct span text, char out_ext[ID_TEXT_BYTES])
{
        uint64_t known;
        (void)data, (void)fact;
        if (id_read(text, "tea", &known) == 0 && known >= 'a' && known <= 'm') {
                memcpy(out_ext, text.at, ID_TEXT_BYTES);
                return (int64_t)known;
        }
        if (text.len == 0 || text.at[0] < 'a' || text.at[0] > 'm')
                return 0;
        id_write(out_ext, "tea", (uint64_t)text.at[0]);
        return text.at[0];
}

/* Every ticket has something of everything; what depends on the fact and the name. */
static int answer(const struct fact_scene *scene, enum fact fact, struct span name, struct fact_value *out)
{
        static const struct span words[] = {{"refund", 6}, {"ko-KR", 5}, {"", 0}};
        out->is_set = (fact + name.len) % 3 != 0;
        if (out->type == FACT_AS_DYNAMIC)
                out->type = name.len % 2 ? FACT_AS_TEXT : name.len % 4 ? FACT_AS_NUMBER : FACT_AS_SET;
        out->number = out->type == FACT_AS_WORD || out->type == FACT_AS_LEVEL ? 2 : scene->now_ms - 1000;
        out->text = words[fact % 3];
        out->items = words;
        out->count = 2;
        return 0;
}

static bool is_in_team(const struct fact_scene *scene, int64_t team)
{
        return (scene->now_ms + team) % 2 == 0;
}

static const struct condition_world world = {answer, is_in_team};
static const struct condition_names names = {find, NULL};

static void look_at(const struct condition *condition, const struct fact_scene *scene)
{
        struct writer why;
        writer_init(&why, NULL, 0);
        int holds = condition_holds(condition, &world, scene);
        must(holds == 0 || holds == 1);
        must(condition_turns_ms(condition, &world, scene) > scene->now_ms);
        condition_why_not(condition, &world, scene, &why);
        must(holds == 0 || why.len == 0);
        writer_done(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
        struct condition *condition = NULL, *again = NULL;
        struct condition_error error;
        struct fact_scene scene = {.now_ms = 1700000000000, .me = 7};
        struct span text = {(const char *)bytes, len};
        int rc = condition_compile(text, len % 2 ? CONDITION_OF_VIEW : CONDITION_OF_RULE, &names, &condition, &error);
        if (rc < 0) {
                must(rc == -PROTOCOL_ERR_BAD_REQUEST && error.at <= len && error.expected[0] != '\0');
                must(error.character >= 1 && error.character <= error.at + 1);
                return 0;
        }
        struct writer printed, second;
        writer_init(&printed, NULL, 0);
        writer_init(&second, NULL, 0);
        must(condition_tests(condition) <= CONDITION_TESTS);
        condition_print(condition, NULL, NULL, &printed);
        struct span stored = {printed.bytes, printed.len};
        if (stored.len <= CONDITION_STORED_BYTES) {
                must(condition_compile(stored, CONDITION_OF_VIEW | CONDITION_STORED, &names, &again, &error) == 0 ||
                     len % 2 == 0); /* what only rules know is refused */
        }
        if (again) {
                condition_print(again, NULL, NULL, &second);
                must(span_equal(stored, (struct span){second.bytes, second.len}));
                must(condition_holds(condition, &world, &scene) == condition_holds(again, &world, &scene));
        }
        look_at(condition, &scene);
        condition_free(again);
        condition_free(condition);
        writer_done(&printed);
        writer_done(&second);
        return 0;
}
