/* A program in libuv's own style, with callbacks, that has its longer work done by tasks. It reads
 * commands from its standard input, one a line, and answers each when it is done:
 *
 *     wait MS       sleep
 *     size PATH     how many bytes the files of a tree have
 *
 * The program is the host: the loop, its handles, signals and main are its own. It attaches a
 * runtime when it begins. A callback starts a task for each command; a task answers by a function
 * of the host's, which writes as all of the host does. At the end of the input it waits for what is
 * under way, on SIGINT it does not: to detach cancels the tasks, and they answer that.
 *
 *     printf 'wait 30\nsize .\n' | uv_host */
#include <bight.h>
#include <bight/uv.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 512

struct host {
    uv_loop_t loop;
    uv_pipe_t in, out;
    uv_signal_t interrupt;
    uv_shutdown_t shutdown;
    struct bight_runtime *runtime;
    char line[LINE_BYTES];
    size_t line_bytes;
    unsigned commands; /* so far */
    unsigned open;     /* of them, those that were not answered */
    bool at_end, detaching;
};

struct command {
    struct host *host;
    unsigned number;
    char text[LINE_BYTES];
};

struct answer {
    uv_write_t write;
    char text[LINE_BYTES + 32];
};

/* The end: the tasks first, and then what they may use. */

static void on_shut(uv_shutdown_t *shutdown, int status)
{
    (void)status;
    uv_close((uv_handle_t *)shutdown->handle, NULL);
}

static void on_detached(void *arg)
{
    struct host *host = arg;

    uv_close((uv_handle_t *)&host->in, NULL);
    uv_close((uv_handle_t *)&host->interrupt, NULL);
    if (uv_shutdown(&host->shutdown, (uv_stream_t *)&host->out, on_shut)) /* once all is written */
        uv_close((uv_handle_t *)&host->out, NULL);
}

static void detach(struct host *host)
{
    if (!host->detaching)
        (void)bight_detach(host->runtime, on_detached, host);
    host->detaching = true;
}

static void on_interrupt(uv_signal_t *signal, int signum)
{
    (void)signum;
    detach(signal->data);
}

/* Answers */

static void on_written(uv_write_t *write, int status)
{
    if (status)
        fprintf(stderr, "uv_host: %s\n", uv_strerror(status));
    free(write->data);
}

/* Called by tasks, on their stacks; the rest is callbacks. */
static void answer(struct command *command, const char *text)
{
    struct host *host = command->host;
    struct answer *answer = malloc(sizeof(*answer));
    uv_buf_t buffer;

    if (!answer)
        return;
    snprintf(answer->text, sizeof(answer->text), "%u: %s\n", command->number, text);
    buffer = uv_buf_init(answer->text, (unsigned)strlen(answer->text));
    answer->write.data = answer;
    if (uv_write(&answer->write, (uv_stream_t *)&host->out, &buffer, 1, on_written))
        free(answer);
}

/* Commands: this part is tasks, and reads from top to bottom. */

static int tree_size(const char *path, uint64_t *bytes)
{
    struct bight_directory_entry entry;
    struct bight_directory *walk;
    int rc = bight_directory_walk(&walk, path, NULL);

    if (rc)
        return rc;
    while ((rc = bight_directory_next(walk, &entry)) > 0) {
        if (entry.type == BIGHT_FILE_REGULAR)
            *bytes += entry.info.bytes;
    }
    (void)bight_directory_end(walk);
    return rc;
}

static int perform(const struct command *command, char *text, size_t text_bytes)
{
    uint64_t bytes = 0;
    int rc = BIGHT_EINVAL;

    if (strncmp(command->text, "wait ", 5) == 0) {
        rc = bight_sleep(strtol(command->text + 5, NULL, 10));
        snprintf(text, text_bytes, "waited");
    } else if (strncmp(command->text, "size ", 5) == 0) {
        rc = tree_size(command->text + 5, &bytes);
        snprintf(text, text_bytes, "%" PRIu64 " bytes", bytes);
    }
    return rc;
}

static int run_command(void *arg)
{
    struct command *command = arg;
    struct host *host = command->host;
    char text[64];
    int rc = perform(command, text, sizeof(text));

    answer(command, rc ? bight_strerror(rc) : text);
    free(command);
    if (--host->open == 0 && host->at_end)
        detach(host);
    return 0;
}

/* What is called when a task never began, for it was cancelled before. */
static void drop_command(void *arg)
{
    answer(arg, bight_strerror(BIGHT_ECANCELED));
    free(arg);
}

/* Input: callbacks. */

static void on_line(struct host *host)
{
    const struct bight_spawn_options options = {.name = "command", .drop = drop_command};
    struct command *command = malloc(sizeof(*command));
    int rc = BIGHT_ENOMEM;

    if (command) {
        command->host = host;
        command->number = ++host->commands;
        snprintf(command->text, sizeof(command->text), "%s", host->line);
        rc = bight_spawn_with(NULL, &options, run_command, command);
    }
    if (rc == 0) {
        host->open++;
        return;
    }
    fprintf(stderr, "uv_host: %s\n", bight_strerror(rc));
    free(command);
}

static void on_byte(struct host *host, char byte)
{
    if (byte != '\n') {
        if (host->line_bytes < LINE_BYTES - 1)
            host->line[host->line_bytes++] = byte;
        return;
    }
    host->line[host->line_bytes] = '\0';
    host->line_bytes = 0;
    on_line(host);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char bytes[65536];

    (void)handle, (void)suggested;
    *buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void on_read(uv_stream_t *in, ssize_t count, const uv_buf_t *buffer)
{
    struct host *host = in->data;

    for (ssize_t i = 0; i < count; i++)
        on_byte(host, buffer->base[i]);
    if (count >= 0)
        return;
    host->at_end = true;
    uv_read_stop(in);
    if (host->open == 0)
        detach(host);
}

static int host_open(struct host *host)
{
    int rc = uv_pipe_init(&host->loop, &host->in, 0);

    rc = rc ? rc : uv_pipe_init(&host->loop, &host->out, 0);
    rc = rc ? rc : uv_signal_init(&host->loop, &host->interrupt);
    host->in.data = host->interrupt.data = host;
    rc = rc ? rc : uv_pipe_open(&host->in, 0);
    rc = rc ? rc : uv_pipe_open(&host->out, 1);
    rc = rc ? rc : uv_signal_start(&host->interrupt, on_interrupt, SIGINT);
    return rc ? rc : uv_read_start((uv_stream_t *)&host->in, on_room, on_read);
}

int main(void)
{
    static struct host host;
    int rc = uv_loop_init(&host.loop);

    rc = rc ? rc : host_open(&host);
    rc = rc ? rc : bight_attach(&host.runtime, &host.loop, NULL);
    if (rc) {
        fprintf(stderr, "uv_host: %s\n", bight_strerror(rc));
        return 1;
    }
    uv_run(&host.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&host.loop) != 0;
}
