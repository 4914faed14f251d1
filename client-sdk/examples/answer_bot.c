/* SPDX-License-Identifier: Apache-2.0 */
/* A bot that answers two questions and hands over on the rest. What it knows is in the words of the question, what it
 * remembers in the state that the server keeps: it may be killed at any moment, and nothing is said twice.
 * Usage: answer_bot URL APP BOT_KEY FOLDER; SIGTERM or SIGINT ends it. The bot's kind is `program`. */
#include <ctype.h>
#include <deskbell/bot.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
        const char *word, *answer;
} answers[] = {
        {"refund", "You can return items within 30 days. Open **Orders > Return**."},
        {"open", "We are here from 9 to 18 on working days."},
};

static int has_word(const char *text, const char *word)
{
        size_t len = strlen(word), i;

        for (; *text; text++) {
                for (i = 0; i < len && tolower((unsigned char)text[i]) == word[i]; i++)
                        ;
                if (i == len)
                        return 1;
        }
        return 0;
}

static int offer(deskbell_client *client, const struct deskbell_turn *turn)
{
        static const struct deskbell_choice choices[] = {
                {"refund", "Refunds"}, {"open", "Hours"}, {"person", "A person"}};
        struct deskbell_action action = {DESKBELL_OFFER, "What is it about?", choices, 3, NULL, NULL};
        struct deskbell_act act = DESKBELL_ACT_INIT;

        act.actions = &action;
        act.actions_count = 1;
        act.decision = DESKBELL_DECIDED_CHOICES;
        act.state = "offered"; /* the second time a person has to look at it */
        return deskbell_act(client, turn, &act);
}

static void on_turn(deskbell_client *client, const struct deskbell_turn *turn, void *data)
{
        const char *asked = *turn->pressed_id ? turn->pressed_id : turn->text;
        size_t i;
        int rc = -1;

        for (i = 0; i < sizeof(answers) / sizeof(*answers) && rc != DESKBELL_OK; i++)
                if (has_word(asked, answers[i].word))
                        rc = deskbell_act_say(client, turn, answers[i].answer);
        if (rc != DESKBELL_OK && !*turn->state)
                rc = offer(client, turn);
        else if (rc != DESKBELL_OK)
                rc = deskbell_act_hand_off(client, turn, "missed", NULL);
        if (rc != DESKBELL_OK)
                fprintf(stderr, "answer_bot: %s\n", deskbell_error_text(rc));
}

static void on_acted(deskbell_client *client, const struct deskbell_acted *acted, void *data)
{
        printf("%s %s\n", acted->conversation, acted->error ? acted->tag : "done");
        fflush(stdout);
}

int main(int argc, char **argv)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        struct deskbell_bot bot = DESKBELL_BOT_INIT;
        deskbell_client *client = NULL;
        sigset_t ends;
        int which;

        if (argc != 5)
                return fprintf(stderr, "usage: answer_bot URL APP BOT_KEY FOLDER\n"), 1;
        sigemptyset(&ends);
        sigaddset(&ends, SIGTERM);
        sigaddset(&ends, SIGINT);
        sigprocmask(SIG_BLOCK, &ends, NULL); /* before the client's threads begin: they inherit it */
        options.url = argv[1];
        options.app = argv[2];
        options.agent_token = argv[3];
        options.data_dir = argv[4];
        bot.on_turn = on_turn;
        bot.on_acted = on_acted;
        int rc = deskbell_open(&options, &client);
        if (rc == DESKBELL_OK)
                rc = deskbell_bot_start(client, &bot);
        if (rc == DESKBELL_OK)
                rc = deskbell_connect(client);
        if (rc != DESKBELL_OK)
                fprintf(stderr, "answer_bot: %s\n", deskbell_error_text(rc));
        else
                sigwait(&ends, &which);
        deskbell_close(client);
        return rc != DESKBELL_OK;
}
