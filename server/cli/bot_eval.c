/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell bot eval: trains on some labelled questions, asks others, and says how good the answers are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/bot.h"
#include "cli/bot_eval.h"
#include "cli/cli.h"
#include "ops/clock.h"

struct asked {
        const char *train, *test, *lang, *off_topic, *predictions;
        long per_label, seed, held_back, wish;
        bool json;
};

struct eval {
        struct asked want;
        struct eval_labels labels;
        struct eval_lines train, test;
        bool *is_chosen;
        struct writer blob;
        struct bot_ranker *ranker;
        struct eval_said *said;
        int64_t *took_ns;
        struct eval_figures figures;
};

/* ---- lines ---- */

static bool is_same_file(const struct eval *eval)
{
        return strcmp(eval->want.train, eval->want.test) == 0;
}

/* Marks what is asked: lines marked test, or, where none is, those that were not chosen as examples, at most
 * `held_back` of each label. */
static void mark_test_lines(const struct eval *eval, bool *out_is_asked)
{
        const struct eval_lines *test = &eval->test;
        bool is_marked = false;

        for (size_t i = 0; i < test->count; i++)
                is_marked |= test->at[i].split == EVAL_TEST;
        if (!is_marked && is_same_file(eval) && eval->want.held_back)
                eval_choose(test, &eval->labels, (size_t)eval->want.held_back, (uint64_t)eval->want.seed + 1000,
                            eval->is_chosen, out_is_asked);
        for (size_t i = 0; i < test->count; i++)
                if (is_marked)
                        out_is_asked[i] = test->at[i].split == EVAL_TEST;
                else if (!is_same_file(eval))
                        out_is_asked[i] = true;
                else if (!eval->want.held_back || test->at[i].label < 0)
                        out_is_asked[i] = !eval->is_chosen[i];
}

static int keep_test_lines(struct eval *eval)
{
        struct eval_lines *test = &eval->test;
        bool *is_asked = calloc(test->count + 1, sizeof(is_asked[0]));
        size_t kept = 0;

        if (!is_asked)
                return cli_fail(EX_OSERR, "out of memory");
        mark_test_lines(eval, is_asked);
        for (size_t i = 0; i < test->count; i++)
                if (is_asked[i])
                        test->at[kept++] = test->at[i];
                else
                        free(test->at[i].text);
        test->count = kept;
        free(is_asked);
        return kept ? EX_OK : cli_fail(EX_DATAERR, "%s has no line left to ask", eval->want.test);
}

static int read_all(struct eval *eval)
{
        int rc = eval_read(eval->want.train, &eval->labels, &eval->train);

        if (rc == EX_OK)
                rc = eval_read(eval->want.test, &eval->labels, &eval->test);
        if (rc != EX_OK)
                return rc;
        eval->is_chosen = calloc(eval->train.count + 1, sizeof(eval->is_chosen[0]));
        if (!eval->is_chosen)
                return cli_fail(EX_OSERR, "out of memory");
        if (eval_choose(&eval->train, &eval->labels, (size_t)eval->want.per_label, (uint64_t)eval->want.seed, NULL,
                        eval->is_chosen) == 0)
                return cli_fail(EX_DATAERR, "%s has no line to learn from", eval->want.train);
        rc = keep_test_lines(eval);
        if (rc == EX_OK && eval->want.off_topic)
                rc = eval_read_off_topic(eval->want.off_topic, &eval->test);
        return rc;
}

/* ---- learning and asking ---- */

/* What this thread has worked, whatever else the machine does. */
static int64_t worked_ns(void)
{
        struct timespec worked;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &worked);
        return (int64_t)worked.tv_sec * 1000000000 + worked.tv_nsec;
}

static int train(struct eval *eval)
{
        struct bot_example *examples = calloc(eval->train.count + 1, sizeof(examples[0]));
        size_t count = 0;
        int rc = -BOT_RANKER_NO_MEMORY;

        for (size_t i = 0; examples && i < eval->train.count; i++)
                if (eval->is_chosen[i])
                        examples[count++] = (struct bot_example){.answer = (uint32_t)eval->train.at[i].label,
                                                                 .text = span_of(eval->train.at[i].text)};
        uint64_t before = clock_mono_ns();
        int64_t worked = worked_ns();
        if (examples)
                rc = bot_ranker_train(examples, count, eval->want.lang, bot_off_topic(eval->want.lang), &eval->blob,
                                      &eval->figures.report);
        eval->figures.train_ms = (double)(clock_mono_ns() - before) / 1e6;
        eval->figures.train_cpu_ms = (double)(worked_ns() - worked) / 1e6;
        free(examples);
        if (rc == 0)
                rc = bot_ranker_load((struct span){eval->blob.bytes, eval->blob.len}, &eval->ranker);
        if (rc == -BOT_RANKER_TOO_MANY)
                return cli_fail(EX_DATAERR, "at most %d labels and %d examples", BOT_RANKER_ANSWERS,
                                BOT_RANKER_EXAMPLES);
        if (rc < 0)
                return cli_fail(EX_SOFTWARE, "the examples cannot be learned (%d)", -rc);
        eval->figures.blob_bytes = eval->blob.len;
        eval->figures.memory_bytes = bot_ranker_bytes(eval->ranker);
        return EX_OK;
}

static void ask(const struct eval *eval, const char *text, struct eval_said *out)
{
        struct bot_text read;

        bot_text_of(span_of(text), &read);
        out->count = bot_ranker_rank(eval->ranker, &read, NULL, out->best, EVAL_BEST);
        out->decision = bot_ranker_decide(eval->ranker, out->best, out->count, (unsigned)eval->want.wish, NULL);
}

static bool has_examples(const struct eval *eval, int label)
{
        for (size_t i = 0; label >= 0 && i < eval->train.count; i++)
                if (eval->is_chosen[i] && eval->train.at[i].label == label)
                        return true;
        return false;
}

static int compare_times(const void *a, const void *b)
{
        int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

        return left < right ? -1 : left > right;
}

static int ask_all(struct eval *eval)
{
        size_t count = eval->test.count;

        eval->said = calloc(count + 1, sizeof(eval->said[0]));
        eval->took_ns = calloc(count + 1, sizeof(eval->took_ns[0]));
        if (!eval->said || !eval->took_ns)
                return cli_fail(EX_OSERR, "out of memory");
        for (size_t i = 0; i < count; i++) {
                int64_t before = worked_ns();
                ask(eval, eval->test.at[i].text, &eval->said[i]);
                eval->took_ns[i] = worked_ns() - before;
                eval->said[i].is_known = has_examples(eval, eval->test.at[i].label);
        }
        qsort(eval->took_ns, count, sizeof(eval->took_ns[0]), compare_times);
        size_t middle = count / 2, late = count * 99 / 100;
        eval->figures.p50_us = (double)eval->took_ns[middle] / 1e3;
        eval->figures.p99_us = (double)eval->took_ns[late] / 1e3;
        return EX_OK;
}

/* Top-1 of the lines after `spoil`; -1: out of memory or none. */
static double ask_spoiled(const struct eval *eval, char *(*spoil)(const char *text, uint64_t *random))
{
        size_t asked = 0, right = 0;
        uint64_t random = (uint64_t)eval->want.seed + 11;

        for (size_t i = 0; i < eval->test.count; i++) {
                struct eval_said said = {.count = 0};
                char *text = eval->said[i].is_known ? spoil(eval->test.at[i].text, &random) : NULL;
                if (!text)
                        continue;
                ask(eval, text, &said);
                asked++;
                right += said.count && (int)said.best[0].answer == eval->test.at[i].label;
                free(text);
        }
        return asked ? (double)right / (double)asked : -1;
}

static char *without_spaces(const char *text, uint64_t *random)
{
        (void)random;
        return eval_without_spaces(text);
}

/* ---- saying ---- */

static const char *decision_name(enum bot_decision decision)
{
        return decision == BOT_LONE ? "answer" : decision == BOT_CHOICES ? "choices" : "miss";
}

static void write_prediction(FILE *file, const struct eval *eval, size_t line)
{
        const struct eval_said *said = &eval->said[line];
        int label = eval->test.at[line].label;

        fputs(label < 0 ? "-" : eval->labels.names[label], file);
        for (size_t i = 0; i < EVAL_BEST; i++) {
                bool is_there = i < said->count;
                fprintf(file, "\t%s\t%.4f\t%.4f", is_there ? eval->labels.names[said->best[i].answer] : "-",
                        is_there ? said->best[i].probability / 65535.0 : 0,
                        is_there ? said->best[i].score / 65535.0 : 0);
        }
        fprintf(file, "\t%s\t%s\n", decision_name(said->decision), eval->test.at[line].text);
}

static int write_predictions(const struct eval *eval)
{
        FILE *file = fopen(eval->want.predictions, "we");

        if (!file)
                return cli_fail(EX_CANTCREAT, "%s cannot be written", eval->want.predictions);
        for (size_t i = 0; i < eval->test.count; i++)
                write_prediction(file, eval, i);
        bool is_bad = ferror(file);
        if (fclose(file) != 0 || is_bad)
                return cli_fail(EX_IOERR, "%s cannot be written", eval->want.predictions);
        return EX_OK;
}

static void add_share(json_t *all, const char *name, unsigned wish, double share)
{
        char full[48];

        snprintf(full, sizeof(full), "%s_wished_%u", name, wish);
        json_object_set_new(all, full, json_real(share));
}

static int print_json(const struct eval *eval)
{
        const struct eval_figures *f = &eval->figures;
        json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "answers",
                                (json_int_t)f->report.answers, "examples", (json_int_t)f->report.examples, "asked",
                                (json_int_t)f->asked, "off_topic", (json_int_t)f->off_topic, "top1", f->top1,
                                "top1_macro", f->macro, "top3", f->top3, "precision_at_50", f->precision_at[0],
                                "precision_at_70", f->precision_at[1], "precision_at_90", f->precision_at[2]);
        json_t *more = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I}",
                                 "off_topic_refused_keeping_90", f->refused, "lone", f->lone, "choices", f->choices,
                                 "miss", f->miss, "top1_without_spaces", f->no_spaces, "top1_one_typo", f->one_typo,
                                 "train_ms", f->train_ms, "train_cpu_ms", f->train_cpu_ms, "question_p50_us", f->p50_us,
                                 "question_p99_us", f->p99_us, "model_bytes", (json_int_t)f->blob_bytes, "memory_bytes",
                                 (json_int_t)f->memory_bytes);

        for (int w = 0; all && w < EVAL_WISHES; w++) {
                add_share(all, "precision", eval_wishes[w], f->got[w]);
                add_share(all, "coverage", eval_wishes[w], f->coverage[w]);
                add_share(all, "coverage_possible", eval_wishes[w], f->possible[w]);
                add_share(all, "off_topic_lone", eval_wishes[w], f->off_lone[w]);
        }
        if (all && more)
                json_object_update(all, more);
        json_decref(more);
        return cli_print(all);
}

static void print_share(const char *name, double share)
{
        if (share < 0)
                printf("%-44s -\n", name);
        else
                printf("%-44s %6.2f %%\n", name, 100 * share);
}

static void print_wish(const struct eval_figures *figures, int w)
{
        printf("wished 0.%u\n", eval_wishes[w]);
        print_share("  precision got", figures->got[w]);
        print_share("  answered alone", figures->coverage[w]);
        print_share("  at most possible", figures->possible[w]);
        print_share("  off-topic answered alone", figures->off_lone[w]);
}

static int print_table(const struct eval *eval)
{
        const struct eval_figures *f = &eval->figures;

        printf("%u answers, %u examples; %zu questions and %zu off-topic lines asked\n", f->report.answers,
               f->report.examples, f->asked, f->off_topic);
        print_share("top-1", f->top1);
        print_share("top-1, mean over answers", f->macro);
        print_share("top-3", f->top3);
        print_share("precision at 50 % coverage", f->precision_at[0]);
        print_share("precision at 70 % coverage", f->precision_at[1]);
        print_share("precision at 90 % coverage", f->precision_at[2]);
        for (int w = 0; w < EVAL_WISHES; w++)
                print_wish(f, w);
        print_share("off-topic refused, 90 % in scope kept", f->refused);
        print_share("the bot would answer alone", f->lone);
        print_share("  offer choices", f->choices);
        print_share("  miss", f->miss);
        print_share("top-1, spaces removed", f->no_spaces);
        print_share("top-1, one typo", f->one_typo);
        printf("training %.0f ms (%.0f ms of work), model %zu bytes, in memory %zu bytes\na question: p50 %.0f us, p99 "
               "%.0f us of work\n",
               f->train_ms, f->train_cpu_ms, f->blob_bytes, f->memory_bytes, f->p50_us, f->p99_us);
        return cli_finish();
}

static int run(struct eval *eval)
{
        int rc = read_all(eval);

        if (rc == EX_OK)
                rc = train(eval);
        if (rc == EX_OK)
                rc = ask_all(eval);
        if (rc != EX_OK)
                return rc;
        eval_measure(&eval->test, eval->said, eval->ranker, eval->labels.count, &eval->figures);
        eval->figures.no_spaces = ask_spoiled(eval, without_spaces);
        eval->figures.one_typo = ask_spoiled(eval, eval_with_typo);
        if (eval->want.predictions)
                rc = write_predictions(eval);
        if (rc == EX_OK)
                rc = eval->want.json ? print_json(eval) : print_table(eval);
        return rc;
}

static void eval_done(struct eval *eval)
{
        eval_lines_done(&eval->train);
        eval_lines_done(&eval->test);
        eval_labels_done(&eval->labels);
        free(eval->is_chosen);
        free(eval->said);
        free(eval->took_ns);
        writer_done(&eval->blob);
        bot_ranker_free(eval->ranker);
}

/* A number from 0 to a million; `said` NULL: 0. */
static bool read_number(const char *said, long *out)
{
        char *end = NULL;
        long value = said ? strtol(said, &end, 10) : 0;

        *out = value;
        return !said || (end != said && *end == 0 && value >= 0 && value <= 1000000);
}

/* As typed; NULL: not said. */
struct numbers {
        const char *per_label, *seed, *held_back, *wish;
};

static int check(const struct asked *want, const struct numbers *said, struct asked *out)
{
        if (!want->train || !want->test || !want->lang)
                return cli_fail(EX_USAGE, "--train, --test and --lang are needed; see: deskbell bot eval --help");
        if (!read_number(said->per_label, &out->per_label))
                return cli_fail(EX_USAGE, "--k %s: a number from 0 (all) to 1000000", said->per_label);
        if (!read_number(said->seed, &out->seed))
                return cli_fail(EX_USAGE, "--seed %s: a number from 0 to 1000000", said->seed);
        if (!read_number(said->held_back, &out->held_back))
                return cli_fail(EX_USAGE, "--held-back %s: a number from 0 (all) to 1000000", said->held_back);
        if (!read_number(said->wish, &out->wish) ||
            (said->wish && (out->wish < BOT_WISH_LEAST || out->wish > BOT_WISH_MOST)))
                return cli_fail(EX_USAGE, "--wish %s: a number from %d to %d", said->wish, BOT_WISH_LEAST,
                                BOT_WISH_MOST);
        return EX_OK;
}

int bot_run_eval(int argc, char **argv)
{
        struct eval eval = {.want = {.lang = NULL}};
        struct asked *want = &eval.want;
        struct numbers said = {.wish = NULL};
        const struct cli_option options[] = {
                {.name = "train", .value = "FILE", .text = &want->train, .help = "labelled lines to learn from"},
                {.name = "test",
                 .value = "FILE",
                 .text = &want->test,
                 .help = "labelled lines to ask; may be the same"},
                {.name = "lang",
                 .value = "LANG",
                 .text = &want->lang,
                 .help = "their language: en, ko, zh, ja, es ..."},
                {.name = "k",
                 .value = "N",
                 .text = &said.per_label,
                 .help = "examples of each label, chosen by the seed; default all"},
                {.name = "seed", .value = "N", .text = &said.seed, .help = "default 0"},
                {.name = "held-back",
                 .value = "N",
                 .text = &said.held_back,
                 .help = "without test lines: ask so many of a label; default all"},
                {.name = "wish",
                 .value = "N",
                 .text = &said.wish,
                 .help = "least precision of lone answers in hundredths, 50 to 98; default 90"},
                {.name = "offtopic", .value = "FILE", .text = &want->off_topic, .help = "lines that have no answer"},
                {.name = "predictions", .value = "OUT", .text = &want->predictions, .help = "write what was said"},
                CLI_JSON(want->json),
        };
        const struct cli_page page = {
                .usage = "bot eval --train FILE --test FILE --lang LANG [options]",
                .about =
                        "Learns from labelled questions, asks others, and prints how good the answers are. Files have\n"
                        "three columns without a header: split (train, test or other), label, text; tabs between. "
                        "Learned\n"
                        "from are lines marked train, asked are lines marked test; where a file has no such mark, all\n"
                        "of its lines, less those learned from. Labels oos, off_topic, none and -, and labels without\n"
                        "examples, mark lines that have no answer. A line of --predictions: label, three times "
                        "answer,\n"
                        "probability and score, what the bot would do (answer, choices, miss), text.",
                .examples = "  deskbell bot eval --train faq.tsv --test faq.tsv --lang ko --k 10 --seed 1\n"
                            "  deskbell bot eval --train a.tsv --test b.tsv --lang en --predictions said.tsv --json\n",
                CLI_OPTIONS(options),
        };
        int first = cli_parse(&page, argc, argv);
        if (first < 0)
                return cli_parsed(first);

        writer_init(&eval.blob, NULL, 0);
        int rc = check(want, &said, want);
        if (rc == EX_OK)
                rc = run(&eval);
        eval_done(&eval);
        return rc;
}
