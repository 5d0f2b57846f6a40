/* runtime/process/terminal.c: a child at a terminal, and what a terminal can be asked. */
#include "tests/runtime/process/children.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct bight_process *at_terminal(const char *command)
{
    return shell(command, (struct bight_process_options){.input.kind = BIGHT_PROCESS_TERMINAL,
                                                         .output.kind = BIGHT_PROCESS_TERMINAL,
                                                         .error.kind = BIGHT_PROCESS_TERMINAL,
                                                         .terminal_size = {30, 100}});
}

static int shows(void *arg)
{
    struct bight_process *process =
        at_terminal("test -t 0 && test -t 1 && test -t 2 && stty size </dev/tty");
    struct bight_terminal_size size;

    (void)arg;
    ck_assert_ptr_null(bight_process_input(process));
    ck_assert_ptr_null(bight_process_output(process));
    ck_ok(bight_terminal_get_size(bight_process_terminal(process), &size));
    ck_assert_uint_eq(size.rows, 30);
    ck_assert_uint_eq(size.columns, 100);
    ck_assert_int_eq(getsid((pid_t)bight_process_pid(process)), bight_process_pid(process));
    ck_assert_str_eq(hear_all(bight_process_terminal(process)), "30 100\r\n");
    exits_with(process, 0);
    return 0;
}

static int types(void *arg)
{
    struct bight_process *process = at_terminal("echo ready; cat; exit 3");
    struct bight_stream *terminal = bight_process_terminal(process);

    (void)arg;
    ck_assert_str_eq(hear_line(terminal), "ready");
    ck_ok(bight_stream_write(terminal, "hello\n", 6));
    ck_assert_str_eq(hear_line(terminal), "hello"); /* the echo */
    ck_assert_str_eq(hear_line(terminal), "hello");
    ck_ok(bight_stream_write(terminal, "\004", 1)); /* the end of input */
    ck_assert_str_eq(hear_all(terminal), "");
    exits_with(process, 3);
    return 0;
}

static int interrupts(void *arg)
{
    struct bight_process *process = at_terminal("echo ready; exec sleep 1000");

    (void)arg;
    ck_assert_str_eq(hear_line(bight_process_terminal(process)), "ready");
    ck_ok(bight_stream_write(bight_process_terminal(process), "\003", 1));
    dies_by(process, SIGINT);
    return 0;
}

static int changes(void *arg)
{
    struct bight_process *process =
        at_terminal("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done");
    struct bight_stream *terminal = bight_process_terminal(process);

    (void)arg;
    ck_assert_str_eq(hear_line(terminal), "ready");
    ck_ok(bight_terminal_set_size(terminal, &(struct bight_terminal_size){10, 20}));
    ck_assert_str_eq(hear_line(terminal), "10 20");
    exits_with(process, 0);
    return 0;
}

/* Raw, there is no echo, and a line feed is one; then there are again. */
static int raw(void *arg)
{
    struct bight_process *process = at_terminal("echo ready; exec cat");
    struct bight_stream *terminal = bight_process_terminal(process);
    struct bight_terminal_mode mode;
    char bytes[8];

    (void)arg;
    ck_assert_str_eq(hear_line(terminal), "ready");
    ck_ok(bight_terminal_set_raw(terminal, &mode));
    ck_ok(bight_stream_write(terminal, "\003\n", 2));
    ck_ok(bight_stream_read_exactly(terminal, bytes, 2));
    ck_assert_mem_eq(bytes, "\003\n", 2);
    ck_ok(bight_terminal_set_mode(terminal, &mode));
    ck_ok(bight_stream_write(terminal, "x\n", 2));
    ck_ok(bight_stream_read_exactly(terminal, bytes, 6));
    ck_assert_mem_eq(bytes, "x\r\nx\r\n", 6);
    ck_ok(bight_process_end(process, 0));
    return 0;
}

static int none(void *arg)
{
    struct bight_process *process = shell_piped("cat");
    struct bight_stream *input = bight_process_input(process);
    struct bight_terminal_size size = {1, 1};
    struct bight_terminal_mode mode;

    (void)arg;
    memset(&mode, 0, sizeof(mode));
    ck_assert_ptr_null(bight_process_terminal(process));
    ck_code(bight_terminal_get_size(input, &size), BIGHT_ENOTSUP);
    ck_code(bight_terminal_set_size(input, &size), BIGHT_ENOTSUP);
    ck_code(bight_terminal_set_raw(input, NULL), BIGHT_ENOTSUP);
    ck_code(bight_terminal_set_mode(input, &mode), BIGHT_ENOTSUP);
    ck_ok(bight_process_end(process, 0));
    return 0;
}

static const struct suite_case cases[] = {
    child_case(a_child_shows_itself_at_a_terminal, shows),
    child_case(what_is_written_is_typed, types),
    child_case(a_control_c_is_a_signal, interrupts),
    child_case(a_new_size_is_told, changes),
    child_case(bytes_pass_as_they_are_when_it_is_raw, raw),
    child_case(a_pipe_is_no_terminal, none),
};

test_suite("process_terminal", cases);
