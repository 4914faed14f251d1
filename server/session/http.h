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

/* Answers with an error of the table in the one JSON form, with CORS and a line in the log of refusals. */
void http_refuse(struct net *net, const struct edge_request *request, int error, const struct fault *fault);

/* Whose http_token the Authorization header holds. False: none, or not valid any more. */
bool http_bearer_of(struct net *net, struct span authorization, struct http_bearer *out_bearer);
