/* runtime/threads/submission.c: the end of a submission in a select. That of one in another runtime
 * is in test_thread_case_many.c. */
#include <bight.h>

#include "tests/harness/suite.h"
#include "tests/harness/world.h"

static struct bight_mailbox *mailbox;

static int submitted(void *event)
{
    int rc = bight_event_wait(event);

    return rc ? rc : BIGHT_EIO;
}

static struct bight_submission *submit(struct bight_event *event)
{
    struct bight_submission *submission;

    bight_event_init(event);
    ck_ok(bight_thread_submit(&submission, mailbox, submitted, event));
    return submission;
}

static int select_submission(void *submission)
{
    struct bight_case cases[2];

    bight_case_submission(&cases[0], submission);
    bight_case_sleep(&cases[1], -1);
    int rc = bight_select(cases, 2, 0);
    return rc ? rc : cases[0].status;
}

static int ends(void *arg)
{
    struct bight_submission *submission;
    struct bight_task *tasks[2];
    struct bight_event event;
    struct bight_case one;
    int status;

    (void)arg;
    ck_ok(bight_mailbox_get(&mailbox));
    submission = submit(&event);
    bight_case_submission(&one, submission);
    ck_code(bight_select(&one, 1, BIGHT_SELECT_TRY), BIGHT_EAGAIN);
    for (int i = 0; i < 2; i++)
        ck_ok(bight_spawn(&tasks[i], select_submission, submission));
    world_settle();
    bight_event_set(&event);
    for (int i = 0; i < 2; i++) {
        ck_ok(bight_join(tasks[i], &status));
        ck_code(status, BIGHT_EIO);
    }
    ck_ok(bight_select(&one, 1, BIGHT_SELECT_TRY)); /* once it has ended, again and again */
    ck_code(one.status, BIGHT_EIO);
    bight_submission_unref(submission);
    bight_mailbox_unref(mailbox);
    return 0;
}

static int ends_cancelled(void *arg)
{
    struct bight_submission *submission;
    struct bight_event event;
    struct bight_task *task;
    int status;

    (void)arg;
    ck_ok(bight_mailbox_get(&mailbox));
    submission = submit(&event);
    ck_ok(bight_spawn(&task, select_submission, submission));
    world_settle();
    ck_ok(bight_submission_cancel(submission));
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    bight_submission_unref(submission);
    /* The select is cancelled instead, and the submission goes on. */
    submission = submit(&event);
    ck_ok(bight_spawn(&task, select_submission, submission));
    world_settle();
    bight_task_cancel(task);
    ck_ok(bight_join(task, &status));
    ck_code(status, BIGHT_ECANCELED);
    bight_event_set(&event);
    ck_ok(bight_submission_wait(submission, -1, &status));
    ck_code(status, BIGHT_EIO);
    bight_submission_unref(submission);
    bight_mailbox_unref(mailbox);
    return 0;
}

/* It ends between the attempt and the wait: the second case sees to that, and never happens. */

static bool cancels(struct bight_case *chosen)
{
    ck_ok(bight_submission_cancel(chosen->source));
    return false;
}

static int cancels_arm(struct bight_case *chosen)
{
    (void)chosen;
    return 0;
}

static int cancels_abort(struct bight_waiter *waiter)
{
    (void)waiter;
    return 0;
}

static const struct bight_waiter_ops cancels_wait = {.name = "canceller", .abort = cancels_abort};
static const struct bight_case_ops cancels_ops = {
    .wait = &cancels_wait,
    .attempt = cancels,
    .arm = cancels_arm,
};

static int ends_between(void *arg)
{
    struct bight_submission *submission;
    struct bight_case cases[2];
    struct bight_event event;

    (void)arg;
    ck_ok(bight_mailbox_get(&mailbox));
    submission = submit(&event);
    bight_case_submission(&cases[0], submission);
    bight_case_custom(&cases[1], &cancels_ops, submission);
    ck_ok(bight_select(cases, 2, BIGHT_SELECT_ORDERED));
    ck_code(cases[0].status, BIGHT_ECANCELED);
    bight_submission_unref(submission);
    bight_mailbox_unref(mailbox);
    return 0;
}

static const struct suite_case cases[] = {
    world_case(the_end_of_a_submission_ends_all_selects_for_it, ends),
    world_case(a_cancelled_submission_says_so_and_a_cancelled_select_lets_it_be, ends_cancelled),
    world_case(an_end_between_the_attempt_and_the_wait_is_seen, ends_between),
};

test_suite("submission_case", cases);
