/* A line per request on standard output: for bight_http_serve_options.on_done, without `arg`. */
#ifndef SAMPLES_COMMON_ACCESS_H
#define SAMPLES_COMMON_ACCESS_H

#include <bight/server.h>

void access_print_combined(void *arg, const struct bight_exchange *exchange);
void access_print_json(void *arg, const struct bight_exchange *exchange);

#endif
