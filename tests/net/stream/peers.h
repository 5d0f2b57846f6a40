/* What the suites share that talk to programs of others: scenes for any tool that copies its
 * standard input to a connection and the connection to its standard output, as ncat and socat do.
 * Each is played over IPv4, IPv6 and a Unix socket. */
#ifndef TESTS_NET_STREAM_PEERS_H
#define TESTS_NET_STREAM_PEERS_H

enum place {
    PLACE_IPV4,
    PLACE_IPV6,
    PLACE_UNIX,
    PLACES,
};

/* The rest of a command line, of texts that live as long. */
struct words {
    const char *at[12];
};

/* The tool of this suite. `host` is an address, or the path of a Unix socket. */
struct tool {
    const char *name; /* of the program and of the package */
    /* Connect; half-close when the standard input has ended, and end when the connection has. */
    struct words (*connects)(enum place place, const char *host, const char *port);
    /* The same for one client, after it has said "listening" in a line of the standard error. */
    struct words (*listens)(enum place place, const char *host, const char *port);
};

extern const struct tool the_tool;

/* For the suite's `begin`: skipped where the tool is not installed. */
void tool_needed(int argc, char **argv);

/* The scenes, for each_case: at a place. */
void what_it_sends_comes_back_after_its_half_was_closed(int at);
void it_has_each_line_answered_before_it_sends_the_next(int at);
void its_connection_is_passed_on_by_a_proxy(int at);
void it_answers_when_we_connect(int at);
void when_it_is_killed_the_others_are_served_on(int at);

#define tool_cases                                                                                 \
    each_case(what_it_sends_comes_back_after_its_half_was_closed, PLACES),                         \
        each_case(it_has_each_line_answered_before_it_sends_the_next, PLACES),                     \
        each_case(its_connection_is_passed_on_by_a_proxy, PLACES),                                 \
        each_case(it_answers_when_we_connect, PLACES),                                             \
        each_case(when_it_is_killed_the_others_are_served_on, PLACES)

#endif
