/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/egress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* An address of either family as 16 bytes; v4 as ::ffff:a.b.c.d. */
struct network {
        uint8_t bytes[16];
        unsigned bits; /* of the prefix, counted from the first of the 16 bytes */
};

struct rule {
        char host[EGRESS_HOST_BYTES]; /* "": `network` holds */
        struct network network;
};

struct egress {
        size_t count;
        struct rule rules[];
};

enum { V4_BITS = 96 };

/* Not public (RFC 6890 and its successors). Written as v6; v4 under ::ffff:0:0/96. */
static const struct {
        const char *text;
        unsigned bits;
} special[] = {
        {"0.0.0.0", 8},     {"10.0.0.0", 8},      {"100.64.0.0", 10},  {"127.0.0.0", 8},    {"169.254.0.0", 16},
        {"172.16.0.0", 12}, {"192.0.0.0", 24},    {"192.0.2.0", 24},   {"192.88.99.0", 24}, {"192.168.0.0", 16},
        {"198.18.0.0", 15}, {"198.51.100.0", 24}, {"203.0.113.0", 24}, {"224.0.0.0", 4},    {"240.0.0.0", 4},
};

static void v4_as_v6(const uint8_t v4[4], uint8_t out[16])
{
        static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
        memcpy(out, prefix, sizeof prefix);
        memcpy(out + 12, v4, 4);
}

static bool is_within(const uint8_t bytes[16], const struct network *network)
{
        unsigned whole = network->bits / 8, rest = network->bits % 8;
        if (memcmp(bytes, network->bytes, whole) != 0)
                return false;
        uint8_t mask = (uint8_t)(0xff00 >> rest);
        return rest == 0 || (bytes[whole] & mask) == (network->bytes[whole] & mask);
}

static bool read_literal(const char *text, uint8_t out[16], bool *out_v4)
{
        uint8_t v4[4];
        *out_v4 = inet_pton(AF_INET, text, v4) == 1;
        if (*out_v4)
                v4_as_v6(v4, out);
        return *out_v4 || inet_pton(AF_INET6, text, out) == 1;
}

static bool bytes_of(const struct sockaddr *address, uint8_t out[16])
{
        if (address->sa_family == AF_INET) {
                v4_as_v6((const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr, out);
                return true;
        }
        if (address->sa_family != AF_INET6)
                return false;
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
        return true;
}

static bool is_public_v4(const uint8_t v4[4])
{
        for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
                struct network network = {.bits = V4_BITS + special[i].bits};
                uint8_t bytes[16];
                bool is_v4;
                if (!read_literal(special[i].text, network.bytes, &is_v4))
                        return false;
                v4_as_v6(v4, bytes);
                if (is_within(bytes, &network))
                        return false;
        }
        return true;
}

static bool has_prefix(const uint8_t bytes[16], const char *prefix, unsigned bits)
{
        struct network network = {.bits = bits};
        return inet_pton(AF_INET6, prefix, network.bytes) == 1 && is_within(bytes, &network);
}

/* Global unicast is 2000::/3; in it documentation, Teredo and other special blocks are not, 6to4 is what it wraps. */
static bool is_public_v6(const uint8_t bytes[16])
{
        if (has_prefix(bytes, "::ffff:0:0", V4_BITS) || has_prefix(bytes, "64:ff9b::", V4_BITS))
                return is_public_v4(bytes + 12);
        if (has_prefix(bytes, "2002::", 16))
                return is_public_v4(bytes + 2);
        return has_prefix(bytes, "2000::", 3) && !has_prefix(bytes, "2001::", 23) &&
               !has_prefix(bytes, "2001:db8::", 32) && !has_prefix(bytes, "3fff::", 20);
}

bool egress_is_public(const struct sockaddr *address)
{
        uint8_t bytes[16];
        return bytes_of(address, bytes) && is_public_v6(bytes);
}

/* ---- the allow-list ---- */

static bool is_host_name(const char *text)
{
        size_t len = strlen(text), label = 0;
        if (len == 0 || len >= EGRESS_HOST_BYTES)
                return false;
        for (size_t i = 0; i < len; i++) {
                char c = text[i];
                bool is_dot = c == '.';
                if (is_dot ? label == 0 : !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
                        return false;
                label = is_dot ? 0 : label + 1;
                if (label > 63)
                        return false;
        }
        /* A last label of digits, or 0x..., would be an address to some: 127.1, 2130706433, 0x7f.1 */
        const char *last = strrchr(text, '.');
        last = last ? last + 1 : text;
        return label > 0 && !(last[0] >= '0' && last[0] <= '9');
}

static bool lower(struct span text, char *out, size_t room)
{
        if (text.len >= room)
                return false;
        for (size_t i = 0; i < text.len; i++)
                out[i] = (char)(text.at[i] >= 'A' && text.at[i] <= 'Z' ? text.at[i] + ('a' - 'A') : text.at[i]);
        out[text.len] = '\0';
        return true;
}

static bool read_bits(const char *text, unsigned most, unsigned *out_bits)
{
        unsigned bits = 0;
        size_t len = strlen(text);
        if (len == 0 || len > 3)
                return false;
        for (size_t i = 0; i < len; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                bits = bits * 10 + (unsigned)(text[i] - '0');
        }
        *out_bits = bits;
        return bits <= most;
}

static bool read_rule(const char *text, struct rule *out)
{
        bool is_v4;
        memset(out, 0, sizeof *out);
        if (!lower(span_of(text), out->host, sizeof out->host))
                return false;
        char *slash = strchr(out->host, '/');
        if (slash)
                *slash = '\0';
        if (read_literal(out->host, out->network.bytes, &is_v4)) {
                unsigned bits = is_v4 ? 32 : 128;
                if (slash && !read_bits(slash + 1, bits, &bits))
                        return false;
                out->network.bits = (is_v4 ? V4_BITS : 0) + bits;
                out->host[0] = '\0';
                return true;
        }
        return !slash && is_host_name(out->host);
}

int egress_new(const char *const *allow, struct egress **out_egress, const char **out_bad)
{
        size_t count = 0;
        while (allow && allow[count])
                count++;
        struct egress *egress = calloc(1, sizeof *egress + count * sizeof *egress->rules);
        if (!egress)
                return -ENOMEM;
        for (; egress->count < count; egress->count++) {
                if (read_rule(allow[egress->count], &egress->rules[egress->count]))
                        continue;
                if (out_bad)
                        *out_bad = allow[egress->count];
                free(egress);
                return -EINVAL;
        }
        *out_egress = egress;
        return 0;
}

struct egress *egress_free(struct egress *egress)
{
        free(egress);
        return NULL;
}

static bool allows_host(const struct egress *egress, const char *host)
{
        for (size_t i = 0; egress && i < egress->count; i++)
                if (egress->rules[i].host[0] && strcmp(egress->rules[i].host, host) == 0)
                        return true;
        return false;
}

static bool allows_address(const struct egress *egress, const uint8_t bytes[16])
{
        for (size_t i = 0; egress && i < egress->count; i++)
                if (!egress->rules[i].host[0] && is_within(bytes, &egress->rules[i].network))
                        return true;
        return false;
}

bool egress_may_connect(const struct egress *egress, const struct egress_url *url, const struct sockaddr *address)
{
        uint8_t bytes[16];
        if (!bytes_of(address, bytes))
                return false; /* a socket of another kind */
        if (url->is_allowed || allows_address(egress, bytes))
                return true;
        return url->is_https && url->port == 443 && is_public_v6(bytes);
}

/* ---- URLs ---- */

static const char *read_scheme(struct span *url, bool *out_https)
{
        static const struct {
                const char *text;
                bool is_https;
        } schemes[] = {{"https://", true}, {"http://", false}};
        for (size_t i = 0; i < 2; i++) {
                size_t len = strlen(schemes[i].text);
                if (url->len < len || strncasecmp(url->at, schemes[i].text, len) != 0)
                        continue;
                *out_https = schemes[i].is_https;
                url->at += len;
                url->len -= len;
                return NULL;
        }
        return "an https URL";
}

static const char *read_port(struct span text, uint16_t *out_port)
{
        unsigned port = 0;
        if (text.len == 0 || text.len > 5)
                return "a port from 1 to 65535";
        for (size_t i = 0; i < text.len; i++) {
                if (text.at[i] < '0' || text.at[i] > '9')
                        return "a port from 1 to 65535";
                port = port * 10 + (unsigned)(text.at[i] - '0');
        }
        *out_port = (uint16_t)port;
        return port >= 1 && port <= 65535 ? NULL : "a port from 1 to 65535";
}

/* Splits "host:port", "[v6]:port"; the port stays what it was when there is none. */
static const char *read_authority(struct span text, struct egress_url *out)
{
        struct span host = text, port = {NULL, 0};
        bool is_v6 = text.len > 0 && text.at[0] == '[';
        const char *end = is_v6 ? memchr(text.at, ']', text.len) : memchr(text.at, ':', text.len);
        if (is_v6 && !end)
                return "a host";
        if (is_v6) {
                host = (struct span){text.at + 1, (size_t)(end - text.at) - 1};
                end++;
                if (end < text.at + text.len && *end != ':')
                        return "a host";
        } else if (end) {
                host.len = (size_t)(end - text.at);
        }
        if (end && end < text.at + text.len)
                port = (struct span){end + 1, (size_t)(text.at + text.len - end) - 1};
        if (!lower(host, out->host, sizeof out->host) || strlen(out->host) != host.len)
                return "a host";
        uint8_t bytes[16];
        bool is_v4;
        out->is_address = read_literal(out->host, bytes, &is_v4) && is_v4 != is_v6;
        if (!out->is_address && (is_v6 || !is_host_name(out->host)))
                return "a host name, or an address in its usual form";
        return port.at ? read_port(port, &out->port) : NULL;
}

static const char *check_policy(const struct egress *egress, struct egress_url *url)
{
        uint8_t bytes[16];
        bool is_v4;
        url->is_allowed = allows_host(egress, url->host);
        if (url->is_address && read_literal(url->host, bytes, &is_v4)) {
                if (allows_address(egress, bytes))
                        url->is_allowed = true;
                else if (!is_public_v6(bytes))
                        return "a public address, or one that webhook_allow names";
        }
        if (url->is_allowed)
                return NULL;
        if (strcmp(url->host, "localhost") == 0 || !(url->is_address || strchr(url->host, '.')))
                return "a public host, or one that webhook_allow names";
        /* A name may still turn out to lie in an allowed network. */
        bool may_lie_within = !url->is_address && egress && egress->count > 0;
        if (!url->is_https && !may_lie_within)
                return "https, or a host that webhook_allow names";
        return url->port == 443 || may_lie_within ? NULL : "port 443, or a host that webhook_allow names";
}

const char *egress_url_read(const struct egress *egress, struct span url, struct egress_url *out_url)
{
        struct egress_url read = {0};
        for (size_t i = 0; i < url.len; i++)
                if ((uint8_t)url.at[i] <= ' ' || (uint8_t)url.at[i] >= 0x7f || url.at[i] == '\\' || url.at[i] == '#')
                        return "a URL of plain ASCII without spaces, backslash and fragment";
        const char *wrong = read_scheme(&url, &read.is_https);
        if (wrong)
                return wrong;
        size_t len = 0;
        while (len < url.len && url.at[len] != '/' && url.at[len] != '?')
                len++;
        if (memchr(url.at, '@', len))
                return "a URL without user and password";
        read.port = read.is_https ? 443 : 80;
        wrong = read_authority((struct span){url.at, len}, &read);
        if (!wrong)
                wrong = check_policy(egress, &read);
        if (!wrong)
                *out_url = read;
        return wrong;
}
