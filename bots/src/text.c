/* SPDX-License-Identifier: Apache-2.0 */
/* Text: see text.h. The message is normalised in segments, each from one point that joins nothing before it to the next
 * such point; every point of a segment carries the offset of the segment's first byte. */
#include "bots/text.h"

#include <utf8proc.h>

enum {
        SEGMENT_IN = 24,     /* points of a segment; a longer tower of accents is broken here */
        DECOMPOSED_MAX = 32, /* points that one point may become; Unicode's longest is 18 */
        SEGMENT_ROOM = SEGMENT_IN * DECOMPOSED_MAX,
        BLANK = ' ',
};

struct segment {
        utf8proc_int32_t points[SEGMENT_ROOM];
        size_t count, sources;
        size_t offset;
};

struct range {
        uint32_t first, last;
        enum bot_script script;
};

static const struct range ranges[] = {
        {0x0e00, 0x0eff, BOT_SCRIPT_OTHER},  {0x1000, 0x109f, BOT_SCRIPT_OTHER},  {0x1100, 0x11ff, BOT_SCRIPT_HANGUL},
        {0x1780, 0x17ff, BOT_SCRIPT_OTHER},  {0x2e80, 0x2fdf, BOT_SCRIPT_HAN},    {0x3005, 0x3007, BOT_SCRIPT_HAN},
        {0x3021, 0x3029, BOT_SCRIPT_HAN},    {0x3041, 0x309a, BOT_SCRIPT_KANA},   {0x309d, 0x309f, BOT_SCRIPT_KANA},
        {0x30a1, 0x30fa, BOT_SCRIPT_KANA},   {0x30fc, 0x30ff, BOT_SCRIPT_KANA},   {0x3130, 0x318f, BOT_SCRIPT_HANGUL},
        {0x31f0, 0x31ff, BOT_SCRIPT_KANA},   {0x3400, 0x4dbf, BOT_SCRIPT_HAN},    {0x4e00, 0x9fff, BOT_SCRIPT_HAN},
        {0xa960, 0xa97f, BOT_SCRIPT_HANGUL}, {0xac00, 0xd7ff, BOT_SCRIPT_HANGUL}, {0xf900, 0xfaff, BOT_SCRIPT_HAN},
        {0x1b000, 0x1b16f, BOT_SCRIPT_KANA}, {0x20000, 0x3ffff, BOT_SCRIPT_HAN},
};

static enum bot_script script_by_category(uint32_t point)
{
        switch (utf8proc_category((utf8proc_int32_t)point)) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_MC:
        case UTF8PROC_CATEGORY_ME:
                return BOT_SCRIPT_LATIN;
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_NO:
                return BOT_SCRIPT_DIGIT;
        case UTF8PROC_CATEGORY_ZS:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
        case UTF8PROC_CATEGORY_CC:
                return BOT_SCRIPT_BLANK;
        default:
                return BOT_SCRIPT_MARK;
        }
}

enum bot_script bot_script_of(uint32_t point)
{
        if (point < 0x80) {
                if (point >= 'a' && point <= 'z')
                        return BOT_SCRIPT_LATIN;
                if (point >= '0' && point <= '9')
                        return BOT_SCRIPT_DIGIT;
                if (point > BLANK && point < 0x7f && !(point >= 'A' && point <= 'Z'))
                        return BOT_SCRIPT_MARK;
        }
        for (size_t i = 0; point >= ranges[0].first && i < sizeof(ranges) / sizeof(ranges[0]); i++)
                if (point >= ranges[i].first && point <= ranges[i].last)
                        return ranges[i].script;
        return script_by_category(point);
}

/* ---- normalising ---- */

static int combining_class(utf8proc_int32_t point)
{
        return utf8proc_get_property(point)->combining_class;
}

/* May this point melt into the one before it? Only then must they stand in one segment. */
static bool joins_before(utf8proc_int32_t point)
{
        utf8proc_category_t category = utf8proc_category(point);

        return combining_class(point) != 0 || category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_MN ||
               (point >= 0x1161 && point <= 0x11ff);
}

/* The order of accents that Unicode asks for before composing. */
static void order_accents(utf8proc_int32_t *points, size_t count)
{
        for (size_t i = 1; i < count; i++) {
                utf8proc_int32_t point = points[i];
                int class = combining_class(point);
                size_t at = i;
                for (; class && at > 0 && combining_class(points[at - 1]) > class; at--)
                        points[at] = points[at - 1];
                points[at] = point;
        }
}

static bool is_letter(uint32_t point)
{
        enum bot_script script = bot_script_of(point);

        return script <= BOT_SCRIPT_KANA || script == BOT_SCRIPT_OTHER;
}

static void keep_point(struct bot_text *out, uint32_t point, size_t offset)
{
        if (bot_script_of(point) == BOT_SCRIPT_BLANK) {
                if (out->count == 0 || out->points[out->count - 1] == BLANK)
                        return;
                point = BLANK;
        }
        if (out->count >= 2 && out->points[out->count - 1] == point && out->points[out->count - 2] == point &&
            is_letter(point))
                return;
        if (out->count == BOT_TEXT_POINTS) {
                out->is_cut = true;
                return;
        }
        out->points[out->count] = point;
        out->offsets[out->count++] = (uint32_t)offset;
}

static void keep_segment(struct segment *segment, struct bot_text *out)
{
        order_accents(segment->points, segment->count);
        utf8proc_ssize_t count = utf8proc_normalize_utf32(segment->points, (utf8proc_ssize_t)segment->count,
                                                          UTF8PROC_STABLE | UTF8PROC_COMPOSE);

        for (utf8proc_ssize_t i = 0; i < count; i++)
                keep_point(out, (uint32_t)segment->points[i], segment->offset);
        segment->count = segment->sources = 0;
}

static uint32_t unify(uint32_t point)
{
        switch (point) {
        case 0x2018: /* typographic apostrophes */
        case 0x2019:
        case 0x02bc:
        case 0x00b4:
                return '\'';
        case 0x2010:
        case 0x2011:
        case 0x2013:
        case 0x2014:
        case 0x2212:
                return '-';
        default:
                return point;
        }
}

static void add_point(struct segment *segment, utf8proc_int32_t point, size_t offset, struct bot_text *out)
{
        utf8proc_int32_t parts[DECOMPOSED_MAX];
        int last = 0;
        utf8proc_ssize_t count = utf8proc_decompose_char(
                (utf8proc_int32_t)unify((uint32_t)point), parts, DECOMPOSED_MAX,
                UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_DECOMPOSE, &last);

        if (count <= 0 || count > DECOMPOSED_MAX)
                return;
        if (segment->count && (!joins_before(parts[0]) || segment->sources == SEGMENT_IN))
                keep_segment(segment, out);
        if (segment->count == 0)
                segment->offset = offset;
        memcpy(segment->points + segment->count, parts, (size_t)count * sizeof(parts[0]));
        segment->count += (size_t)count;
        segment->sources++;
}

static void normalise(struct span utf8, struct bot_text *out)
{
        struct segment segment = {.count = 0};
        size_t at = 0, read = 0;

        for (; at < utf8.len && read < BOT_TEXT_POINTS; read++) {
                utf8proc_int32_t point = 0;
                utf8proc_ssize_t bytes = utf8proc_iterate((const utf8proc_uint8_t *)utf8.at + at,
                                                          (utf8proc_ssize_t)(utf8.len - at), &point);
                if (bytes <= 0) {
                        bytes = 1;
                        point = BLANK;
                }
                add_point(&segment, point, at, out);
                at += (size_t)bytes;
        }
        keep_segment(&segment, out);
        out->is_cut |= at < utf8.len;
        while (out->count && out->points[out->count - 1] == BLANK)
                at = out->offsets[--out->count];
        out->offsets[out->count] = (uint32_t)at;
}

/* ---- tokens ---- */

static bool is_apostrophe_inside(const struct bot_text *text, size_t at)
{
        return text->points[at] == '\'' && at + 1 < text->count &&
               bot_script_of(text->points[at + 1]) == BOT_SCRIPT_LATIN;
}

static size_t token_end(const struct bot_text *text, size_t start, enum bot_script script)
{
        size_t end = start + 1;

        while (script != BOT_SCRIPT_MARK && end < text->count &&
               (bot_script_of(text->points[end]) == script ||
                (script == BOT_SCRIPT_LATIN && is_apostrophe_inside(text, end))))
                end++;
        return end;
}

static void split(struct bot_text *text)
{
        for (size_t at = 0, end; at < text->count; at = end) {
                enum bot_script script = bot_script_of(text->points[at]);
                end = at + 1;
                if (script == BOT_SCRIPT_BLANK)
                        continue;
                end = token_end(text, at, script);
                text->tokens[text->token_count++] = (struct bot_token){
                        .start = (uint16_t)at, .len = (uint16_t)(end - at), .script = (uint8_t)script};
        }
}

int bot_text_of(struct span utf8, struct bot_text *out)
{
        out->count = out->token_count = 0;
        out->is_cut = false;
        normalise(utf8, out);
        split(out);
        return 0;
}

size_t bot_text_key(const struct bot_text *text, char out[BOT_TEXT_KEY])
{
        size_t len = 0;

        for (int with_marks = 0; len == 0 && with_marks < 2; with_marks++)
                for (size_t i = 0; i < text->count; i++) {
                        enum bot_script script = bot_script_of(text->points[i]);
                        if (script == BOT_SCRIPT_BLANK || (script == BOT_SCRIPT_MARK && !with_marks))
                                continue;
                        len += (size_t)utf8proc_encode_char((utf8proc_int32_t)text->points[i],
                                                            (utf8proc_uint8_t *)out + len);
                }
        return len;
}
