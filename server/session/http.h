/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP: requests that are no upgrade. Network thread only. */
#pragma once

#include "desk/http_tokens.h"
#include "desk/note.h"
#include "edge/edge.h"

struct net;
struct http_calls;

int http_init(struct net *net); /* 0, or -1: out of memory */
void http_done(struct net *net);

/* The edge's on_request and on_request_ready for POST /v1/<method>; anything else is answered 404. */
enum edge_body http_request(void *owner, const struct edge_request *request, void **out_user);
void http_request_ready(void *owner, void *user, struct edge_request *request);

/* The desk or a reader has answered. */
void http_answer(struct net *net, const struct desk_note *note);
void http_second(struct net *net, uint64_t mono_ms); /* gives up what was never answered */

/* A page asks the desk in its own name: who calls was proved by its link. Takes `command` on 0; then `answer` is called
 * once, with the whole JSON-RPC response, or an empty one when none came; not when the connection has gone. Else a
 * negative protocol error. */
typedef void http_answer_fn(struct net *net, struct edge_ref ref, bool is_reply, struct span response);
int http_post_for_page(struct net *net, const struct edge_request *request, struct desk_command *command,
                       http_answer_fn *answer, bool is_reply);
/* Counts a refusal, and says it in the log of refusals. */
void http_denied(struct net *net, const struct edge_request *request, const char *what, int error);

/* Answers with an error of the table in the one JSON form, with CORS and a line in the log of refusals. */
void http_refuse(struct net *net, const struct edge_request *request, int error, const struct fault *fault);

/* The same of a file, whose app may be known, with further header lines. */
void http_refuse_with(struct net *net, const struct edge_request *request, int error, const struct fault *fault,
                      int64_t app, struct span headers);
/* OPTIONS: lists as they stand in headers; origins that no app has learn nothing. */
void http_answer_preflight(struct net *net, const struct edge_request *request, const char *methods,
                           const char *allowed_headers);
/* Header lines for a page of that origin, which may read answers of its own app (0 = any); how long they are. */
int http_write_cors(const struct net *net, struct span origin, int64_t app, char *out, size_t room);

/* Who the Authorization header proves to be calling: whole, or with a malloc'd opening that is looked up where the data
 * is. An app key is FORBIDDEN. 0, or a negative protocol error. *out_budget: whose budget the request is on. */
int http_caller_of(struct net *net, const struct edge_request *request, struct caller *out_caller,
                   struct opening **out_opening, int64_t *out_budget);

/* Whose http_token the Authorization header holds. False: none, or not valid any more. */
bool http_bearer_of(struct net *net, struct span authorization, struct http_bearer *out_bearer);
