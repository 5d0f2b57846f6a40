#!/bin/sh
# libcurl: a POST that the server has read, and perhaps carried out, is sent again if the connection was reused.
#
# Expected: RFC 9110, 9.2.2: a client does not repeat a request whose method is not idempotent unless it knows that
# repeating is harmless or that the first was never applied. The manual of libcurl names no option for repeating, and
# a POST whose connection is closed before the answer fails with CURLE_GOT_NOTHING, as the first one below does. So
# one would think that a program sees every POST whose outcome is unknown.
# Found: that holds for a new connection only. On one that has served a request before, libcurl takes the close for an
# idle connection that had timed out, opens another, and sends the same POST again; the transfer ends with CURLE_OK.
# CURLINFO_NUM_CONNECTS, 1 and not 0, is all that tells. Whoever tests against a fresh server never sees it.
# What helps: CURLOPT_FRESH_CONNECT for what must not be done twice, or a key by which the server knows a repetition.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libcurl4=7.88.1-10+deb12u15 libcurl4-openssl-dev=7.88.1-10+deb12u15
build -lcurl -pthread <<'C'
#include "loopback.h"
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* Read a request whose body, if it has one, is "pay=1". */
static int read_request(int fd, char *text, size_t room) {
    size_t bytes = 0;
    for (;;) {
        ssize_t got = read(fd, text + bytes, room - bytes - 1);
        if (got <= 0)
            return 0;
        text[bytes += (size_t)got] = '\0';
        if (strstr(text, strncmp(text, "POST", 4) ? "\r\n\r\n" : "\r\n\r\npay=1"))
            return 1;
    }
}

/* Of the connections, the first fails at its first POST, the second too, the third works. */
static void *serve(void *arg) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    char text[4096];
    for (int connection = 1; connection <= 3; connection++) {
        int fd = accept(*(int *)arg, NULL, NULL);
        while (read_request(fd, text, sizeof(text))) {
            int lost = connection < 3 && !strncmp(text, "POST", 4);
            printf("server, connection %d: %.4s is read%s\n", connection, text,
                   lost ? ", then the connection ends" : "");
            if (lost || write(fd, answer, sizeof(answer) - 1) < 0)
                break;
        }
        close(fd);
    }
    return NULL;
}

static void perform(CURL *curl, const char *body) {
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    CURLcode rc = curl_easy_perform(curl);
    long status = 0, connects = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
    printf("client: code %d, status %ld, new connections %ld\n", rc, status, connects);
}

int main(void) {
    char url[64];
    int listener = listen_on_loopback(url);
    pthread_t server;
    pthread_create(&server, NULL, serve, &listener);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    perform(curl, "pay=1");
    perform(curl, NULL);
    perform(curl, "pay=1");
    curl_easy_cleanup(curl);
    pthread_join(server, NULL);
    return 0;
}
C
shows "$work/program" <<'OUTPUT'
server, connection 1: POST is read, then the connection ends
client: code 52, status 0, new connections 1
server, connection 2: GET  is read
client: code 0, status 200, new connections 1
server, connection 2: POST is read, then the connection ends
server, connection 3: POST is read
client: code 0, status 200, new connections 1
OUTPUT
