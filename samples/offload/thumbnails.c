/* The hybrid: images are fetched over HTTP by tasks, made small by workers, and written by threads,
 * while a ticker on the same loop says whether that was free for it.
 *
 * To notice: one function does all of it for one image, from top to bottom, and bight_map calls it
 * for all of them. The loop only waits and copies: what computes has a process of its own, which
 * may crash over a broken image, and what waits for the disk a thread. Here the images come from a
 * server in the same program and on the same loop, which makes it harder for the ticker. */
#include "samples/offload/lesson.h"

#include "samples/offload/images.h"
#include "samples/offload/lateness.h"

#include <bight/errors.h>
#include <bight/gather.h>
#include <bight/group.h>
#include <bight/http.h>
#include <bight/offload.h>
#include <bight/runtime.h>
#include <bight/static.h>
#include <bight/tcp.h>
#include <bight/time.h>
#include <bight/workers.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGES 16
#define WIDTH 640
#define HEIGHT 480
#define IDLE_MS 200

struct item {
    struct album *album;
    struct image large, small;
};

struct album {
    struct bight_executor *workers;
    struct bight_listener *listener;
    struct bight_static *files;
    struct bight_http_session *session;
    struct item items[IMAGES];
    char folder[32];
    uint16_t port;
};

/* --- one image -------------------------------------------------------------------------------- */

struct file {
    const char *path;
    const void *data;
    size_t bytes;
};

static int write_file(void *arg) /* on a thread */
{
    const struct file *file = arg;
    FILE *stream = fopen(file->path, "w");
    int rc = 0;

    if (!stream)
        return -errno;
    if (fwrite(file->data, 1, file->bytes, stream) != file->bytes)
        rc = BIGHT_EIO;
    return fclose(stream) ? BIGHT_EIO : rc;
}

static int shrink_to_file(struct item *item, const void *data, size_t bytes)
{
    struct bight_result result;
    int rc = bight_execute(item->album->workers, &images_shrink_job, data, bytes, &result);

    if (rc == BIGHT_EJOBFAILED)
        rc = result.code;
    if (rc == 0)
        rc = bight_offload(write_file,
                           &(struct file){item->small.path, result.output, result.output_bytes});
    bight_result_free(&result);
    return rc;
}

static int make_thumbnail(void *arg)
{
    struct item *item = arg;
    struct bight_http_response *response;
    char url[96];
    size_t bytes;
    int rc;

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", item->album->port,
                   item->large.path + strlen(item->album->folder));
    rc = bight_http_get(&response, item->album->session, url, NULL);
    if (rc)
        return rc;
    if (bight_http_response_status(response) != 200)
        rc = BIGHT_EPROTOCOL;
    if (rc == 0) {
        const char *body = bight_http_response_body(response, &bytes);

        rc = shrink_to_file(item, body, bytes);
    }
    bight_http_response_free(response);
    return rc;
}

/* --- all of them ------------------------------------------------------------------------------ */

static int idle(void *arg)
{
    (void)arg;
    return bight_sleep(IDLE_MS);
}

static int for_each(struct album *album, int (*fn)(void *item))
{
    return bight_map(fn, album->items, sizeof album->items[0], IMAGES, IMAGES, 0);
}

static int make_thumbnails(void *album)
{
    return for_each(album, make_thumbnail);
}

/* --- the server, in the same program ---------------------------------------------------------- */

static int answer(struct bight_exchange *exchange, void *arg)
{
    const struct album *album = arg;

    return bight_static_answer(exchange, album->files, NULL);
}

static int serve(void *arg)
{
    struct album *album = arg;

    return bight_http_serve(album->listener, answer, album, NULL);
}

static int fetch_and_shrink(struct album *album)
{
    double idle_ms, busy_ms;
    uint64_t start;
    int ended, rc = bight_http_session_new(&album->session, NULL);

    if (rc)
        return rc;
    /* The first request of a program has libcurl and its TLS library set up, which is done once, at
     * the start of what runs for long. */
    rc = make_thumbnail(&album->items[0]);
    if (rc == 0)
        rc = lateness_during(idle, NULL, &idle_ms);
    start = bight_now_ns();
    if (rc == 0)
        rc = lateness_during(make_thumbnails, album, &busy_ms);
    if (rc == 0) {
        printf("%d images fetched, made small and written: %.0f ms\n", IMAGES, ms_since(start));
        printf("A tick every %d ms is late by at most %.2f ms on an idle loop\n", LATENESS_TICK_MS,
               idle_ms);
        printf("and by at most %.2f ms meanwhile\n", busy_ms);
    }
    ended = bight_http_session_end(album->session);
    return rc ? rc : ended;
}

static int with_server(struct album *album)
{
    struct bight_address address;
    struct bight_group group;
    int rc = bight_group_begin(&group, 0);

    if (rc)
        return rc;
    rc = bight_listener_address(album->listener, &address);
    album->port = address.port;
    if (rc == 0)
        rc = bight_group_spawn(NULL, &group, NULL, serve, album);
    if (rc == 0)
        rc = fetch_and_shrink(album);
    bight_listener_close(album->listener); /* then `serve` returns */
    return bight_group_end(&group, rc);
}

static int serve_and_fetch(struct album *album)
{
    int rc = bight_static_new(&album->files, album->folder, NULL);

    if (rc)
        return rc;
    rc = bight_tcp_listen(&album->listener, "127.0.0.1", 0, NULL);
    if (rc == 0) {
        rc = with_server(album);
        bight_listener_end(album->listener);
    }
    bight_static_free(album->files);
    return rc;
}

/* --- the folder ------------------------------------------------------------------------------- */

static int call_worker(struct item *item, const struct bight_job_def *def, struct image *image)
{
    return job_call(item->album->workers, def, image, sizeof *image, image, sizeof *image);
}

static int paint(void *arg)
{
    struct item *item = arg;

    return call_worker(item, &images_paint_job, &item->large);
}

static int measure(void *arg)
{
    struct item *item = arg;

    return call_worker(item, &images_measure_job, &item->small);
}

static int run(struct album *album)
{
    int rc = for_each(album, paint), right = 0;

    if (rc == 0)
        rc = serve_and_fetch(album);
    if (rc == 0)
        rc = for_each(album, measure);
    if (rc)
        return rc;
    for (int i = 0; i < IMAGES; i++)
        right += album->items[i].small.width == IMAGES_SMALL &&
                 album->items[i].small.height == IMAGES_SMALL * HEIGHT / WIDTH;
    printf("%d of them are %d x %d\n", right, IMAGES_SMALL, IMAGES_SMALL * HEIGHT / WIDTH);
    return 0;
}

static int lesson(void *arg)
{
    struct album *album = arg;
    struct bight_workers_options options = {.init = &images_begin_job};
    int ended, rc = bight_workers_new(&album->workers, &options);

    if (rc)
        return rc;
    rc = run(album);
    ended = bight_executor_end(album->workers);
    return rc ? rc : ended;
}

static void name_images(struct album *album)
{
    for (int i = 0; i < IMAGES; i++) {
        struct item *item = &album->items[i];

        *item = (struct item){album, {.width = WIDTH, .height = HEIGHT}, {.width = 0}};
        (void)snprintf(item->large.path, sizeof item->large.path, "%s/%d.jpg", album->folder, i);
        (void)snprintf(item->small.path, sizeof item->small.path, "%s/small-%d.jpg", album->folder,
                       i);
    }
}

/* On a machine where something has failed, some of it is not there. */
static void remove_folder(struct album *album)
{
    for (int i = 0; i < IMAGES; i++) {
        (void)unlink(album->items[i].large.path);
        (void)unlink(album->items[i].small.path);
    }
    (void)rmdir(album->folder);
}

int main(int argc, char **argv)
{
    int rc = bight_workers_prepare(argc, argv);
    struct album *album = rc ? NULL : calloc(1, sizeof *album);

    if (rc)
        return lesson_status("thumbnails", rc);
    if (!album)
        return lesson_status("thumbnails", BIGHT_ENOMEM);
    (void)strcpy(album->folder, "/tmp/thumbnails-XXXXXX");
    if (!mkdtemp(album->folder)) {
        rc = -errno;
    } else {
        name_images(album);
        rc = bight_run(lesson, album);
        remove_folder(album);
    }
    free(album);
    return lesson_status("thumbnails", rc);
}
