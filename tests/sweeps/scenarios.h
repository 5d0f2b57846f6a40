/* Small programs over the features of coro/ and runtime/, run by the sweeps with every allocation
 * failing and every suspension cancelled in turn. Each is written as a user should write: whatever
 * fails is passed on, and whatever was begun is ended. */
#ifndef TESTS_SWEEPS_SCENARIOS_H
#define TESTS_SWEEPS_SCENARIOS_H

#include "tests/harness/expect.h"

struct bight_group;
struct bight_task;

struct scenario {
    const char *name;
    /* For the main task. Returns 0 when nothing went wrong, else the code that something failed
     * with. */
    int (*fn)(void *arg);
};

extern const struct scenario scenarios[];
extern const int scenario_count;

/* What is begun and not ended: task bodies neither run nor dropped, deferred handlers not called,
 * items made and neither consumed nor dropped, locks held. 0 after each run. */
extern int scenario_balance;

/* scenarios_combine.c */
int scenario_gather(void *arg);
int scenario_map(void *arg);
int scenario_race(void *arg);
int scenario_retry(void *arg);
int scenario_generator(void *arg);
int scenario_wait(void *arg);
int scenario_select(void *arg);

/* Spawn `fn`, counting its task until it has run or was dropped. fn begins with
 * `scenario_balance--`. */
int scenario_spawn(struct bight_group *group, struct bight_task **out, const char *name,
                   int (*fn)(void *arg), void *arg);

/* scenarios_net.c */
int scenario_tcp(void *arg);
int scenario_no_answer(void *arg);
int scenario_listeners(void *arg);
int scenario_unix(void *arg);
int scenario_serve(void *arg);
int scenario_pass(void *arg);

/* scenarios_seeing.c */
int scenario_monitor(void *arg);
int scenario_trace(void *arg);
int scenario_stack_depth(void *arg);

/* scenarios_udp.c */
int scenario_udp(void *arg);
int scenario_multicast(void *arg);
int scenario_patient_sends(void *arg);

/* scenarios_service.c */
int scenario_service(void *arg);
int scenario_manager(void *arg);

/* scenarios_process.c */
int scenario_process(void *arg);
int scenario_process_run(void *arg);
int scenario_no_process(void *arg);

/* scenarios_shared.c */
int scenario_shared(void *arg);
int scenario_placed(void *arg);

/* scenarios_sync.c */
int scenario_condition(void *arg);
int scenario_semaphore(void *arg);
int scenario_rwlock(void *arg);
int scenario_start(void *arg);

/* scenarios_task.c */
int scenario_future(void *arg);
int scenario_started(void *arg);
int scenario_background(void *arg);
int scenario_points(void *arg);
int scenario_queue_join(void *arg);
int scenario_deep_stack(void *arg);
int scenario_dump(void *arg);
int scenario_hash(void *arg);

/* scenarios_stream.c */
int scenario_stream(void *arg);
int scenario_stream_lines(void *arg);
int scenario_stream_file(void *arg);
int scenario_stream_socket(void *arg);
int scenario_stream_talk(void *arg);
int scenario_stream_dribble(void *arg);
int scenario_stream_pipe(void *arg);
int scenario_stream_end(void *arg);
int scenario_descriptors(void *arg);
int scenario_many_descriptors(void *arg);

/* scenarios_testing.c */
int scenario_sequencer(void *arg);

/* scenarios_file.c */
int scenario_files(void *arg);
int scenario_file_end(void *arg);
int scenario_paths(void *arg);
int scenario_file_lines(void *arg);
int scenario_trees(void *arg);
int scenario_watches(void *arg);
int scenario_whole_files(void *arg);

/* scenarios_outside.c */
int scenario_posts(void *arg);
int scenario_signals(void *arg);
int scenario_uv_requests(void *arg);
int scenario_thread_queue(void *arg);
int scenario_thread_select(void *arg);
int scenario_submission(void *arg);
int scenario_threads(void *arg);
int scenario_room(void *arg);

/* scenarios_queue.c */
int scenario_queue_kinds(void *arg);
int scenario_rendezvous(void *arg);
int scenario_channel(void *arg);
int scenario_broadcast(void *arg);
int scenario_latest(void *arg);

#endif
