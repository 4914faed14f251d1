/* SPDX-License-Identifier: Apache-2.0 */
#include "session/transfers.h"

#include <stdlib.h>

#include "session/http.h"

/* ---- life ---- */

int transfers_init(struct net *net)
{
        net->transfers = calloc(1, sizeof *net->transfers);
        return net->transfers ? 0 : -1;
}

static void free_held(struct transfer *transfer)
{
        struct mailbox_item *item = transfer->held.first;
        transfer->held = (struct mailbox_list){0};
        while (item) {
                struct file_job *job = (struct file_job *)item;
                item = item->next;
                file_job_free(job);
        }
}

static void transfer_free(struct transfer *transfer)
{
        free_held(transfer);
        file_job_free(transfer->piece);
        free(transfer);
}

void transfers_done(struct net *net)
{
        while (net->transfers && net->transfers->first) {
                struct transfer *transfer = net->transfers->first;
                net->transfers->first = transfer->next;
                transfer_free(transfer);
        }
        free(net->transfers);
        net->transfers = NULL;
}

/* Frees it when nobody can come back to it. */
static void release(struct transfer *transfer)
{
        if (transfer->state != TRANSFER_OVER || transfer->jobs > 0 || transfer->is_body_open)
                return;
        struct transfers *all = transfer->net->transfers;
        struct transfer **link = &all->first;
        while (*link != transfer)
                link = &(*link)->next;
        *link = transfer->next;
        all->count--;
        transfer_free(transfer);
}

void transfers_over(struct transfer *transfer)
{
        transfer->state = TRANSFER_OVER;
        free_held(transfer);
        release(transfer);
}

/* ---- what both kinds do ---- */

static struct edge_request request_of(const struct transfer *transfer)
{
        return (struct edge_request){.ref = transfer->ref, .peer = &transfer->peer, .content_length = -1};
}

void transfers_refuse(struct transfer *transfer, int error, const struct fault *fault, struct span headers)
{
        struct edge_request request = request_of(transfer);
        if (!transfer->has_answered)
                http_refuse_with(transfer->net, &request, error, fault, transfer->app, headers);
        transfer->has_answered = true;
}

static void job_done(struct file_job *job)
{
        struct net *net = job->owner;
        if (mailbox_force(&net->file_jobs, &job->item, sizeof *job + job->room) < 0)
                file_job_free(job);
}

struct file_job *transfers_job(struct transfer *transfer, enum file_job_kind kind, size_t room)
{
        struct file_job *job = file_job_new(kind, transfer->file, room);
        if (!job)
                return NULL;
        job->claim = transfer->claim;
        job->done = job_done;
        job->owner = transfer->net;
        job->data = transfer;
        return job;
}

int transfers_post(struct transfer *transfer, struct file_job *job)
{
        struct file_store *files = transfer->net->options.files;
        int rc = files ? file_store_post(files, job) : -PROTOCOL_ERR_UNAVAILABLE;
        transfer->jobs += rc == 0;
        return rc;
}

int transfers_look(struct transfer *transfer, struct opening *opening)
{
        struct desk_command *command = command_new(COMMAND_FILE_LOOK, sizeof(struct file_look));
        if (!command) {
                free(opening);
                return -PROTOCOL_ERR_INTERNAL;
        }
        struct file_look *look = arena_take(&command->arena, sizeof *look);
        *look = (struct file_look){.transfer = transfer->number,
                                   .is_put = transfer->is_put,
                                   .is_by_link = transfer->is_by_link,
                                   .link = transfer->link};
        memcpy(look->file, transfer->file, sizeof look->file);
        command->params = look;
        command->from = transfer->ref;
        command->is_http = true;
        command->caller = transfer->caller;
        command->opening = opening;
        transfer->looked_ms = clock_mono_ms();
        int rc = desk_post_read(transfer->net->desk, command);
        if (rc < 0)
                command_free(command);
        return rc;
}

/* ---- a request ---- */

bool transfers_own(struct span path)
{
        struct span files = SPAN("/v1/files/"), links = SPAN("/f/");
        return (path.len >= files.len && memcmp(path.at, files.at, files.len) == 0) ||
               (path.len >= links.len && memcmp(path.at, links.at, links.len) == 0);
}

/* What the path names: 0, or -1. */
static int read_path(struct span path, struct transfer *transfer)
{
        struct span files = SPAN("/v1/files/");
        if (path.at[1] == 'v')
                return file_id_read((struct span){path.at + files.len, path.len - files.len}, transfer->file);
        transfer->is_by_link = true;
        if (link_read(path, &transfer->link) < 0)
                return -1;
        memcpy(transfer->file, transfer->link.file, sizeof transfer->file);
        return 0;
}

/* What is longer than anybody means it is cut: a thousand ranges are refused as two are. */
static void copy_header(struct span header, char out[TRANSFER_HEADER])
{
        size_t len = header.len < TRANSFER_HEADER ? header.len : TRANSFER_HEADER - 1;
        if (len > 0)
                memcpy(out, header.at, len);
        out[len] = 0;
}

static int check_limits(struct net *net, int64_t budget)
{
        uint32_t of_one = 0;
        for (const struct transfer *transfer = net->transfers->first; transfer; transfer = transfer->next)
                of_one += transfer->budget == budget && transfer->state != TRANSFER_OVER;
        if (net->transfers->count >= TRANSFERS_MAX)
                return -PROTOCOL_ERR_OVERLOADED;
        struct presence *presence = presence_get(net, budget);
        if (!presence)
                return -PROTOCOL_ERR_INTERNAL;
        return of_one >= TRANSFERS_OF_ONE || !presence_take_frame(net, presence) ? -PROTOCOL_ERR_RATE_LIMITED : 0;
}

/* Who asks, and whether he may ask for so much. */
static int admit(struct net *net, const struct edge_request *request, struct transfer *transfer,
                 struct opening **out_opening)
{
        int rc = 0;
        if (transfer->is_by_link)
                transfer->budget = (int64_t)transfer->link.who.id | INT64_MIN;
        else
                rc = http_caller_of(net, request, &transfer->caller, out_opening, &transfer->budget);
        transfer->app = transfer->caller.app;
        return rc < 0 ? rc : check_limits(net, transfer->budget);
}

static int make(struct net *net, const struct edge_request *request, struct transfer **out_transfer)
{
        struct opening *opening = NULL;
        struct transfer *transfer = calloc(1, sizeof *transfer);
        if (!transfer)
                return -PROTOCOL_ERR_INTERNAL;
        transfer->net = net;
        transfer->ref = request->ref;
        transfer->number = ++net->transfers->numbers;
        transfer->since_ms = clock_mono_ms();
        transfer->is_put = span_equal(request->method, SPAN("PUT"));
        transfer->is_head = span_equal(request->method, SPAN("HEAD"));
        transfer->length = request->content_length > 0 ? request->content_length : 0;
        if (request->peer->origin.len < TRANSFER_HEADER) /* a cut one might be another's */
                copy_header(request->peer->origin, transfer->origin);
        copy_header(request->range, transfer->range);
        copy_header(request->if_range, transfer->if_range);
        copy_header(request->if_none_match, transfer->if_none_match);
        transfer->peer = (struct edge_peer){.address = request->peer->address, .over_tls = request->peer->over_tls};
        if (transfer->origin[0])
                transfer->peer.origin = span_of(transfer->origin);
        int rc = read_path(request->path, transfer) < 0 ? -PROTOCOL_ERR_NOT_FOUND : 0;
        if (rc == 0)
                rc = admit(net, request, transfer, &opening);
        if (rc == 0) {
                rc = transfers_look(transfer, opening);
                opening = NULL;
        }
        free(opening);
        if (rc < 0) {
                free(transfer);
                return rc;
        }
        transfer->next = net->transfers->first;
        net->transfers->first = transfer;
        net->transfers->count++;
        *out_transfer = transfer;
        return 0;
}

static int read_offset(struct span header, int64_t *out_offset)
{
        int64_t value = 0;
        if (!header.at || header.len == 0 || header.len > 15)
                return -1;
        for (size_t i = 0; i < header.len; i++) {
                if (header.at[i] < '0' || header.at[i] > '9')
                        return -1;
                value = value * 10 + (header.at[i] - '0');
        }
        *out_offset = value;
        return 0;
}

/* What is wrong with the head: 0, or a protocol error. */
static int check_head(const struct net *net, const struct edge_request *request, struct fault *fault)
{
        bool is_link = request->path.at[1] == 'f', is_put = span_equal(request->method, SPAN("PUT"));
        bool is_get = span_equal(request->method, SPAN("GET")) || span_equal(request->method, SPAN("HEAD"));
        int64_t offset;
        if (request->query.at) {
                fault_set(fault, PROTOCOL_ERR_AUTH_REQUIRED, "query", "nothing: secrets travel in the header");
                return PROTOCOL_ERR_AUTH_REQUIRED;
        }
        if (!is_get && (!is_put || is_link))
                return PROTOCOL_ERR_METHOD_NOT_ALLOWED;
        if (net->is_draining)
                return PROTOCOL_ERR_UNAVAILABLE;
        if (is_get && request->content_length > 0)
                return PROTOCOL_ERR_TOO_LARGE;
        if (!is_link && !request->authorization.at)
                return PROTOCOL_ERR_AUTH_REQUIRED;
        if (is_put && request->content_length < 0)
                return PROTOCOL_ERR_LENGTH_REQUIRED;
        if (is_put && read_offset(request->upload_offset, &offset) < 0) {
                fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "Upload-Offset", "a number of bytes");
                return PROTOCOL_ERR_BAD_REQUEST;
        }
        return 0;
}

enum edge_body transfers_request(struct net *net, const struct edge_request *request, void **out_user)
{
        struct fault fault = {0};
        struct transfer *transfer = NULL;
        if (!request->query.at && span_equal(request->method, SPAN("OPTIONS"))) {
                http_answer_preflight(net, request, "GET, HEAD, PUT",
                                      "Authorization, Content-Type, Upload-Offset, Range, If-Range");
                return EDGE_BODY_REFUSE;
        }
        int error = check_head(net, request, &fault);
        if (error == 0 && !span_equal(request->method, SPAN("PUT")))
                return EDGE_BODY_BUFFER;
        if (error == 0)
                error = -make(net, request, &transfer);
        if (error != 0) {
                http_refuse_with(net, request, error, &fault, 0, (struct span){0});
                return EDGE_BODY_REFUSE;
        }
        read_offset(request->upload_offset, &transfer->offset);
        transfer->is_body_open = true;
        *out_user = transfer;
        return EDGE_BODY_STREAM;
}

void transfers_request_ready(struct net *net, const struct edge_request *request)
{
        struct transfer *transfer;
        int rc = make(net, request, &transfer);
        if (rc < 0)
                http_refuse_with(net, request, -rc, NULL, 0, (struct span){0});
}

/* ---- what comes back ---- */

/* Asked again in the middle of a download: it goes on, or its connection ends. */
static void look_again(struct transfer *transfer, const struct file_grant *grant)
{
        if (grant->error == 0 || grant->error == PROTOCOL_ERR_INTERNAL)
                return;
        edge_drop(transfer->net->edge, transfer->ref);
        download_end(transfer);
}

void transfers_take_grant(struct net *net, const struct desk_note *note)
{
        struct file_grant grant;
        memcpy(&grant, note->bytes, sizeof grant);
        struct transfer *transfer = net->transfers->first;
        while (transfer && transfer->number != grant.transfer)
                transfer = transfer->next;
        if (!transfer || transfer->state == TRANSFER_OVER)
                return;
        if (transfer->state != TRANSFER_LOOKING) {
                if (!transfer->is_put)
                        look_again(transfer, &grant);
                return;
        }
        if (grant.error != 0) {
                transfers_refuse(transfer, grant.error, NULL, (struct span){0});
                transfers_over(transfer);
                return;
        }
        transfer->row = grant.row;
        transfer->caller = grant.caller;
        if (transfer->is_put)
                upload_granted(transfer);
        else
                download_granted(transfer);
}

void transfers_take_jobs(struct net *net)
{
        struct mailbox_item *item = mailbox_take(&net->file_jobs);
        while (item) {
                struct file_job *job = (struct file_job *)item;
                struct transfer *transfer = job->data;
                item = item->next;
                job->item.next = NULL;
                transfer->jobs--;
                if (transfer->is_put)
                        upload_job_back(transfer, job);
                else
                        download_job_back(transfer, job);
                release(transfer);
        }
}

bool transfers_drained(struct net *net, struct edge_ref ref)
{
        for (struct transfer *transfer = net->transfers->first; transfer; transfer = transfer->next) {
                if (transfer->is_put || transfer->state == TRANSFER_OVER || transfer->ref.slot != ref.slot ||
                    transfer->ref.generation != ref.generation)
                        continue;
                download_drained(transfer);
                return true;
        }
        return false;
}

static void look_after(struct transfer *transfer, uint64_t mono_ms)
{
        struct net *net = transfer->net;
        if (!transfer->is_put && !edge_conn_of(net->edge, transfer->ref)) {
                download_end(transfer);
                return;
        }
        if (transfer->state == TRANSFER_LOOKING) {
                if (mono_ms < transfer->since_ms + TRANSFER_LOOK_MS)
                        return;
                transfers_refuse(transfer, PROTOCOL_ERR_INTERNAL, NULL, (struct span){0});
                transfers_over(transfer);
                return;
        }
        bool is_due = !transfer->is_put && transfer->has_begun && mono_ms >= transfer->looked_ms + TRANSFER_AGAIN_MS;
        if (is_due)
                transfers_look(transfer, NULL); /* when the readers are too busy, in the next second */
}

void transfers_second(struct net *net, uint64_t mono_ms)
{
        struct transfer *transfer = net->transfers->first;
        while (transfer) {
                struct transfer *next = transfer->next;
                if (transfer->state != TRANSFER_OVER)
                        look_after(transfer, mono_ms);
                transfer = next;
        }
}
