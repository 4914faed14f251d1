/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP: POST /v1/<method> runs the same methods through the same commands as a socket. The body is the params, the
 * answer the result, or {"error": ...} with the status of the error table; every refusal has that one form. Who calls
 * is said by the Authorization header alone: nothing secret is accepted in an address, and no cookie is looked at.
 * Files are transfers.c's, pages survey_page.c's. */
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>

#include "session/http.h"

#include "session/net_private.h"
#include "session/survey_page.h"
#include "session/transfers.h"

enum {
        CALLS = 1024,    /* slots of open calls: a power of two */
        CALL_MS = 30000, /* without an answer for so long: it will not come */
        ORIGIN_BYTES = 256,
        BUSY_RETRY_MS = 1000,
        CMID_MEMBER = 64, /* "cmid":"...", */
};

static const struct request_id one = {1, "1"};

/* A request that waits for its answer. */
struct http_call {
        struct edge_ref ref;
        struct http_call *next;
        uint64_t since_ms;         /* monotonic */
        int64_t app;               /* row id; 0 = not known */
        char origin[ORIGIN_BYTES]; /* "" = none */
        http_answer_fn *page;      /* it answers a page; NULL = JSON */
        bool is_reply;             /* given back to it */
};

struct http_calls {
        struct http_call *slots[CALLS];
        size_t count;
};

/* ---- open calls ---- */

int http_init(struct net *net)
{
        net->http = calloc(1, sizeof *net->http);
        return net->http ? 0 : -1;
}

void http_done(struct net *net)
{
        for (size_t i = 0; net->http && i < CALLS; i++) {
                while (net->http->slots[i]) {
                        struct http_call *call = net->http->slots[i];
                        net->http->slots[i] = call->next;
                        free(call);
                }
        }
        free(net->http);
        net->http = NULL;
}

static struct http_call **call_of(struct net *net, struct edge_ref ref)
{
        struct http_call **link = &net->http->slots[ref.slot & (CALLS - 1)];
        while (*link && ((*link)->ref.slot != ref.slot || (*link)->ref.generation != ref.generation))
                link = &(*link)->next;
        return link;
}

static void call_end(struct net *net, struct http_call **link)
{
        struct http_call *call = *link;
        *link = call->next;
        net->http->count--;
        free(call);
}

static struct http_call *call_begin(struct net *net, const struct edge_request *request, int64_t app)
{
        struct http_call **link = call_of(net, request->ref);
        if (*link)
                call_end(net, link);
        struct http_call *call = calloc(1, sizeof *call);
        if (!call)
                return NULL;
        call->ref = request->ref;
        call->since_ms = clock_mono_ms();
        call->app = app;
        if (request->peer->origin.at && request->peer->origin.len < ORIGIN_BYTES)
                memcpy(call->origin, request->peer->origin.at, request->peer->origin.len);
        struct http_call **slot = &net->http->slots[request->ref.slot & (CALLS - 1)];
        call->next = *slot;
        *slot = call;
        net->http->count++;
        return call;
}

/* ---- answers ---- */

/* What a page of that origin may read: answers for its own app (0 = no app is known yet, any). */
int http_write_cors(const struct net *net, struct span origin, int64_t app, char *out, size_t room)
{
        if (!origin.at || origin.len == 0 || origin.len >= ORIGIN_BYTES)
                return 0;
        bool is_known = keyring_has_origin(net->keyring, app, origin);
        return snprintf(out, room, "Vary: Origin\r\n%s%.*s%s", is_known ? "Access-Control-Allow-Origin: " : "",
                        is_known ? (int)origin.len : 0, origin.at,
                        is_known ? "\r\nAccess-Control-Expose-Headers: Retry-After, Upload-Offset, "
                                   "ETag, Content-Disposition, Content-Range\r\n"
                                 : "");
}

/* A JSON-RPC response becomes an answer: its result, or its error with the table's status. */
static void answer_response(struct net *net, struct edge_ref ref, struct span origin, int64_t app, struct span more,
                            struct span response)
{
        static const char result[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":";
        static const char error[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":";
        enum { BEFORE_ERROR = sizeof "{\"jsonrpc\":\"2.0\",\"id\":1," - 2 };
        char headers[1024];
        int status = 200, len = http_write_cors(net, origin, app, headers, sizeof headers);
        char *body = NULL;
        size_t body_len = 0;
        if (response.len > sizeof result && memcmp(response.at, result, sizeof result - 1) == 0) {
                body_len = response.len - sizeof result;
                edge_reply(net->edge, ref, status, "application/json", (struct span){headers, (size_t)len},
                           (struct span){response.at + sizeof result - 1, body_len});
                return;
        }
        if (response.len <= sizeof error || memcmp(response.at, error, sizeof error - 1) != 0)
                response =
                        SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":23,\"message\":\"something went wrong "
                             "here; retry later\",\"data\":{\"tag\":\"internal\",\"class\":\"retry\","
                             "\"retry_after_ms\":1000}}}");
        status = protocol_error_info(protocol_error_find((int)strtol(response.at + sizeof error - 1, NULL, 10)))->http;
        if (status == 401)
                len += snprintf(headers + len, sizeof headers - (size_t)len, "WWW-Authenticate: Bearer\r\n");
        const char *retry = memmem(response.at, response.len, "\"retry_after_ms\":", 17);
        if (retry)
                len += snprintf(headers + len, sizeof headers - (size_t)len, "Retry-After: %lld\r\n",
                                (strtoll(retry + 17, NULL, 10) + 999) / 1000);
        if (more.len > 0 && more.len < sizeof headers - (size_t)len) {
                memcpy(headers + len, more.at, more.len);
                len += (int)more.len;
        }
        body_len = response.len - BEFORE_ERROR;
        body = malloc(body_len);
        if (body) {
                memcpy(body, response.at + BEFORE_ERROR, body_len);
                body[0] = '{';
        }
        edge_reply(net->edge, ref, status, "application/json", (struct span){headers, (size_t)len},
                   (struct span){body, body ? body_len : 0});
        free(body);
}

void http_answer(struct net *net, const struct desk_note *note)
{
        struct http_call **link = call_of(net, note->to);
        if (!*link)
                return; /* given up */
        struct http_call call = **link;
        struct span response = {note->bytes, note->len};
        call_end(net, link);
        if (call.page)
                call.page(net, note->to, call.is_reply, response);
        else
                answer_response(net, note->to, span_of(call.origin), call.app, (struct span){0}, response);
}

static int64_t retry_of(int error, int64_t retry_ms)
{
        bool permanent = protocol_error_info((enum protocol_error)error)->permanent;
        return permanent ? -1 : retry_ms >= 0 ? retry_ms : BUSY_RETRY_MS;
}

void http_denied(struct net *net, const struct edge_request *request, const char *what, int error)
{
        char address[INET6_ADDRSTRLEN];
        const char *text = inet_ntop(AF_INET6, &request->peer->address.sin6_addr, address, sizeof address);
        denied_say(what, error, (struct principal_id){0}, span_of(text));
        atomic_fetch_add_explicit(error == PROTOCOL_ERR_RATE_LIMITED ? &net->rate_limited : &net->refused, 1,
                                  memory_order_relaxed);
}

static void refuse_as(struct net *net, const struct edge_request *request, const char *what, int error,
                      int64_t retry_ms, const struct fault *fault, int64_t app, struct span headers)
{
        char first[512];
        struct writer writer;
        writer_init(&writer, first, sizeof first);
        frame_error(&writer, &one, (enum protocol_error)error, retry_of(error, retry_ms), fault);
        answer_response(net, request->ref, request->peer->origin, app, headers,
                        (struct span){writer.bytes, writer.failed ? 0 : writer.len});
        writer_done(&writer);
        http_denied(net, request, what, error);
}

static void refuse(struct net *net, const struct edge_request *request, const char *what, int error, int64_t retry_ms,
                   const struct fault *fault)
{
        refuse_as(net, request, what, error, retry_ms, fault, 0, (struct span){0});
}

void http_refuse_with(struct net *net, const struct edge_request *request, int error, const struct fault *fault,
                      int64_t app, struct span headers)
{
        refuse_as(net, request, "file", error, -1, fault, app, headers);
}

void http_refuse(struct net *net, const struct edge_request *request, int error, const struct fault *fault)
{
        refuse(net, request, "http", error, -1, fault);
}

void http_second(struct net *net, uint64_t mono_ms)
{
        for (size_t i = 0; net->http->count > 0 && i < CALLS; i++) {
                struct http_call **link = &net->http->slots[i];
                while (*link) {
                        struct http_call *call = *link;
                        if (mono_ms < call->since_ms + CALL_MS) {
                                link = &call->next;
                                continue;
                        }
                        struct edge_ref ref = call->ref;
                        http_answer_fn *page = call->page;
                        bool is_reply = call->is_reply;
                        call_end(net, link);
                        if (page)
                                page(net, ref, is_reply, (struct span){0});
                        else
                                answer_response(net, ref, (struct span){0}, 0, (struct span){0}, (struct span){0});
                }
        }
}

/* ---- the head ---- */

static int method_of(struct span path)
{
        struct span before = SPAN("/v1/");
        if (path.len <= before.len || memcmp(path.at, before.at, before.len) != 0)
                return -1;
        int method = protocol_method_find((struct span){path.at + before.len, path.len - before.len});
        return method >= 0 && protocol_methods[method].http ? method : -1;
}

void http_answer_preflight(struct net *net, const struct edge_request *request, const char *methods,
                           const char *allowed_headers)
{
        char headers[1024];
        int len = http_write_cors(net, request->peer->origin, 0, headers, sizeof headers);
        bool is_known = request->peer->origin.at && keyring_has_origin(net->keyring, 0, request->peer->origin);
        len += snprintf(headers + len, sizeof headers - (size_t)len, "Allow: %s, OPTIONS\r\n", methods);
        if (is_known)
                len += snprintf(headers + len, sizeof headers - (size_t)len,
                                "Access-Control-Allow-Methods: %s\r\nAccess-Control-Allow-Headers: %s\r\n"
                                "Access-Control-Max-Age: 600\r\n",
                                methods, allowed_headers);
        edge_reply(net->edge, request->ref, 204, NULL, (struct span){headers, (size_t)len}, (struct span){0});
}

/* What is wrong with the head: 0, or a protocol error. */
static int check_head(const struct net *net, const struct edge_request *request, int method, struct fault *fault)
{
        if (request->query.at) {
                fault_set(fault, PROTOCOL_ERR_AUTH_REQUIRED, "query", "nothing: secrets travel in the header");
                return PROTOCOL_ERR_AUTH_REQUIRED;
        }
        if (method < 0)
                return PROTOCOL_ERR_UNKNOWN_METHOD;
        if (!span_equal(request->method, SPAN("POST")))
                return PROTOCOL_ERR_METHOD_NOT_ALLOWED;
        if (net->is_draining)
                return PROTOCOL_ERR_UNAVAILABLE;
        if (request->content_length < 0)
                return PROTOCOL_ERR_LENGTH_REQUIRED;
        if (request->content_length > PROTOCOL_CLIENT_FRAME_BYTES)
                return PROTOCOL_ERR_TOO_LARGE;
        if (!request->authorization.at && !(protocol_methods[method].who & PROTOCOL_WHO_ANYONE))
                return PROTOCOL_ERR_AUTH_REQUIRED;
        return 0;
}

enum edge_body http_request(void *owner, const struct edge_request *request, void **out_user)
{
        struct net *net = owner;
        struct fault fault = {0};
        int method = method_of(request->path);
        net_take_keyring(net); /* a key that was taken back is refused from now on, not from the next second on */
        if (transfers_own(request->path))
                return transfers_request(net, request, out_user);
        if (survey_page_owns(request->path))
                return survey_page_request(net, request);
        if (method >= 0 && !request->query.at && span_equal(request->method, SPAN("OPTIONS"))) {
                http_answer_preflight(net, request, "POST", "Authorization, Content-Type, Idempotency-Key");
                return EDGE_BODY_REFUSE;
        }
        int error = check_head(net, request, method, &fault);
        if (error == 0)
                return EDGE_BODY_BUFFER;
        refuse(net, request, method >= 0 ? protocol_methods[method].name : "http", error, -1, &fault);
        return EDGE_BODY_REFUSE;
}

/* ---- who calls ---- */

bool http_bearer_of(struct net *net, struct span authorization, struct http_bearer *out_bearer)
{
        struct span scheme = SPAN("Bearer ");
        if (authorization.len <= scheme.len || strncasecmp(authorization.at, scheme.at, scheme.len) != 0)
                return false;
        struct span token = {authorization.at + scheme.len, authorization.len - scheme.len};
        if (!http_tokens_find(desk_http_tokens(net->desk), token, clock_mono_ms(), out_bearer))
                return false;
        return out_bearer->key_tag == 0 || keyring_has_tag(net->keyring, out_bearer->key_tag);
}

/* Who the header proves to be calling: complete (an http_token), or an opening that is looked up where the data is. */
struct proof {
        enum principal_role role;
        bool is_known;
        struct http_bearer bearer;
        struct opening *opening;
        int64_t budget; /* whose budget the request is on */
        int64_t app;    /* row id; 0 = not known */
};

/* Of somebody whose row is not known here: below 0, so that it is nobody's row id. */
static int64_t budget_of(const struct opening *opening)
{
        uint8_t hash[8];
        int64_t number;
        if (opening->how == OPENING_BOT)
                return opening->bot;
        if (opening->how == OPENING_STAFF)
                memcpy(hash, opening->secret_hash, sizeof hash);
        else
                proof_hash_subject(opening->subject, hash);
        memcpy(&number, hash, sizeof number);
        return (number ^ opening->app) | INT64_MIN;
}

static int prove(struct net *net, const struct edge_request *request, struct proof *out)
{
        struct span scheme = SPAN("Bearer ");
        struct span header = request->authorization;
        *out = (struct proof){0};
        if (header.len <= scheme.len || strncasecmp(header.at, scheme.at, scheme.len) != 0)
                return -PROTOCOL_ERR_AUTH_REQUIRED;
        struct span token = {header.at + scheme.len, header.len - scheme.len};
        if (token.len > 4 && memcmp(token.at, "dbh_", 4) == 0) {
                if (!http_bearer_of(net, header, &out->bearer))
                        return -PROTOCOL_ERR_TOKEN_INVALID;
                out->is_known = true;
                out->role = out->bearer.caller.role;
                out->app = out->bearer.caller.app;
                out->budget = out->bearer.caller.principal;
                return 0;
        }
        int rc = proof_bearer(net, token, &out->opening);
        if (rc < 0)
                return rc;
        out->app = out->opening->app;
        out->role = out->opening->how == OPENING_APP     ? ROLE_APP
                    : out->opening->how == OPENING_BOT   ? ROLE_BOT
                    : out->opening->how == OPENING_STAFF ? ROLE_AGENT
                                                         : ROLE_CUSTOMER;
        out->budget = budget_of(out->opening);
        return 0;
}

int http_caller_of(struct net *net, const struct edge_request *request, struct caller *out_caller,
                   struct opening **out_opening, int64_t *out_budget)
{
        struct proof proof;
        int rc = prove(net, request, &proof);
        if (rc == 0 && proof.role == ROLE_APP)
                rc = -PROTOCOL_ERR_FORBIDDEN;
        if (rc < 0) {
                free(proof.opening);
                return rc;
        }
        *out_caller = proof.bearer.caller;
        out_caller->app = proof.app;
        *out_opening = proof.opening;
        *out_budget = proof.budget;
        return 0;
}

/* ---- Idempotency-Key ---- */

static int find_cmid(void *data, struct span name, struct span raw)
{
        struct span *out_raw = data;
        if (span_equal(name, SPAN("cmid")))
                *out_raw = raw;
        return 0;
}

/* 32 hex digits, with or without the dashes of a UUID. */
static bool read_key(struct span header, char out[CMID_TEXT_BYTES])
{
        struct cmid cmid;
        size_t len = 0;
        for (size_t i = 0; i < header.len; i++) {
                char c = header.at[i];
                if (c == '-' && (i == 8 || i == 13 || i == 18 || i == 23))
                        continue;
                if (len == CMID_TEXT_BYTES)
                        return false;
                out[len++] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
        }
        return len == CMID_TEXT_BYTES && cmid_read((struct span){out, len}, &cmid) == 0;
}

/* The body with the header's key as its cmid; both said and different is refused. *out_body is `body` or malloc'd. */
static int fill_cmid(const struct edge_request *request, struct span body, char **out_made, struct span *out_body,
                     struct fault *fault)
{
        char key[CMID_TEXT_BYTES];
        struct span said = {0};
        struct reader reader;
        struct arena names; /* those with escapes */
        *out_body = body;
        if (!read_key(request->idempotency_key, key))
                return fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "Idempotency-Key", "a UUID");
        arena_init(&names, NULL, 0);
        reader_init(&reader, (char *)body.at, body.len, READER_STRICT, &names, fault);
        int rc = reader_walk(&reader, find_cmid, &said);
        arena_done(&names);
        if (rc < 0)
                return rc;
        if (said.at) {
                bool same = said.len == sizeof key + 2 && memcmp(said.at + 1, key, sizeof key) == 0;
                return same ? 0 : fault_set(fault, PROTOCOL_ERR_BAD_REQUEST, "Idempotency-Key", "the cmid of the body");
        }
        const char *open = memchr(body.at, '{', body.len);
        size_t rest = body.len - (size_t)(open + 1 - body.at), blank = 0;
        while (blank < rest && strchr(" \t\r\n", open[1 + blank]))
                blank++;
        char *made = malloc(CMID_MEMBER + rest);
        if (!made)
                return -PROTOCOL_ERR_INTERNAL;
        int len = snprintf(made, CMID_MEMBER, "{\"cmid\":\"%.*s\"%s", CMID_TEXT_BYTES, key,
                           open[1 + blank] == '}' ? "" : ",");
        memcpy(made + len, open + 1, rest);
        *out_made = made;
        *out_body = (struct span){made, (size_t)len + rest};
        return 0;
}

/* ---- the whole request ---- */

static uint32_t who_of(enum principal_role role)
{
        switch (role) {
        case ROLE_CUSTOMER:
                return PROTOCOL_WHO_CUSTOMER;
        case ROLE_AGENT:
                return PROTOCOL_WHO_AGENT;
        case ROLE_BOT:
                return PROTOCOL_WHO_BOT;
        case ROLE_APP:
                return PROTOCOL_WHO_APP;
        default:
                return 0;
        }
}

static int decode(const struct edge_request *request, enum protocol_method method, enum principal_role role,
                  struct desk_command **out_command, struct fault *fault)
{
        struct span body = request->body_len > 0 ? (struct span){request->body, request->body_len} : SPAN("{}");
        char *made = NULL;
        int rc = 0;
        if (request->idempotency_key.at && protocol_methods[method].cmid_offset != SIZE_MAX)
                rc = fill_cmid(request, body, &made, &body, fault);
        if (rc == 0)
                rc = command_decode(method, &one, body, role, out_command, fault);
        free(made);
        return rc;
}

/* An app key acts for somebody: the budget is that one's, not the back end's as a whole. */
static void act(struct proof *proof, const struct desk_command *command)
{
        struct opening *opening = proof->opening;
        struct span said = command->act_as;
        if (principal_read(said, &opening->act_as) == 0) {
                proof->budget = (int64_t)opening->act_as.id | INT64_MIN;
                return;
        }
        opening->act_as = (struct principal_id){ROLE_CUSTOMER, 0};
        snprintf(opening->subject, sizeof opening->subject, "%.*s", (int)(said.len - 5), said.at + 5);
        proof->budget = budget_of(opening);
}

static int check_budget(struct net *net, const struct protocol_method_info *info, int64_t budget, int64_t *out_retry_ms)
{
        struct presence *presence = presence_get(net, budget);
        if (!presence)
                return -PROTOCOL_ERR_INTERNAL;
        if (!presence_take_frame(net, presence)) {
                *out_retry_ms = BUSY_RETRY_MS;
                return -PROTOCOL_ERR_RATE_LIMITED;
        }
        *out_retry_ms = info->keyed == PROTOCOL_KEYED_NO ? 0 : presence_take_message(net, presence);
        return *out_retry_ms == 0 ? 0 : -PROTOCOL_ERR_RATE_LIMITED;
}

/* Hands the command over; on failure it stays the caller's. */
static int post(struct net *net, const struct edge_request *request, struct proof *proof, struct desk_command *command)
{
        command->from = request->ref;
        command->is_http = true;
        command->caller = proof->bearer.caller;
        command->opening = proof->opening;
        proof->opening = NULL;
        if (desk_is_crowded(net->desk))
                return -PROTOCOL_ERR_OVERLOADED;
        if (!call_begin(net, request, proof->app))
                return -PROTOCOL_ERR_INTERNAL;
        if (command->login)
                command->login->address = request->peer->address.sin6_addr;
        int rc = command->login                                                 ? desk_post_login(net->desk, command)
                 : protocol_methods[command->method].runs == PROTOCOL_RUNS_READ ? desk_post_read(net->desk, command)
                                                                                : desk_post(net->desk, command);
        if (rc < 0)
                call_end(net, call_of(net, request->ref));
        return rc;
}

int http_post_for_page(struct net *net, const struct edge_request *request, struct desk_command *command,
                       http_answer_fn *answer, bool is_reply)
{
        struct http_call *call;
        command->from = request->ref;
        command->is_http = true;
        if (desk_is_crowded(net->desk))
                return -PROTOCOL_ERR_OVERLOADED;
        if (!(call = call_begin(net, request, 0)))
                return -PROTOCOL_ERR_INTERNAL;
        call->page = answer;
        call->is_reply = is_reply;
        int rc = desk_post(net->desk, command);
        if (rc < 0)
                call_end(net, call_of(net, request->ref));
        return rc;
}

static int run(struct net *net, const struct edge_request *request, enum protocol_method method, struct proof *proof,
               int64_t *out_retry_ms, struct fault *fault)
{
        const struct protocol_method_info *info = &protocol_methods[method];
        struct desk_command *command = NULL;
        bool is_login = info->who & PROTOCOL_WHO_ANYONE;
        int rc = is_login ? 0 : prove(net, request, proof);
        if (rc < 0)
                return rc;
        if (!is_login && !(info->who & who_of(proof->role)))
                return -PROTOCOL_ERR_FORBIDDEN;
        rc = decode(request, method, proof->role, &command, fault);
        if (rc == 0 && proof->role == ROLE_APP)
                act(proof, command);
        if (rc == 0 && !is_login) /* guesses are counted by account and address, where they are checked */
                rc = check_budget(net, info, proof->budget, out_retry_ms);
        if (rc == 0 && is_login && !(command->login = calloc(1, sizeof *command->login)))
                rc = -PROTOCOL_ERR_INTERNAL;
        if (rc == 0)
                rc = post(net, request, proof, command);
        if (rc < 0)
                command_free(command);
        return rc;
}

void http_request_ready(void *owner, void *user, struct edge_request *request)
{
        struct net *net = owner;
        struct proof proof = {0};
        struct fault fault = {0};
        int64_t retry_ms = -1;
        (void)user;
        if (transfers_own(request->path)) {
                transfers_request_ready(net, request);
                return;
        }
        if (survey_page_owns(request->path)) {
                survey_page_ready(net, request);
                return;
        }
        int method = method_of(request->path);
        int rc = method < 0 ? -PROTOCOL_ERR_UNKNOWN_METHOD
                            : run(net, request, (enum protocol_method)method, &proof, &retry_ms, &fault);
        if (rc < 0)
                refuse(net, request, method < 0 ? "http" : protocol_methods[method].name, -rc, retry_ms, &fault);
        free(proof.opening);
}
