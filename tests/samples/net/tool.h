/* Samples of samples/net that are tools: started with arguments, they print and end. */
#ifndef TESTS_SAMPLES_NET_TOOL_H
#define TESTS_SAMPLES_NET_TOOL_H

#include <stdio.h>
#include <sys/types.h>

struct tool {
    pid_t pid;
    FILE *out, *err;
    double began_ms;
    /* After tool_wait. */
    double took_ms;
    int status;
    char *said, *complained; /* standard output and error, whole */
};

void tool_start(struct tool *tool, const char *const *argv);
/* Until it has ended, by itself. */
void tool_wait(struct tool *tool);
/* Frees what it said. */
void tool_forget(struct tool *tool);

/* Milliseconds of a clock that only goes forward. */
double tool_now_ms(void);

#endif
