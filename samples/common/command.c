/* See command.h. */
#include "samples/common/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- options ---------------------------------------------------------------------------------- */

enum command_outcome command_usage(const struct command *command, const char *wrong)
{
    if (wrong)
        (void)fprintf(stderr, "%s: %s\n", command->program, wrong);
    (void)fprintf(stderr, "Try '%s --help' for more information.\n", command->program);
    return COMMAND_USAGE;
}

static const char *name_of(const struct command *command, int option)
{
    for (const struct option *known = command->options; known->name; known++)
        if (known->val == option)
            return known->name;
    return "?";
}

/* Returns COMMAND_RUN to go on. */
static enum command_outcome take_option(const struct command *command, void *arg, int option,
                                        const char *value)
{
    switch (option) {
    case 'h':
        (void)fputs(command->help, stdout);
        return COMMAND_DONE;
    case 'V':
        (void)printf("%s %s\n", command->program, command->version);
        return COMMAND_DONE;
    case '?': /* getopt_long has said what is wrong */
        return command_usage(command, NULL);
    default:
        break;
    }
    if (command->take(arg, option, value))
        return COMMAND_RUN;
    (void)fprintf(stderr, "%s: invalid value '%s' for option '--%s'\n", command->program, value,
                  name_of(command, option));
    return command_usage(command, NULL);
}

enum command_outcome command_read(const struct command *command, void *arg, int argc, char **argv)
{
    enum command_outcome outcome = COMMAND_RUN;
    int option;

    optind = 0; /* begin anew, also in the middle of a word */
    while (outcome == COMMAND_RUN &&
           (option = getopt_long(argc, argv, command->letters, command->options, NULL)) != -1)
        outcome = take_option(command, arg, option, optarg);
    return outcome;
}

/* --- values ----------------------------------------------------------------------------------- */

bool command_digits(const char *text, char **end, uint64_t *number)
{
    /* strtoull would take "-1" and " 1". */
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *number = strtoull(text, end, 10);
    return !errno;
}

bool command_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    char *end;

    return command_digits(text, &end, number) && !*end && *number >= least && *number <= most;
}

/* Where the last colon is, a port is behind it. Returns the bytes before it, or 0. */
static size_t read_port(const char *text, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    uint64_t number;

    if (!colon || !command_number(colon + 1, 0, UINT16_MAX, &number))
        return 0;
    *port = (uint16_t)number;
    return (size_t)(colon - text);
}

static bool copy(char *host, size_t room, const char *text, size_t bytes)
{
    if (bytes == 0 || bytes >= room)
        return false;
    memcpy(host, text, bytes);
    host[bytes] = '\0';
    return true;
}

bool command_host(const char *text, char *host, size_t room, uint16_t *port)
{
    size_t bytes = read_port(text, port);

    if (bytes > 2 && *text == '[' && text[bytes - 1] == ']') {
        text++;
        bytes -= 2;
    } else if (memchr(text, ':', bytes)) {
        return false;
    }
    return copy(host, room, text, bytes);
}

bool command_address(const char *text, char *host, uint16_t *port)
{
    struct bight_address address;

    return copy(host, BIGHT_ADDRESS_TEXT_BYTES, text, read_port(text, port)) &&
           bight_address_parse(host, &address) == 0;
}
