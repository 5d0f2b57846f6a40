/* Rows of runtime/testing. */
#include "tests/nulls/rows.h"

static void clocks(void)
{
    does_nothing(bight_test_clock_init, NULL);
    is_zero(bight_test_clock_now_ns, NULL);
    says_einval(bight_test_clock_advance, NULL, 1);
    says_einval(bight_test_clock_set_rate, NULL, 1);
    does_nothing(bight_test_clock_set_autojump, NULL, 1);
    does_nothing(bight_test_clock_set_real, NULL, NULL, NULL);
    is_zero(bight_test_clock_real_ns_until, NULL, 1);
}

void walk_testing(void)
{
    says_einval(bight_test_run, NULL, NULL, NULL, NULL);
    says_einval(bight_test_progress, NULL);
    says_einval(bight_test_options_parse, NULL, (void *)some);
    says_einval(bight_test_options_parse, "", NULL);
    says_einval(bight_test_line, NULL, 1);
    says_einval(bight_test_fail, NULL);
    says_einval(bight_test_get_passes, NULL);
    is_false(bight_test_passed, NULL);
    is_false(bight_test_passed_none, NULL);
    does_nothing(bight_test_sequencer_init, NULL);
    says_einval(bight_test_sequencer_enter, NULL, 1);
    says_einval(bight_test_sequencer_leave, NULL);
    clocks();
}
