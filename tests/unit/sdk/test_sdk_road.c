/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of servers and proxies as applications give them, and pins: what is taken, how, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client-sdk/src/road.h"
#include "client-sdk/src/trust.h"

static void an_address_is_read_into_its_parts(void **state)
{
        static const struct {
                const char *url, *host, *authority, *path;
                uint16_t port;
                bool is_tls, is_number;
        } cases[] = {
                {"ws://localhost", "localhost", "localhost", "/", 80, false, false},
                {"wss://support.example.com/v1/ws", "support.example.com", "support.example.com", "/v1/ws", 443, true,
                 false},
                {"wss://a_b.example:8443/x?y=z", "a_b.example", "a_b.example:8443", "/x?y=z", 8443, true, false},
                {"ws://127.0.0.1:1/", "127.0.0.1", "127.0.0.1:1", "/", 1, false, true},
                {"wss://[::1]/v1/ws", "::1", "[::1]", "/v1/ws", 443, true, true},
                {"wss://[fe80::1]:65535", "fe80::1", "[fe80::1]:65535", "/", 65535, true, true},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct road_address to;
                assert_true(road_read_address(cases[i].url, &to));
                assert_string_equal(cases[i].host, to.host);
                assert_string_equal(cases[i].authority, to.authority);
                assert_string_equal(cases[i].path, to.path);
                assert_int_equal(cases[i].port, to.port);
                assert_int_equal(cases[i].is_tls, to.is_tls);
                assert_int_equal(cases[i].is_number, to.is_number);
        }
}

static void what_is_no_address_is_refused(void **state)
{
        static const char *const cases[] = {
                "",           "ws://",          "http://host",    "ws://:80",         "ws://host:",
                "ws://h:0",   "ws://h:65536",   "ws://h:8o",      "ws://h:080000",    "ws://h ost",
                "ws://h/a b", "ws://h/a\r\nX:", "ws://h\r\nX: y", "ws://[::1",        "ws://[]",
                "ws://[g]",   "ws://[::1]x",    "ws://user@host", "ws://h/\x7f",      "ws://h/#part",
                "ws://?q",    "wss://[::1]:",   "ws://[1.2.3.4]", "ws://h\xc3\xa4st", "ws://[::1%lo]",
        };
        struct road_address to;
        char url[3000] = "ws://";

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                if (road_read_address(cases[i], &to))
                        fail_msg("\"%s\" was taken", cases[i]);
        memset(url + 5, 'h', 256);
        assert_false(road_read_address(url, &to));
        url[5 + 255] = '\0';
        assert_true(road_read_address(url, &to));
        url[6] = '/';
        memset(url + 7, 'p', 2100);
        assert_false(road_read_address(url, &to));
}

static void a_proxy_is_read_with_its_credentials(void **state)
{
        struct road_proxy proxy;

        (void)state;
        assert_true(road_read_proxy("http://proxy.example:3128", &proxy));
        assert_string_equal("proxy.example", proxy.host);
        assert_int_equal(3128, proxy.port);
        assert_false(proxy.has_credentials);
        assert_true(road_read_proxy("http://a%40b:c%3A%2f%25@[::1]:1/", &proxy));
        assert_string_equal("::1", proxy.host);
        assert_true(proxy.has_credentials);
        assert_string_equal("a@b", proxy.user);
        assert_string_equal("c:/%", proxy.password);
        assert_true(road_read_proxy("http://u:@h:1", &proxy));
        assert_string_equal("", proxy.password);
}

static void what_is_no_proxy_is_refused(void **state)
{
        static const char *const cases[] = {
                "",
                "proxy:3128",
                "https://proxy:3128",
                "socks5://proxy:3128",
                "http://proxy",
                "http://proxy:0",
                "http://:3128",
                "http://user@proxy:3128",
                "http://a%3Ab:c@proxy:3128",
                "http://a:b%@proxy:3128",
                "http://a:b%4@proxy:3128",
                "http://a:b%zz@proxy:3128",
                "http://a:b%00@proxy:3128",
                "http://a:b%0d%0a@proxy:3128",
                "http://proxy:3128/path",
                "http://pro xy:3128",
        };
        struct road_proxy proxy;
        char url[1024] = "http://u:";

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                if (road_read_proxy(cases[i], &proxy))
                        fail_msg("\"%s\" was taken", cases[i]);
        memset(url + 9, 'p', 256);
        strcpy(url + 9 + 256, "@h:1");
        assert_false(road_read_proxy(url, &proxy));
        strcpy(url + 9 + 255, "@h:1");
        assert_true(road_read_proxy(url, &proxy));
        assert_int_equal(255, strlen(proxy.password));
}

static void a_pin_is_sha256_in_base64_and_at_most_sixteen_are_taken(void **state)
{
        static const char *const bad[] = {
                "",
                "sha256/",
                "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
                "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "sha256/AAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAAAA=",
                "SHA256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        };
        const char *pins[17];
        struct trust *trust = NULL;

        (void)state;
        for (size_t i = 0; i < 17; i++)
                pins[i] = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert_int_equal(DESKBELL_E_INVALID, trust_new(NULL, pins, 17, &trust));
        assert_int_equal(DESKBELL_E_INVALID, trust_new(NULL, NULL, 1, &trust));
        assert_int_equal(0, trust_new(NULL, pins, 16, &trust));
        trust_free(trust);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                pins[1] = bad[i];
                if (trust_new(NULL, pins, 2, &trust) != DESKBELL_E_INVALID)
                        fail_msg("\"%s\" was taken", bad[i]);
        }
        pins[1] = NULL;
        assert_int_equal(DESKBELL_E_INVALID, trust_new(NULL, pins, 2, &trust));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_address_is_read_into_its_parts),
                cmocka_unit_test(what_is_no_address_is_refused),
                cmocka_unit_test(a_proxy_is_read_with_its_credentials),
                cmocka_unit_test(what_is_no_proxy_is_refused),
                cmocka_unit_test(a_pin_is_sha256_in_base64_and_at_most_sixteen_are_taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
