/* A thread with a runtime of its own, for the foreign suite: its objects, with a task asleep on
 * each kind of source. It stands still between two barriers, and checks after the second that all
 * is as it was. */
#ifndef TESTS_RUNTIME_FOREIGN_OTHER_H
#define TESTS_RUNTIME_FOREIGN_OTHER_H

#include <pthread.h>

#include <bight.h>

struct foreign_other {
    pthread_barrier_t stands, goes_on;
    struct bight_task *sleeper, *ended, *limited;
    struct bight_mutex mutex;
    struct bight_rwlock rwlock;
    struct bight_once once;
    struct bight_event event, gate;
    struct bight_semaphore semaphore;
    struct bight_future future;
    struct bight_queue *getters, *putters;
    struct bight_scope scope;
    struct bight_group group;
    struct bight_background *background;
    struct bight_generator *generator;
    struct bight_wait_group count;
    struct bight_limiter limiter;
    struct bight_borrower borrowers[2];
    struct bight_rate_limiter rate;
    struct bight_barrier barrier;
    struct bight_rwlock read;
    struct bight_latest latest;
    struct bight_broadcast *broadcast;
    struct bight_subscriber subscriber;
    struct bight_queue *joined;
    struct bight_sender sender;
    struct bight_receiver receiver;
    struct bight_as_completed completed;
    struct bight_wait_item item;
    struct bight_future item_future, called_future;
    struct bight_future_callback callback;
    struct bight_signal *signal;
};

extern struct foreign_other other;

/* The thread. *arg becomes what its run returned. */
void *foreign_thread(void *arg);

#endif
