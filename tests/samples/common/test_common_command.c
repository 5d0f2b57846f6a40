/* samples/common/command.c: addresses on the command line. The rest of it is tried by the suites of
 * the programs. */
#include "samples/common/command.h"

#include "tests/harness/suite.h"

#include <string.h>

/* What it is as the address of a listener, and as a host to connect to; NULL: not valid. */
static const struct {
    const char *text;
    const char *address, *host;
    uint16_t port;
} rows[] = {
    {"127.0.0.1:80", "127.0.0.1", "127.0.0.1", 80},
    {"[::1]:0", "[::1]", "::1", 0},
    {"::1:65535", "::1", NULL, 65535},
    {"localhost:80", NULL, "localhost", 80},
    {"[127.0.0.1]:80", NULL, "127.0.0.1", 80},
    {"[::1:80", NULL, NULL, 0},
    {"[]:80", NULL, "[]", 80},
    {"127.0.0.1", NULL, NULL, 0},
    {"127.0.0.1:", NULL, NULL, 0},
    {":80", NULL, NULL, 0},
    {"127.0.0.1:65536", NULL, NULL, 0},
    {"127.0.0.1:-1", NULL, NULL, 0},
    {"127.0.0.1: 1", NULL, NULL, 0},
    {"127.0.0.1:1 ", NULL, NULL, 0},
    {"", NULL, NULL, 0},
};

static void a_host_and_its_port_are_told_apart(int i)
{
    char host[BIGHT_ADDRESS_TEXT_BYTES];
    uint16_t port;

    ck_assert_int_eq(command_address(rows[i].text, host, &port), rows[i].address != NULL);
    if (rows[i].address) {
        ck_assert_str_eq(host, rows[i].address);
        ck_assert_uint_eq(port, rows[i].port);
    }
    ck_assert_int_eq(command_host(rows[i].text, host, sizeof(host), &port), rows[i].host != NULL);
    if (rows[i].host) {
        ck_assert_str_eq(host, rows[i].host);
        ck_assert_uint_eq(port, rows[i].port);
        ck_assert(!command_host(rows[i].text, host, strlen(rows[i].host), &port));
    }
}

static const struct suite_case cases[] = {
    each_case(a_host_and_its_port_are_told_apart, sizeof(rows) / sizeof(*rows)),
};

test_suite("common_command", cases);
