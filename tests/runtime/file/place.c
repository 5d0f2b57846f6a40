/* See place.h. */
#include "tests/runtime/file/place.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[64];

void place_make(void)
{
    snprintf(root, sizeof root, "/tmp/bight-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static int remove_one(const char *path, const struct stat *info, int what, struct FTW *walk)
{
    (void)info, (void)what, (void)walk;
    return remove(path);
}

void place_remove(void)
{
    ck_assert_int_eq(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *place_root(void)
{
    return root;
}

const char *place_path(const char *name)
{
    static char paths[4][PLACE_PATH_BYTES];
    static int next;
    char *path = paths[next++ % 4];

    ck_assert_int_lt(snprintf(path, PLACE_PATH_BYTES, "%s/%s", root, name), PLACE_PATH_BYTES);
    return path;
}

void place_put(const char *name, const char *text)
{
    FILE *file = fopen(place_path(name), "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

const char *place_get(const char *name)
{
    static char text[4096];
    FILE *file = fopen(place_path(name), "re");

    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    ck_assert_int_eq(fclose(file), 0);
    return text;
}

int place_count(const char *name)
{
    DIR *directory = opendir(place_path(name));
    const struct dirent *entry;
    int count = 0;

    ck_assert_ptr_nonnull(directory);
    while ((entry = readdir(directory)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return count;
}
