/* The sample web_chat as two people see it in Chromium. SAMPLE_WEB_CHAT is its path, and BROWSER
 * that of browser.py. */
#include "tests/harness/browser.h"
#include "tests/harness/suite.h"
#include "tests/harness/support.h"
#include "tests/samples/net/programs.h"
#include "tests/samples/net/tool.h"

#include <signal.h>
#include <stdio.h>

static void they_hear_each_other(void)
{
    static const char *const argv[] = {SAMPLE_WEB_CHAT, NULL};
    struct server server = server_start(argv);
    struct tool browser;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)server.port);
    tool_start(&browser, (const char *const[]){BROWSER_PYTHON, BROWSER, url, NULL});
    tool_wait(&browser);
    server_stop(&server, SIGTERM);
    ck_assert_str_eq(browser.complained, "");
    ck_assert_str_eq(browser.said, "* ann is here\n"
                                   "* bob is here\n"
                                   "bob: Is anybody there?\n"
                                   "ann: I am. <b>Bold</b>, 3 \xe2\x82\xac & \"more\"\n"
                                   "* bob has left\n");
    tool_forget(&browser);
}

static const struct suite_case cases[] = {
    plain_case(they_hear_each_other),
};

test_suite("sample_web_chat_browser", cases, .begin = browser_needed);
