/* Tasks by the ten thousand, which need as many stacks at once: their lives in large
 * batches, cancelling and waking sleepers, and a chain of tasks each of which joins the one before.
 * Baselines: malloc, a call and free; a uv_timer_t for each sleeper; a chain of callbacks. */
#include "bench/run.h"

#include <malloc.h>
#include <stdlib.h>

#include <bight/event.h>
#include <bight/group.h>
#include <bight/mutex.h>
#include <bight/task.h>
#include <bight/time.h>
#include <uv.h>

#define BATCH 10000u
#define SLEEPERS 100000u
#define CHAIN 20000u
#define SHORT_CHAIN 1000u
/* For each sleeper in sleep_fire_100000: sleeps of 1 to 100 ms. */
#define SLEEPS 3u
#define SLEEP_MS 100u
/* For those who are cancelled: 60 s and up to 60 s more, so that none comes to its end. */
#define LONG_SLEEP_MS 60000u

/* One sample: how many tasks at once, how often. */
struct sample {
    unsigned tasks;
    uint64_t rounds;
    uint64_t random;
    uint64_t left;
    double ns; /* per operation */
};

/* As many tasks as the row's name says, or all operations at once if they are fewer. */
static struct sample sample_of(uint64_t operations, unsigned tasks)
{
    struct sample sample = {.tasks = operations < tasks ? (unsigned)operations : tasks,
                            .random = 88172645463325252u};

    sample.rounds = operations / sample.tasks;
    return sample;
}

static struct bight_task **new_tasks(unsigned count)
{
    struct bight_task **tasks = calloc(count, sizeof(struct bight_task *));

    bench_check(tasks ? 0 : BIGHT_ENOMEM, "calloc");
    return tasks;
}

/* Lives */

static unsigned lives;

static BENCH_OPAQUE int short_life(void *arg)
{
    lives++;
    return arg != NULL;
}

static void batch(struct bight_task **tasks, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        bench_check(bight_spawn(&tasks[i], short_life, NULL), "spawn");
    for (unsigned i = 0; i < count; i++)
        bench_check(bight_join(tasks[i], NULL), "join");
}

static int lives_main(void *arg)
{
    struct sample *sample = arg;
    struct bight_task **tasks = new_tasks(sample->tasks);
    uint64_t begin;

    batch(tasks, sample->tasks);
    begin = bench_begin();
    for (uint64_t i = 0; i < sample->rounds; i++)
        batch(tasks, sample->tasks);
    sample->ns = bench_end(begin, sample->tasks * sample->rounds);
    free(tasks);
    return 0;
}

static double spawn_join(void *arg, uint64_t operations)
{
    struct sample sample = sample_of(operations, BATCH);

    (void)arg;
    bench_run(lives_main, &sample);
    return sample.ns;
}

/* All of a batch are alive at once. */
static double malloc_call_free(void *arg, uint64_t operations)
{
    int (*volatile fn)(void *arg) = short_life;
    void *memory[BATCH];
    struct sample sample = sample_of(operations, BATCH);
    uint64_t begin = 0;

    (void)arg;
    for (uint64_t round = 0; round <= sample.rounds; round++) {
        if (round == 1)
            begin = bench_begin(); /* the memory is warm by then */
        /* About what a task's control block takes. */
        for (unsigned i = 0; i < sample.tasks; i++)
            memory[i] = malloc(512);
        for (unsigned i = 0; i < sample.tasks; i++) {
            fn(NULL);
            free(memory[i]);
        }
    }
    return bench_end(begin, sample.tasks * sample.rounds);
}

/* Cancelled sleepers */

static int long_sleeper(void *arg)
{
    struct sample *sample = arg;
    int rc = bight_sleep((int64_t)(LONG_SLEEP_MS + bench_random(&sample->random) % LONG_SLEEP_MS));

    bench_check(rc == BIGHT_ECANCELED ? 0 : BIGHT_EINVAL, "cancelled sleep");
    sample->left--;
    return rc;
}

/* The measured part is from the cancel until all have ended. */
static double cancel_round(struct sample *sample)
{
    struct bight_group group;
    uint64_t begin;

    bench_check(bight_group_begin(&group, 0), "group");
    for (unsigned i = 0; i < sample->tasks; i++)
        bench_check(bight_group_spawn(NULL, &group, NULL, long_sleeper, sample), "spawn");
    bench_check(bight_yield(), "yield");
    sample->left = sample->tasks;
    begin = bench_begin();
    bight_scope_cancel(&group.scope);
    (void)!bight_group_end(&group, 0);
    bench_check(sample->left ? BIGHT_EINVAL : 0, "sleepers left");
    return bench_end(begin, sample->tasks);
}

static int cancel_main(void *arg)
{
    struct sample *sample = arg;

    for (uint64_t i = 0; i < sample->rounds; i++)
        sample->ns += cancel_round(sample) / (double)sample->rounds;
    return 0;
}

static double cancels(void *arg, uint64_t operations)
{
    struct sample sample = sample_of(operations, SLEEPERS);

    (void)arg;
    bench_run_fixed(cancel_main, &sample);
    return sample.ns;
}

static void uv_nothing(uv_timer_t *timer)
{
    (void)timer;
}

static void uv_closed(uv_handle_t *handle)
{
    free(handle);
}

/* Stopping and closing each, and a turn of the loop that lets them go. */
static double uv_stops(void *arg, uint64_t operations)
{
    struct sample sample = sample_of(operations, SLEEPERS);
    uv_timer_t **timers = calloc(sample.tasks, sizeof *timers);
    uv_loop_t loop;
    uint64_t begin;
    double ns;

    (void)arg;
    bench_check(timers ? uv_loop_init(&loop) : BIGHT_ENOMEM, "loop");
    for (unsigned i = 0; i < sample.tasks; i++) {
        timers[i] = malloc(sizeof **timers);
        bench_check(timers[i] ? uv_timer_init(&loop, timers[i]) : BIGHT_ENOMEM, "timer");
        uv_timer_start(timers[i], uv_nothing,
                       LONG_SLEEP_MS + bench_random(&sample.random) % LONG_SLEEP_MS, 0);
    }
    begin = bench_begin();
    for (unsigned i = 0; i < sample.tasks; i++)
        uv_close((uv_handle_t *)timers[i], uv_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    ns = bench_end(begin, sample.tasks);
    bench_check(uv_loop_close(&loop), "close");
    free(timers);
    return ns;
}

/* Sleepers that wake */

struct sleepers {
    struct sample sample;
    struct bight_event gate;
    uint64_t sleeps; /* of each */
};

static int sleeper(void *arg)
{
    struct sleepers *all = arg;

    bench_check(bight_event_wait(&all->gate), "gate");
    for (uint64_t i = 0; i < all->sleeps; i++)
        bench_check(bight_sleep((int64_t)(1 + bench_random(&all->sample.random) % SLEEP_MS)),
                    "sleep");
    return 0;
}

static int sleepers_main(void *arg)
{
    struct sleepers *all = arg;
    struct sample *sample = &all->sample;
    struct bight_task **tasks = new_tasks(sample->tasks);
    uint64_t begin;

    bight_event_init(&all->gate);
    for (unsigned i = 0; i < sample->tasks; i++)
        bench_check(bight_spawn(&tasks[i], sleeper, all), "spawn");
    bench_check(bight_yield(), "yield");
    begin = bench_begin();
    bight_event_set(&all->gate);
    for (unsigned i = 0; i < sample->tasks; i++)
        bench_check(bight_join(tasks[i], NULL), "join");
    sample->ns = bench_end(begin, sample->tasks * all->sleeps);
    free(tasks);
    return 0;
}

static double sleeps(void *arg, uint64_t operations)
{
    struct sleepers all = {.sample = sample_of(operations, SLEEPERS)};

    (void)arg;
    all.sleeps = all.sample.rounds;
    bench_run_fixed(sleepers_main, &all);
    return all.sample.ns;
}

struct uv_sleeper {
    uv_timer_t timer;
    struct sample *sample;
    uint64_t left;
};

static void uv_rest(uv_timer_t *timer)
{
    struct uv_sleeper *one = (struct uv_sleeper *)timer;

    if (one->left-- == 0)
        return;
    uv_timer_start(timer, uv_rest, 1 + bench_random(&one->sample->random) % SLEEP_MS, 0);
}

static double uv_sleeps(void *arg, uint64_t operations)
{
    struct sample sample = sample_of(operations, SLEEPERS);
    struct uv_sleeper *all = calloc(sample.tasks, sizeof *all);
    uv_loop_t loop;
    uint64_t begin;
    double ns;

    (void)arg;
    bench_check(all ? uv_loop_init(&loop) : BIGHT_ENOMEM, "loop");
    for (unsigned i = 0; i < sample.tasks; i++) {
        all[i].sample = &sample;
        all[i].left = sample.rounds;
        uv_timer_init(&loop, &all[i].timer);
    }
    begin = bench_begin();
    for (unsigned i = 0; i < sample.tasks; i++)
        uv_rest(&all[i].timer);
    uv_run(&loop, UV_RUN_DEFAULT);
    ns = bench_end(begin, sample.tasks * sample.rounds);
    for (unsigned i = 0; i < sample.tasks; i++)
        uv_close((uv_handle_t *)&all[i].timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_check(uv_loop_close(&loop), "close");
    free(all);
    return ns;
}

/* A chain of joins */

struct link {
    struct bight_task *before;
    struct bight_event *gate;
};

static int joiner(void *arg)
{
    struct link *link = arg;

    return link->before ? bight_join(link->before, NULL) : bight_event_wait(link->gate);
}

/* The chain is set up, the first task's gate opens, and the last one is joined. */
static void chain(struct bight_task **tasks, struct link *links, unsigned count)
{
    struct bight_event gate;

    bight_event_init(&gate);
    for (unsigned i = 0; i < count; i++) {
        links[i] = (struct link){i ? tasks[i - 1] : NULL, &gate};
        bench_check(bight_spawn(&tasks[i], joiner, &links[i]), "spawn");
    }
    bench_check(bight_yield(), "yield");
    bight_event_set(&gate);
    bench_check(bight_join(tasks[count - 1], NULL), "join");
}

static int chain_main(void *arg)
{
    struct sample *sample = arg;
    struct bight_task **tasks = new_tasks(sample->tasks);
    struct link *links = calloc(sample->tasks, sizeof *links);
    uint64_t begin;

    bench_check(links ? 0 : BIGHT_ENOMEM, "calloc");
    begin = bench_begin();
    for (uint64_t i = 0; i < sample->rounds; i++)
        chain(tasks, links, sample->tasks);
    sample->ns = bench_end(begin, sample->tasks * sample->rounds);
    free(links);
    free(tasks);
    return 0;
}

static double chains(void *arg, uint64_t operations)
{
    struct sample sample = sample_of(operations, CHAIN);

    (void)arg;
    bench_run(chain_main, &sample);
    return sample.ns;
}

/* Chains of `length` links, together as many as a sample has, all at the same time: what differs is
 * the length alone. */
static void chains_of(struct bight_task **tasks, struct link *links, unsigned count,
                      unsigned length)
{
    struct bight_event gate;

    bight_event_init(&gate);
    for (unsigned i = 0; i < count; i++) {
        links[i] = (struct link){i % length ? tasks[i - 1] : NULL, &gate};
        bench_check(bight_spawn(&tasks[i], joiner, &links[i]), "spawn");
    }
    bench_check(bight_yield(), "yield");
    bight_event_set(&gate);
    for (unsigned i = length - 1; i < count; i += length)
        bench_check(bight_join(tasks[i], NULL), "join");
}

struct lengths {
    struct sample sample;
    unsigned length;
};

/* The first round warms the stacks. */
static int lengths_main(void *arg)
{
    struct lengths *lengths = arg;
    struct sample *sample = &lengths->sample;
    struct bight_task **tasks = new_tasks(sample->tasks);
    struct link *links = calloc(sample->tasks, sizeof *links);
    uint64_t begin;

    bench_check(links ? 0 : BIGHT_ENOMEM, "calloc");
    chains_of(tasks, links, sample->tasks, lengths->length);
    begin = bench_begin();
    chains_of(tasks, links, sample->tasks, lengths->length);
    sample->ns = bench_end(begin, sample->tasks);
    free(links);
    free(tasks);
    return 0;
}

static double chain_length(uint64_t operations, unsigned length)
{
    struct lengths lengths = {sample_of(operations, CHAIN), .length = length};

    if (lengths.sample.tasks < length)
        lengths.length = lengths.sample.tasks;
    lengths.sample.tasks -= lengths.sample.tasks % lengths.length;
    bench_run(lengths_main, &lengths);
    return lengths.sample.ns;
}

static double long_chain(void *arg, uint64_t operations)
{
    (void)arg;
    return chain_length(operations, CHAIN);
}

static double short_chains(void *arg, uint64_t operations)
{
    (void)arg;
    return chain_length(operations, SHORT_CHAIN);
}

static double callbacks(void *arg, uint64_t operations)
{
    (void)arg;
    return bench_callbacks(CHAIN, operations < CHAIN ? CHAIN : operations);
}

/* Few samples: each begins with cold stacks, and that takes time. */
static const struct bench_row rows[] = {
    {"spawn_join_10000", "ns", "malloc, call, free", spawn_join, malloc_call_free, NULL, 10 * BATCH,
     .samples = 5, .counted = BATCH},
    {"cancel_100000", "ns", "uv_close of a timer", cancels, uv_stops, NULL, SLEEPERS, .samples = 5,
     .counted = SLEEPERS},
    {"sleep_fire_100000", "ns", "uv_timer_t", sleeps, uv_sleeps, NULL,
     .operations = SLEEPERS * SLEEPS, .samples = 5, .counted = SLEEPERS},
    {"join_chain_20000", "ns", "callback out of a FIFO queue", chains, callbacks, NULL, CHAIN,
     .samples = 5, .counted = CHAIN},
    {"join_chain_length", "ns", "as many links in chains of 1,000", long_chain, short_chains, NULL,
     CHAIN, .samples = 5},
};

int main(int argc, char **argv)
{
    /* The baseline's memory must not go back to the kernel with each batch. */
    (void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
