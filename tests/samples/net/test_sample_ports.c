/* The sample ports, over a range of ports that the suite owns: of each it is known whether it is
 * open. SAMPLE_PORTS is its path. */
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWNED 12
#define FILLERS 4
#define TIMEOUT_MS 400

static const char plan[OWNED + 1] = "-O--s-Os--sO"; /* open, silent, or neither */

/* Below the ports that the system chooses from. */
#define LOWEST 20000
#define SPAN 10000

static int first, sockets[OWNED];

static struct sockaddr_in at_port(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* All or none of them. */
static bool own_from(int port)
{
    for (int i = 0; i < OWNED; i++) {
        struct sockaddr_in address = at_port(port + i);

        sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(sockets[i], 0);
        if (bind(sockets[i], (struct sockaddr *)&address, sizeof address) < 0) {
            for (; i >= 0; i--)
                close(sockets[i]);
            return false;
        }
    }
    first = port;
    return true;
}

/* Its queue is full and nobody accepts: the system drops what else comes. */
static void silence(int index)
{
    struct sockaddr_in address = at_port(first + index);

    ck_assert_int_eq(listen(sockets[index], 0), 0);
    for (int i = 0; i < FILLERS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        ck_assert_int_ge(fd, 0);
        (void)connect(fd, (struct sockaddr *)&address, sizeof address); /* it goes on */
    }
}

static void own_ports(void)
{
    int start = (int)getpid() % SPAN, tried = 0;

    while (!own_from(LOWEST + (start + tried * OWNED) % SPAN))
        ck_assert_int_lt(++tried, SPAN / OWNED);
    for (int i = 0; i < OWNED; i++)
        if (plan[i] == 'O')
            ck_assert_int_eq(listen(sockets[i], 16), 0);
        else if (plan[i] == 's')
            silence(i);
}

/* Returns the status of `ports ARGS`; `text` has what it printed. */
static int run(const char *args, char *text, size_t text_bytes)
{
    char command[512];
    size_t length;
    FILE *pipe;
    int status;

    snprintf(command, sizeof command, "%s %s 2>&1", SAMPLE_PORTS, args);
    pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    length = test_read_all(fileno(pipe), text, text_bytes - 1);
    text[length] = '\0';
    status = pclose(pipe);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* It finds what the plan has, in order. Returns how many ms it took. */
static double scan(int at_once)
{
    char args[64], text[4096], *line = text;
    double seconds, took_ms;
    int port;

    snprintf(args, sizeof args, "%d %d %d %d", first, first + OWNED - 1, at_once, TIMEOUT_MS);
    ck_assert_int_eq(run(args, text, sizeof text), 0);
    for (int i = 0; i < OWNED; i++) {
        if (plan[i] != 'O')
            continue;
        ck_assert_int_eq(sscanf(line, "%d open %lf ms\n", &port, &took_ms), 2);
        ck_assert_int_eq(port, first + i);
        ck_assert_double_le(took_ms, TIMEOUT_MS);
        line = strchr(line, '\n') + 1;
    }
    ck_assert_int_eq(sscanf(line, "12 ports in %lf s", &seconds), 1);
    ck_assert_str_eq(strchr(line, ':'), ": 3 open, 6 closed, 3 silent\n");
    return seconds * 1000;
}

static void open_ports_are_listed_in_order(void)
{
    double ms = scan(OWNED);

    ck_assert_double_ge(ms, TIMEOUT_MS);
    ck_assert_double_lt(ms, 3 * TIMEOUT_MS); /* the silent ones beside each other */
}

static void no_more_than_was_said_are_tried_at_once(void)
{
    ck_assert_double_ge(scan(1), 3 * TIMEOUT_MS);
    ck_assert_double_ge(scan(2), 2 * TIMEOUT_MS);
}

static void what_is_no_range_is_refused(void)
{
    static const char *const wrong[] = {"",      "1",       "0 5",       "5 4",  "1 65536", "1 5 0",
                                        "1 5 x", "1 5 1 0", "1 5 1 1 1", "1 5x", "-1 5"};
    char text[256];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(run(wrong[i], text, sizeof text), 2);
        ck_assert_str_eq(text, "usage: ports FIRST LAST [AT_ONCE [TIMEOUT_MS]]\n");
    }
}

static const struct suite_case cases[] = {
    plain_case(open_ports_are_listed_in_order),
    plain_case(no_more_than_was_said_are_tried_at_once),
    plain_case(what_is_no_range_is_refused),
};

test_suite("sample_ports", cases, .setup = own_ports);
