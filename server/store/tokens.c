/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <utf8proc.h>

enum kind {
        KIND_GAP,   /* parts words */
        KIND_SPACE, /* parts words, but not Hangul for the second form */
        KIND_WORD,  /* letters, digits, marks */
        KIND_PAIRS, /* Han, kana: pairs */
        KIND_HANGUL,
};

struct point {
        int32_t code;
        uint32_t at; /* offset of its first byte in the folded text */
        uint8_t bytes;
        uint8_t kind;
};

struct folded {
        char *text;
        struct point *points;
        size_t count;
};

static bool is_in(int32_t code, const int32_t (*ranges)[2], size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (code >= ranges[i][0] && code <= ranges[i][1])
                        return true;
        return false;
}

static bool is_hangul(int32_t code)
{
        static const int32_t ranges[][2] = {
                {0xac00, 0xd7a3}, {0x1100, 0x11ff}, {0xa960, 0xa97f}, {0xd7b0, 0xd7ff}, {0x3130, 0x318f}};
        return is_in(code, ranges, sizeof ranges / sizeof *ranges);
}

static bool is_han_or_kana(int32_t code)
{
        static const int32_t ranges[][2] = {
                {0x4e00, 0x9fff}, {0x3041, 0x3096}, {0x3099, 0x309f},   {0x30a1, 0x30fa},   {0x30fc, 0x30ff},
                {0x3400, 0x4dbf}, {0x3005, 0x3007}, {0x303b, 0x303b},   {0x31f0, 0x31ff},   {0xf900, 0xfaff},
                {0x3100, 0x312f}, {0x31a0, 0x31bf}, {0x20000, 0x323af}, {0x1aff0, 0x1afff}, {0x1b000, 0x1b16f},
        };
        return is_in(code, ranges, sizeof ranges / sizeof *ranges);
}

static enum kind kind_of(int32_t code)
{
        if (code < 0x80) {
                if ((code >= 'a' && code <= 'z') || (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z'))
                        return KIND_WORD;
                return code == ' ' || (code >= '\t' && code <= '\r') ? KIND_SPACE : KIND_GAP;
        }
        if (is_hangul(code))
                return KIND_HANGUL;
        if (is_han_or_kana(code))
                return KIND_PAIRS;
        utf8proc_category_t category = utf8proc_category(code);
        if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO)
                return KIND_WORD;
        if (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP)
                return KIND_SPACE;
        return KIND_GAP;
}

/* --- folding --- */

/* A copy in which every byte that is not part of UTF-8, and NUL, is a line feed: it parts words. */
static char *copy_clean(struct span text)
{
        char *copy = malloc(text.len + 1);
        if (!copy)
                return NULL;
        for (size_t at = 0; at < text.len;) {
                utf8proc_int32_t code = 0;
                utf8proc_ssize_t bytes = utf8proc_iterate((const utf8proc_uint8_t *)text.at + at,
                                                          (utf8proc_ssize_t)(text.len - at), &code);
                if (bytes <= 0 || code == 0) {
                        copy[at++] = '\n';
                        continue;
                }
                memcpy(copy + at, text.at + at, (size_t)bytes);
                at += (size_t)bytes;
        }
        copy[text.len] = 0;
        return copy;
}

static char *fold_text(struct span text)
{
        char *clean = copy_clean(text);
        if (!clean)
                return NULL;
        utf8proc_uint8_t *folded = NULL;
        utf8proc_option_t how =
                UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_STABLE;
        utf8proc_ssize_t rc = utf8proc_map((const utf8proc_uint8_t *)clean, (utf8proc_ssize_t)text.len, &folded, how);
        free(clean);
        return rc < 0 ? NULL : (char *)folded;
}

static bool is_ascii(struct span text)
{
        for (size_t i = 0; i < text.len; i++)
                if ((unsigned char)text.at[i] >= 0x80 || text.at[i] == 0)
                        return false;
        return true;
}

/* What fold_text does, for the commonest texts. */
static char *fold_ascii(struct span text)
{
        char *out = malloc(text.len + 1);
        if (!out)
                return NULL;
        for (size_t i = 0; i < text.len; i++)
                out[i] = text.at[i] >= 'A' && text.at[i] <= 'Z' ? (char)(text.at[i] + 32) : text.at[i];
        out[text.len] = 0;
        return out;
}

static int fold(struct span text, struct folded *out_folded)
{
        char *folded = is_ascii(text) ? fold_ascii(text) : fold_text(text);
        if (!folded)
                return -1;
        size_t len = strlen(folded), count = 0;
        struct point *points = malloc((len + 1) * sizeof *points);
        if (!points) {
                free(folded);
                return -1;
        }
        for (size_t at = 0; at < len;) {
                utf8proc_int32_t code = 0;
                utf8proc_ssize_t bytes =
                        utf8proc_iterate((const utf8proc_uint8_t *)folded + at, (utf8proc_ssize_t)(len - at), &code);
                if (bytes <= 0)
                        break;
                points[count++] = (struct point){code, (uint32_t)at, (uint8_t)bytes, (uint8_t)kind_of(code)};
                at += (size_t)bytes;
        }
        *out_folded = (struct folded){folded, points, count};
        return 0;
}

static void folded_done(struct folded *folded)
{
        free(folded->text);
        free(folded->points);
}

/* --- runs --- */

static bool is_pairing(const struct point *point)
{
        return point->kind == KIND_PAIRS || point->kind == KIND_HANGUL;
}

static size_t run_end(const struct folded *folded, size_t start)
{
        bool pairs = is_pairing(&folded->points[start]);
        size_t end = start + 1;
        while (end < folded->count && folded->points[end].kind > KIND_SPACE &&
               is_pairing(&folded->points[end]) == pairs)
                end++;
        return end;
}

static size_t next_run(const struct folded *folded, size_t at)
{
        while (at < folded->count && folded->points[at].kind <= KIND_SPACE)
                at++;
        return at;
}

static struct span bytes_of(const struct folded *folded, size_t first, size_t end)
{
        const struct point *last = &folded->points[end - 1];
        uint32_t at = folded->points[first].at;
        return (struct span){folded->text + at, last->at + last->bytes - at};
}

static struct span word_of(const struct folded *folded, size_t first, size_t end)
{
        while (end > first + 1 && bytes_of(folded, first, end).len > TOKEN_MAX_BYTES)
                end--;
        return bytes_of(folded, first, end);
}

/* The Hangul character that follows a Hangul run over spaces alone; folded->count: there is none. */
static size_t hangul_beyond(const struct folded *folded, size_t end)
{
        size_t next = end;
        while (next < folded->count && folded->points[next].kind == KIND_SPACE)
                next++;
        bool joins = next > end && next < folded->count && folded->points[next].kind == KIND_HANGUL &&
                     folded->points[end - 1].kind == KIND_HANGUL;
        return joins ? next : folded->count;
}

/* The pair of a character and the one beyond the gap. */
static struct span pair_across(const struct folded *folded, size_t left, size_t right, char out[2 * 4])
{
        const struct point *a = &folded->points[left], *b = &folded->points[right];
        memcpy(out, folded->text + a->at, a->bytes);
        memcpy(out + a->bytes, folded->text + b->at, b->bytes);
        return (struct span){out, (size_t)a->bytes + b->bytes};
}

static int cut_pairs(const struct folded *folded, size_t first, size_t end, enum token_purpose purpose,
                     tokens_each *each, void *data)
{
        int rc = 0;
        for (size_t i = first; i + 1 < end && rc == 0; i++)
                rc = each(data, bytes_of(folded, i, i + 2), false);
        bool needs_single = purpose == TOKENS_TEXT || end - first == 1;
        if (rc != 0 || !needs_single)
                return rc;
        rc = each(data, bytes_of(folded, end - 1, end), false);
        size_t beyond = hangul_beyond(folded, end);
        if (rc == 0 && purpose == TOKENS_TEXT && beyond < folded->count) {
                char pair[8];
                rc = each(data, pair_across(folded, end - 1, beyond, pair), true);
        }
        return rc;
}

int tokens_cut(struct span text, enum token_purpose purpose, tokens_each *each, void *data)
{
        struct folded folded;
        if (text.len == 0)
                return 0;
        if (fold(text, &folded) < 0)
                return -1;
        int rc = 0;
        for (size_t at = next_run(&folded, 0); at < folded.count && rc == 0;) {
                size_t end = run_end(&folded, at);
                if (is_pairing(&folded.points[at]))
                        rc = cut_pairs(&folded, at, end, purpose, each, data);
                else
                        rc = each(data, word_of(&folded, at, end), false);
                at = next_run(&folded, end);
        }
        folded_done(&folded);
        return rc;
}

/* --- queries --- */

/* One term: a run, quoted. It holds letters, digits and marks only, so nothing in it can end the quotes. Runs of pairs
 * are a phrase; what has one character, or is a word, is looked for by its beginning. */
static bool print_term(FILE *out, const struct folded *folded, size_t first, size_t end, int number)
{
        bool pairs = is_pairing(&folded->points[first]);
        struct span run = pairs ? bytes_of(folded, first, end) : word_of(folded, first, end);
        bool by_prefix = !pairs || end - first == 1;
        return fprintf(out, "%s\"%.*s\"%s", number ? " AND " : "", (int)run.len, run.at, by_prefix ? " *" : "") > 0;
}

int tokens_query(struct span typed, const char *column, char **out_query)
{
        struct folded folded;
        if (typed.len == 0)
                return 0;
        if (fold(typed, &folded) < 0)
                return -1;
        char *query = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&query, &size);
        int terms = 0;
        bool is_good = out && fprintf(out, "%s : (", column) > 0;
        for (size_t at = next_run(&folded, 0); is_good && at < folded.count && terms < QUERY_MAX_TERMS; terms++) {
                size_t end = run_end(&folded, at);
                is_good = print_term(out, &folded, at, end, terms);
                at = next_run(&folded, end);
        }
        folded_done(&folded);
        is_good = is_good && fputc(')', out) != EOF;
        if (out && fclose(out) != 0)
                is_good = false;
        if (is_good && terms > 0)
                *out_query = query;
        else
                free(query);
        return is_good ? terms : -1;
}

/* --- finding in a text --- */

/* A folded character and where it came from. Folded cluster by cluster: a character with what combines with it. */
struct placed {
        int32_t code;
        uint32_t from, to;
        uint8_t kind;
};

struct places {
        struct placed *points;
        size_t count, room;
};

static bool combines(int32_t code)
{
        if (code < 0x300)
                return false;
        const utf8proc_property_t *property = utf8proc_get_property(code);
        bool is_mark = property->category >= UTF8PROC_CATEGORY_MN && property->category <= UTF8PROC_CATEGORY_ME;
        return is_mark || (code >= 0x1160 && code <= 0x11ff) || code == 0xff9e || code == 0xff9f;
}

static size_t point_at(struct span text, size_t at, int32_t *out_code)
{
        utf8proc_ssize_t bytes =
                utf8proc_iterate((const utf8proc_uint8_t *)text.at + at, (utf8proc_ssize_t)(text.len - at), out_code);
        if (bytes > 0)
                return (size_t)bytes;
        *out_code = '\n';
        return 1;
}

static size_t cluster_end(struct span text, size_t start, int32_t *out_code)
{
        int32_t code;
        size_t end = start + point_at(text, start, out_code);
        while (end < text.len) {
                size_t bytes = point_at(text, end, &code);
                if (!combines(code))
                        break;
                end += bytes;
        }
        return end;
}

static int place(struct places *places, int32_t code, enum kind kind, size_t from, size_t to)
{
        if (places->count == places->room) {
                size_t room = places->room ? places->room * 2 : 256;
                struct placed *more = realloc(places->points, room * sizeof *more);
                if (!more)
                        return -1;
                places->points = more;
                places->room = room;
        }
        places->points[places->count++] = (struct placed){code, (uint32_t)from, (uint32_t)to, (uint8_t)kind};
        return 0;
}

/* Characters that folding leaves as they are. */
static bool is_plain(int32_t code)
{
        return (code >= 0xac00 && code <= 0xd7a3) || (code >= 0x4e00 && code <= 0x9fff) ||
               (code >= 0x3041 && code <= 0x3096) || (code >= 0x30a1 && code <= 0x30fa) || code == 0x30fc;
}

static int place_cluster(struct places *places, struct span text, int32_t code, size_t from, size_t to)
{
        if (is_plain(code) && to - from == 3)
                return place(places, code, kind_of(code), from, to);
        struct folded folded;
        if (fold((struct span){text.at + from, to - from}, &folded) < 0)
                return -1;
        int rc = 0;
        for (size_t i = 0; i < folded.count && rc == 0; i++)
                rc = place(places, folded.points[i].code, (enum kind)folded.points[i].kind, from, to);
        folded_done(&folded);
        return rc;
}

static int place_all(struct places *places, struct span text)
{
        int rc = 0;
        for (size_t at = 0; at < text.len && rc == 0;) {
                int32_t code;
                size_t end = cluster_end(text, at, &code);
                if (code < 0x80 && end == at + 1)
                        rc = place(places, code >= 'A' && code <= 'Z' ? code + 32 : code, kind_of(code), at, end);
                else
                        rc = place_cluster(places, text, code, at, end);
                at = end;
        }
        return rc;
}

static size_t next_beyond_spaces(const struct places *text, size_t at)
{
        while (at < text->count && text->points[at].kind == KIND_SPACE)
                at++;
        return at;
}

/* Whether points [first, end) of the query stand in the text from `at` on. Returns where they end, 0: they do not. */
static size_t match_at(const struct places *text, size_t at, const struct folded *query, size_t first, size_t end)
{
        for (size_t i = first; i < end; i++, at++) {
                bool may_skip =
                        i > first && query->points[i].kind == KIND_HANGUL && query->points[i - 1].kind == KIND_HANGUL;
                if (may_skip)
                        at = next_beyond_spaces(text, at);
                if (at >= text->count || text->points[at].code != query->points[i].code)
                        return 0;
        }
        return at;
}

static bool starts_word(const struct places *text, size_t at)
{
        return text->points[at].kind == KIND_WORD && (at == 0 || text->points[at - 1].kind != KIND_WORD);
}

/* The first place of one term. */
static bool find_term(const struct places *text, const struct folded *query, size_t first, size_t end, size_t *out_at,
                      size_t *out_end)
{
        bool pairs = is_pairing(&query->points[first]);
        while (!pairs && end > first + 1 && bytes_of(query, first, end).len > TOKEN_MAX_BYTES)
                end--;
        for (size_t at = 0; at < text->count; at++) {
                if (!pairs && !starts_word(text, at))
                        continue;
                size_t found_end = match_at(text, at, query, first, end);
                if (found_end == 0)
                        continue;
                *out_at = at;
                *out_end = found_end;
                return true;
        }
        return false;
}

static int find_terms(const struct places *places, const struct folded *query, struct span text, struct span *out_hit)
{
        size_t from = text.len + 1, to = 0;
        int terms = 0, found = 0;
        for (size_t at = next_run(query, 0); at < query->count && terms < QUERY_MAX_TERMS; terms++) {
                size_t end = run_end(query, at), first, last;
                if (find_term(places, query, at, end, &first, &last)) {
                        found++;
                        if (places->points[first].from < from) {
                                from = places->points[first].from;
                                to = places->points[last - 1].to;
                        }
                }
                at = next_run(query, end);
        }
        if (found > 0)
                *out_hit = (struct span){text.at + from, to - from};
        return terms > 0 && found == terms;
}

int tokens_find(struct span text, struct span typed, struct span *out_hit)
{
        struct folded query;
        struct places places = {0};
        if (text.len == 0 || typed.len == 0)
                return 0;
        if (fold(typed, &query) < 0)
                return -1;
        int rc = place_all(&places, text);
        if (rc == 0)
                rc = find_terms(&places, &query, text, out_hit);
        free(places.points);
        folded_done(&query);
        return rc;
}
