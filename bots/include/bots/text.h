/* SPDX-License-Identifier: Apache-2.0 */
/* Text: one message as the bot reads it. Any bytes are taken; what is no UTF-8 reads as a blank. Always true after
 * bot_text_of: the points are NFKC and case folded, full width is folded, ignorable points are gone, white space is one
 * blank and never first or last, a letter stands at most twice in a row. Integers only; no memory is taken; any thread.
 */
#pragma once

#include "protocol/span.h"

enum {
        BOT_TEXT_POINTS = 1000,       /* code points read of a message, and kept of it */
        BOT_TEXT_KEY = 4 * 1000 + 32, /* bytes of room for bot_text_key */
};

enum bot_script {
        BOT_SCRIPT_LATIN,  /* and every other script that writes words with blanks between them */
        BOT_SCRIPT_HANGUL, /* syllables and single letters (jamo) */
        BOT_SCRIPT_HAN,
        BOT_SCRIPT_KANA, /* hiragana, katakana and the long mark */
        BOT_SCRIPT_DIGIT,
        BOT_SCRIPT_OTHER, /* letters of scripts without blanks: Thai, Lao, Khmer, Burmese */
        BOT_SCRIPT_MARK,  /* punctuation, symbols, emoji: a token of one point each */
        BOT_SCRIPT_BLANK, /* never a token's script */
};

/* A run of one script. An apostrophe between two letters belongs to the word: "don't" is one token. */
struct bot_token {
        uint16_t start, len; /* points */
        uint8_t script;
};

/* About 22 KB: lives on a stack or inside something else. */
struct bot_text {
        uint32_t points[BOT_TEXT_POINTS];
        uint32_t offsets[BOT_TEXT_POINTS + 1]; /* of the original's bytes; [count] is where reading ended */
        struct bot_token tokens[BOT_TEXT_POINTS];
        uint16_t count;       /* points */
        uint16_t token_count; /* tokens */
        bool is_cut;          /* the message was longer than what is read of it */
};

/* 0 always; `out` is whole in every case, empty for a message of blanks. At most BOT_TEXT_POINTS points are read. */
int bot_text_of(struct span utf8, struct bot_text *out);

enum bot_script bot_script_of(uint32_t point); /* of a normalised point */

/* "ko", "ja", "zh", "en", "es", "de", "fr": by script, else by the words of Latin text; `hint` (the profile's locale, a
 * tag such as "de-AT", may be NULL) wins where the script does not speak against it. Never NULL; static text. */
const char *bot_language_of(const struct bot_text *text, const char *hint);

/* The key of exact matching: letters and digits only, no blanks and no marks, as UTF-8; a text of marks alone keeps
 * them. Returns its length; not terminated. */
size_t bot_text_key(const struct bot_text *text, char out[BOT_TEXT_KEY]);
