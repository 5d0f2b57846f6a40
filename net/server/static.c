/* Static files: the directory, and which of its files a request is for. See static.h. */
#include "net/server/static.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include <bight/waiter.h>

#include "coro/base/seams.h"
#include "net/server/head.h"
#include "net/server/types.h"
#include "runtime/door.h"

static const char methods[] = "GET, HEAD, OPTIONS";

static const struct bight_seams *seams_here(void)
{
    struct bight_runtime *runtime;

    return bight__runtime_get(&runtime) ? NULL : bight__runtime_seams(runtime);
}

static bool is_value(const char *text)
{
    return !text || bight__is_field_value(text, strlen(text));
}

static bool is_type(const char *text)
{
    return is_value(text) && strlen(text) < TYPE_BYTES;
}

static bool are_good(const struct bight_static_options *options)
{
    if (options->index && (strchr(options->index, '/') || strcmp(options->index, ".") == 0 ||
                           strcmp(options->index, "..") == 0))
        return false;
    if (!is_value(options->cache_control) ||
        (options->default_type && !is_type(options->default_type)) ||
        (options->types_count && !options->types))
        return false;
    for (size_t i = 0; i < options->types_count; i++) {
        const struct bight_static_type *type = &options->types[i];

        if (!type->extension || !type->content_type || !is_type(type->content_type))
            return false;
    }
    return true;
}

static size_t bytes_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* A copy of `text` at *at, which moves on. */
static const char *keep(char **at, const char *text)
{
    char *copy = *at;

    if (!text)
        return NULL;
    *at = stpcpy(copy, text) + 1;
    return copy;
}

static void keep_options(struct bight_static *files, const struct bight_static_options *options,
                         struct bight_static_type *types, char *at)
{
    for (size_t i = 0; i < options->types_count; i++) {
        types[i].extension = keep(&at, options->types[i].extension);
        types[i].content_type = keep(&at, options->types[i].content_type);
    }
    files->types = types;
    files->types_count = options->types_count;
    files->index = keep(&at, options->index);
    files->cache_control = keep(&at, options->cache_control);
    files->default_type = keep(&at, options->default_type);
    files->dot_files = options->dot_files;
    files->precompressed = options->precompressed;
    files->leave_missing = options->leave_missing;
}

/* In one piece: the record, the types, and all texts. */
static struct bight_static *copy_options(const struct bight_static_options *options)
{
    size_t types_bytes = options->types_count * sizeof(struct bight_static_type);
    size_t bytes = sizeof(struct bight_static) + types_bytes + bytes_of(options->index) +
                   bytes_of(options->cache_control) + bytes_of(options->default_type);
    struct bight_static_type *types;
    struct bight_static *files;

    for (size_t i = 0; i < options->types_count; i++)
        bytes += bytes_of(options->types[i].extension) + bytes_of(options->types[i].content_type);
    files = bight__alloc(seams_here(), bytes);
    if (!files)
        return NULL;
    types = (struct bight_static_type *)(void *)(files + 1);
    keep_options(files, options, types, (char *)types + types_bytes);
    if (!files->index)
        files->index = "index.html";
    if (!files->default_type)
        files->default_type = "application/octet-stream";
    return files;
}

int bight_static_new(struct bight_static **out, const char *root,
                     const struct bight_static_options *options)
{
    static const struct bight_static_options defaults;
    struct bight_static *files;
    int rc;

    if (!options)
        options = &defaults;
    if (!out || !root || !are_good(options))
        return BIGHT_EINVAL;
    files = copy_options(options);
    if (!files)
        return BIGHT_ENOMEM;
    rc = bight__files_open_root(&files->root, root, options->no_links, files->seen);
    if (rc) {
        bight__free(files);
        return rc;
    }
    *out = files;
    return 0;
}

void bight_static_free(struct bight_static *files)
{
    if (!files)
        return;
    bight__files_close_root(&files->root);
    bight__free(files);
}

/* There is nothing to be served. */
static int answer_missing(const struct visit *visit)
{
    if (visit->files->leave_missing)
        return BIGHT_ENOENT;
    return bight_exchange_answer_status(visit->exchange, 404);
}

/* To the same directory with a slash. What it is called is made anew of the path that was
 * understood: a copy of the target could begin with two slashes and lead to another host. */
static int redirect(struct bight_exchange *exchange)
{
    const char *path = bight_exchange_path(exchange), *query = bight_exchange_query(exchange);
    size_t bytes = strlen(path) * 3 + 2 + bytes_of(query) + 1;
    char *location = bight_exchange_keep(exchange, bytes), *at;

    if (!location)
        return BIGHT_ENOMEM;
    location[0] = '/';
    at = stpcpy(bight__static_encode(path + strspn(path, "/"), location + 1), "/");
    if (query)
        stpcpy(stpcpy(at, "?"), query);
    return bight_exchange_redirect(exchange, 301, location);
}

static void take_accepted(struct bight_exchange *exchange, struct accepted *accepted)
{
    const char *name, *value;

    bight__accepted_init(accepted);
    for (size_t i = 0; bight_exchange_header_at(exchange, i, &name, &value) == 0; i++)
        if (strcasecmp(name, "accept-encoding") == 0)
            bight__accepted_take(accepted, value);
}

/* A file that was changed has to be compressed anew before the old result may stand for it. */
static bool is_current(const struct open_file *coded, const struct open_file *file)
{
    if (!coded->is_regular)
        return false;
    return coded->modified_s > file->modified_s ||
           (coded->modified_s == file->modified_s && coded->modified_ns >= file->modified_ns);
}

/* Take the best of the coded files that are there. Only a cancellation is a failure. */
static int choose_coding(struct visit *visit)
{
    enum coding order[CODINGS_COUNT];
    struct accepted accepted;
    char *end = strchr(visit->path, '\0');
    int count, rc;

    take_accepted(visit->exchange, &accepted);
    count = bight__accepted_order(&accepted, order);
    for (int i = 0; i < count; i++) {
        struct open_file coded;

        stpcpy(end, bight__coding_names[order[i]].suffix);
        rc = bight__file_open(&coded, &visit->files->root, visit->path);
        if (rc == 0 && is_current(&coded, &visit->file)) {
            bight__file_close(&visit->file);
            visit->file = coded;
            visit->coding = order[i];
            return 0;
        }
        bight__file_close(&coded);
        if (bight_is_stop(rc))
            return rc;
    }
    return 0;
}

/* Answer with what was opened, or with why it was not. */
static int answer_opened(struct visit *visit, int rc)
{
    const struct bight_static *files = visit->files;

    if (rc == BIGHT_ENOENT || (rc == 0 && !visit->file.is_regular))
        return answer_missing(visit);
    if (rc == BIGHT_EACCES)
        return bight_exchange_answer_status(visit->exchange, 403);
    if (rc)
        return rc;
    visit->type = bight__type_of(visit->path, files->types, files->types_count);
    if (!visit->type)
        visit->type = files->default_type;
    if (files->precompressed)
        rc = choose_coding(visit);
    return rc ? rc : bight__static_send(visit);
}

static int answer_index(struct visit *visit)
{
    const struct bight_static *files = visit->files;
    char *end = strchr(visit->path, '\0');

    if (!*files->index)
        return answer_missing(visit);
    stpcpy(end > visit->path ? stpcpy(end, "/") : end, files->index);
    return answer_opened(visit, bight__file_open(&visit->file, &files->root, visit->path));
}

/* A handler may have cut the slash off with the rest of what the path begins with. */
static bool has_slash(const struct bight_exchange *exchange)
{
    const char *path = bight_exchange_path(exchange);

    return *path && path[strlen(path) - 1] == '/';
}

static int answer_path(struct visit *visit, const char *path)
{
    enum static_path kind = bight__static_path(path, visit->files->dot_files, visit->path);
    int rc;

    if (kind == STATIC_PATH_REFUSED)
        return answer_missing(visit);
    if (kind == STATIC_PATH_FOLDER)
        return answer_index(visit);
    rc = bight__file_open(&visit->file, &visit->files->root, *visit->path ? visit->path : ".");
    if (rc || !visit->file.is_directory)
        return answer_opened(visit, rc);
    if (!has_slash(visit->exchange))
        return redirect(visit->exchange);
    bight__file_close(&visit->file);
    return answer_index(visit);
}

/* What is asked for is no GET and no HEAD. */
static int answer_method(const struct visit *visit, const char *method)
{
    int rc;

    if (visit->files->leave_missing && strcmp(method, "OPTIONS") != 0)
        return BIGHT_ENOENT;
    rc = bight_exchange_add_header(visit->exchange, "Allow", methods);
    if (rc)
        return rc;
    return bight_exchange_answer_status(visit->exchange, strcmp(method, "OPTIONS") ? 405 : 204);
}

int bight_static_answer(struct bight_exchange *exchange, const struct bight_static *files,
                        const char *path)
{
    struct visit visit = {.exchange = exchange, .files = files, .coding = CODING_IDENTITY};
    const char *method;
    int rc;

    if (!exchange || !files)
        return BIGHT_EINVAL;
    method = bight_exchange_method(exchange);
    rc = bight_checkpoint();
    if (rc)
        return rc;
    visit.head = strcmp(method, "HEAD") == 0;
    if (!visit.head && strcmp(method, "GET") != 0)
        return answer_method(&visit, method);
    if (!path)
        path = bight_exchange_path(exchange);
    visit.file.fd = -1;
    visit.now_s = time(NULL);
    visit.path =
        bight_exchange_keep(exchange, strlen(path) + 1 + strlen(files->index) + SUFFIX_BYTES);
    if (!visit.path)
        return BIGHT_ENOMEM;
    rc = answer_path(&visit, path);
    bight__file_close(&visit.file);
    return rc;
}
