/* A library whose constructor starts a thread where the environment says so: nothing of which a
 * zygote can be made. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void *idle(void *arg)
{
    for (;;)
        (void)pause();
    return arg;
}

__attribute__((constructor)) static void start_thread(void)
{
    pthread_t thread;

    if (getenv("STARTER_STARTS"))
        (void)pthread_create(&thread, NULL, idle, NULL);
}
