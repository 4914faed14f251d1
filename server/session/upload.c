/* SPDX-License-Identifier: Apache-2.0 */
/* Upload: PUT /v1/files/<id>. Bytes go to the files threads as they come; above UPLOAD_WAITING of them on their way the
 * connection is not read from. What has arrived stays, whatever becomes of the connection. The answer tells the offset
 * that is on disk. */
#include "session/transfers.h"

#include <stdio.h>
#include <stdlib.h>

#include "session/http.h"

static struct span offset_line(int64_t offset, char *room, size_t room_len)
{
        int len = snprintf(room, room_len, "Upload-Offset: %lld\r\n", (long long)offset);
        return (struct span){room, (size_t)len};
}

static void resume(struct transfer *transfer)
{
        if (!transfer->is_paused || !transfer->is_body_open)
                return;
        transfer->is_paused = false;
        struct edge_conn *conn = edge_conn_of(transfer->net->edge, transfer->ref);
        if (conn)
                edge_resume(conn);
}

/* Ends what the files thread has open; nothing more is answered. */
static void give_up(struct transfer *transfer, bool is_open)
{
        struct file_job *job = is_open ? transfers_job(transfer, FILE_PUT_END, 0) : NULL;
        if (job && transfers_post(transfer, job) < 0)
                file_job_free(job);
        transfer->has_answered = true;
        transfers_over(transfer);
}

static void fail(struct transfer *transfer, int error, bool is_open)
{
        if (!transfer->is_dead)
                transfers_refuse(transfer, error, NULL, (struct span){0});
        give_up(transfer, is_open);
}

/* All bytes are handed over: puts them on disk and hears how many there are. */
static void end(struct transfer *transfer)
{
        struct file_job *job = transfers_job(transfer, FILE_PUT_END, 0);
        int rc = job ? transfers_post(transfer, job) : -PROTOCOL_ERR_INTERNAL;
        if (rc == 0) {
                transfer->state = TRANSFER_ENDING;
                return;
        }
        file_job_free(job);
        fail(transfer, -rc, false);
}

void upload_granted(struct transfer *transfer)
{
        char line[64];
        struct fault fault = {0};
        if (transfer->offset > transfer->row.size || transfer->length > transfer->row.size - transfer->offset) {
                snprintf(line, sizeof line, "%lld bytes in all", (long long)transfer->row.size);
                fault_set(&fault, PROTOCOL_ERR_TOO_LARGE, "Content-Length", line);
                transfers_refuse(transfer, PROTOCOL_ERR_TOO_LARGE, &fault, (struct span){0});
                transfers_over(transfer);
                return;
        }
        transfer->claim = transfer->net->options.files ? file_store_claim(transfer->net->options.files) : 0;
        struct file_job *job = transfers_job(transfer, FILE_PUT_BEGIN, 0);
        if (job)
                job->offset = transfer->offset;
        int rc = job ? transfers_post(transfer, job) : -PROTOCOL_ERR_INTERNAL;
        if (rc == 0) {
                transfer->state = TRANSFER_OPENING;
                return;
        }
        file_job_free(job);
        fail(transfer, -rc, false);
}

static int post_held(struct transfer *transfer)
{
        struct mailbox_item *item = transfer->held.first;
        int rc = 0;
        transfer->held = (struct mailbox_list){0};
        while (item) {
                struct file_job *job = (struct file_job *)item;
                item = item->next;
                job->item.next = NULL;
                job->claim = transfer->claim;
                if (rc == 0)
                        rc = transfers_post(transfer, job);
                if (rc < 0)
                        file_job_free(job);
        }
        return rc;
}

static void opened(struct transfer *transfer, const struct file_job *job)
{
        char line[64];
        if (job->result == -PROTOCOL_ERR_WRONG_OFFSET) {
                if (!transfer->is_dead)
                        transfers_refuse(transfer, PROTOCOL_ERR_WRONG_OFFSET, NULL,
                                         offset_line(job->offset, line, sizeof line));
                give_up(transfer, false);
                return;
        }
        if (job->result < 0) {
                fail(transfer, -job->result, false);
                return;
        }
        transfer->state = TRANSFER_MOVING;
        int rc = post_held(transfer);
        if (rc < 0)
                fail(transfer, -rc, true);
        else if (!transfer->is_body_open)
                end(transfer);
        else
                resume(transfer);
}

static void written(struct transfer *transfer, const struct file_job *job)
{
        transfer->waiting -= job->len;
        if (transfer->state == TRANSFER_OVER)
                return;
        if (job->result < 0)
                fail(transfer, -job->result, job->result != -PROTOCOL_ERR_CONFLICT);
        else if (transfer->waiting <= UPLOAD_RESUME)
                resume(transfer);
}

static void ended(struct transfer *transfer, const struct file_job *job)
{
        char headers[1024];
        if (transfer->state == TRANSFER_OVER)
                return;
        if (job->result < 0) {
                fail(transfer, -job->result, false);
                return;
        }
        if (!transfer->is_dead) {
                int len = http_write_cors(transfer->net, transfer->peer.origin, transfer->app, headers, sizeof headers);
                len += snprintf(headers + len, sizeof headers - (size_t)len, "Upload-Offset: %lld\r\n",
                                (long long)job->offset);
                edge_reply(transfer->net->edge, transfer->ref, 204, NULL, (struct span){headers, (size_t)len},
                           (struct span){0});
        }
        transfer->has_answered = true;
        transfers_over(transfer);
}

/* transfers.c releases the transfer when this returns: it must live until then. */
void upload_job_back(struct transfer *transfer, struct file_job *job)
{
        transfer->jobs++;
        switch (job->kind) {
        case FILE_PUT_BEGIN:
                if (transfer->state != TRANSFER_OVER)
                        opened(transfer, job);
                break;
        case FILE_PUT_BYTES:
                written(transfer, job);
                break;
        default:
                ended(transfer, job);
        }
        transfer->jobs--;
        file_job_free(job);
}

bool upload_body(void *user, const char *bytes, size_t len)
{
        struct transfer *transfer = user;
        if (transfer->state == TRANSFER_OVER)
                return true; /* refused: what still comes is thrown away */
        struct file_job *job = transfers_job(transfer, FILE_PUT_BYTES, len);
        if (!job) {
                fail(transfer, PROTOCOL_ERR_INTERNAL, transfer->state == TRANSFER_MOVING);
                return true;
        }
        memcpy(job->bytes, bytes, len);
        job->len = len;
        transfer->waiting += len;
        if (transfer->state != TRANSFER_MOVING) {
                mailbox_list_add(&transfer->held, &job->item, len);
                transfer->is_paused = true;
                return false;
        }
        int rc = transfers_post(transfer, job);
        if (rc < 0) {
                file_job_free(job);
                fail(transfer, -rc, true);
                return true;
        }
        transfer->is_paused = transfer->waiting >= UPLOAD_WAITING;
        return !transfer->is_paused;
}

void upload_body_end(void *user, bool complete)
{
        struct transfer *transfer = user;
        transfer->is_body_open = false;
        transfer->is_dead = !complete;
        if (transfer->state == TRANSFER_OVER)
                transfers_over(transfer);
        else if (transfer->state == TRANSFER_MOVING)
                end(transfer);
        else if (transfer->state == TRANSFER_LOOKING && !complete)
                transfers_over(transfer);
}
