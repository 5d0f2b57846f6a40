#!/bin/sh
# libcurl: a transfer that its write callback pauses for receiving is read from once more, and what comes is kept.
#
# Expected: curl_easy_pause(3) on CURLPAUSE_RECV: "There will be no data received on this connection until this
# function is called again without this bit set." So with 16 KiB of receive buffer a callback that pauses in its first
# call has taken the first piece, and the rest stays in the socket, where it holds the peer back.
# Found: the next curl_multi_perform() reads a second piece and does not hand it out. With CURLPAUSE_ALL in the same place
# nothing more is read, nor with CURL_WRITEFUNC_PAUSE, which takes nothing. In the source only a call that pauses both
# directions leaves the transfer alone; any other has it looked after soon, whether receiving is paused or not.
# What helps: pause both directions where nothing is to be sent.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack libcurl4=7.88.1-10+deb12u15 libcurl4-openssl-dev=7.88.1-10+deb12u15
build -lcurl <<'C'
#include "loopback.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY 65536
#define PIECE 16384

static int direction, called, taken, client = -1;

static size_t pause_at_once(char *bytes, size_t size, size_t count, void *easy) {
    (void)bytes, (void)size;
    called++;
    if (direction == CURLPAUSE_CONT)
        return CURL_WRITEFUNC_PAUSE;
    if (!taken)
        curl_easy_pause(easy, direction);
    taken += (int)count;
    return count;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to) {
    (void)arg, (void)purpose;
    return client = socket(to->family, to->socktype, to->protocol);
}

/* How much of the body the client has read from its socket. */
static int gone(void) {
    int left = 0;
    ioctl(client, FIONREAD, &left);
    return BODY - left;
}

static void try(const char *name, int how) {
    char url[64], request[1024], body[BODY] = {0};
    int listener = listen_on_loopback(url), running;
    CURLM *multi = curl_multi_init();
    CURL *easy = curl_easy_init();
    direction = how, called = taken = 0;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)PIECE);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pause_at_once);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, easy);
    curl_multi_add_handle(multi, easy);
    for (int i = 0; i < 20; i++, usleep(10000))
        curl_multi_perform(multi, &running);
    int server = accept(listener, NULL, NULL);
    if (recv(server, request, sizeof(request), 0) <= 0)
        perror("recv");
    const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n";
    send(server, head, sizeof(head) - 1, 0);
    for (int i = 0; i < 20; i++, usleep(10000)) /* the header by itself */
        curl_multi_perform(multi, &running);
    send(server, body, sizeof(body), 0);
    usleep(100000);
    while (!called)
        curl_multi_perform(multi, &running);
    printf("%s: taken %d, read %d", name, taken, gone());
    for (int i = 0; i < 20; i++, usleep(10000))
        curl_multi_perform(multi, &running);
    printf(", later taken %d, read %d\n", taken, gone());
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    close(server);
    close(listener);
}

int main(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    printf("libcurl %s\n", curl_version_info(CURLVERSION_NOW)->version);
    try("CURLPAUSE_RECV", CURLPAUSE_RECV);
    try("CURLPAUSE_ALL", CURLPAUSE_ALL);
    try("CURL_WRITEFUNC_PAUSE", CURLPAUSE_CONT);
    return 0;
}
C
shows "$work/program" <<'OUTPUT'
libcurl 7.88.1
CURLPAUSE_RECV: taken 16384, read 16384, later taken 16384, read 32768
CURLPAUSE_ALL: taken 16384, read 16384, later taken 16384, read 16384
CURL_WRITEFUNC_PAUSE: taken 0, read 16384, later taken 0, read 16384
OUTPUT
