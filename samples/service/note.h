/* A note: what the service keeps. Its JSON comes from clients, so it is read strictly; note.c has
 * the rules. Knows neither HTTP nor a store. */
#ifndef SAMPLES_SERVICE_NOTE_H
#define SAMPLES_SERVICE_NOTE_H

#include <jansson.h>

#include <bight/base.h>

#define NOTE_TITLE_BYTES 200
#define NOTE_TEXT_BYTES (512 * 1024)

struct note {
    /* Given by the store, from 1 on; never given twice. */
    int64_t id;
    /* Counts the changes, from 1 on. */
    int64_t version;
    /* Each is its note's own, NULL: it was not asked for. */
    char *title;
    char *text;
};

/* Several, by their ids. */
struct notes {
    struct note *items;
    size_t count;
    size_t room;
};

/* What is wrong with a JSON text, and where. */
struct note_fault {
    char text[160];
    /* The member that is at fault; NULL: the whole is. */
    const char *member;
    /* From 1 on; 0: it has no place. */
    int line, column;
};

/* Free what `note` holds, and zero it. */
void note_free(struct note *note);
void notes_free(struct notes *notes);

/* Append an empty note. NULL: no memory. */
struct note *notes_add(struct notes *notes);

/* Read title and text. Returns 0; BIGHT_EINVAL: *fault says why; BIGHT_ENOMEM. */
BIGHT_MUST_CHECK int note_parse(struct note *note, const char *json, size_t bytes,
                                struct note_fault *fault);

/* The note as JSON, which is the caller's; NULL: no memory. */
json_t *note_json(const struct note *note);

#endif
