/* runtime/trace_context.c and tracestate.c: headers as W3C's Trace Context has them, and the
 * context of a task, which its children begin with. */
#include <bight.h>

#include <stdio.h>
#include <string.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static struct bight_trace_context parse(const char *text)
{
    struct bight_trace_context context;

    ck_ok(bight_trace_context_parse(&context, text));
    return context;
}

static const char *written(const struct bight_trace_context *context)
{
    static char text[BIGHT_TRACEPARENT_BYTES];

    ck_ok(bight_trace_context_format(context, text, sizeof(text)));
    return text;
}

static void valid_parents_are_read_and_written(void)
{
    static const struct {
        const char *text, *again;
    } all[] = {
        {"00-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01"},
        {"00-" TRACE "-" SPAN "-00", "00-" TRACE "-" SPAN "-00"},
        /* Flags that nobody knows yet. */
        {"00-" TRACE "-" SPAN "-02", "00-" TRACE "-" SPAN "-00"},
        {"00-" TRACE "-" SPAN "-ff", "00-" TRACE "-" SPAN "-01"},
        /* Later versions, with and without something behind. */
        {"01-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01"},
        {"cc-" TRACE "-" SPAN "-01-", "00-" TRACE "-" SPAN "-01"},
        {"fe-" TRACE "-" SPAN "-09-what comes", "00-" TRACE "-" SPAN "-01"},
        /* One bit is enough. */
        {"00-00000000000000000000000000000001-0000000000000001-00",
         "00-00000000000000000000000000000001-0000000000000001-00"},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        struct bight_trace_context context = parse(all[i].text);

        ck_assert_str_eq(written(&context), all[i].again);
    }
}

static void invalid_parents_are_refused(void)
{
    static const char *const all[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-1",
        "00-" TRACE "-" SPAN "-01-",
        "00-" TRACE "-" SPAN "-01.",
        "00-" TRACE "-" SPAN "-012",
        "01-" TRACE "-" SPAN "-012",
        "ff-" TRACE "-" SPAN "-01",
        "0-" TRACE "-" SPAN "-01",
        " 00-" TRACE "-" SPAN "-01",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        "00-" TRACE "-" SPAN "-0G",
        "0x-" TRACE "-" SPAN "-01",
        "FE-" TRACE "-" SPAN "-01",
        /* Upper case is not allowed. */
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
        "00-" TRACE "-00F067AA0BA902B7-01",
        "00-" TRACE "-" SPAN "-0A",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
    };
    struct bight_trace_context context;

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (bight_trace_context_parse(&context, all[i]) != BIGHT_EINVAL)
            ck_abort_msg("taken: %s", all[i]);
    }
}

static void what_cannot_be_written_is_refused(void)
{
    struct bight_trace_context context = parse("00-" TRACE "-" SPAN "-01"), none = {0};
    char text[BIGHT_TRACEPARENT_BYTES];

    ck_code(bight_trace_context_format(&context, text, sizeof(text) - 1), BIGHT_EINVAL);
    ck_code(bight_trace_context_format(&none, text, sizeof(text)), BIGHT_EINVAL);
    ck_code(bight_trace_context_make(&context, &none), BIGHT_EINVAL);
    ck_code(bight_trace_context_make(&context, NULL), BIGHT_ENORUNTIME);
    ck_code(bight_trace_context_set(&context, NULL), BIGHT_ENOTASK);
    ck_code(bight_trace_context_get(&context), BIGHT_ENOTASK);
    ck_assert_str_eq(bight_trace_context_state(), "");
}

/* Contexts of tasks */

static int makes(void *arg)
{
    struct bight_trace_context root, other, child;

    (void)arg;
    ck_ok(bight_trace_context_make(&root, NULL));
    ck_ok(bight_trace_context_make(&other, NULL));
    ck_assert_uint_eq(root.flags, 0);
    ck_assert_mem_ne(root.trace_id, other.trace_id, sizeof(root.trace_id));
    root.flags = BIGHT_TRACE_SAMPLED;
    ck_ok(bight_trace_context_make(&child, &root));
    ck_assert_mem_eq(root.trace_id, child.trace_id, sizeof(root.trace_id));
    ck_assert_mem_ne(root.span_id, child.span_id, sizeof(root.span_id));
    ck_assert_uint_eq(child.flags, BIGHT_TRACE_SAMPLED);
    return 0;
}

static int expects(void *text)
{
    struct bight_trace_context context;

    if (!text)
        ck_code(bight_trace_context_get(&context), BIGHT_ENOENT);
    else
        ck_ok(bight_trace_context_get(&context));
    if (text)
        ck_assert_str_eq(written(&context), text);
    ck_assert_str_eq(bight_trace_context_state(), text ? "rojo=1" : "");
    return 0;
}

static int starts_late(void *text)
{
    ck_ok(bight_yield());
    return bight_spawn(NULL, expects, text);
}

static int hands_on(void *arg)
{
    struct bight_trace_context context = parse("00-" TRACE "-" SPAN "-01");
    static char text[] = "00-" TRACE "-" SPAN "-01";

    (void)arg;
    ck_ok(expects(NULL));
    ck_ok(bight_spawn(NULL, expects, NULL));
    ck_ok(bight_trace_context_set(&context, "rojo=1"));
    ck_ok(bight_spawn(NULL, expects, text));
    ck_ok(bight_spawn(NULL, starts_late, text));
    ck_ok(expects(text));
    ck_ok(bight_trace_context_set(NULL, NULL));
    ck_ok(expects(NULL));
    ck_ok(bight_spawn(NULL, expects, NULL));
    world_settle();
    return 0;
}

/* Flags of a version to come are not invented. */
static int drops_flags(void *arg)
{
    struct bight_trace_context context = parse("00-" TRACE "-" SPAN "-01");

    (void)arg;
    context.flags = 0xff;
    ck_ok(bight_trace_context_set(&context, NULL));
    ck_ok(bight_trace_context_get(&context));
    ck_assert_uint_eq(context.flags, BIGHT_TRACE_SAMPLED);
    return 0;
}

/* The state */

static int set_state(const char *state)
{
    struct bight_trace_context context = parse("00-" TRACE "-" SPAN "-00");

    return bight_trace_context_set(&context, state);
}

static int states(void *arg)
{
    static const char *const good[] = {
        "",
        "rojo=00f067aa0ba902b7",
        "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
        "fw529a3039@dt=FfAAAA",
        "0abc@x=1",
        "a_-*/9=!#$%&'()*+-./:;<>?@[]^_`{|}~",
        "a= 1",
        "a=1 , b=2",
    };
    static const char *const bad[] = {
        "a",          "a=",
        "=1",         "A=1",
        "1a=1",       "a b=1",
        "a=1=2",      "a@=1",
        "@a=1",       "a@1=1",
        "a@b@c=1",    "a=\x7f",
        "a=\xc3\xa9", "a=1\r\nb: 2",

        "a= ,b=1x\n", "a@abcdefghijklmno=1",
    };

    (void)arg;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ck_ok(set_state(good[i]));
        ck_assert_str_eq(bight_trace_context_state(), good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (set_state(bad[i]) != BIGHT_EINVAL)
            ck_abort_msg("taken: %s", bad[i]);
    }
    ck_code(bight_trace_context_set(NULL, "a=1"), BIGHT_EINVAL);
    return 0;
}

/* Members that are too long, and too many. */
static int state_limits(void *arg)
{
    static char text[4096];

    (void)arg;
    snprintf(text, sizeof(text), "a=%0256d", 1);
    ck_ok(set_state(text));
    snprintf(text, sizeof(text), "a=%0257d", 1);
    ck_code(set_state(text), BIGHT_EINVAL);
    text[0] = '\0';
    for (int i = 0; i < 32; i++)
        sprintf(text + strlen(text), "%sk%d=1", i ? "," : "", i);
    ck_ok(set_state(text));
    ck_assert_str_eq(bight_trace_context_state(), text);
    strcat(text, ",k=1");
    ck_code(set_state(text), BIGHT_EINVAL);
    return 0;
}

/* Of 600 bytes the members that fit. */
static int cuts_state(void *arg)
{
    static char text[4096];

    (void)arg;
    for (int i = 0; i < 30; i++)
        sprintf(text + strlen(text), "%sk%02d=0123456789abcde", i ? "," : "", i);
    ck_ok(set_state(text));
    ck_assert_uint_eq(strlen(bight_trace_context_state()), 25 * 20 - 1);
    ck_assert_int_eq(strncmp(bight_trace_context_state(), text, 25 * 20 - 1), 0);
    return 0;
}

static const struct suite_case cases[] = {
    plain_case(valid_parents_are_read_and_written),
    plain_case(invalid_parents_are_refused),
    plain_case(what_cannot_be_written_is_refused),
    world_case(a_child_is_of_its_parents_trace, makes),
    world_case(tasks_begin_with_the_context_of_who_spawned_them, hands_on),
    world_case(unknown_flags_are_dropped, drops_flags),
    world_case(a_state_is_a_list_of_members, states),
    world_case(members_have_limits, state_limits),
    world_case(a_long_state_loses_its_end, cuts_state),
};

test_suite("trace context", cases);
