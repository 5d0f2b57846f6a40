/* See browser.h. */
#include "tests/harness/browser.h"

#include <stdlib.h>

#include "tests/harness/suite.h"

void browser_needed(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (system("command -v chromium >/dev/null") != 0 ||
        system(BROWSER_PYTHON " -c 'import websockets' >/dev/null 2>&1") != 0)
        test_skip("chromium or python3-websockets");
}
