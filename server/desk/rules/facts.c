/* SPDX-License-Identifier: Apache-2.0 */
/* The table of facts: names, types and words. Pure. */
#include "desk/rules/facts.h"

static const char *const statuses[] = {"none",    "new",     "pending", "bot",    "open",
                                       "waiting", "on_hold", "snoozed", "solved", "closed"};
static const char *const priorities[] = {"none", "low", "normal", "high", "urgent"};
static const char *const slas[] = {"none", "active", "hit", "active_with_misses", "missed"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
        const char *const *words;
        uint32_t count;
} word_lists[FACTS_COUNT] = {
        [FACT_STATUS] = {statuses, COUNT(statuses)},
        [FACT_PRIORITY] = {priorities, COUNT(priorities)},
        [FACT_SLA] = {slas, COUNT(slas)},
};

static const struct fact_info infos[FACTS_COUNT] = {
#define ROW(NAME, text, kind, flag) [FACT_##NAME] = {.name = (text), .type = (kind), .flags = (flag)},
        FACTS(ROW)
#undef ROW
};

struct fact_info fact_info(enum fact fact)
{
        struct fact_info info = infos[fact];
        info.words = word_lists[fact].words;
        info.word_count = word_lists[fact].count;
        return info;
}

static bool is_name(struct span name)
{
        if (name.len == 0 || name.len > FACT_NAME_BYTES)
                return false;
        for (size_t i = 0; i < name.len; i++) {
                unsigned char c = (unsigned char)name.at[i];
                if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                      c == '-'))
                        return false;
        }
        return true;
}

/* `text` begins like the fact's name that ends in a star; what is behind is the name. */
static bool is_below(struct span text, const char *starred, struct span *out_name)
{
        size_t len = strlen(starred) - 1;
        if (text.len <= len || memcmp(text.at, starred, len) != 0)
                return false;
        *out_name = (struct span){text.at + len, text.len - len};
        return is_name(*out_name);
}

int fact_find(struct span text, enum fact *out_fact, struct span *out_name)
{
        for (int i = 0; i < FACTS_COUNT; i++) {
                struct span name = {"", 0};
                bool is_it = infos[i].type == FACT_AS_DYNAMIC ? is_below(text, infos[i].name, &name)
                                                              : span_equal(text, span_of(infos[i].name));
                if (!is_it)
                        continue;
                *out_fact = (enum fact)i;
                *out_name = name;
                return 0;
        }
        return -1;
}
