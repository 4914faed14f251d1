/* SPDX-License-Identifier: Apache-2.0 */
/* Always true: a program has at most BOT_MATCH_PROGRAM instructions, and a list of threads holds each at most once; so
 * a character costs at most that many steps, wherever the match may begin. A failure leaves `wrong` set and the parser
 * at the pattern's end. */
#include "match.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { REPEAT_MOST = 64, NESTING = 16, RANGES = 16 };

enum op { OP_CLASS, OP_ANY, OP_SPLIT, OP_JUMP, OP_DONE };

struct range {
        uint32_t from, to;
};

struct class
{
        struct range ranges[RANGES];
        uint8_t count;
        bool is_not;
};

struct instruction {
        enum op op;
        uint16_t class_no; /* CLASS */
        uint16_t x, y;     /* SPLIT: both; JUMP: x */
};

struct bot_match {
        struct instruction *program;
        struct class *classes;
        uint16_t length, class_count;
};

struct parser {
        struct bot_match *match;
        const char *at, *end;
        const char *wrong;
        int depth;
};

static void parse_either(struct parser *parser);

static void fail(struct parser *parser, const char *wrong)
{
        if (!parser->wrong)
                parser->wrong = wrong;
        parser->at = parser->end;
}

static int take_point(struct parser *parser)
{
        utf8proc_int32_t point;
        utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)parser->at, parser->end - parser->at, &point);
        if (len <= 0) {
                fail(parser, "it is not UTF-8");
                return 0;
        }
        parser->at += len;
        return point >= 'A' && point <= 'Z' ? point + 'a' - 'A' : point;
}

static uint16_t emit(struct parser *parser, enum op op)
{
        struct bot_match *match = parser->match;
        if (match->length == BOT_MATCH_PROGRAM) {
                fail(parser, "it is too long");
                return 0;
        }
        match->program[match->length] = (struct instruction){.op = op};
        return match->length++;
}

static struct class *new_class(struct parser *parser)
{
        struct bot_match *match = parser->match;
        uint16_t at = emit(parser, OP_CLASS);
        if (parser->wrong)
                return NULL;
        match->program[at].class_no = match->class_count;
        struct class *class = &match->classes[match->class_count++];
        *class = (struct class){.count = 0};
        return class;
}

static void add_range(struct parser *parser, struct class *class, uint32_t from, uint32_t to)
{
        if (from > to)
                fail(parser, "a range in [ ] goes backwards");
        else if (class->count == RANGES)
                fail(parser, "a class in [ ] has too many parts");
        else
                class->ranges[class->count++] = (struct range){from, to};
}

/* What follows a backslash. */
static void add_escape(struct parser *parser, struct class *class)
{
        int point = parser->at < parser->end ? take_point(parser) : 0;
        if (point == 'd' || point == 'w')
                add_range(parser, class, '0', '9');
        if (point == 'w') {
                add_range(parser, class, 'a', 'z');
                add_range(parser, class, '_', '_');
        } else if (point > ' ' && point < 0x7F && strchr("\\.[]{}()|?*+-^$/", point)) {
                add_range(parser, class, (uint32_t)point, (uint32_t)point);
        } else if (point != 'd') {
                fail(parser, "after a backslash comes d, w or a sign");
        }
}

static void parse_class(struct parser *parser)
{
        struct class *class = new_class(parser);
        if (!class)
                return;
        if (parser->at < parser->end && *parser->at == '^') {
                class->is_not = true;
                parser->at++;
        }
        while (parser->at < parser->end && *parser->at != ']') {
                if (*parser->at == '\\') {
                        parser->at++;
                        add_escape(parser, class);
                        continue;
                }
                int from = take_point(parser), to = from;
                if (parser->end - parser->at > 1 && *parser->at == '-' && parser->at[1] != ']') {
                        parser->at++;
                        to = take_point(parser);
                }
                add_range(parser, class, (uint32_t)from, (uint32_t)to);
        }
        if (parser->at == parser->end)
                fail(parser, "a [ has no ]");
        else if (class->count == 0)
                fail(parser, "a class [ ] is empty");
        else
                parser->at++;
}

static void parse_atom(struct parser *parser)
{
        char c = *parser->at;
        if (c == '(') {
                parser->at++;
                if (++parser->depth > NESTING)
                        fail(parser, "it is nested too deep");
                else
                        parse_either(parser);
                parser->depth--;
                if (parser->at == parser->end || *parser->at != ')')
                        fail(parser, "a ( has no )");
                else
                        parser->at++;
        } else if (c == '[') {
                parser->at++;
                parse_class(parser);
        } else if (c == '.') {
                parser->at++;
                emit(parser, OP_ANY);
        } else if (c == '\\') {
                parser->at++;
                struct class *class = new_class(parser);
                if (class)
                        add_escape(parser, class);
        } else if (strchr("?*+{}^$", c)) {
                fail(parser, c == '^' || c == '$' ? "it has no ^ and $: it is looked for as a whole word"
                                                  : "a ? * + or { has nothing before it");
        } else {
                struct class *class = new_class(parser);
                int point = class ? take_point(parser) : 0;
                if (class && !parser->wrong)
                        add_range(parser, class, (uint32_t)point, (uint32_t)point);
        }
}

/* The atom that stands at from..to once more, at the end. */
static void copy(struct parser *parser, uint16_t from, uint16_t to)
{
        uint16_t shift = (uint16_t)(parser->match->length - from);
        for (uint16_t i = from; i < to && !parser->wrong; i++) {
                uint16_t at = emit(parser, parser->match->program[i].op);
                if (parser->wrong)
                        return;
                struct instruction *made = &parser->match->program[at];
                *made = parser->match->program[i];
                made->x = (uint16_t)(made->x + shift);
                made->y = (uint16_t)(made->y + shift);
        }
}

/* Room for one instruction before the atom at from..to; what points into it is moved. */
static void insert_split(struct parser *parser, uint16_t from)
{
        struct bot_match *match = parser->match;
        emit(parser, OP_SPLIT);
        if (parser->wrong)
                return;
        memmove(&match->program[from + 1], &match->program[from],
                (size_t)(match->length - 1 - from) * sizeof(match->program[0]));
        for (uint16_t i = (uint16_t)(from + 1); i < match->length; i++) {
                match->program[i].x = (uint16_t)(match->program[i].x + (match->program[i].x >= from));
                match->program[i].y = (uint16_t)(match->program[i].y + (match->program[i].y >= from));
        }
        match->program[from] = (struct instruction){.op = OP_SPLIT, .x = (uint16_t)(from + 1)};
}

static void make_optional(struct parser *parser, uint16_t from)
{
        insert_split(parser, from);
        if (!parser->wrong)
                parser->match->program[from].y = parser->match->length;
}

static void make_star(struct parser *parser, uint16_t from)
{
        insert_split(parser, from);
        uint16_t jump = emit(parser, OP_JUMP);
        if (parser->wrong)
                return;
        parser->match->program[jump].x = from;
        parser->match->program[from].y = parser->match->length;
}

/* {m}, {m,}, {m,n}: false when none stands here. */
static bool take_bounds(struct parser *parser, int *out_least, int *out_most)
{
        int numbers[2] = {-1, -1}, count = 0;
        parser->at++;
        for (; parser->at < parser->end && *parser->at != '}'; parser->at++) {
                char c = *parser->at;
                if (c == ',' && count == 0)
                        count = 1;
                else if (c >= '0' && c <= '9' && numbers[count] <= REPEAT_MOST)
                        numbers[count] = (numbers[count] < 0 ? 0 : numbers[count] * 10) + c - '0';
                else
                        fail(parser, "a { } holds two numbers at most");
                if (parser->wrong)
                        return false;
        }
        if (parser->at == parser->end || numbers[0] < 0 || numbers[0] > REPEAT_MOST || numbers[1] > REPEAT_MOST) {
                fail(parser, "a { } holds numbers up to 64");
                return false;
        }
        parser->at++;
        *out_least = numbers[0];
        *out_most = count == 0 ? numbers[0] : numbers[1];
        if (*out_most >= 0 && (*out_most < *out_least || *out_most == 0))
                fail(parser, "the numbers in { } go backwards");
        return parser->wrong == NULL;
}

/* The atom at from.. repeated least to most times; most < 0 = without end. The last copy is made optional or starred.
 */
static void repeat(struct parser *parser, uint16_t from, int least, int most)
{
        uint16_t to = parser->match->length;
        if (least == 0 && most < 0) {
                make_star(parser, from);
                return;
        }
        for (int i = 1; i < least && !parser->wrong; i++)
                copy(parser, from, to);
        if (most < 0 && !parser->wrong) {
                uint16_t last = parser->match->length;
                copy(parser, from, to);
                if (!parser->wrong)
                        make_star(parser, last);
        }
        for (int i = least ? least : 1; i < most && !parser->wrong; i++) {
                uint16_t last = parser->match->length;
                copy(parser, from, to);
                if (!parser->wrong)
                        make_optional(parser, last);
        }
        if (least == 0 && !parser->wrong)
                make_optional(parser, from);
}

static void parse_repeated(struct parser *parser)
{
        uint16_t from = parser->match->length;
        int least = 1, most = 1;
        parse_atom(parser);
        if (parser->at == parser->end || !strchr("?*+{", *parser->at))
                return;
        if (*parser->at == '{') {
                if (!take_bounds(parser, &least, &most))
                        return;
        } else {
                least = *parser->at == '+';
                most = *parser->at == '?' ? 1 : -1;
                parser->at++;
        }
        if (parser->at < parser->end && strchr("?*+{", *parser->at))
                fail(parser, "two repeats follow each other");
        else
                repeat(parser, from, least, most);
}

static void parse_either(struct parser *parser)
{
        uint16_t from = parser->match->length;
        while (parser->at < parser->end && *parser->at != '|' && *parser->at != ')')
                parse_repeated(parser);
        if (parser->at == parser->end || *parser->at != '|')
                return;
        parser->at++;
        insert_split(parser, from);
        uint16_t jump = emit(parser, OP_JUMP);
        if (parser->wrong)
                return;
        parser->match->program[from].y = parser->match->length;
        parse_either(parser);
        parser->match->program[jump].x = parser->match->length;
}

/* Lower case once for the classes: they were folded while they were read. */
static bool compile(struct bot_match *match, struct span pattern, const char **out_wrong)
{
        struct parser parser = {.match = match, .at = pattern.at, .end = pattern.at + pattern.len};
        match->program = calloc(BOT_MATCH_PROGRAM, sizeof(match->program[0]));
        match->classes = calloc(BOT_MATCH_PROGRAM, sizeof(match->classes[0]));
        if (!match->program || !match->classes) {
                *out_wrong = "out of memory";
                return false;
        }
        parse_either(&parser);
        if (!parser.wrong && parser.at < parser.end)
                parser.wrong = "a ) has no (";
        if (!parser.wrong && match->length == 0)
                parser.wrong = "it is empty";
        emit(&parser, OP_DONE);
        *out_wrong = parser.wrong;
        return parser.wrong == NULL;
}

struct bot_match *bot_match_new(struct span pattern, const char **out_wrong)
{
        struct bot_match *match = calloc(1, sizeof(*match));
        const char *wrong = "out of memory";
        if (match && compile(match, pattern, &wrong)) {
                /* what was reserved for the longest pattern is given back */
                struct instruction *program = realloc(match->program, match->length * sizeof(*program));
                struct class *classes = realloc(match->classes, (match->class_count + 1u) * sizeof(*classes));
                match->program = program ? program : match->program;
                match->classes = classes ? classes : match->classes;
                return match;
        }
        if (out_wrong)
                *out_wrong = wrong;
        return bot_match_free(match);
}

struct bot_match *bot_match_free(struct bot_match *match)
{
        if (match) {
                free(match->program);
                free(match->classes);
        }
        free(match);
        return NULL;
}

/* ---- running ------------------------------------------------------------------------------------------------- */

/* Threads of one round, those that began earlier first: the first to reach an instruction has begun first. */
struct threads {
        uint16_t at[BOT_MATCH_PROGRAM];
        int from[BOT_MATCH_PROGRAM]; /* where it began */
        uint16_t count;
        uint16_t seen[BOT_MATCH_PROGRAM]; /* the round in which it was added, from 1 */
};

/* Adds `start` and all it leads to without a character. */
static void add_thread(const struct bot_match *match, struct threads *threads, uint16_t start, int from, uint16_t round)
{
        uint16_t stack[BOT_MATCH_PROGRAM], depth = 0;
        if (threads->seen[start] == round)
                return;
        threads->seen[start] = round;
        stack[depth++] = start;
        while (depth > 0) {
                uint16_t at = stack[--depth];
                const struct instruction *now = &match->program[at];
                uint16_t next[2] = {now->x, now->y};
                int ways = now->op == OP_SPLIT ? 2 : now->op == OP_JUMP ? 1 : 0;
                if (ways == 0) {
                        threads->from[threads->count] = from;
                        threads->at[threads->count++] = at;
                }
                for (int i = 0; i < ways; i++) {
                        if (threads->seen[next[i]] == round)
                                continue;
                        threads->seen[next[i]] = round;
                        stack[depth++] = next[i];
                }
        }
}

static bool holds(const struct class *class, uint32_t point)
{
        for (uint8_t i = 0; i < class->count; i++) {
                if (point >= class->ranges[i].from && point <= class->ranges[i].to)
                        return !class->is_not;
        }
        return class->is_not;
}

struct decoded {
        uint32_t points[BOT_MATCH_TEXT]; /* a-z in lower case, full width folded */
        uint32_t offsets[BOT_MATCH_TEXT + 1];
        int count;
};

static void decode(struct span text, struct decoded *out)
{
        size_t at = 0;
        out->count = 0;
        while (at < text.len && out->count < BOT_MATCH_TEXT) {
                utf8proc_int32_t point;
                utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)text.at + at,
                                                        (utf8proc_ssize_t)(text.len - at), &point);
                if (len <= 0) {
                        point = ' ';
                        len = 1;
                }
                if (point >= 0xFF01 && point <= 0xFF5E)
                        point -= 0xFEE0;
                if (point >= 'A' && point <= 'Z')
                        point += 'a' - 'A';
                out->points[out->count] = (uint32_t)point;
                out->offsets[out->count++] = (uint32_t)at;
                at += (size_t)len;
        }
        out->offsets[out->count] = (uint32_t)at;
}

/* One pass: the match that begins first, and of these the longest; never an empty one. `begins`, `ends`: where one may.
 */
static bool run(const struct bot_match *match, const struct decoded *text, const bool *begins, const bool *ends,
                int *out_from, int *out_to)
{
        struct threads lists[2] = {{.count = 0}}, *now = &lists[0], *next = &lists[1], *swap;
        int from = -1, to = -1;
        for (int i = 0;; i++) {
                uint16_t round = (uint16_t)(i + 1);
                if (from < 0 && begins[i])
                        add_thread(match, now, 0, i, round);
                next->count = 0;
                for (uint16_t t = 0; t < now->count; t++) {
                        const struct instruction *at = &match->program[now->at[t]];
                        if (from >= 0 && now->from[t] > from)
                                break;
                        if (at->op == OP_DONE && ends[i] && i > now->from[t]) {
                                from = now->from[t];
                                to = i;
                        }
                        if (at->op != OP_DONE && i < text->count &&
                            (at->op == OP_ANY || holds(&match->classes[at->class_no], text->points[i])))
                                add_thread(match, next, (uint16_t)(now->at[t] + 1), now->from[t],
                                           (uint16_t)(round + 1));
                }
                if (i == text->count || (from >= 0 && next->count == 0))
                        break;
                swap = now;
                now = next;
                next = swap;
        }
        *out_from = from;
        *out_to = to;
        return from >= 0;
}

static int kind_of(uint32_t point)
{
        return point >= '0' && point <= '9' ? 1 : point >= 'a' && point <= 'z' ? 2 : 0;
}

static bool is_edge(const struct decoded *text, int at)
{
        return at == 0 || at == text->count || kind_of(text->points[at - 1]) == 0 ||
               kind_of(text->points[at - 1]) != kind_of(text->points[at]);
}

bool bot_match_whole(const struct bot_match *match, struct span text)
{
        struct decoded decoded;
        bool begins[BOT_MATCH_TEXT + 1] = {true}, ends[BOT_MATCH_TEXT + 1] = {false};
        int from, to;
        decode(text, &decoded);
        ends[decoded.count] = decoded.offsets[decoded.count] == text.len;
        return run(match, &decoded, begins, ends, &from, &to);
}

bool bot_match_find(const struct bot_match *match, struct span text, struct span *out_found)
{
        struct decoded decoded;
        bool edges[BOT_MATCH_TEXT + 1];
        int from, to;
        decode(text, &decoded);
        for (int i = 0; i <= decoded.count; i++)
                edges[i] = is_edge(&decoded, i);
        if (!run(match, &decoded, edges, edges, &from, &to))
                return false;
        *out_found = (struct span){text.at + decoded.offsets[from], decoded.offsets[to] - decoded.offsets[from]};
        return true;
}
