/* For memcheck: stacks of several sizes, new, warm and cold, some used deeply, which tasks that end
 * and tasks that are cancelled leave to those after them; in two threads. Public headers only. */
#include <bight.h>

#include <pthread.h>
#include <stdio.h>

enum { ROUNDS = 3, TASKS = 200, WARM_STACKS = 8 };

/* Use the stack far down, beyond what stays resident of a warm one. */
static __attribute__((noinline)) int use_deeply(void)
{
    volatile unsigned char bytes[24 << 10];
    int sum = 0;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = 1;
    for (size_t i = 0; i < sizeof(bytes); i++)
        sum += bytes[i];
    return sum == sizeof(bytes) ? 0 : BIGHT_EIO;
}

static int use_and_yield(void *arg)
{
    int rc = bight_yield();

    (void)arg;
    return rc ? rc : use_deeply();
}

static int sleep_long(void *arg)
{
    (void)arg;
    return bight_sleep(100000);
}

/* Many tasks at a time; those that sleep are cancelled once the others have run. */
static int spawn_all(struct bight_group *group)
{
    static const size_t sizes[] = {0, 40 << 10, 0, 1 << 20};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < TASKS; i++) {
        const struct bight_spawn_options options = {.stack_bytes = sizes[i % 4]};

        rc = bight_group_spawn(NULL, group, &options, i % 3 ? use_and_yield : sleep_long, NULL);
    }
    return rc ? rc : bight_sleep(1);
}

static int recycle(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct bight_group group;
        int rc = bight_group_begin(&group, 0);

        if (rc)
            return rc;
        rc = spawn_all(&group);
        bight_scope_cancel(&group.scope);
        rc = bight_group_end(&group, rc);
        if (rc)
            return rc;
    }
    return 0;
}

static void *run(void *arg)
{
    const struct bight_runtime_options options = {.stack_cache = WARM_STACKS};

    *(int *)arg = bight_run_with(&options, recycle, NULL);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    int here, there;

    if (pthread_create(&thread, NULL, run, &there))
        return 1;
    run(&here);
    pthread_join(thread, NULL);
    printf("%s, %s\n", bight_strerror(here), bight_strerror(there));
    return here != 0 || there != 0;
}
