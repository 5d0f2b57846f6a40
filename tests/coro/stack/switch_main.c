/* The cases of every switch without Check, for a program that is cross-compiled and run under an
 * emulator: prints one line per case, exits 1 if one failed. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/coro/stack/registers.h"
#include "tests/coro/stack/switch_cases.h"

int main(void)
{
    int failed = 0;

    for (int i = 0; i < switch_case_count; i++) {
        coroutines_open(4);
        const char *problem = switch_cases[i].run();
        if (coroutine_pool.used)
            problem = "a stack was not put back";
        coroutines_close();
        printf("%s: %s\n", switch_cases[i].name, problem ? problem : "ok");
        failed += problem != NULL;
    }
    printf("switch %s, %u registers filled, %d failures\n", bight__switch_name,
           test_registers_filled, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
