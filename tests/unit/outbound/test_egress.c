/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of what may be connected to and what may not (security 62). */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "outbound/egress.h"
#include "unit/ops/cmocka_all.h"

static struct sockaddr_storage address_of(const char *text)
{
        struct sockaddr_storage address = {0};
        struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
        address.ss_family = AF_INET;
        if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
                return address;
        address.ss_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
        return address;
}

static void what_is_not_the_public_internet_is_known(void **state)
{
        (void)state;
        static const char *const inside[] = {
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.1",
                "10.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "127.0.0.1",
                "127.255.255.255",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.8",
                "192.0.2.1",
                "192.168.1.1",
                "198.18.0.1",
                "198.51.100.7",
                "203.0.113.9",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::1",
                "::127.0.0.1",
                "::ffff:127.0.0.1",
                "::ffff:10.0.0.1",
                "fc00::1",
                "fdff::1",
                "fe80::1",
                "fec0::1",
                "ff02::1",
                "2001:db8::1",
                "2001::1",
                "2002:7f00:1::",
                "2002:a00:1::",
                "64:ff9b::a00:1",
                "100::1",
                "64:ff9b:1::1",
                "3fff::1",
                "5f00::1",
        };
        static const char *const outside[] = {
                "1.1.1.1",      "9.255.255.255", "11.0.0.0",       "100.63.255.255",   "100.128.0.0",
                "172.15.0.1",   "172.32.0.1",    "192.167.1.1",    "198.20.0.1",       "223.255.255.255",
                "2606:4700::1", "2a00:1450::1",  "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::",
        };
        for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
                struct sockaddr_storage address = address_of(inside[i]);
                if (egress_is_public((struct sockaddr *)&address))
                        fail_msg("%s is no public address", inside[i]);
        }
        for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
                struct sockaddr_storage address = address_of(outside[i]);
                if (!egress_is_public((struct sockaddr *)&address))
                        fail_msg("%s is a public address", outside[i]);
        }
}

static bool takes(const struct egress *egress, const char *url)
{
        struct egress_url out;
        return egress_url_read(egress, span_of(url), &out) == NULL;
}

static void urls_that_could_lead_inside_are_refused(void **state)
{
        (void)state;
        static const char *const bad[] = {
                "",
                "shop.example/hook",
                "http://shop.example/",
                "ftp://shop.example/",
                "file:///etc/passwd",
                "gopher://shop.example/",
                "unix:/run/docker.sock",
                "https://",
                "https:///path",
                "https://localhost/",
                "https://LOCALHOST/",
                "https://intranet/",
                "https://127.0.0.1/",
                "https://127.1/",
                "https://2130706433/",
                "https://0x7f000001/",
                "https://0x7f.0.0.1/",
                "https://0177.0.0.1/",
                "https://127.0.0.1./",
                "https://1.2.3/",
                "https://0.0.0.0/",
                "https://[::1]/",
                "https://[::ffff:127.0.0.1]/",
                "https://[::ffff:7f00:1]/",
                "https://[fe80::1%25eth0]/",
                "https://[::1/",
                "https://[127.0.0.1]/",
                "https://::1/",
                "https://169.254.169.254/latest/meta-data",
                "https://10.0.0.1/",
                "https://user@shop.example/",
                "https://user:word@shop.example/",
                "https://shop.example@127.0.0.1/",
                "https://shop.example:8443/",
                "https://shop.example:80/",
                "https://shop.example:/",
                "https://shop.example:0/",
                "https://shop.example:65536/",
                "https://shop.example:443:443/",
                "https://shop.example\\@127.0.0.1/",
                "https://shop.example/#part",
                "https://shop .example/",
                "https://shop.example/\r\nHost: x",
                "https://sh\xc3\xb6p.example/",
                "https://sh%6fp.example/",
                "https://.example/",
                "https://shop..example/",
        };
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                if (takes(NULL, bad[i]))
                        fail_msg("taken: %s", bad[i]);
}

static void a_public_https_url_is_taken_apart(void **state)
{
        (void)state;
        struct egress_url url;
        assert_null(egress_url_read(NULL, SPAN("https://Shop.Example:443/a/b?c=d@e"), &url));
        assert_string_equal(url.host, "shop.example");
        assert_int_equal(url.port, 443);
        assert_true(url.is_https && !url.is_address && !url.is_allowed);
        assert_null(egress_url_read(NULL, SPAN("https://[2606:4700::1]/"), &url));
        assert_true(url.is_address);
        assert_true(takes(NULL, "https://1.1.1.1/"));
        assert_true(takes(NULL, "https://xn--shp-0na.example?x"));
}

static void the_allow_list_opens_what_it_names_and_no_more(void **state)
{
        (void)state;
        static const char *const allow[] = {"crm.internal", "10.1.0.0/16", "::1", "127.0.0.1", NULL};
        struct egress *egress = NULL;
        assert_int_equal(egress_new(allow, &egress, NULL), 0);
        assert_true(takes(egress, "http://crm.internal:8080/hook"));
        assert_true(takes(egress, "http://10.1.200.3/"));
        assert_true(takes(egress, "http://[::1]:9000/"));
        assert_true(takes(egress, "http://127.0.0.1:1/"));
        assert_false(takes(egress, "https://10.2.0.1/"));
        assert_false(takes(egress, "http://127.0.0.2/"));
        assert_false(takes(egress, "https://other/"));
        assert_false(takes(egress, "file://crm.internal/"));

        /* A name that resolves into an allowed network may be reached there, and elsewhere only by https on 443. */
        struct egress_url url;
        struct sockaddr_storage allowed = address_of("10.1.2.3"), inside = address_of("10.2.0.1"),
                                outside = address_of("1.1.1.1");
        assert_null(egress_url_read(egress, SPAN("http://hooks.corp.example:8080/"), &url));
        assert_true(egress_may_connect(egress, &url, (struct sockaddr *)&allowed));
        assert_false(egress_may_connect(egress, &url, (struct sockaddr *)&inside));
        assert_false(egress_may_connect(egress, &url, (struct sockaddr *)&outside));
        assert_null(egress_url_read(egress, SPAN("https://hooks.corp.example/"), &url));
        assert_true(egress_may_connect(egress, &url, (struct sockaddr *)&outside));
        assert_false(egress_may_connect(egress, &url, (struct sockaddr *)&inside));
        struct sockaddr local = {.sa_family = AF_UNIX};
        assert_false(egress_may_connect(egress, &url, &local));
        egress_free(egress);
}

static void a_list_that_cannot_be_read_is_refused(void **state)
{
        (void)state;
        static const char *const bad[] = {"10.0.0.0/33", "10.0.0/8", "::1/129", "host/8", "a b", "*", "10.0.0.0/", ""};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                const char *const list[] = {"fine.example", bad[i], NULL}, *which = NULL;
                struct egress *egress = NULL;
                assert_true(egress_new(list, &egress, &which) < 0);
                assert_string_equal(which, bad[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_not_the_public_internet_is_known),
                cmocka_unit_test(urls_that_could_lead_inside_are_refused),
                cmocka_unit_test(a_public_https_url_is_taken_apart),
                cmocka_unit_test(the_allow_list_opens_what_it_names_and_no_more),
                cmocka_unit_test(a_list_that_cannot_be_read_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
