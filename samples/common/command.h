/* The command line of a program: a table of its options, and what all programs do alike, which is
 * --help, --version and to say what is wrong. */
#ifndef SAMPLES_COMMON_COMMAND_H
#define SAMPLES_COMMON_COMMAND_H

#include <getopt.h>

#include <bight/address.h>
#include <bight/base.h>

enum command_outcome {
    COMMAND_RUN,
    /* Help or version was printed. */
    COMMAND_DONE,
    /* What is wrong was said on standard error. */
    COMMAND_USAGE,
};

struct command {
    const char *program;
    const char *version;
    const char *help;
    /* As getopt_long has them; 'h' is help and 'V' the version. */
    const struct option *options;
    const char *letters;
    /* Take any other option. Returns whether its value, NULL for those without one, is valid. */
    bool (*take)(void *arg, int option, const char *value);
};

/* Read the options; `arg` is for `take`. On COMMAND_RUN the other words are at argv + optind. */
BIGHT_MUST_CHECK enum command_outcome command_read(const struct command *command, void *arg,
                                                   int argc, char **argv);
/* Say what is wrong, which may be NULL where it was said. Returns COMMAND_USAGE. */
enum command_outcome command_usage(const struct command *command, const char *wrong);

/* Values. Each function returns whether the text is one, and writes nothing of use otherwise. */

/* Digits. What follows them is at *end. */
BIGHT_MUST_CHECK bool command_digits(const char *text, char **end, uint64_t *number);
/* Digits and nothing else. */
BIGHT_MUST_CHECK bool command_number(const char *text, uint64_t least, uint64_t most,
                                     uint64_t *number);
/* "HOST:PORT"; the host of "[::1]:80" is "::1". */
BIGHT_MUST_CHECK bool command_host(const char *text, char *host, size_t room, uint16_t *port);
/* The same with an IP literal, as bight_tcp_listen takes it: it keeps its brackets, and may go
 * without. `host` has BIGHT_ADDRESS_TEXT_BYTES. */
BIGHT_MUST_CHECK bool command_address(const char *text, char *host, uint16_t *port);

#endif
