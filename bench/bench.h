/* What the bench programs share: clocks, medians, rows whose value and baseline are measured in
 * turns, the command line by which scripts/bench asks for them, and the JSON line that it
 * passes on. Knows nothing of bight (run.h does). docs/bench.md says what each row means. */
#ifndef BIGHT_BENCH_BENCH_H
#define BIGHT_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A function attribute: callers know nothing about the function, not even which registers it keeps.
 * clang has no such attribute, and may still see through a call by name: call by pointer
 * instead. */
#if defined(__has_attribute) && __has_attribute(noipa)
#define BENCH_OPAQUE __attribute__((noipa))
#else
#define BENCH_OPAQUE __attribute__((noinline))
#endif

/* Samples of each side, unless a row has its own number; the median of them is the row's figure. */
#define BENCH_SAMPLES 11
#define BENCH_SAMPLES_MAX 15
#define BENCH_PEERS 2
#define BENCH_NEEDS 2

/* One sample: do this many operations, and return what one of them took, in the row's unit. */
typedef double bench_sample(void *arg, uint64_t operations);

/* Something else to compare the value with, beside the baseline. */
struct bench_peer {
    const char *name;
    bench_sample *sample;
};

struct bench_row {
    const char *name;
    const char *unit;
    /* What the value is compared with, in a few words; NULL: nothing. */
    const char *baseline;
    bench_sample *value, *base;
    void *arg;
    /* In one sample. */
    uint64_t operations;
    /* Not 0: there is a row NAME_instructions as well: the difference between two runs of the value
     * under callgrind, of this many operations and of twice as many. */
    uint64_t counted;
    /* 0: BENCH_SAMPLES of each side, after one of each that does not count. */
    unsigned samples;
    /* For the row of instructions; 0: one, since it repeats exactly. */
    unsigned counted_samples;
    struct bench_peer peers[BENCH_PEERS];
    /* Programs of others that it runs, each called as its Debian package: without one the row is
     * skipped, and standard error says so. */
    const char *needs[BENCH_NEEDS];
    /* Before the first sample and after the last one; NULL: nothing to do. */
    void (*open)(void *arg);
    void (*close)(void *arg);
};

/* The whole of a bench program, once it has made what all its rows need. Command lines:
 *
 *     bench_X                      all rows, one JSON line each
 *     bench_X --list               name, number of samples and unit of each row, tabs between
 *     bench_X --row NAME...        those rows
 *     bench_X --sample NAME        its value alone, by as few samples as will do
 *     bench_X --operations N NAME  its value's operations and nothing else, for those who count
 *     bench_X --try N              N operations of each value, baseline and peer; no figures
 */
int bench_main(int argc, char **argv, const struct bench_row *rows, size_t count);

/* A sample measures what lies between the two, and a counting run counts only there. CPU time of
 * this thread, so without other programs on the same core. For code that only computes. */
uint64_t bench_begin(void);
/* ns per operation. */
double bench_end(uint64_t begin, uint64_t operations);

/* The same by the wall clock, for rows that wait for other threads and processes. */
uint64_t bench_wall_begin(void);
double bench_wall_end(uint64_t begin, uint64_t operations);

/* Whether this is a counting run, in which nothing may depend on the time. */
bool bench_counting(void);

uint64_t bench_wall_ns(void);
/* CPU time of this process, all threads, system calls included. */
uint64_t bench_process_ns(void);
uint64_t bench_thread_ns(void);

/* xorshift64: the next number from *state, which must not be 0. */
uint64_t bench_random(uint64_t *state);

/* The middle one, or the mean of the two middle ones; sorts `values`. */
double bench_median(double *values, size_t count);

/* The baseline of what yields, parks or hands over: this many callbacks take turns in a FIFO queue
 * until all have done `operations` steps. ns per step. */
double bench_callbacks(unsigned count, uint64_t operations);

/* Run the calling process on one CPU; does nothing if there is no such CPU. */
void bench_pin(int cpu);

/* This program once more, or another, in a process of its own. */
struct bench_again {
    const char *program;     /* NULL: this one */
    const char *const *tool; /* what watches it: words before the program's name, up to a NULL */
    const char *const *arguments; /* up to a NULL */
    int cpu;                      /* -1: any */
    pid_t pid;                    /* which process it was */
    uint64_t cpu_ns;              /* what it took, from its start to its end */
};

/* Run it and return what it printed and what the tool reported; end the program on failure. */
char *bench_again(struct bench_again *again);

/* What callgrind or cachegrind counted in process `pid`, according to their report. */
double bench_instructions(const char *report, pid_t pid);

/* How many system calls of that name, or in "total", `strace -c` counted. */
double bench_calls(const char *report, const char *wanted);

/* End the program with a message. */
_Noreturn void bench_fail(int rc, const char *what);

/* The same when `rc` is negative: a bench that fails has no figures. */
static inline void bench_check(int rc, const char *what)
{
    if (rc < 0)
        bench_fail(rc, what);
}

#endif
