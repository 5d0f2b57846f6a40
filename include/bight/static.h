/* Files of a directory as answers of the HTTP server (<bight/server.h>).
 *
 *     static int answer(struct bight_exchange *exchange, void *arg)
 *     {
 *         return bight_static_answer(exchange, arg, NULL);
 *     }
 *     ...
 *     rc = bight_static_new(&files, "/srv/www", NULL);
 *     ...
 *     rc = bight_http_serve(listener, answer, files, NULL);
 *
 * No request leads out of the directory: not by "..", and not by a symbolic link, which is followed
 * as far as it stays beneath. On a system without openat2 (before Linux 5.6, or where a sandbox
 * forbids it) no symbolic link is followed at all. Only regular files are served, and there are no
 * listings. A file in use should be replaced by a new one (rename), not written over: an answer
 * whose file got shorter is cut off.
 *
 * The loop's thread does not wait for the disk: what the kernel has not cached is looked up and
 * read by libuv's threads first. */
#ifndef BIGHT_STATIC_H
#define BIGHT_STATIC_H

#include <bight/base.h>
#include <bight/errors.h>
#include <bight/server.h>

BIGHT_BEGIN_DECLS

struct bight_static;

/* The type of files whose name ends in "." and `extension`, in lower case. */
struct bight_static_type {
    const char *extension;
    const char *content_type;
};

/* Zero is the default for every field. */
struct bight_static_options {
    /* The file that a directory stands for; default "index.html"; "": none. */
    const char *index;
    /* The value of Cache-Control; default: it is not sent. */
    const char *cache_control;
    /* Types beyond the usual ones, and in place of them; and that of all other files, default
     * "application/octet-stream". At most 127 characters each. */
    const struct bight_static_type *types;
    size_t types_count;
    const char *default_type;
    /* Serve also files and directories whose names begin with a dot, such as ".well-known". */
    bool dot_files;
    /* Follow no symbolic links, wherever they lead. */
    bool no_links;
    /* Where the client accepts it, send FILE.br, FILE.zst or FILE.gz in place of FILE: it has to
     * be there, and not older than FILE. */
    bool precompressed;
    /* For what is not there, and for methods other than GET, HEAD and OPTIONS, return BIGHT_ENOENT
     * and leave the answer to the handler. */
    bool leave_missing;
};

/** Open the directory `root`, which is then served also when its path comes to name another one.
 *  The thread waits for the disk.
 *
 *  @return 0; BIGHT_ENOENT and the like: it cannot be opened; ENOTDIR; BIGHT_EINVAL: a header that
 *          cannot be sent, an index that is a path; BIGHT_ENOMEM.
 *  Thread: any.  Ownership: borrows options, NULL for the defaults, and copies; gives *out.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_static_new(struct bight_static **out, const char *root,
                                                const struct bight_static_options *options);

/** Close the directory. No call with `files` may be running.
 *
 *  Thread: any.  Ownership: takes files; NULL does nothing.
 */
BIGHT_API void bight_static_free(struct bight_static *files);

/** Answer with the file at `path` below the directory, as bight_exchange_path gives it; NULL: that
 *  of the request. A handler that serves a part of its paths from a directory gives what follows
 *  the prefix.
 *
 *  GET and HEAD are answered with validators (ETag, Last-Modified) and conditions (RFC 9110, 13),
 *  GET with one range, or up to 16 (RFC 9110, 14); OPTIONS with what is allowed, other methods with
 *  405. A directory without a final slash is redirected to itself with one, with a slash it is its
 *  index; what is not there, has ".." or is neither file nor directory is a 404, and what may not
 *  be read a 403. Files go out as they are, whatever bight_exchange_compress was told:
 *  `precompressed` is for them.
 *
 *  @return 0: it is answered; BIGHT_ENOENT with `leave_missing`; otherwise as
 *          bight_exchange_send_file, and BIGHT_EMFILE, BIGHT_EIO, BIGHT_ENOMEM and the like where
 *          nothing has been answered yet.
 *  Suspends: yes, while the client takes nothing, and for the disk.
 *  Cancellable: yes, where a thread has not begun with the disk.
 *  On cancel: BIGHT_ECANCELED; the connection is reset when the handler returns.
 *  Allocates: memory for the path and the answer's beginning.  Thread: the loop's; several may use
 *  `files`.
 *  Ownership: borrows all.
 */
BIGHT_API BIGHT_MUST_CHECK int bight_static_answer(struct bight_exchange *exchange,
                                                   const struct bight_static *files,
                                                   const char *path);

BIGHT_END_DECLS

#endif
