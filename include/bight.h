/* The umbrella: everything of libbight that does not show a foreign library. What shows one, and
 * what is another library's, is included by name: <bight/uv.h> (libuv), and of libbight-http
 * <bight/http.h> and <bight/curl.h> (libcurl). */
#ifndef BIGHT_H
#define BIGHT_H

#include <bight/address.h>
#include <bight/background.h>
#include <bight/barrier.h>
#include <bight/base.h>
#include <bight/broadcast.h>
#include <bight/call.h>
#include <bight/channel.h>
#include <bight/condition.h>
#include <bight/errors.h>
#include <bight/event.h>
#include <bight/executor.h>
#include <bight/fd.h>
#include <bight/future.h>
#include <bight/gather.h>
#include <bight/generator.h>
#include <bight/group.h>
#include <bight/hook.h>
#include <bight/job.h>
#include <bight/job_map.h>
#include <bight/job_process.h>
#include <bight/latest.h>
#include <bight/limiter.h>
#include <bight/listener.h>
#include <bight/mailbox.h>
#include <bight/mutex.h>
#include <bight/offload.h>
#include <bight/once.h>
#include <bight/process.h>
#include <bight/queue.h>
#include <bight/rate_limiter.h>
#include <bight/report.h>
#include <bight/resolve.h>
#include <bight/retry.h>
#include <bight/runner.h>
#include <bight/runtime.h>
#include <bight/rwlock.h>
#include <bight/scope.h>
#include <bight/select.h>
#include <bight/semaphore.h>
#include <bight/service.h>
#include <bight/shared.h>
#include <bight/signal.h>
#include <bight/stream.h>
#include <bight/submission.h>
#include <bight/task.h>
#include <bight/tcp.h>
#include <bight/testing.h>
#include <bight/testing_clock.h>
#include <bight/thread_event.h>
#include <bight/thread_queue.h>
#include <bight/threads.h>
#include <bight/ticker.h>
#include <bight/time.h>
#include <bight/udp.h>
#include <bight/unix.h>
#include <bight/wait.h>
#include <bight/wait_group.h>
#include <bight/waiter.h>
#include <bight/workers.h>

#endif
