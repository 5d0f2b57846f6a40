/* du and sha256sum of a tree, in parallel: one task walks, some read files, and threads of their
 * own compute. Prints what sha256sum prints, in the order in which files are done, and then what
 * `du -sB1 DIR` prints. .git and build are left out.
 *
 *     file_tree DIR [READERS] */
#include <bight.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "samples/scraper/digest.h"

#define CHUNK_BYTES ((size_t)256 << 10)
#define PATHS_AHEAD 64

struct tree {
    const char *root;
    long readers;
    struct bight_queue *paths; /* that were found and not yet read */
    struct bight_executor *threads;
    uint64_t bytes; /* on the disk */
    void *seen;     /* files with several names, which count once */
};

/* A part of a file on its way to the digest. */
struct chunk {
    struct digest *digest;
    const char *data;
    size_t bytes;
};

static int digest_chunk(void *arg) /* runs on a thread */
{
    struct chunk *chunk = arg;

    return digest_update(chunk->digest, chunk->data, chunk->bytes);
}

static int digest_file(const struct tree *tree, struct bight_file *file, struct digest *digest,
                       char *buffer)
{
    struct chunk chunk = {.digest = digest, .data = buffer};
    int64_t count;

    while ((count = bight_file_read(file, buffer, CHUNK_BYTES)) > 0) {
        int rc;

        chunk.bytes = (size_t)count;
        rc = bight_threads_call(tree->threads, digest_chunk, &chunk);
        if (rc)
            return rc;
    }
    return (int)count;
}

static int print_digest(const struct tree *tree, const char *path, char *buffer)
{
    char hex[DIGEST_HEX_BYTES];
    struct digest *digest;
    struct bight_file *file;
    int ended, rc = digest_new(&digest);

    if (rc)
        return rc;
    rc = bight_file_open(&file, path, O_RDONLY | O_NOFOLLOW, 0);
    if (rc == 0) {
        rc = digest_file(tree, file, digest, buffer);
        ended = bight_file_end(file);
        rc = rc ? rc : ended;
    }
    if (rc == 0)
        rc = digest_hex(digest, hex);
    if (rc == 0)
        printf("%s  %s\n", hex, path);
    digest_free(digest);
    return rc;
}

static int read_files(void *arg)
{
    struct tree *tree = arg;
    char *buffer = malloc(CHUNK_BYTES);
    void *path;
    int rc = buffer ? 0 : BIGHT_ENOMEM;

    while (rc == 0 && (rc = bight_queue_get(tree->paths, &path)) == 0) {
        rc = print_digest(tree, path, buffer);
        if (rc && rc != BIGHT_ECANCELED)
            fprintf(stderr, "%s: %s\n", (char *)path, bight_strerror(rc));
        free(path);
    }
    free(buffer);
    return rc == BIGHT_ECLOSED ? 0 : rc; /* all were read */
}

static int by_identity(const void *left, const void *right)
{
    const struct bight_file_info *a = left, *b = right;

    if (a->device != b->device)
        return a->device < b->device ? -1 : 1;
    return (a->inode > b->inode) - (a->inode < b->inode);
}

/* Whether the file has come before, by another name. */
static int is_again(struct tree *tree, const struct bight_file_info *info, bool *again)
{
    struct bight_file_info *copy, **found;

    *again = false;
    if (info->type == BIGHT_FILE_DIRECTORY || info->links < 2)
        return 0;
    copy = malloc(sizeof(*copy));
    if (!copy)
        return BIGHT_ENOMEM;
    *copy = *info;
    found = tsearch(copy, &tree->seen, by_identity);
    *again = found && *found != copy;
    if (!found || *again)
        free(copy);
    return found ? 0 : BIGHT_ENOMEM;
}

static bool is_wanted(const struct bight_directory_entry *entry)
{
    return strcmp(entry->name, ".git") != 0 && strcmp(entry->name, "build") != 0;
}

static bool enters(void *arg, const struct bight_directory_entry *entry)
{
    (void)arg;
    return is_wanted(entry);
}

static int found(struct tree *tree, const struct bight_directory_entry *entry)
{
    char *path;
    bool again;
    int rc = is_again(tree, &entry->info, &again);

    if (rc)
        return rc;
    if (!again)
        tree->bytes += entry->info.allocated_bytes;
    if (entry->type != BIGHT_FILE_REGULAR)
        return 0;
    path = strdup(entry->path);
    if (!path)
        return BIGHT_ENOMEM;
    rc = bight_queue_put(tree->paths, path); /* waits while the readers have enough */
    if (rc)
        free(path);
    return rc;
}

static int walk(struct tree *tree)
{
    const struct bight_directory_options options = {.enters = enters};
    struct bight_directory *directory;
    struct bight_directory_entry entry;
    int next, rc = bight_directory_walk(&directory, tree->root, &options);

    if (rc)
        return rc;
    while (rc == 0 && (next = bight_directory_next(directory, &entry))) {
        if (next < 0)
            rc = next;
        else if (entry.error)
            fprintf(stderr, "%s: %s\n", entry.path, bight_strerror(entry.error));
        else if (is_wanted(&entry) || entry.depth == 0)
            rc = found(tree, &entry);
    }
    bight_directory_end(directory);
    return rc;
}

/* The body of the group: the readers are its tasks, and it ends when they have. */
static int body(struct bight_group *group, void *arg)
{
    struct tree *tree = arg;
    int rc = 0;

    for (long i = 0; i < tree->readers && rc == 0; i++)
        rc = bight_group_spawn(NULL, group, NULL, read_files, tree);
    if (rc == 0)
        rc = walk(tree);
    bight_queue_close(tree->paths);
    return rc;
}

static void drop_path(void *arg, void *path)
{
    (void)arg;
    free(path);
}

static int start(void *arg)
{
    struct tree *tree = arg;
    int ended, rc = bight_threads_new(&tree->threads, NULL);

    if (rc)
        return rc;
    rc = bight_queue_new(&tree->paths, PATHS_AHEAD);
    if (rc == 0) {
        rc = bight_group_run(body, tree);
        bight_queue_abort(tree->paths, drop_path, NULL); /* what a failure left */
        ended = bight_queue_free(tree->paths);
        rc = rc ? rc : ended;
    }
    ended = bight_executor_end(tree->threads);
    tdestroy(tree->seen, free);
    rc = rc ? rc : ended;
    if (rc == 0)
        printf("%llu\t%s\n", (unsigned long long)tree->bytes, tree->root);
    return rc;
}

int main(int argc, char **argv)
{
    struct tree tree = {.readers = 4};
    int rc;

    if (argc > 2)
        tree.readers = strtol(argv[2], NULL, 10);
    if (argc < 2 || argc > 3 || tree.readers < 1) {
        fprintf(stderr, "usage: %s DIR [READERS]\n", argv[0]);
        return 2;
    }
    tree.root = argv[1];
    rc = bight_run(start, &tree);
    if (rc < 0)
        fprintf(stderr, "%s: %s\n", tree.root, bight_strerror(rc));
    return rc < 0;
}
