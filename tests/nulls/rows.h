/* Rows of the walk over every public function with NULL for what it needs: one line a function and
 * argument, in one function a room. tests/tools/nulls.sh looks for them by the words below, so that
 * a new function without a row is found. */
#ifndef TESTS_NULLS_ROWS_H
#define TESTS_NULLS_ROWS_H

#include "tests/harness/world.h"

#define says_einval(function, ...) gives(BIGHT_EINVAL, function, __VA_ARGS__)
#define does_nothing(function, ...) function(__VA_ARGS__)
#define is_false(function, ...) ck_assert(!function(__VA_ARGS__))
#define is_zero(function, ...) ck_assert(function(__VA_ARGS__) == 0)
#define is_null(function, ...) ck_assert_ptr_null(function(__VA_ARGS__))
/* What the function's comment says of a NULL that it allows. */
#define gives(code, function, ...) ck_assert_int_eq(function(__VA_ARGS__), code)

/* Something that is not NULL, and is never looked at: the NULL beside it is refused before. */
extern char some[4096];

static inline int some_fn(void *arg)
{
    (void)arg;
    return 0;
}

/* All rows of the library that the suite is linked with: rooms.c, http.c or tls.c. */
void walk_library(void);

void walk_core(void);
void walk_sync(void);
void walk_queue(void);
void walk_combine(void);
void walk_runtime(void);
void walk_stream(void);
void walk_testing(void);
void walk_file(void);
void walk_net(void);
void walk_offload(void);

#endif
