/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords. Too easy is: short, one unit repeated, a run along the alphabet, the digits or a keyboard row, or at most
 * two words that everybody thinks of first, however the letters are dressed up and whatever digits and signs surround
 * them. The rules stand for many thousands of passwords that a list of the same size in bytes could not hold. */
#include "desk/password.h"

#include <argon2.h>

#include "ops/random.h"

enum { MEMORY_KIB = 64 * 1024, PASSES = 3, SALT = 16, HASH = 32, LONGEST = 128, WORDS_MAX = 2 };

/* All are tried. Words of everyday, names, months, teams, keyboards, this product. */
static const char *const words[] = {
        "password",   "passwort",    "passcode",    "passphrase",  "secret",        "secrets",
        "letmein",    "welcome",     "login",       "logon",       "admin",         "administrator",
        "root",       "toor",        "user",        "username",    "guest",         "default",
        "system",     "server",      "manager",     "master",      "change",        "changeme",
        "changeit",   "please",      "access",      "account",     "security",      "secure",
        "private",    "public",      "test",        "tester",      "testing",       "demo",
        "sample",     "example",     "temp",        "temporary",   "hello",         "world",
        "goodbye",    "iloveyou",    "love",        "lovely",      "lover",         "forever",
        "always",     "never",       "nothing",     "something",   "whatever",      "trustno",
        "nopassword", "mypassword",  "thepassword", "newpassword", "oldpassword",   "yourpassword",
        "qwerty",     "qwertz",      "azerty",      "qwertyuiop",  "qwertzuiop",    "azertyuiop",
        "asdf",       "asdfgh",      "asdfghjkl",   "zxcv",        "zxcvbn",        "zxcvbnm",
        "yxcvbnm",    "qazwsx",      "qazwsxedc",   "wsxedc",      "qweasd",        "qweasdzxc",
        "poiuyt",     "mnbvcxz",     "lkjhgfdsa",   "abc",         "abcd",          "abcde",
        "abcdef",     "abcdefg",     "abcdefgh",    "xyz",         "aaa",           "monday",
        "tuesday",    "wednesday",   "thursday",    "friday",      "saturday",      "sunday",
        "january",    "february",    "march",       "april",       "may",           "june",
        "july",       "august",      "september",   "october",     "november",      "december",
        "spring",     "summer",      "autumn",      "winter",      "fall",          "football",
        "soccer",     "baseball",    "basketball",  "hockey",      "tennis",        "golf",
        "liverpool",  "arsenal",     "chelsea",     "manchester",  "united",        "barcelona",
        "madrid",     "juventus",    "bayern",      "dortmund",    "yankees",       "lakers",
        "eagles",     "cowboys",     "steelers",    "dragon",      "monkey",        "tiger",
        "lion",       "panther",     "eagle",       "falcon",      "phoenix",       "unicorn",
        "dolphin",    "elephant",    "butterfly",   "kitten",      "puppy",         "doggy",
        "kitty",      "cat",         "dog",         "horse",       "rabbit",        "bear",
        "wolf",       "shark",       "snake",       "spider",      "superman",      "batman",
        "spiderman",  "ironman",     "wonderwoman", "pokemon",     "pikachu",       "naruto",
        "starwars",   "startrek",    "skywalker",   "vader",       "yoda",          "matrix",
        "gandalf",    "frodo",       "hobbit",      "harry",       "potter",        "hogwarts",
        "disney",     "mickey",      "mouse",       "minnie",      "donald",        "duck",
        "hellokitty", "barbie",      "princess",    "prince",      "queen",         "king",
        "knight",     "angel",       "devil",       "heaven",      "jesus",         "christ",
        "god",        "mary",        "joseph",      "michael",     "jennifer",      "jessica",
        "jordan",     "michelle",    "daniel",      "thomas",      "robert",        "william",
        "james",      "john",        "david",       "richard",     "charles",       "matthew",
        "anthony",    "andrew",      "joshua",      "ashley",      "amanda",        "sarah",
        "nicole",     "hannah",      "maria",       "anna",        "laura",         "emma",
        "sophie",     "charlie",     "george",      "peter",       "martin",        "stefan",
        "thorsten",   "sabine",      "pierre",      "marie",       "jean",          "carlos",
        "jose",       "juan",        "luis",        "ivan",        "natasha",       "vladimir",
        "sunshine",   "moonlight",   "rainbow",     "flower",      "flowers",       "rose",
        "lily",       "daisy",       "cherry",      "apple",       "banana",        "orange",
        "lemon",      "strawberry",  "chocolate",   "cookie",      "cookies",       "cheese",
        "pepper",     "ginger",      "sugar",       "honey",       "candy",         "coffee",
        "pizza",      "whisky",      "vodka",       "beer",        "music",         "guitar",
        "piano",      "dance",       "singer",      "metallica",   "nirvana",       "beatles",
        "eminem",     "blink",       "slipknot",    "computer",    "internet",      "google",
        "facebook",   "twitter",     "instagram",   "youtube",     "amazon",        "microsoft",
        "windows",    "linux",       "ubuntu",      "debian",      "apache",        "mysql",
        "oracle",     "cisco",       "samsung",     "nokia",       "iphone",        "android",
        "samsung",    "minecraft",   "fortnite",    "roblox",      "counterstrike", "warcraft",
        "starcraft",  "playstation", "nintendo",    "xbox",        "game",          "gamer",
        "gaming",     "player",      "killer",      "hunter",      "ranger",        "soldier",
        "warrior",    "ninja",       "pirate",      "hacker",      "blackhat",      "matrix",
        "shadow",     "ghost",       "storm",       "thunder",     "lightning",     "fire",
        "ice",        "water",       "earth",       "wind",        "ocean",         "river",
        "mountain",   "forest",      "island",      "silver",      "golden",        "gold",
        "diamond",    "crystal",     "ruby",        "emerald",     "purple",        "yellow",
        "green",      "blue",        "red",         "black",       "white",         "pink",
        "money",      "dollar",      "million",     "billion",     "rich",          "lucky",
        "happy",      "smile",       "friend",      "friends",     "family",        "mother",
        "father",     "mommy",       "daddy",       "brother",     "sister",        "baby",
        "babygirl",   "sweet",       "sweetheart",  "darling",     "beautiful",     "handsome",
        "sexy",       "freedom",     "liberty",     "peace",       "america",       "england",
        "germany",    "france",      "london",      "paris",       "berlin",        "newyork",
        "texas",      "california",  "moscow",      "tokyo",       "mercedes",      "porsche",
        "ferrari",    "mustang",     "camaro",      "corvette",    "harley",        "yamaha",
        "honda",      "toyota",      "school",      "college",     "university",    "teacher",
        "student",    "doctor",      "company",     "office",      "business",      "work",
        "support",    "helpdesk",    "service",     "customer",    "agent",         "desk",
        "deskbell",   "bell",        "inbox",       "ticket",      "mail",          "email",
        "letme",      "in",          "the",         "my",          "your",          "our",
        "is",         "it",          "you",         "me",          "love",          "hate",
        "this",       "that",        "one",         "two",         "three",         "four",
        "five",       "six",         "seven",       "eight",       "nine",          "ten",
        "pass",       "word",        "open",        "sesame",      "key",           "lock",
        "door",       "house",       "home",        "star",        "sun",           "moon",
        "sky",        "big",         "small",       "hot",         "cold",          "super",
        "mega",       "ultra",       "power",       "magic",       "trust",         "admin",
        "qwe",        "asd",         "zxc",         "qaz",         "wsx",           "edc",
        "correct",    "staple",      "battery",
};

static bool has_word(const char *text, size_t len)
{
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
                if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
                        return true;
        return false;
}

/* The whole is at most `left` of the words, one behind the other. */
static bool is_words(const char *text, size_t len, int left)
{
        if (len == 0)
                return true;
        for (size_t cut = len; left > 0 && cut >= 2; cut--)
                if (has_word(text, cut) && is_words(text + cut, len - cut, left - 1))
                        return true;
        return false;
}

/* Repeats one unit of at most half its length. */
static bool is_repeated(const char *text, size_t len)
{
        for (size_t unit = 1; unit <= len / 2; unit++) {
                size_t i = unit;
                while (i < len && text[i] == text[i - unit])
                        i++;
                if (i == len)
                        return true;
        }
        return false;
}

/* Every letter follows the one before along a row of keys, the alphabet or the digits, forwards or backwards. */
static bool is_run(const char *text, size_t len)
{
        static const char rows[] = "abcdefghijklmnopqrstuvwxyzabc 01234567890123456789 qwertyuiop asdfghjkl zxcvbnm "
                                   "qwertzuiop yxcvbnm 1qaz2wsx3edc4rfv5tgb6yhn7ujm ";
        size_t breaks = 0;
        for (size_t i = 1; i < len; i++) {
                const char there[] = {text[i - 1], text[i], 0}, back[] = {text[i], text[i - 1], 0};
                breaks += !strstr(rows, there) && !strstr(rows, back) && text[i] != text[i - 1];
        }
        return breaks <= len / 6;
}

static size_t lower(struct span password, char out[LONGEST])
{
        for (size_t i = 0; i < password.len; i++) {
                char c = password.at[i];
                out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        return password.len;
}

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c & 0x80);
}

/* What is left when the dressing is taken off: from the first letter to the last, look-alikes as the letters they stand
 * for, and nothing but letters. */
static size_t undress(const char *text, size_t len, bool look_alikes, char out[LONGEST])
{
        static const char from[] = "0134578@$!|", to[] = "oleastbasil";
        size_t first = 0, last = len, count = 0;
        while (first < last && !is_letter(text[first]))
                first++;
        while (last > first && !is_letter(text[last - 1]))
                last--;
        for (size_t i = first; i < last; i++) {
                const char *at = look_alikes ? memchr(from, text[i], sizeof from - 1) : NULL;
                char c = at ? to[at - from] : text[i];
                if (is_letter(c))
                        out[count++] = c;
        }
        return count;
}

static bool is_guessable(struct span password, bool look_alikes)
{
        char text[LONGEST], letters[LONGEST];
        if (password.len > LONGEST)
                return false;
        size_t len = lower(password, text), count = undress(text, len, look_alikes, letters);
        if (is_repeated(text, len) || is_run(text, len))
                return true;
        bool is_one = count > 0 && (is_repeated(letters, count) || is_run(letters, count));
        return is_words(letters, count, WORDS_MAX) || is_one;
}

const char *password_fault(struct span password)
{
        size_t points = 0;
        for (size_t i = 0; i < password.len; i++)
                points += ((unsigned char)password.at[i] & 0xc0) != 0x80;
        if (points < PASSWORD_POINTS)
                return "at least 12 characters";
        if (is_guessable(password, false) || is_guessable(password, true))
                return "a password that nobody would guess first";
        return NULL;
}

int password_hash(struct span password, char out_encoded[PASSWORD_ENCODED])
{
        uint8_t salt[SALT];
        random_bytes(salt, sizeof salt);
        int rc = argon2id_hash_encoded(PASSES, MEMORY_KIB, 1, password.at, password.len, salt, sizeof salt, HASH,
                                       out_encoded, PASSWORD_ENCODED);
        return rc == ARGON2_OK ? 0 : -1;
}

bool password_fits(const char *encoded, struct span password)
{
        return argon2id_verify(encoded, password.at, password.len) == ARGON2_OK;
}
