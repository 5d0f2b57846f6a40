/* A post from a thread after the runtime ended.
 *
 * Hard: the thread knows nothing of the runtime's life. It holds a reference to the mailbox, which
 * outlives the runtime: a post is either accepted, and then its function is called, also when the
 * runtime is about to end, or refused with BIGHT_ECLOSED, and then it is not. There is nothing in
 * between, nothing to lock, and nothing that could be freed too early. */
#include <bight/event.h>
#include <bight/mailbox.h>
#include <bight/runtime.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

struct talk {
    struct bight_mailbox *mailbox;
    struct bight_event heard;
    sem_t ended;
    pthread_t thread;
    int delivered; /* on the loop's thread */
    int accepted;  /* in the thread */
    int during, after;
};

static void deliver(void *arg)
{
    struct talk *talk = arg;

    talk->delivered++;
    bight_event_set(&talk->heard);
}

static void *speak(void *arg)
{
    struct talk *talk = arg;

    /* Until the runtime ends, somewhere in the middle of this. */
    while ((talk->during = bight_post_call(talk->mailbox, deliver, talk)) == 0)
        talk->accepted++;
    while (sem_wait(&talk->ended))
        ;
    talk->after = bight_post_call(talk->mailbox, deliver, talk); /* there is no runtime any more */
    bight_mailbox_unref(talk->mailbox);
    return NULL;
}

static int run(void *arg)
{
    struct talk *talk = arg;
    int rc = bight_mailbox_get(&talk->mailbox);

    if (rc)
        return rc;
    if (pthread_create(&talk->thread, NULL, speak, talk)) {
        bight_mailbox_unref(talk->mailbox);
        return BIGHT_EAGAIN;
    }
    return bight_event_wait(&talk->heard);
}

int main(void)
{
    struct talk talk = {0};

    bight_event_init(&talk.heard);
    if (sem_init(&talk.ended, 0, 0))
        return 1;
    int rc = bight_run(run, &talk);
    sem_post(&talk.ended);
    if (rc == BIGHT_EAGAIN)
        return 1;
    pthread_join(talk.thread, NULL);
    sem_destroy(&talk.ended);
    bool ok = rc == 0 && talk.accepted > 0 && talk.delivered == talk.accepted &&
              talk.during == BIGHT_ECLOSED && talk.after == BIGHT_ECLOSED;

    printf("post_after_end: accepted posts %s, then %s and %s\n",
           talk.delivered == talk.accepted ? "delivered" : "lost", bight_error_name(talk.during),
           bight_error_name(talk.after));
    return ok ? 0 : 1;
}
