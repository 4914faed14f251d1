/* SPDX-License-Identifier: Apache-2.0 */
/* Language: which of the seven a message is in. The script decides between Korean, Japanese, Chinese and the rest; the
 * small words of a language decide among those of Latin letters. */
#include "bots/text.h"

enum { LATIN_LANGUAGES = 4, WORDS = 28 };

static const char *const latin_names[LATIN_LANGUAGES] = {"en", "es", "de", "fr"};

/* Words that are common in one of the four and in none of the others. */
static const char *const small_words[LATIN_LANGUAGES][WORDS] = {
        {"the", "is",   "my",   "i",   "you",  "what", "how",  "to",   "can",  "and", "it",     "of",   "do",  "where",
         "are", "your", "with", "for", "have", "why",  "when", "this", "that", "not", "please", "want", "i'm", "don't"},
        {"el",    "los",   "mi",     "yo",   "qué",  "cómo", "para",    "puedo", "una",   "y",
         "donde", "dónde", "cuando", "está", "como", "por",  "quiero",  "las",   "tengo", "hola",
         "con",   "mis",   "cuánto", "hay",  "pero", "muy",  "gracias", "del"},
        {"der", "das",  "ich", "ist",  "mein",  "meine", "wie",   "kann",  "und", "nicht",
         "ein", "eine", "wo",  "wann", "warum", "mit",   "für",   "bitte", "auf", "habe",
         "sie", "mir",  "zu",  "wird", "von",   "mich",  "einen", "haben"},
        {"le",  "je",  "ma",   "mon",    "comment", "est",   "puis", "où",      "quand", "et",
         "pas", "mes", "pour", "avec",   "dans",    "suis",  "vous", "bonjour", "j'ai",  "une",
         "du",  "ne",  "quel", "quelle", "c'est",   "votre", "sur",  "les"},
};

static bool is_word(const struct bot_text *text, struct bot_token token, const char *utf8)
{
        size_t at = 0;

        for (size_t i = 0; i < token.len; i++) {
                uint32_t point = text->points[token.start + i];
                uint8_t first = (uint8_t)utf8[at];
                if (first == 0)
                        return false;
                uint32_t other = first < 0x80 ? first : (uint32_t)(first & 0x1f) << 6 | ((uint8_t)utf8[at + 1] & 0x3f);
                if (point != other)
                        return false;
                at += first < 0x80 ? 1 : 2;
        }
        return utf8[at] == 0;
}

static unsigned votes_of(const struct bot_text *text, unsigned language)
{
        unsigned votes = 0;

        for (size_t t = 0; t < text->token_count; t++)
                for (size_t w = 0; text->tokens[t].script == BOT_SCRIPT_LATIN && w < WORDS; w++)
                        votes += is_word(text, text->tokens[t], small_words[language][w]);
        return votes;
}

/* NULL when no small word says anything. */
static const char *by_votes(const struct bot_text *text)
{
        unsigned best = 0;
        const char *winner = NULL;

        for (unsigned i = 0; i < LATIN_LANGUAGES; i++) {
                unsigned votes = votes_of(text, i);
                if (votes > best) {
                        best = votes;
                        winner = latin_names[i];
                }
        }
        return winner;
}

static const char *known(const char *hint)
{
        static const char *const all[] = {"en", "es", "de", "fr", "ko", "ja", "zh"};

        for (size_t i = 0; hint && i < sizeof(all) / sizeof(all[0]); i++)
                if (hint[0] == all[i][0] && hint[1] == all[i][1] && (hint[2] == 0 || hint[2] == '-' || hint[2] == '_'))
                        return all[i];
        return NULL;
}

const char *bot_language_of(const struct bot_text *text, const char *hint)
{
        size_t points[BOT_SCRIPT_BLANK + 1] = {0};
        const char *said = known(hint);

        for (size_t t = 0; t < text->token_count; t++)
                points[text->tokens[t].script] += text->tokens[t].len;
        size_t hangul = points[BOT_SCRIPT_HANGUL], kana = points[BOT_SCRIPT_KANA], han = points[BOT_SCRIPT_HAN];
        size_t east = hangul + kana + han;
        /* A syllable says as much as three letters of "iphone". */
        if (east && 3 * east >= points[BOT_SCRIPT_LATIN]) {
                if (hangul >= kana + han)
                        return "ko";
                return kana || (said && said[0] == 'j') ? "ja" : "zh";
        }
        if (points[BOT_SCRIPT_LATIN] == 0)
                return said ? said : "en";
        bool is_said_latin = said && said[0] != 'k' && said[0] != 'j' && said[0] != 'z';
        if (is_said_latin)
                return said;
        const char *voted = by_votes(text);
        return voted ? voted : said ? said : "en";
}
