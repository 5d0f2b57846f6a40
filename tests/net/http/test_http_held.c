/* net/http/held.c and repeat.c over TLS, against nginx: requests that wait for what others find
 * out, and those whose connection ends. */
#include <errno.h>
#include <bight/curl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/support.h"
#include "tests/net/http/http_case.h"
#include "tests/net/http/http_peers.h"

static struct nginx nginx;

static void setup(void)
{
    nginx_start(&nginx);
}

static void teardown(void)
{
    nginx_stop(&nginx);
}

static const struct bight_curl_hook trust_hook = {nginx_trust, &nginx};
static const struct bight_http_session_options trusting = {.curl = &trust_hook,
                                                           .max_per_host = 100};

static const char *url_of(uint16_t port)
{
    static char text[64];

    snprintf(text, sizeof text, "https://127.0.0.1:%u/small", port);
    return text;
}

/* In front of nginx. */
struct relay {
    pid_t pid;
    uint16_t port;
    atomic_bool *cut; /* the next words of a client end its connection, and go nowhere */
};

static void relay_one(int from, uint16_t to, atomic_bool *cut)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(to),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct pollfd fds[2] = {{.fd = from, .events = POLLIN},
                            {.fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN}};
    char bytes[16384];
    int ready;

    if (test_connect(fds[1].fd, (struct sockaddr *)&address, sizeof address))
        _exit(1);
    while ((ready = poll(fds, 2, -1)) > 0 || errno == EINTR) {
        for (int i = 0; i < 2 && ready > 0; i++) {
            if (!fds[i].revents)
                continue;
            ssize_t got = test_read(fds[i].fd, bytes, sizeof bytes);
            if (i == 0 && atomic_exchange(cut, false))
                _exit(0);
            if (got <= 0 || send(fds[!i].fd, bytes, (size_t)got, MSG_NOSIGNAL) != got)
                _exit(0);
        }
    }
    _exit(0);
}

/* Of the connections, number `unserved` is accepted and never served. */
static void relay_start(struct relay *relay, uint16_t to, int unserved)
{
    struct sockaddr_in address;
    int listener = test_bound_socket(&address);

    EXPECT(listen(listener, 64) == 0);
    relay->port = ntohs(address.sin_port);
    relay->cut =
        mmap(NULL, sizeof *relay->cut, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    EXPECT(relay->cut != MAP_FAILED);
    pid_t parent = getpid();
    relay->pid = fork();
    EXPECT(relay->pid >= 0);
    if (relay->pid == 0) {
        test_die_with(parent, SIGKILL);
        signal(SIGCHLD, SIG_IGN);
        for (int count = 0;; count++) {
            int fd = test_accept(listener);
            if (count == unserved)
                continue;
            if (fork() == 0)
                relay_one(fd, to, relay->cut);
            close(fd);
        }
    }
    close(listener);
}

static void relay_stop(const struct relay *relay)
{
    kill(relay->pid, SIGKILL);
    test_waitpid(relay->pid, NULL, 0);
    munmap(relay->cut, sizeof *relay->cut);
}

/* The first to come connects, and is the one that finds nobody. */
HTTP_TEST_WITH(a_dead_handshake_holds_nobody_else, &trusting)
{
    struct http_case_call first = {0}, calls[6];
    struct relay relay;
    uint64_t begun_ns;
    relay_start(&relay, nginx.tls_port, 0);
    const char *url = url_of(relay.port);
    http_call_start(&first, session, url);
    EXPECT(bight_sleep(20) == 0);
    begun_ns = bight_now_ns();
    for (int i = 0; i < 6; i++) {
        calls[i] = (struct http_case_call){.request = {.total_timeout_ms = 10000}};
        http_call_start(&calls[i], session, url);
    }
    for (int i = 0; i < 6; i++)
        EXPECT(http_call_finish(&calls[i]) == 0);
    uint64_t waited_ns = bight_now_ns() - begun_ns;
    ck_assert_msg(waited_ns < 5000000000, "%llu ns", (unsigned long long)waited_ns);
    EXPECT(first.rc == 1);
    bight_task_cancel(first.task);
    EXPECT(http_call_finish(&first) == BIGHT_ECANCELED);
    relay_stop(&relay);
    return 0;
}

/* A connection of its own, to another port of the host. */
static int lead_elsewhere(void *list, CURL *easy)
{
    CURLcode rc = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);

    rc |= curl_easy_setopt(easy, CURLOPT_CONNECT_TO, list);
    return rc ? BIGHT_ENOMEM : 0;
}

/* It answers no SYN: connecting goes on for minutes. */
static void start_connecting(struct http_case_call *call, struct bight_http_session *session,
                             const char *url, int fds[3])
{
    static char place[16];
    static struct curl_slist list = {.data = place};
    static const struct bight_curl_hook elsewhere = {lead_elsewhere, &list};
    struct sockaddr_in address;

    fds[0] = test_bound_socket(&address);
    EXPECT(listen(fds[0], 0) == 0);
    for (int i = 1; i < 3; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&address, sizeof address);
    }
    snprintf(place, sizeof place, ":::%u", ntohs(address.sin_port));
    call->request.curl = &elsewhere;
    http_call_start(call, session, url);
}

/* A request that libcurl sends again waits for no connection of others, for nobody would see to it
 * that the wait has an end. */
HTTP_TEST_WITH(nor_does_one_who_has_to_repeat_itself_wait, &trusting)
{
    struct http_case_call first = {0}, second = {.request = {.total_timeout_ms = 10000}};
    struct bight_http_stats stats;
    struct relay relay;
    int fds[3];

    relay_start(&relay, nginx.tls1_port, -1);
    const char *url = url_of(relay.port);
    EXPECT(http_try(session, url, NULL) == 0);
    start_connecting(&first, session, url, fds);
    EXPECT(bight_sleep(20) == 0);
    atomic_store(relay.cut, true);
    http_call_start(&second, session, url);
    EXPECT(http_call_finish(&second) == 0);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.connects == 3);
    EXPECT(first.rc == 1);
    bight_task_cancel(first.task);
    EXPECT(http_call_finish(&first) == BIGHT_ECANCELED);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    relay_stop(&relay);
    return 0;
}

/* Neither does a stream of HTTP/2 say what became of it when its connection ends. */
HTTP_TEST_WITH(nobody_knows_of_a_stream_that_is_cut_off, &trusting)
{
    static const char *const methods[] = {"POST", "DELETE"};
    struct bight_http_response *response;
    struct relay relay;
    relay_start(&relay, nginx.tls_port, -1);
    const char *url = url_of(relay.port);
    for (int i = 0; i < 2; i++) {
        struct bight_http_request request = {.method = methods[i], .total_timeout_ms = 10000};
        EXPECT(http_try(session, url, NULL) == 0);
        atomic_store(relay.cut, true);
        ck_assert_int_eq(bight_http_fetch(&response, session, url, &request),
                         BIGHT_EUNKNOWNOUTCOME);
    }
    relay_stop(&relay);
    return 0;
}

static int set_large_header(void *list, CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list) ? BIGHT_ENOMEM : 0;
}

HTTP_TEST_WITH(nor_does_a_request_that_is_too_large, &trusting)
{
    const char *tls_url = url_of(nginx.tls_port);
    char *line = malloc(1200000);
    const char *const headers[] = {line, NULL};
    struct curl_slist list = {.data = line};
    const struct bight_curl_hook hook = {set_large_header, &list};
    struct bight_http_error error;
    struct bight_http_request checked = {.headers = headers, .error = &error};
    struct bight_http_request unchecked = {.curl = &hook};
    struct bight_http_request brief = {.total_timeout_ms = 5000};
    struct bight_http_response *response;
    struct bight_http_stats stats;

    memset(line, 'x', 1199999);
    line[1199999] = '\0';
    memcpy(line, "X: ", 3);
    EXPECT(bight_http_fetch(&response, session, tls_url, &checked) == BIGHT_ETOOBIG);
    EXPECT(error.kind == BIGHT_HTTP_TOO_BIG && *error.text);
    bight_http_session_get_stats(session, &stats);
    EXPECT(stats.connects == 0 && stats.transfers == 0);
    EXPECT(bight_http_fetch(&response, session, tls_url, &unchecked) < 0);
    EXPECT(bight_http_fetch(&response, session, tls_url, &brief) == 0);
    bight_http_response_free(response);
    free(line);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(a_dead_handshake_holds_nobody_else),
    plain_case(nor_does_one_who_has_to_repeat_itself_wait),
    plain_case(nor_does_a_request_that_is_too_large),
    plain_case(nobody_knows_of_a_stream_that_is_cut_off),
};

test_suite("http_held", cases, .begin = nginx_needed, .setup = setup, .teardown = teardown,
           .timeout_s = 60);
