/* SPDX-License-Identifier: Apache-2.0 */
/* A program that was built with the header of an older version (tests/compat/VERSION/include) and runs with the library
 * of today. Every struct that it fills ends at the end of a page, and behind it lies one that nobody may touch: a
 * library that looks for what this program's header did not have is killed for it. It talks with an agent, sends a
 * file, reads history, searches; what it sees is a line each. Usage: old_program URL APP TOKEN DATA_DIR FILE */
#include <deskbell/deskbell.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, STEP_MS = 100 };

struct seen {
        int is_online, sent, entries, has_answer, has_page, has_found;
        size_t page_count, found_count;
        int64_t unread, progress;
};

/* A copy that ends where the page ends; lives as long as the process. */
static void *at_the_edge(const void *what, size_t size)
{
        size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page;
        char *pages = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (pages == MAP_FAILED || mprotect(pages + room, page, PROT_NONE) != 0)
                abort();
        return memcpy(pages + room - size, what, size);
}

static void on_state(deskbell_client *client, const struct deskbell_state *state, void *data)
{
        (void)client;
        ((struct seen *)data)->is_online = state->connection == DESKBELL_ONLINE && state->caught_up;
}

static void on_entry(deskbell_client *client, const struct deskbell_entry *entry, void *data)
{
        struct seen *seen = data;

        (void)client;
        seen->entries++;
        if (!entry->is_mine && strcmp(entry->text, "answer") == 0)
                seen->has_answer = 1;
        printf("entry %lld %d %s\n", (long long)entry->number, (int)entry->kind, entry->text);
}

static void on_message(deskbell_client *client, const struct deskbell_message *message, void *data)
{
        struct seen *seen = data;

        (void)client;
        seen->sent += message->state == DESKBELL_SENT;
        if (message->state == DESKBELL_FAILED)
                printf("failed %s\n", message->tag);
}

static void on_unread(deskbell_client *client, int64_t total, void *data)
{
        (void)client;
        ((struct seen *)data)->unread = total;
}

static void on_progress(deskbell_client *client, const struct deskbell_progress *progress, void *data)
{
        (void)client;
        ((struct seen *)data)->progress = progress->sent;
}

static void on_page(deskbell_client *client, int error, const struct deskbell_entry *entries, size_t count,
                    int64_t head, int more, void *data)
{
        struct seen *seen = data;

        (void)client;
        (void)more;
        seen->has_page = 1;
        seen->page_count = count;
        printf("page %d %zu of %lld, first %s\n", error, count, (long long)head, count ? entries[0].text : "");
}

static void on_found(deskbell_client *client, int error, const struct deskbell_found *found, size_t count,
                     const char *next, int is_cut, void *data)
{
        struct seen *seen = data;

        (void)client;
        (void)error;
        (void)found;
        (void)next;
        (void)is_cut;
        seen->has_found = 1;
        seen->found_count = count;
}

/* Dispatches until *flag is at least `wanted`. */
static void wait_for(deskbell_client *client, const char *what, const int *flag, int wanted)
{
        struct pollfd fd = {.fd = deskbell_fd(client), .events = POLLIN};

        for (int left = PATIENCE_MS / STEP_MS; *flag < wanted; left--) {
                if (left == 0) {
                        printf("still not: %s\n", what);
                        exit(1);
                }
                poll(&fd, 1, STEP_MS);
                deskbell_dispatch(client, 0);
        }
        printf("%s\n", what);
}

static void must(const char *what, int rc)
{
        if (rc < 0) {
                printf("%s: %s\n", what, deskbell_error_text(rc));
                exit(1);
        }
}

static deskbell_client *open_client(char **argv, struct seen *seen)
{
        struct deskbell_options options = DESKBELL_OPTIONS_INIT;
        deskbell_client *client = NULL;

        options.url = argv[1];
        options.app = argv[2];
        options.token = argv[3];
        options.data_dir = argv[4];
        options.callbacks_by_dispatch = 1;
        options.data = seen;
        options.on_state = on_state;
        options.on_entry = on_entry;
        options.on_message = on_message;
        options.on_unread = on_unread;
        options.on_progress = on_progress;
        must("open", deskbell_open(at_the_edge(&options, sizeof(options)), &client));
        return client;
}

static void talk(deskbell_client *client, deskbell_conversation *conversation, struct seen *seen, const char *path)
{
        struct deskbell_send_options how = DESKBELL_SEND_OPTIONS_INIT;
        struct deskbell_file_options files = DESKBELL_FILE_OPTIONS_INIT;
        struct deskbell_file_source source = {.path = path, .media = "text/plain"};
        char cmid[33];

        deskbell_cmid_new(client, cmid);
        how.cmid = cmid;
        must("send", deskbell_send(conversation, "from an old program", at_the_edge(&how, sizeof(how)), NULL));
        wait_for(client, "sent", &seen->sent, 1);
        wait_for(client, "answered", &seen->has_answer, 1);
        files.files = at_the_edge(&source, sizeof(source));
        files.files_count = 1;
        files.text = "a file";
        must("send file", deskbell_send_file(conversation, at_the_edge(&files, sizeof(files)), NULL));
        wait_for(client, "file sent", &seen->sent, 2);
        printf("progress %lld\n", (long long)seen->progress);
}

static void look_back(deskbell_client *client, deskbell_conversation *conversation, struct seen *seen)
{
        struct deskbell_history_options page = DESKBELL_HISTORY_OPTIONS_INIT;
        struct deskbell_search_options search = DESKBELL_SEARCH_OPTIONS_INIT;

        page.limit = 10;
        must("history", deskbell_history(conversation, at_the_edge(&page, sizeof(page)), on_page, seen));
        wait_for(client, "page", &seen->has_page, 1);
        search.limit = 5;
        must("search", deskbell_search(client, "program", at_the_edge(&search, sizeof(search)), on_found, seen));
        wait_for(client, "searched", &seen->has_found, 1);
}

int main(int argc, char **argv)
{
        struct deskbell_status status = DESKBELL_STATUS_INIT, *told;
        struct seen seen = {0};
        deskbell_conversation *conversation = NULL;

        if (argc != 6)
                return 64;
        setvbuf(stdout, NULL, _IOLBF, 0);
        printf("built with %d.%d.%d, runs with %s\n", DESKBELL_VERSION_MAJOR, DESKBELL_VERSION_MINOR,
               DESKBELL_VERSION_PATCH, deskbell_version());
        deskbell_client *client = open_client(argv, &seen);
        must("conversation", deskbell_conversation_open(client, "main", &conversation));
        must("connect", deskbell_connect(client));
        wait_for(client, "online", &seen.is_online, 1);
        talk(client, conversation, &seen, argv[5]);
        look_back(client, conversation, &seen);
        told = at_the_edge(&status, sizeof(status));
        must("status", deskbell_status(client, told));
        printf("status %lld queued %lld failed %lld unread\n", (long long)told->queued, (long long)told->failed,
               (long long)told->unread);
        must("close", deskbell_close(client));
        return 0;
}
