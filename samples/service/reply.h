/* Answers in JSON. An error is {"error": TEXT}, with the member, line and column where it has
 * them. */
#ifndef SAMPLES_SERVICE_REPLY_H
#define SAMPLES_SERVICE_REPLY_H

#include <jansson.h>

#include <bight/server.h>

#include "samples/service/note.h"

/* Answer with `json`, which it takes. NULL: there was no memory for it. Returns as
 * bight_exchange_answer; BIGHT_ENOMEM. */
BIGHT_MUST_CHECK int reply_json(struct bight_exchange *exchange, int status, json_t *json);

BIGHT_MUST_CHECK int reply_error(struct bight_exchange *exchange, int status, const char *text);

/* 400. */
BIGHT_MUST_CHECK int reply_fault(struct bight_exchange *exchange, const struct note_fault *fault);

/* The handler has failed with `rc`: answer as what it means to a client, with Retry-After where it
 * may try again. Returns as bight_exchange_answer, or `rc` where that is the server's to tell. */
BIGHT_MUST_CHECK int reply_failure(struct bight_exchange *exchange, int rc);

#endif
