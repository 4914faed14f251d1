/* SPDX-License-Identifier: Apache-2.0 */
/* One connection as libwebsockets sees it: from a TCP connection that the dialer has made, over TLS and the upgrade, to
 * messages. On the transport's thread.
 *
 * The library has no call that takes a connected socket for a client. It is told to connect to a socket of this process
 * (a door that stands open for a moment), and before it has written anything the descriptor is made ours.
 * Until 4.4 at least it also hands TLS a host name that is cut at 127 bytes and at the first colon, and names addresses
 * in SNI; host and SNI are set anew from the road. */
#include "transport_lws_private.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char subprotocol[] = "deskbell.v1";

/* ---- ends -------------------------------------------------------------------------------------------------------- */

void lws_link_ended(struct connection *connection, struct lws *wsi, int code, const char *why, const char *detail,
                    int64_t retry_after_ms)
{
        if (wsi)
                lws_set_opaque_user_data(wsi, NULL);
        if (connection->is_ended)
                return;
        connection->is_ended = true;
        connection->wsi = NULL;
        if (connection->fd >= 0)
                close(connection->fd);
        connection->fd = -1;
        if (why)
                deskbell_link_failed(connection->link, why, detail, retry_after_ms);
        else
                deskbell_link_closed(connection->link, code);
}

/* A masked close frame, written as raw bytes: the library has no call for it but its own closing sequence. */
static void write_close(struct lws *wsi, int code)
{
        unsigned char frame[LWS_PRE + 8] = {0}, *at = frame + LWS_PRE;

        at[0] = 0x88;
        at[1] = 0x82;
        lws_get_random(lws_get_context(wsi), at + 2, 4);
        at[6] = at[2] ^ (unsigned char)(code >> 8);
        at[7] = at[3] ^ (unsigned char)code;
        lws_write(wsi, at, 8, LWS_WRITE_HTTP);
}

/* Closing by the library's own sequence (lws_close_reason and -1) crashes in it when more bytes of the peer are waiting
 * to be read. */
void lws_link_end(struct connection *connection, int code)
{
        struct lws *wsi = connection->wsi;

        if (connection->is_open && !lws_partial_buffered(wsi))
                write_close(wsi, code);
        lws_link_ended(connection, wsi, code, NULL, NULL, -1);
        if (wsi)
                lws_set_timeout(wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

/* Seconds, as servers write it; dates are not read. -1 = none. */
static int64_t retry_after_ms(struct lws *wsi)
{
        char text[12], *end;
        int len = lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_RETRY_AFTER);

        if (len <= 0 || *text < '0' || *text > '9')
                return -1;
        long long seconds = strtoll(text, &end, 10);
        return *end ? -1 : seconds * 1000;
}

/* No WebSocket came of it. `text` is what the library says. */
static void on_failure(struct lws *wsi, struct connection *connection, const char *text, size_t len)
{
        unsigned int status = lws_http_client_http_response(wsi);
        const char *why = "network";
        char detail[TRUST_REASON_BYTES];

        snprintf(detail, sizeof(detail), "%.*s", text ? (int)len : 0, text ? text : "");
        if (connection->verdict.reason[0]) {
                why = connection->verdict.is_pin ? "tls_pin" : "tls";
                snprintf(detail, sizeof(detail), "%s", connection->verdict.reason);
        } else if (connection->tls_error[0]) {
                why = "tls";
                snprintf(detail, sizeof(detail), "%s", connection->tls_error);
        } else if (status) {
                why = "handshake";
                if (status != 101)
                        snprintf(detail, sizeof(detail), "the server answered %u", status);
        } else if (strncmp(detail, "HS:", 3) == 0) {
                why = "handshake";
        }
        int64_t after_ms = status == 429 || status == 503 ? retry_after_ms(wsi) : -1;
        lws_link_ended(connection, wsi, ABNORMAL, why, detail, after_ms);
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static int on_receive(struct lws *wsi, struct connection *connection, const char *bytes, size_t len)
{
        if (lws_frame_is_binary(wsi)) {
                lws_link_end(connection, UNSUPPORTED);
                return 0;
        }
        if (lws_is_first_fragment(wsi))
                connection->in_len = 0;
        size_t whole = connection->in_len + len + lws_remaining_packet_payload(wsi);
        char *in = NULL;
        bool fits = whole <= connection->in_room;
        if (!fits && whole <= connection->max_bytes)
                in = realloc(connection->in, whole);
        if (!fits && !in) {
                lws_link_end(connection, TOO_BIG);
                return 0;
        }
        if (in) {
                connection->in = in;
                connection->in_room = whole;
        }
        if (len)
                memcpy(connection->in + connection->in_len, bytes, len);
        connection->in_len += len;
        if (!lws_is_final_fragment(wsi))
                return 0;
        if (deskbell_link_text(connection->link, connection->in, connection->in_len))
                connection->is_paused = true;
        return 0;
}

static int on_writeable(struct lws *wsi, struct connection *connection)
{
        while (connection->first_out && !lws_send_pipe_choked(wsi)) {
                struct command *out = connection->first_out;

                int sent = lws_write(wsi, (unsigned char *)out->bytes + LWS_PRE, out->len, LWS_WRITE_TEXT);
                connection->first_out = out->next;
                if (!out->next)
                        connection->last_out = NULL;
                free(out);
                if (sent < 0)
                        return -1;
        }
        if (connection->first_out)
                lws_callback_on_writable(wsi);
        return 0;
}

/* ---- the library's callback -------------------------------------------------------------------------------------- */

/* Before the library has written anything: the descriptor becomes the connection that the dialer has made. */
static void take_over(struct lws *wsi, struct connection *connection)
{
        int fd = lws_get_socket_fd(wsi);

        if (connection->fd < 0 || fd < 0)
                return;
        connection->wsi = wsi; /* TLS may be through before the library tells it */
        bool has_moved = platform_move_fd(connection->fd, fd);
        connection->fd = -1;
        if (!has_moved) /* then it still leads to our own door, and the upgrade fails there */
                road_log(connection->transport->road, DESKBELL_LOG_ERROR, "network", "no descriptor");
}

/* Whoever answers without having understood what was asked for speaks something else. */
static int check_subprotocol(struct lws *wsi, struct connection *connection)
{
        char told[sizeof(subprotocol) + 1] = "";

        if (lws_hdr_copy(wsi, told, sizeof(told), WSI_TOKEN_PROTOCOL) > 0 && strcmp(told, subprotocol) == 0)
                return 0;
        lws_link_ended(connection, wsi, ABNORMAL, "handshake", "the server does not know the subprotocol", -1);
        return -1;
}

int lws_link_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
        struct connection *connection = wsi ? lws_get_opaque_user_data(wsi) : NULL;

        (void)user;
        if (!connection)
                return 0;
        switch (reason) {
        case LWS_CALLBACK_WSI_CREATE:
                take_over(wsi, connection);
                break;
        case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
                return check_subprotocol(wsi, connection);
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
                connection->is_open = true;
                deskbell_link_opened(connection->link);
                break;
        case LWS_CALLBACK_CLIENT_RECEIVE:
                return on_receive(wsi, connection, in, len);
        case LWS_CALLBACK_CLIENT_WRITEABLE:
                return on_writeable(wsi, connection);
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
                connection->is_closing = true;
                if (len >= 2)
                        connection->peer_code = ((const unsigned char *)in)[0] << 8 | ((const unsigned char *)in)[1];
                break;
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
                on_failure(wsi, connection, in, len);
                break;
        case LWS_CALLBACK_CLIENT_CLOSED:
        case LWS_CALLBACK_WSI_DESTROY:
                lws_link_ended(connection, wsi, connection->peer_code ? connection->peer_code : ABNORMAL, NULL, NULL,
                               -1);
                break;
        default:
                break;
        }
        return 0;
}

/* ---- TLS --------------------------------------------------------------------------------------------------------- */

static struct connection *connection_of(const struct lws_transport *transport, const SSL *ssl)
{
        int fd = SSL_get_fd(ssl);

        for (struct connection *connection = transport->connections; connection; connection = connection->next)
                if (connection->wsi && lws_get_socket_fd(connection->wsi) == fd)
                        return connection;
        return NULL;
}

static void keep_error(struct connection *connection)
{
        unsigned long error = ERR_peek_error();
        const char *reason = error ? ERR_reason_error_string(error) : NULL;

        /* Broken off, or the certificate, which has its own words. */
        if (!reason || ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING || connection->verdict.reason[0])
                return;
        snprintf(connection->tls_error, sizeof(connection->tls_error), "%s", reason);
}

static void on_progress(const SSL *ssl, int where, int rc)
{
        struct lws_transport *transport = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
        struct connection *connection = connection_of(transport, ssl);
        const struct road_address *to = &transport->road->to;

        if (!connection || connection->is_secured)
                return;
        if (where & SSL_CB_HANDSHAKE_START) /* RFC 6066: names, not addresses */
                SSL_set_tlsext_host_name((SSL *)ssl, to->is_number ? NULL : (char *)to->host);
        else if (where & SSL_CB_HANDSHAKE_DONE)
                connection->is_secured = true;
        else if ((where & SSL_CB_EXIT) && rc <= 0)
                keep_error(connection);
}

static int on_certificate(X509_STORE_CTX *chain, void *data)
{
        struct lws_transport *transport = data;
        const SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
        struct connection *connection = connection_of(transport, ssl);

        return connection &&
               trust_verify(transport->road->trust, chain, transport->road->to.host, &connection->verdict) == 1;
}

/* Ours: the library finds its own again by an index that before 4.3 moved with each context made in the process, and
 * then freed none but the last. */
static SSL_CTX *make_tls(struct lws_transport *transport)
{
        SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

        if (!tls)
                return NULL;
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_app_data(tls, transport);
        SSL_CTX_set_info_callback(tls, on_progress);
        SSL_CTX_set_cert_verify_callback(tls, on_certificate, transport);
        if (transport->road->to.is_tls && !trust_set_up(transport->road->trust, tls)) {
                SSL_CTX_free(tls);
                return NULL;
        }
        return tls;
}

static void quiet_once(void)
{
        /* Whoever has set other levels wants them; the library's own would print to stderr. */
        if (lwsl_visible(LLL_NOTICE) && !lwsl_visible(LLL_INFO))
                lws_set_log_level(0, NULL);
}

struct lws_context *lws_link_context(struct lws_transport *transport)
{
        static pthread_once_t quiet = PTHREAD_ONCE_INIT;
        static const struct lws_protocols protocols[] = {
                {.name = subprotocol, .callback = lws_link_callback, .rx_buffer_size = 16384},
                {0},
        };
        struct lws_context_creation_info info = {
                .port = CONTEXT_PORT_NO_LISTEN,
                .protocols = protocols,
                .gid = (gid_t)-1,
                .uid = (uid_t)-1,
                .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT, /* the machine checks that texts are UTF-8 */
                .fd_limit_per_thread = 16,
                .http_proxy_address = "none:0", /* else it looks for one in the environment; port 0 is none */
        };
        struct sigaction before;

        pthread_once(&quiet, quiet_once);
        transport->tls = info.provided_client_ssl_ctx = make_tls(transport);
        if (!transport->tls)
                return NULL;
        sigaction(SIGPIPE, NULL, &before);
        struct lws_context *context = lws_create_context(&info);
        sigaction(SIGPIPE, &before, NULL); /* the library ignores it for the whole process */
        return context;
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

void lws_link_begin(struct connection *connection)
{
        static const lws_retry_bo_t no_pings = {0};
        const struct road_address *to = &connection->transport->road->to;
        struct platform_door door = {.fd = -1};
        bool is_open = connection->transport->context && platform_door_open(&door);
        struct lws_client_connect_info info = {
                .context = connection->transport->context,
                .address = door.address,
                .port = door.port ? door.port : to->port,
                .path = to->path,
                .host = to->authority,
                .origin = NULL,
                .protocol = subprotocol,
                .local_protocol_name = subprotocol,
                .alpn = "http/1.1",
                .pwsi = &connection->wsi,
                .opaque_user_data = connection,
                .retry_and_idle_policy = &no_pings,
                .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (to->is_tls ? LCCSCF_USE_SSL : 0),
        };
        struct lws *wsi = is_open ? lws_client_connect_via_info(&info) : NULL;

        if (wsi && !connection->is_ended)
                take_over(wsi, connection); /* it was asked to wait at the door: somebody else stands there */
        if (is_open)
                close(door.fd);
        if (!wsi)
                lws_link_ended(connection, NULL, ABNORMAL, "network", "no means for a connection", -1);
}
