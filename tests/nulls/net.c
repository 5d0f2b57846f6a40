/* Rows of net/, but for the HTTP client. */
#include "tests/nulls/rows.h"

void walk_net(void)
{
    says_einval(bight_resolver_new, NULL, NULL);
    says_einval(bight_resolve, NULL, "host", (void *)some);
    says_einval(bight_resolve, (void *)some, NULL, (void *)some);
    says_einval(bight_resolve, (void *)some, "host", NULL);
    does_nothing(bight_resolver_free, NULL);
    does_nothing(bight_resolver_get_stats, NULL, (void *)some);
    does_nothing(bight_resolver_get_stats, (void *)some, NULL);
    is_null(bight_address_text, NULL, some);
    is_null(bight_address_text, (void *)some, NULL);
}
