/* What suites need that look at a page as somebody sees it in a browser. */
#ifndef TESTS_HARNESS_BROWSER_H
#define TESTS_HARNESS_BROWSER_H

/* The Python that has python3-websockets, by which a script drives Chromium. */
#define BROWSER_PYTHON "/usr/bin/python3"

/* The `begin` of such a suite: it is skipped where one of the two is not installed. */
void browser_needed(int argc, char **argv);

#endif
