/* Where notes are kept: an interface, and one implementation for each kind of URL. A store is used
 * by the tasks of one runtime, several at a time; its calls suspend, and are cancellable.
 *
 * Beside 0 they return
 *     BIGHT_ENOENT             there is no such note, or it has another version
 *     BIGHT_EBUSY              others hold the database for too long; nothing was done
 *     BIGHT_ECONNECT           the database cannot be reached; nothing was done
 *     BIGHT_EUNKNOWNOUTCOME    it was lost meanwhile, and the change may have been made
 *     BIGHT_ECANCELED, BIGHT_ENOMEM
 *     BIGHT_EIO                anything else; standard error has what the database says */
#ifndef SAMPLES_SERVICE_STORE_H
#define SAMPLES_SERVICE_STORE_H

#include "samples/service/note.h"

struct store;

struct store_ops {
    /* Free it. No task uses it any more. */
    void (*close)(struct store *store);
    /* Keep a new note: sets its id and version. */
    int (*add)(struct store *store, struct note *note);
    /* Gives *note, for note_free. */
    int (*get)(struct store *store, int64_t id, struct note *note);
    /* Up to `most` notes, without their texts, from the one that follows id `after`. Gives *notes,
     * which is empty at first. */
    int (*list)(struct store *store, int64_t after, int most, struct notes *notes);
    /* Give the note with that id another title and text, if it has that version, or if `version` is
     * 0; sets the version. */
    int (*put)(struct store *store, struct note *note);
    int (*remove)(struct store *store, int64_t id, int64_t version);
};

/* The first member of each implementation. */
struct store {
    const struct store_ops *ops;
};

/* Open the store that `url` says: postgresql://... or sqlite:FILE. Returns as the calls above;
 * BIGHT_EINVAL: no such kind of store; BIGHT_ENOTSUP: the program was built without it. Gives *out,
 * to be closed in the same runtime. */
BIGHT_MUST_CHECK int store_open(struct store **out, const char *url);

/* Of store_open, for one kind; of `url` the whole, or the part behind the scheme. */
int store_pg_open(struct store **out, const char *url);
int store_sqlite_open(struct store **out, const char *file);

#endif
