/* See http_peers.h. nginx is handed its listening sockets, which is its own way of upgrading
 * itself: the ports are the kernel's choice, and nobody has to wait for it to come up. */
#include "tests/net/http/http_peers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/harness/program.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"

/* Not a path of the machine: what Debian's packages say. */
#define NGINX "/usr/sbin/nginx"
#define PYTHON "/usr/bin/python3"

static const char configuration[] =
    "daemon off; worker_processes 1; pid nginx.pid; %s\n"
    "events { worker_connections 1024; }\n"
    "http {\n"
    "  access_log off; gzip on; gzip_min_length 256;\n"
    "  types { text/html html; } default_type application/octet-stream;\n"
    "  keepalive_requests 20; keepalive_timeout 100ms;\n"
    "  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
    "  uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
    "  ssl_certificate cert.pem; ssl_certificate_key key.pem;\n"
    "  server { listen 127.0.0.1:%u; root .; location /up { return 302 https://localhost:%u/small; "
    "}\n"
    "    location /kept { keepalive_timeout 10s; rewrite ^ /small break; } }\n"
    "  server { listen 127.0.0.1:%u ssl http2; root .; keepalive_requests 10000; keepalive_timeout "
    "10s;\n"
    "    location /down { return 302 http://localhost:%u/small; }\n"
    "    location /never { proxy_pass http://127.0.0.1:%u; } }\n"
    "  server { listen 127.0.0.1:%u ssl; root .; keepalive_timeout 10s; }\n"
    "}\n";

void nginx_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (access(NGINX, X_OK) != 0)
        test_skip("nginx");
    if (system("openssl version >/dev/null 2>&1") != 0)
        test_skip("openssl");
}

void httpbin_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (system(PYTHON " -c 'import httpbin' >/dev/null 2>&1") != 0)
        test_skip("python3-httpbin");
}

static FILE *create(const struct nginx *nginx, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", nginx->folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    return file;
}

static void write_file(const struct nginx *nginx, const char *name, size_t bytes)
{
    FILE *file = create(nginx, name);

    for (size_t i = 0; i < bytes; i++)
        putc((int)(i * 7 % 251), file);
    ck_assert_int_eq(fclose(file), 0);
}

static void write_certificate(const struct nginx *nginx)
{
    char command[512];

    snprintf(command, sizeof command,
             "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
             " -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
             " -addext subjectAltName=DNS:localhost,IP:127.0.0.1 >/dev/null 2>&1",
             nginx->folder);
    ck_assert_int_eq(system(command), 0);
}

static int listen_on(uint16_t *port)
{
    struct sockaddr_in address;
    int fd = test_bound_socket(&address);

    ck_assert_int_eq(listen(fd, 512), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFD, 0), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

void nginx_start(struct nginx *nginx)
{
    char inherited[32];
    const char *const argv[] = {"/usr/bin/env", inherited,    NGINX, "-p",        nginx->folder,
                                "-c",           "nginx.conf", "-e",  "error.log", NULL};
    int fds[] = {listen_on(&nginx->port), listen_on(&nginx->tls_port),
                 listen_on(&nginx->tls1_port)};
    uint16_t silent_port;

    strcpy(nginx->folder, "/tmp/bight-nginx-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(nginx->folder));
    snprintf(nginx->ca_file, sizeof nginx->ca_file, "%s/cert.pem", nginx->folder);
    write_file(nginx, "small", 1024);
    write_file(nginx, "large", 8 << 20);
    write_file(nginx, "page.html", 32768);
    write_file(nginx, "large.html", 1 << 20);
    write_certificate(nginx);
    nginx->silent = listen_on(&silent_port);
    FILE *file = create(nginx, "nginx.conf");
    fprintf(file, configuration, geteuid() ? "" : "user root root;", nginx->port, nginx->tls_port,
            nginx->tls_port, nginx->port, silent_port, nginx->tls1_port);
    ck_assert_int_eq(fclose(file), 0);
    snprintf(inherited, sizeof inherited, "NGINX=%d;%d;%d;", fds[0], fds[1], fds[2]);
    nginx->pid = test_program_start(argv, SIGTERM, -1, -1, -1);
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        close(fds[i]);
}

void nginx_stop(struct nginx *nginx)
{
    (void)test_program_end(nginx->pid, SIGTERM);
    close(nginx->silent);
    test_remove_folder(nginx->folder);
}

int nginx_trust(void *arg, CURL *easy)
{
    const struct nginx *nginx = arg;

    return curl_easy_setopt(easy, CURLOPT_CAINFO, nginx->ca_file) ? BIGHT_ENOMEM : 0;
}

static const char httpbin_script[] =
    "from werkzeug.serving import make_server, WSGIRequestHandler\n"
    "from httpbin import app\n"
    "WSGIRequestHandler.log = lambda *a: None\n"
    "server = make_server('127.0.0.1', 0, app, threaded=True)\n"
    "print(server.server_port, flush=True)\n"
    "server.serve_forever()\n";

void httpbin_start(struct httpbin *httpbin)
{
    static const char *const argv[] = {PYTHON, "-c", httpbin_script, NULL};
    char line[32];
    int out;

    httpbin->pid = test_program_start_heard(argv, SIGKILL, &out);
    ck_assert(test_program_says(out, "", line, sizeof line));
    httpbin->port = (uint16_t)atoi(line);
}

void httpbin_stop(struct httpbin *httpbin)
{
    (void)test_program_end(httpbin->pid, SIGKILL);
}
