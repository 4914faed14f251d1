/* SPDX-License-Identifier: Apache-2.0 */
/* deskbell chat: a client in the terminal, made with the SDK. On a terminal it draws a screen with a line to write on;
 * in a pipe, or with --plain, each line of input is a message and each message a line of output. Callbacks run in this
 * loop's own thread. The terminal is as before when the program ends, also by a signal. */
#include "chat.h"
#include "deskbell/answers.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <openssl/sha.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 64, EXIT_UNAVAILABLE = 69, EXIT_CANNOT = 73, EXIT_TEMPORARY = 75, EXIT_NO_PERMISSION = 77 };

static const char usage[] =
        "usage: deskbell chat --url URL --app ID (--token T | --visitor | --agent-token T) [options]\n"
        "\n"
        "Talk in the terminal: as a customer with a user token, as a visitor, or as an agent.\n"
        "\n"
        "  --url URL           where the server is: ws://HOST:PORT or wss://HOST\n"
        "  --app ID            the app, app_...\n"
        "  --token T           user token (or in DESKBELL_TOKEN)\n"
        "  --visitor           without a token\n"
        "  --claim             with a user token: take over what was said here as a visitor\n"
        "  --agent-token T     session token of an agent (or in DESKBELL_AGENT_TOKEN)\n"
        "  --key KEY           which of the customer's conversations; default main\n"
        "  --conv ID           the conversation to begin with, cnv_... (agents; otherwise /list and /open)\n"
        "  --data DIR          where to keep messages; default $XDG_DATA_HOME/deskbell/chat\n"
        "  --ca FILE           trusted roots for wss, PEM\n"
        "  --store-key-file F  32 bytes: what is kept on this device is sealed under them\n"
        "  --plain             lines instead of a screen, as in a pipe\n"
        "\n"
        "Messages written while offline are kept and sent later. In a pipe the program ends when the input has ended "
        "and\n"
        "everything is sent. Type /help inside.\n"
        "\n"
        "example: echo 'My order is late' | deskbell chat --url ws://127.0.0.1:8080 --app app_... --visitor\n";

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        struct chat *chat = data;
        enum deskbell_connection before = chat->state.connection;
        char text[160];

        (void)client;
        snprintf(chat->why_room, sizeof(chat->why_room), "%s", state->why);
        chat->state.connection = state->connection;
        chat->state.caught_up = state->caught_up;
        chat->retry_at_ms = chat_mono_ms() + state->retry_in_ms;
        chat->is_dirty = true;
        if (chat->is_listing_wanted && state->connection == DESKBELL_ONLINE && state->caught_up) {
                chat->is_listing_wanted = false;
                chat_list(chat);
        }
        if (state->connection == DESKBELL_ONLINE)
                chat_find_later(chat);
        chat->was_caught_up |= state->connection == DESKBELL_ONLINE && state->caught_up;
        if (state->connection == DESKBELL_ONLINE && state->caught_up)
                chat_fill_later(chat);
        if (state->connection == DESKBELL_ONLINE && state->caught_up)
                chat_rate_later(chat);
        chat_desk_state(chat, state->principal);
        if (chat->is_plain && state->connection != before && state->connection != DESKBELL_CONNECTING) {
                chat_describe_connection(chat, text, sizeof(text));
                fprintf(stderr, "-- %s\n", text);
        }
}

static const char *name_of(const struct chat *chat, const struct deskbell_entry *entry)
{
        if (entry->is_mine)
                return "me";
        if (entry->kind == DESKBELL_KIND_SURVEY && entry->survey)
                return entry->survey->brand[0] ? entry->survey->brand : "support";
        if (entry->name[0])
                return entry->name;
        if (strncmp(entry->author, "usr_", 4) == 0)
                return chat->customer_name[0] ? chat->customer_name : "customer";
        return strncmp(entry->author, "agt_", 4) == 0 ? "support" : entry->author;
}

/* On one line: what it says, and its files. */
static char *text_of(struct chat *chat, const struct deskbell_entry *entry)
{
        char *files = entry->files_count ? chat_files_text(chat, entry->files, entry->files_count, false) : NULL;
        bool says_it_all = files && chat_files_say_it_all(entry->text, entry->files, entry->files_count);
        char *both = NULL, *clean;

        if (files && asprintf(&both, "%s%s%s", says_it_all ? "" : entry->text, says_it_all ? "" : " ", files) < 0)
                both = NULL;
        clean = chat_text_clean(both ? both : entry->text, false);
        free(both);
        free(files);
        return clean;
}

static void show_entry(struct chat *chat, const struct deskbell_entry *entry)
{
        if (entry->kind == DESKBELL_KIND_SURVEY_END)
                return; /* it is said at the survey */
        transcript_entry(&chat->transcript, entry, name_of(chat, entry));
        struct shown *row = entry->files_count ? transcript_find(&chat->transcript, entry->log, entry->number) : NULL;
        char *files = row ? chat_files_text(chat, entry->files, entry->files_count, true) : NULL;
        if (!files)
                return;

        shown_set_more(row, files);
        if (chat_files_say_it_all(entry->text, entry->files, entry->files_count))
                row->text[0] = '\0';
        free(files);
}

/* In one line, buttons and all. */
static void print_message(const struct deskbell_entry *entry, const char *what, const char *name, const char *text)
{
        printf("#%lld%s %s: %s", (long long)entry->number, what, name, text);
        for (size_t i = 0; i < entry->choices_count; i++) {
                char *label = chat_text_clean(entry->choices[i].label, false);
                printf("%s [%zu] %s", *text || i > 0 ? " " : "", i + 1, label ? label : "");
                free(label);
        }
        if (*entry->link)
                printf(" <%s>", entry->link);
        putchar('\n');
}

static void print_entry(struct chat *chat, const struct deskbell_entry *entry)
{
        const char *what = entry->log == DESKBELL_TEAM ? " [note]" : "";
        char *name = chat_text_clean(name_of(chat, entry), false);
        char *text = text_of(chat, entry);

        if (entry->kind == DESKBELL_KIND_ERASE)
                printf("#%lld%s %s erased #%lld\n", (long long)entry->number, what, name, (long long)entry->of);
        else if (entry->kind == DESKBELL_KIND_SURVEY_END)
                printf("#%lld about survey #%lld\n", (long long)entry->number, (long long)entry->of);
        else if (entry->kind == DESKBELL_KIND_REVISION)
                printf("#%lld%s before that #%lld was: %s\n", (long long)entry->number, what, (long long)entry->of,
                       text);
        else if (entry->kind == DESKBELL_KIND_EDIT)
                printf("#%lld%s %s changed #%lld: %s\n", (long long)entry->number, what, name, (long long)entry->of,
                       text);
        else
                print_message(entry, what, name, entry->kind == DESKBELL_KIND_ERASED ? "(erased)" : text);
        fflush(stdout);
        free(name);
        free(text);
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        struct chat *chat = data;

        (void)client;
        if (entry->conversation != chat->conv)
                return;
        if (chat->is_plain)
                print_entry(chat, entry);
        else
                show_entry(chat, entry);
        chat_survey_entry(chat, entry);
        if (entry->log == DESKBELL_PUBLIC && entry->number > chat->read_seq)
                chat->read_seq = entry->number;
        if (entry->origin == DESKBELL_FOLLOWING && !entry->is_mine && !chat->is_plain && chat->scroll == 0)
                screen_text(&chat->screen, "\a");
        chat->is_dirty = true;
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct chat *chat = data;

        if (message->state == DESKBELL_FAILED || message->state == DESKBELL_EXPIRED) {
                chat->failed += !message->is_again;
                bool is_message = message->operation == DESKBELL_OP_SEND;
                const char *what = is_message                               ? "not sent"
                                   : message->operation == DESKBELL_OP_EDIT ? "the edit was refused"
                                                                            : "the erasure was refused";
                if (chat->is_plain || !is_message)
                        chat_say(chat, "%s%s: %s", what, message->state == DESKBELL_EXPIRED ? " for 30 days" : "",
                                 message->tag);
                if (!is_message) { /* said; there is nothing to try again */
                        deskbell_forget(client, message->cmid);
                        chat->is_dirty = true;
                        return;
                }
        }
        if (message->conversation == chat->conv && !chat->is_plain)
                transcript_message(&chat->transcript, message);
        chat_upload_told(chat, message);
        chat_desk_pump(chat);
        chat->is_dirty = true;
}

static void on_device_answer(deskbell_client *client, const struct deskbell_device_answer *answer, void *data)
{
        struct chat *chat = data;

        (void)client;
        if (answer->conversation != chat->conv)
                return;
        chat->is_dirty = true;
        if (!chat->is_plain) {
                transcript_device_answer(&chat->transcript, answer);
                return;
        }
        char *text = chat_text_clean(answer->text, false);
        if (answer->is_taken_back)
                printf("-- no longer " CHAT_ON_DEVICE ": %s\n", text);
        else
                printf("-- " CHAT_ON_DEVICE ": %s\n", text);
        fflush(stdout);
        free(text);
}

static void on_progress(deskbell_client *client, const struct deskbell_progress *progress, void *data)
{
        (void)client;
        chat_progress(data, progress);
}

static void on_conversation(deskbell_client *client, const struct deskbell_conversation_info *info, void *data)
{
        struct chat *chat = data;

        (void)client;
        if (chat->is_staff)
                chat_list_changed(chat, info);
        if (info->conversation == chat->conv)
                chat_take_info(chat, info);
}

static void on_typing(deskbell_client *client, deskbell_conversation *conv, const char *author, int is_typing,
                      void *data)
{
        struct chat *chat = data;

        (void)client;
        if (conv != chat->conv)
                return;
        snprintf(chat->typist, sizeof(chat->typist), "%s",
                 !is_typing                        ? ""
                 : strncmp(author, "usr_", 4) == 0 ? "the customer"
                                                   : "support");
        chat->is_dirty = true;
}

static void on_presence(deskbell_client *client, const struct deskbell_presence *presence, void *data)
{
        struct chat *chat = data;
        char text[320];

        (void)client;
        if (presence->conversation && presence->conversation != chat->conv)
                return;
        chat->presence = *presence;
        chat->presence.customer = NULL; /* lives for the call */
        chat->is_dirty = true;
        if (chat->is_plain) {
                chat_describe_presence(chat, text, sizeof(text));
                char *clean = chat_text_clean(text, false);
                fprintf(stderr, "-- %s\n", clean);
                free(clean);
        }
}

static void on_notice(deskbell_client *client, enum deskbell_notice notice, deskbell_conversation *conv,
                      const char *detail, void *data)
{
        struct chat *chat = data;

        (void)client;
        switch (notice) {
        case DESKBELL_NOTICE_RESET:
                transcript_clear(&chat->transcript);
                chat->read_seq = 0;
                chat_say(chat, "the server was restored: everything is read again");
                break;
        case DESKBELL_NOTICE_CONVERSATION_ERASED:
                if (conv == chat->conv)
                        transcript_clear(&chat->transcript);
                chat_say(chat, "what was said here was erased");
                break;
        case DESKBELL_NOTICE_STORE_SET_ASIDE:
                chat_say(chat, "the message store was damaged; it is now %s", detail);
                break;
        case DESKBELL_NOTICE_OUTBOX_RESCUED:
                chat_say(chat, "queued messages taken over from it: %s", detail);
                break;
        case DESKBELL_NOTICE_CLAIM_REFUSED:
                chat_say(chat, "the visitor of this folder is not yours: it was left alone");
                break;
        case DESKBELL_NOTICE_STORE_FAILING:
                chat_say(chat, "messages cannot be stored on this disk");
                break;
        case DESKBELL_NOTICE_CONVERSATION_REFUSED:
                chat_say(chat, "the conversation cannot be opened: %s", detail);
                chat->exit_code = EXIT_NO_PERMISSION;
                break;
        }
}

/* ---- older ones ---------------------------------------------------------------------------------------------------
 */

static void on_older(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                     int64_t head, int more, void *data)
{
        struct chat *chat = data;

        (void)client;
        (void)head;
        chat->is_loading_older = false;
        if (error == DESKBELL_E_CANCELLED)
                return;
        if (error || !count)
                chat_say(chat, "%s", error ? deskbell_error_text(error) : "that is the beginning");
        for (size_t i = 0; i < count; i++) {
                if (chat->is_plain)
                        print_entry(chat, &entries[i]);
                else
                        show_entry(chat, &entries[i]);
        }
        chat->has_older = more;
        chat->is_dirty = true;
}

void chat_older(struct chat *chat)
{
        struct deskbell_history_options options = DESKBELL_HISTORY_OPTIONS_INIT;

        options.before = transcript_oldest(&chat->transcript, DESKBELL_PUBLIC);
        if (!chat->conv || chat->is_loading_older || options.before == 1)
                return;
        int rc = deskbell_history(chat->conv, &options, on_older, chat);
        if (rc < 0)
                chat_say(chat, "%s", deskbell_error_text(rc));
        else
                chat->is_loading_older = true;
}

/* ---- input ------------------------------------------------------------------------------------------------------- */

static void suspend(struct chat *chat)
{
        screen_close(&chat->screen);
        raise(SIGSTOP);
        screen_open(&chat->screen);
        chat->is_dirty = true;
}

static void on_key(struct chat *chat, char byte)
{
        if (chat_survey_key(chat, byte))
                return;
        switch (editor_feed(&chat->editor, byte)) {
        case EDITOR_CHANGED:
                if (chat->editor.len && chat->editor.text[0] != '/' && chat->conv)
                        deskbell_typing(chat->conv);
                chat->is_dirty = true;
                break;
        case EDITOR_SUBMIT:
                if (chat->editor.len || chat->filling || chat->survey.is_asking) {
                        if (chat->editor.len)
                                editor_remember(&chat->editor);
                        chat_line(chat, chat->editor.text);
                        editor_clear(&chat->editor);
                }
                chat->is_dirty = true;
                break;
        case EDITOR_QUIT:
                chat->is_ending = true;
                break;
        case EDITOR_SUSPEND:
                suspend(chat);
                break;
        case EDITOR_PAGE_UP:
                chat->scroll += chat->screen.rows / 2;
                chat->is_dirty = true;
                chat_older(chat);
                break;
        case EDITOR_PAGE_DOWN:
                chat->scroll -= chat->scroll < chat->screen.rows / 2 ? chat->scroll : chat->screen.rows / 2;
                chat->is_dirty = true;
                break;
        case EDITOR_REDRAW:
                screen_text(&chat->screen, "\x1b[2J");
                chat->is_dirty = true;
                break;
        case EDITOR_NOTHING:
                break;
        }
}

struct line_input {
        char bytes[EDITOR_BYTES + 2];
        size_t len;
};

static void take_plain(struct chat *chat, struct line_input *input, char byte)
{
        if (byte != '\n') {
                /* What is too long for a message is refused by deskbell_send, as a whole. */
                if (input->len < sizeof(input->bytes) - 1)
                        input->bytes[input->len++] = byte;
                return;
        }
        if (input->len && input->bytes[input->len - 1] == '\r')
                input->len--;
        input->bytes[input->len] = '\0';
        input->len = 0;
        chat_line(chat, input->bytes);
}

static void on_input(struct chat *chat, struct line_input *plain)
{
        char bytes[4096];
        ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));

        if (got < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (got <= 0) {
                if (chat->is_plain && plain->len)
                        take_plain(chat, plain, '\n');
                chat->has_ended_input = true;
                chat->is_ending |= !chat->is_plain;
                return;
        }
        for (ssize_t i = 0; i < got && !chat->is_ending; i++) {
                if (chat->is_plain)
                        take_plain(chat, plain, bytes[i]);
                else
                        on_key(chat, bytes[i]);
        }
}

static void on_signal(struct chat *chat, int fd)
{
        struct signalfd_siginfo info;

        if (read(fd, &info, sizeof(info)) != sizeof(info))
                return;
        if (info.ssi_signo == SIGWINCH) {
                screen_measure(&chat->screen);
                screen_text(&chat->screen, "\x1b[2J");
                chat->is_dirty = true;
        } else if (info.ssi_signo == SIGCONT) {
                chat->is_dirty = true;
        } else {
                chat->exit_code = 128 + (int)info.ssi_signo;
                chat->is_ending = true;
        }
}

/* In a pipe: after the end of the input, everything sent and received. */
static void check_done(struct chat *chat)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT;

        if (!chat->is_plain || !chat->has_ended_input || deskbell_status(chat->client, &status) < 0)
                return;
        if (chat->state.connection == DESKBELL_STOPPED || chat->state.connection == DESKBELL_NEEDS_TOKEN) {
                chat->exit_code = EXIT_UNAVAILABLE;
                chat->is_ending = true;
        } else if (!status.queued && status.is_caught_up && !status.callbacks_waiting && !chat->saving &&
                   !chat->searches && !chat->find_later && !chat->looking && !chat->fill_later && !chat->survey.later &&
                   chat_desk_is_idle(chat)) {
                chat->exit_code = chat->failed ? EXIT_TEMPORARY : chat->exit_code;
                chat->is_ending = true;
        }
}

static int wait_ms(const struct chat *chat)
{
        bool counts_down = chat->state.connection == DESKBELL_WAITING || chat->state.connection == DESKBELL_DELAYED;

        if (chat->is_plain)
                return chat->has_ended_input ? 50 : -1;
        return counts_down ? 500 : -1;
}

static void loop(struct chat *chat, int signal_fd)
{
        struct line_input plain = {.len = 0};
        int64_t told_read = 0;

        while (!chat->is_ending) {
                struct pollfd fds[3] = {{.fd = chat->has_ended_input ? -1 : STDIN_FILENO, .events = POLLIN},
                                        {.fd = deskbell_fd(chat->client), .events = POLLIN},
                                        {.fd = signal_fd, .events = POLLIN}};

                chat_draw(chat);
                int ready = poll(fds, 3, wait_ms(chat));
                if (ready < 0 && errno != EINTR)
                        break;
                chat->is_dirty |= ready == 0;
                if (fds[2].revents)
                        on_signal(chat, signal_fd);
                if (fds[1].revents)
                        deskbell_dispatch(chat->client, 0);
                if (fds[0].revents)
                        on_input(chat, &plain);
                if (chat->conv && chat->read_seq != told_read && chat->scroll == 0)
                        deskbell_mark_read(chat->conv, told_read = chat->read_seq);
                check_done(chat);
        }
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

struct taken {
        struct option option;
        const char **text; /* where its argument goes, or */
        bool *flag;        /* what it sets */
};

enum { OPTION_COUNT = 12 };

static int take_options(struct chat *chat, int argc, char **argv)
{
        bool is_visitor = false, claims = false, wants_help = false;
        const struct taken known[OPTION_COUNT] = {
                {{"url", required_argument, NULL, 0}, &chat->options.url, NULL},
                {{"app", required_argument, NULL, 0}, &chat->options.app, NULL},
                {{"token", required_argument, NULL, 0}, &chat->options.token, NULL},
                {{"agent-token", required_argument, NULL, 0}, &chat->options.agent_token, NULL},
                {{"key", required_argument, NULL, 0}, &chat->key, NULL},
                {{"conv", required_argument, NULL, 0}, &chat->conv_id, NULL},
                {{"data", required_argument, NULL, 0}, &chat->data_dir, NULL},
                {{"ca", required_argument, NULL, 0}, &chat->options.ca_file, NULL},
                {{"store-key-file", required_argument, NULL, 0}, &chat->store_key_file, NULL},
                {{"visitor", no_argument, NULL, 0}, NULL, &is_visitor},
                {{"claim", no_argument, NULL, 0}, NULL, &claims},
                {{"plain", no_argument, NULL, 0}, NULL, &chat->is_plain},
        };
        struct option options[OPTION_COUNT + 2] = {0};
        int which, one;

        for (int i = 0; i < OPTION_COUNT; i++)
                options[i] = known[i].option;
        options[OPTION_COUNT] = (struct option){"help", no_argument, NULL, 'h'};
        optind = 1;
        while ((one = getopt_long(argc, argv, "h", options, &which)) != -1) {
                wants_help |= one == 'h';
                if (one == '?')
                        return -1;
                if (one == 0 && known[which].text)
                        *known[which].text = optarg;
                else if (one == 0)
                        *known[which].flag = true;
        }
        if (wants_help)
                fputs(usage, stdout);
        chat->options.is_visitor = is_visitor;
        chat->options.claims_visitor = claims;
        return wants_help ? 1 : optind == argc ? 0 : -1;
}

static int check_options(struct chat *chat)
{
        struct deskbell_options *options = &chat->options;

        if (!options->is_visitor && !options->token && !options->agent_token) {
                options->token = getenv("DESKBELL_TOKEN");
                if (!options->token)
                        options->agent_token = getenv("DESKBELL_AGENT_TOKEN");
        }
        int ways = (options->token != NULL) + (options->agent_token != NULL) + (options->is_visitor != 0);
        if (!options->url || !options->app || ways != 1 || (options->claims_visitor && !options->token))
                return -1;
        chat->is_staff = options->agent_token != NULL;
        return chat->key && (chat->is_staff || chat->conv_id) ? -1 : 0;
}

/* Agents' files are told apart by the token: it names no user. */
static void name_agent(struct chat *chat, char out[48])
{
        unsigned char hash[SHA256_DIGEST_LENGTH];

        SHA256((const unsigned char *)chat->options.agent_token, strlen(chat->options.agent_token), hash);
        int len = snprintf(out, 48, "agent-");
        for (int i = 0; i < 8; i++)
                len += snprintf(out + len, 48 - (size_t)len, "%02x", hash[i]);
        chat->options.user = out;
}

static char *default_folder(void)
{
        const char *base = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
        char *folder = NULL;

        if (base && *base == '/')
                return asprintf(&folder, "%s/deskbell/chat", base) < 0 ? NULL : folder;
        if (home && *home == '/')
                return asprintf(&folder, "%s/.local/share/deskbell/chat", home) < 0 ? NULL : folder;
        return NULL;
}

/* Exactly as long as a key is. */
static bool read_key(const char *path, uint8_t out_key[32])
{
        FILE *file = fopen(path, "rb");
        bool is_key = file && fread(out_key, 1, 32, file) == 32 && fgetc(file) == EOF;

        if (file)
                fclose(file);
        return is_key;
}

static int open_client(struct chat *chat)
{
        struct deskbell_options *options = &chat->options;
        char name[48], *folder = chat->data_dir ? strdup(chat->data_dir) : default_folder();
        uint8_t key[32];

        if (!folder) {
                fputs("deskbell chat: no home folder: say --data DIR\n", stderr);
                return EXIT_USAGE;
        }
        if (chat->store_key_file && !read_key(chat->store_key_file, key)) {
                fprintf(stderr, "deskbell chat: %s is not a file of 32 bytes\n", chat->store_key_file);
                free(folder);
                return EXIT_USAGE;
        }
        options->store_key = chat->store_key_file ? key : NULL;
        options->store_key_len = chat->store_key_file ? sizeof(key) : 0;
        if (chat->is_staff)
                name_agent(chat, name);
        options->data_dir = folder;
        options->callbacks_by_dispatch = 1;
        options->client_name = "deskbell chat";
        options->data = chat;
        options->on_state = on_state;
        options->on_entry = on_entry;
        options->on_message = on_message;
        options->on_conversation = on_conversation;
        options->on_typing = on_typing;
        options->on_notice = on_notice;
        options->on_progress = on_progress;
        options->on_presence = on_presence;
        options->answers = deskbell_answers();
        options->on_device_answer = on_device_answer;
        int rc = deskbell_open(options, &chat->client);
        explicit_bzero(key, sizeof(key));
        options->store_key = NULL;
        options->store_key_len = 0;
        if (rc == DESKBELL_OK)
                rc = chat_desk_begin(chat);
        if (rc == DESKBELL_E_LOCKED)
                fprintf(stderr, "deskbell chat: another chat of this user uses %s: say another --data DIR\n", folder);
        else if (rc < 0)
                fprintf(stderr, "deskbell chat: %s\n", deskbell_error_text(rc));
        free(folder);
        if (rc == DESKBELL_E_LOCKED)
                return EXIT_TEMPORARY;
        return rc == DESKBELL_E_INVALID ? EXIT_USAGE : rc < 0 ? EXIT_CANNOT : 0;
}

static void set_locale(void)
{
        setlocale(LC_CTYPE, "");
        if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
                setlocale(LC_CTYPE, "C.UTF-8"); /* widths of characters come from it */
}

static int open_signals(void)
{
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGWINCH);
        sigaddset(&signals, SIGCONT);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        sigaddset(&signals, SIGQUIT);
        sigprocmask(SIG_BLOCK, &signals, NULL); /* before any thread: all inherit it */
        signal(SIGPIPE, SIG_IGN);
        return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void begin(struct chat *chat)
{
        if (chat->is_staff && !chat->conv_id) {
                chat->is_listing_wanted = true;
                chat_say(chat, "waiting for the list of conversations; then /open N");
        } else {
                chat_open_conversation(chat, chat->conv_id);
        }
        deskbell_connect(chat->client);
}

static void end(struct chat *chat)
{
        screen_close(&chat->screen);
        if (chat->client)
                deskbell_close(chat->client);
        chat_desk_done(chat);
        transcript_clear(&chat->transcript);
        editor_done(&chat->editor);
        chat_files_done(chat);
        chat_fill_done(chat);
        chat_survey_done(chat);
        free(chat->find_later);
        free(chat->list);
}

int cli_chat(int argc, char **argv)
{
        struct chat *chat = calloc(1, sizeof(*chat));
        if (!chat)
                return 71;

        chat->options = (struct deskbell_options)DESKBELL_OPTIONS_INIT;
        int rc = take_options(chat, argc, argv);
        if (rc == 0)
                rc = check_options(chat);
        if (rc != 0) {
                if (rc < 0)
                        fputs(usage, stderr);
                free(chat);
                return rc < 0 ? EXIT_USAGE : 0;
        }
        set_locale();
        int signal_fd = open_signals();
        chat->is_plain |= !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO);
        chat->exit_code = open_client(chat);
        if (chat->client) {
                chat->is_plain |= !chat->is_plain && screen_open(&chat->screen) < 0;
                begin(chat);
                loop(chat, signal_fd);
        }
        end(chat);
        close(signal_fd);
        rc = chat->exit_code;
        free(chat);
        return rc;
}
