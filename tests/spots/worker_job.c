/* A worker job.
 *
 * Hard: the job runs in another process, which shares no memory with the caller and may die. What
 * goes there and comes back is bytes; a failure is told by a code of its own, with the bytes that
 * explain it; a killed worker fails the job that it ran and no other, and is replaced. The zygote
 * that makes this cheap and safe has to be forked before anything else happens in main. */
#include <bight/runtime.h>
#include <bight/workers.h>

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* In a worker. */
static int upper(struct bight_job *job)
{
    unsigned char *text = job->input;

    for (size_t i = 0; i < job->input_bytes; i++) {
        if (!isalpha(text[i]))
            return bight_job_output_append(job, "not a letter", 12) ? BIGHT_EIO : BIGHT_EINVAL;
        text[i] = (unsigned char)toupper(text[i]);
    }
    return bight_job_output_append(job, text, job->input_bytes);
}

static int dies(struct bight_job *job)
{
    (void)job;
    return raise(SIGKILL);
}

static const struct bight_job_def upper_job = {.name = "upper", .fn = upper};
static const struct bight_job_def dies_job = {.name = "dies", .fn = dies};

struct seen {
    int good, failed, failed_code, died, signal, after;
    char text[16], reason[16];
};

/* The output as a string; it is no string by itself. */
static void keep(char *to, size_t room, struct bight_result *result)
{
    snprintf(to, room, "%.*s", (int)result->output_bytes,
             result->output ? (const char *)result->output : "");
    bight_result_free(result);
}

static int run(void *arg)
{
    struct seen *seen = arg;
    struct bight_executor *workers;
    struct bight_result result;
    int rc = bight_workers_new(&workers, &(struct bight_workers_options){.workers = 1});

    if (rc)
        return rc;
    seen->good = bight_execute(workers, &upper_job, "rope", 4, &result);
    keep(seen->text, sizeof(seen->text), &result);
    seen->failed = bight_execute(workers, &upper_job, "42", 2, &result);
    seen->failed_code = result.code;
    keep(seen->reason, sizeof(seen->reason), &result);
    seen->died = bight_execute(workers, &dies_job, NULL, 0, &result);
    seen->signal = result.exit_signal;
    bight_result_free(&result);
    seen->after = bight_execute(workers, &upper_job, "loop", 4, NULL); /* by a new worker */
    return bight_executor_end(workers);
}

int main(int argc, char **argv)
{
    struct seen seen = {0};
    int rc = bight_workers_prepare(argc, argv);

    if (rc == 0)
        rc = bight_run(run, &seen);
    bool ok = rc == 0 && seen.good == 0 && strcmp(seen.text, "ROPE") == 0 &&
              seen.failed == BIGHT_EJOBFAILED && seen.failed_code == BIGHT_EINVAL &&
              strcmp(seen.reason, "not a letter") == 0 && seen.died == BIGHT_EWORKERDIED &&
              seen.signal == SIGKILL && seen.after == 0;

    printf("worker_job: \"%s\"; %s: %s; %s by signal %d; then %d\n", seen.text,
           bight_error_name(seen.failed), seen.reason, bight_error_name(seen.died), seen.signal,
           seen.after);
    return ok ? 0 : 1;
}
