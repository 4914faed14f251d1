/* SPDX-License-Identifier: Apache-2.0 */
/* Download: GET and HEAD of a file, whole or one range of it. The files threads read a piece ahead of what the
 * connection has room for: with what the edge holds, at most 128 KiB of a slow reader wait in memory. Nothing of a file
 * is ever run by a browser: no sniffing, a sandbox without sources, and only images that were recognised by their bytes
 * are shown in place. */
#include "session/transfers.h"

#include <stdio.h>
#include <stdlib.h>

#include "edge/http.h"
#include "files/disposition.h"
#include "files/range.h"
#include "session/http.h"

enum { HEADERS_ROOM = DISPOSITION_ROOM + 1536, ETAG_ROOM = 2 * FILE_SUM_BYTES + 3 };

static void write_etag(const struct file_row *row, char out[ETAG_ROOM])
{
        out[0] = '"';
        file_id_write(out + 1, row->sha256);
        file_id_write(out + 1 + FILE_ID_TEXT, row->sha256 + FILE_ID_BYTES);
        out[ETAG_ROOM - 2] = '"';
        out[ETAG_ROOM - 1] = 0;
}

/* A link is shown by a page of any origin that was given it; a file asked for by header is for that caller alone. */
static size_t write_headers(const struct transfer *transfer, const char *etag, char out[HEADERS_ROOM])
{
        char disposition[DISPOSITION_ROOM];
        const struct file_row *row = &transfer->row;
        disposition_write(disposition, span_of(row->name), media_is_inline(span_of(row->media)));
        int len = http_write_cors(transfer->net, transfer->peer.origin, transfer->app, out, HEADERS_ROOM);
        len += snprintf(out + len, HEADERS_ROOM - (size_t)len,
                        "Content-Disposition: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n"
                        "Content-Security-Policy: sandbox; default-src 'none'\r\nCross-Origin-Resource-Policy: %s\r\n"
                        "Cache-Control: private, max-age=0, must-revalidate\r\n",
                        disposition, etag, transfer->is_by_link ? "cross-origin" : "same-origin");
        if (transfer->status == 206)
                len += snprintf(out + len, HEADERS_ROOM - (size_t)len, "Content-Range: bytes %lld-%lld/%lld\r\n",
                                (long long)transfer->from, (long long)(transfer->from + transfer->left - 1),
                                (long long)row->size);
        return (size_t)len;
}

static void refuse_range(struct transfer *transfer)
{
        char line[64];
        int len = snprintf(line, sizeof line, "Content-Range: bytes */%lld\r\n", (long long)transfer->row.size);
        transfers_refuse(transfer, PROTOCOL_ERR_BAD_RANGE, NULL, (struct span){line, (size_t)len});
        transfers_over(transfer);
}

/* Posts the next piece into `job`, which is taken; it keeps its open file. */
static void read_next(struct transfer *transfer, struct file_job *job)
{
        job->offset = transfer->from + (transfer->left - transfer->unread);
        job->len = transfer->unread < DOWNLOAD_PIECE ? (size_t)transfer->unread : DOWNLOAD_PIECE;
        transfer->unread -= (int64_t)job->len;
        int rc = transfers_post(transfer, job);
        if (rc == 0)
                return;
        file_job_free(job);
        if (transfer->has_begun)
                edge_drop(transfer->net->edge, transfer->ref);
        else
                transfers_refuse(transfer, -rc, NULL, (struct span){0});
        download_end(transfer);
}

static void read_first(struct transfer *transfer)
{
        struct file_job *job = transfers_job(transfer, FILE_READ, DOWNLOAD_PIECE);
        if (!job) {
                transfers_refuse(transfer, PROTOCOL_ERR_INTERNAL, NULL, (struct span){0});
                transfers_over(transfer);
                return;
        }
        job->size = transfer->row.size;
        transfer->state = TRANSFER_MOVING;
        read_next(transfer, job);
}

/* The head of the answer; the pieces follow when there is room. 0, or -1: nobody is there. */
static int begin(struct transfer *transfer)
{
        char headers[HEADERS_ROOM], etag[ETAG_ROOM];
        write_etag(&transfer->row, etag);
        size_t len = write_headers(transfer, etag, headers);
        transfer->has_answered = transfer->has_begun = true;
        return edge_reply_begin(transfer->net->edge, transfer->ref, transfer->status, transfer->row.media,
                                (struct span){headers, len}, transfer->left);
}

void download_granted(struct transfer *transfer)
{
        char etag[ETAG_ROOM];
        struct span range = transfer->range[0] ? span_of(transfer->range) : (struct span){0};
        write_etag(&transfer->row, etag);
        if (transfer->if_range[0] && strcmp(transfer->if_range, etag) != 0)
                range = (struct span){0};
        bool is_known =
                transfer->if_none_match[0] && http_etag_matches(span_of(transfer->if_none_match), span_of(etag));
        enum range_kind kind = range_read(range, transfer->row.size, &transfer->from, &transfer->left);
        if (kind == RANGE_REFUSED && !is_known) {
                refuse_range(transfer);
                return;
        }
        transfer->status = is_known ? 304 : kind == RANGE_PART ? 206 : 200;
        transfer->unread = transfer->left;
        if (!is_known && !transfer->is_head) {
                read_first(transfer);
                return;
        }
        if (is_known)
                transfer->left = 0;
        begin(transfer);
        transfers_over(transfer);
}

static void close_file(struct transfer *transfer, struct file_job *job)
{
        job->kind = FILE_CLOSE;
        if (transfers_post(transfer, job) < 0)
                file_job_free(job);
}

void download_end(struct transfer *transfer)
{
        struct file_job *piece = transfer->piece;
        transfer->piece = NULL;
        transfer->has_answered = true;
        if (piece)
                close_file(transfer, piece);
        transfers_over(transfer);
}

/* Sends what was read and asks for what follows. */
static void send_piece(struct transfer *transfer)
{
        struct file_job *job = transfer->piece;
        transfer->wants_piece = false;
        int rc = edge_reply_piece(transfer->net->edge, transfer->ref, (struct span){job->bytes, job->len});
        transfer->from += (int64_t)job->len;
        transfer->left -= (int64_t)job->len;
        if (rc < 0 || transfer->left == 0) {
                download_end(transfer);
                return;
        }
        transfer->piece = NULL;
        read_next(transfer, job);
}

/* transfers.c releases the transfer when this returns: it must live until then. */
void download_job_back(struct transfer *transfer, struct file_job *job)
{
        transfer->jobs++;
        if (job->kind == FILE_CLOSE) {
                file_job_free(job);
        } else if (transfer->state == TRANSFER_OVER) {
                close_file(transfer, job);
        } else {
                transfer->piece = job;
                if (job->result < 0 && transfer->has_begun)
                        edge_drop(transfer->net->edge, transfer->ref);
                else if (job->result < 0)
                        transfers_refuse(transfer, -job->result, NULL, (struct span){0});
                if (job->result < 0 || (!transfer->has_begun && begin(transfer) < 0))
                        download_end(transfer);
                else if (transfer->wants_piece)
                        send_piece(transfer);
        }
        transfer->jobs--;
}

void download_drained(struct transfer *transfer)
{
        transfer->wants_piece = true;
        if (transfer->piece)
                send_piece(transfer);
}
