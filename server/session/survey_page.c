/* SPDX-License-Identifier: Apache-2.0 */
#include "session/survey_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "desk/surveys/survey_link.h"
#include "session/http.h"
#include "session/net_private.h"
#include "session/survey_form.h"
#include "session/survey_html.h"

static const struct request_id one = {1, "1"};

bool survey_page_owns(struct span path)
{
        struct span own = SPAN("/s/");
        return path.len > own.len && memcmp(path.at, own.at, own.len) == 0;
}

/* ---- answering ---- */

static void answer(struct net *net, struct edge_ref ref, int status, enum survey_html_kind kind,
                   const struct protocol_survey_page_result *page)
{
        char headers[SURVEY_HTML_CSP + 256], csp[SURVEY_HTML_CSP];
        struct writer html;
        writer_init(&html, NULL, 0);
        survey_html_write(kind, page, &html, csp);
        int len = snprintf(headers, sizeof headers,
                           "Content-Security-Policy: %s\r\nX-Robots-Tag: noindex, nofollow\r\n"
                           "Cross-Origin-Resource-Policy: same-origin\r\nX-Frame-Options: DENY\r\n%s",
                           csp,
                           status == 503   ? "Retry-After: 1\r\n"
                           : status == 429 ? "Retry-After: 1\r\n"
                           : status == 405 ? "Allow: GET, HEAD, POST\r\n"
                                           : "");
        edge_reply(net->edge, ref, html.failed ? 503 : status, "text/html; charset=utf-8",
                   (struct span){headers, (size_t)len}, (struct span){html.bytes, html.failed ? 0 : html.len});
        writer_done(&html);
}

/* A refusal without a survey to show. `error`: of the table, positive. */
static void refuse(struct net *net, const struct edge_request *request, int error)
{
        int status = protocol_error_info((enum protocol_error)error)->http;
        enum survey_html_kind kind = error == PROTOCOL_ERR_NOT_FOUND ? SURVEY_HTML_BAD_LINK
                                     : error == PROTOCOL_ERR_LOCKED  ? SURVEY_HTML_OVER
                                                                     : SURVEY_HTML_LATER;
        http_denied(net, request, "survey", error);
        answer(net, request->ref, error == PROTOCOL_ERR_LOCKED ? 410 : status, kind, NULL);
}

/* What became of a reply; of a look, all false. */
struct outcome {
        bool is_reply, is_taken;
        bool is_again; /* it did not fit, and may be sent again */
};

static enum survey_html_kind kind_of(const struct protocol_survey_page_result *page, const struct outcome *outcome,
                                     int *out_status)
{
        bool is_reply = outcome->is_reply;
        bool is_locked = page->shown.has_locked && page->shown.locked;
        *out_status = 200;
        if (outcome->is_taken)
                return SURVEY_HTML_THANKS;
        if (page->shown.state == PROTOCOL_SURVEY_SHOWN_STATE_ANSWERED &&
            (is_locked || (is_reply && !outcome->is_again))) {
                *out_status = is_reply ? 409 : 200;
                return SURVEY_HTML_ANSWERED;
        }
        if (page->shown.state == PROTOCOL_SURVEY_SHOWN_STATE_EXPIRED ||
            page->shown.state == PROTOCOL_SURVEY_SHOWN_STATE_WITHDRAWN) {
                *out_status = 410;
                return SURVEY_HTML_ENDED;
        }
        *out_status = is_reply ? 400 : 200;
        return is_reply ? SURVEY_HTML_AGAIN : SURVEY_HTML_FORM;
}

/* The results of survey.page and survey.reply are alike but for what became of it. 0, or -1: it is no such result. */
static int read_result(struct reader *reader, struct protocol_survey_page_result *out_page, struct outcome *outcome)
{
        struct protocol_survey_reply_result reply = {0};
        bool is_reply = outcome->is_reply;
        int rc = is_reply ? protocol_survey_reply_result_read(reader, &reply)
                          : protocol_survey_page_result_read(reader, out_page);
        if (rc == 0 && is_reply) {
                *out_page = (struct protocol_survey_page_result){
                        .lang = reply.lang, .text = reply.text, .shown = reply.shown};
                outcome->is_taken = reply.taken;
                outcome->is_again = reply.has_again && reply.again;
        }
        return rc < 0 ? -1 : 0;
}

static void answer_result(struct net *net, struct edge_ref ref, bool is_reply, struct span result)
{
        struct protocol_survey_page_result page = {0};
        struct fault fault = {0};
        struct arena arena;
        struct reader reader;
        struct outcome outcome = {.is_reply = is_reply};
        int status = 500;
        arena_init(&arena, NULL, 0);
        char *copy = arena_take(&arena, result.len);
        if (copy) {
                memcpy(copy, result.at, result.len);
                reader_init(&reader, copy, result.len, READER_TOLERANT, &arena, &fault);
        }
        if (copy && read_result(&reader, &page, &outcome) == 0) {
                enum survey_html_kind kind = kind_of(&page, &outcome, &status);
                answer(net, ref, status, kind, &page);
        } else {
                answer(net, ref, status, SURVEY_HTML_LATER, NULL);
        }
        arena_done(&arena);
}

/* An http_answer_fn. */
static void answer_response(struct net *net, struct edge_ref ref, bool is_reply, struct span response)
{
        static const char before[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":";
        static const char error[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":";
        int code = PROTOCOL_ERR_INTERNAL;
        if (response.len > sizeof before && memcmp(response.at, before, sizeof before - 1) == 0) {
                answer_result(net, ref, is_reply,
                              (struct span){response.at + sizeof before - 1, response.len - sizeof before});
                return;
        }
        if (response.len > sizeof error && memcmp(response.at, error, sizeof error - 1) == 0)
                code = protocol_error_find((int)strtol(response.at + sizeof error - 1, NULL, 10));
        if (code == PROTOCOL_ERR_NOT_FOUND) /* it was there when the link was made: erased */
                answer(net, ref, 410, SURVEY_HTML_OVER, NULL);
        else
                answer(net, ref, protocol_error_info((enum protocol_error)code)->http, SURVEY_HTML_LATER, NULL);
}

/* ---- the head ---- */

/* What a query says is not looked at: links are passed on with things behind them. */
static int check_head(const struct net *net, const struct edge_request *request)
{
        bool is_post = span_equal(request->method, SPAN("POST"));
        bool is_get = span_equal(request->method, SPAN("GET")) || span_equal(request->method, SPAN("HEAD"));
        uint64_t offer;
        int rc = survey_link_check(net->desk, request->path, &offer);
        if (rc < 0)
                return -rc;
        if (!is_get && !is_post)
                return PROTOCOL_ERR_METHOD_NOT_ALLOWED;
        if (net->is_draining)
                return PROTOCOL_ERR_UNAVAILABLE;
        if (is_post && request->content_length < 0)
                return PROTOCOL_ERR_LENGTH_REQUIRED;
        if (request->content_length > (is_post ? PROTOCOL_CLIENT_FRAME_BYTES : 0))
                return PROTOCOL_ERR_TOO_LARGE;
        return 0;
}

enum edge_body survey_page_request(struct net *net, const struct edge_request *request)
{
        int error = check_head(net, request);
        if (error == 0)
                return EDGE_BODY_BUFFER;
        refuse(net, request, error);
        return EDGE_BODY_REFUSE;
}

/* ---- the whole request ---- */

static bool is_form(struct span content_type)
{
        struct span form = SPAN("application/x-www-form-urlencoded");
        return content_type.len >= form.len && strncasecmp(content_type.at, form.at, form.len) == 0;
}

/* The params of the call. 0, or a negative protocol error. */
static int write_params(const struct edge_request *request, bool is_reply, uint64_t offer, struct writer *out)
{
        if (is_reply)
                return is_form(request->content_type) &&
                                       survey_form_read(request->body, request->body_len, offer, out) == 0
                               ? 0
                               : -PROTOCOL_ERR_BAD_REQUEST;
        writer_raw(out, SPAN("{\"offer\":"));
        writer_id(out, "off", offer);
        writer_char(out, '}');
        return out->failed ? -PROTOCOL_ERR_INTERNAL : 0;
}

/* One budget a link, as one a customer: of requests, and of answers. */
static int check_budget(struct net *net, uint64_t offer, bool is_reply)
{
        struct presence *presence = presence_get(net, (int64_t)offer | INT64_MIN);
        if (!presence)
                return -PROTOCOL_ERR_INTERNAL;
        bool may = presence_take_frame(net, presence) && (!is_reply || presence_take_message(net, presence) == 0);
        return may ? 0 : -PROTOCOL_ERR_RATE_LIMITED;
}

static int make_command(const struct edge_request *request, bool is_reply, uint64_t offer,
                        struct desk_command **out_command)
{
        struct fault fault = {0};
        struct writer params;
        writer_init(&params, NULL, 0);
        int rc = write_params(request, is_reply, offer, &params);
        if (rc == 0)
                rc = command_decode(is_reply ? PROTOCOL_M_SURVEY_REPLY : PROTOCOL_M_SURVEY_PAGE, &one,
                                    (struct span){params.bytes, params.len}, ROLE_CUSTOMER, out_command, &fault);
        writer_done(&params);
        return rc;
}

void survey_page_ready(struct net *net, struct edge_request *request)
{
        bool is_reply = span_equal(request->method, SPAN("POST"));
        struct desk_command *command = NULL;
        uint64_t offer = 0;
        int rc = survey_link_check(net->desk, request->path, &offer); /* it may have ended meanwhile */
        if (rc == 0)
                rc = check_budget(net, offer, is_reply);
        if (rc == 0)
                rc = make_command(request, is_reply, offer, &command);
        if (rc == 0)
                rc = http_post_for_page(net, request, command, answer_response, is_reply);
        if (rc == 0)
                return;
        command_free(command);
        refuse(net, request, -rc);
}
