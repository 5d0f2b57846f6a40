/* Rows of runtime/file/. */
#include "tests/nulls/rows.h"

static void open_files(void)
{
    says_einval(bight_file_open, NULL, some, 0, 0);
    says_einval(bight_file_open, (void *)some, NULL, 0, 0);
    says_einval(bight_file_from_fd, NULL, 0);
    says_einval(bight_file_mkstemp, NULL, some);
    says_einval(bight_file_mkstemp, (void *)some, NULL);
    says_einval(bight_file_fd, NULL);
    gives(0, bight_file_end, NULL);
    says_einval(bight_file_read, NULL, some, 1);
    says_einval(bight_file_read, (void *)some, NULL, 1);
    says_einval(bight_file_read_at, NULL, some, 1, 0);
    says_einval(bight_file_read_at, (void *)some, NULL, 1, 0);
    says_einval(bight_file_read_exactly, NULL, some, 1);
    says_einval(bight_file_read_exactly, (void *)some, NULL, 1);
    says_einval(bight_file_read_exactly_at, NULL, some, 1, 0);
    says_einval(bight_file_read_exactly_at, (void *)some, NULL, 1, 0);
    says_einval(bight_file_write, NULL, some, 1);
    says_einval(bight_file_write, (void *)some, NULL, 1);
    says_einval(bight_file_write_at, NULL, some, 1, 0);
    says_einval(bight_file_write_at, (void *)some, NULL, 1, 0);
    is_zero(bight_file_last_moved, NULL);
    says_einval(bight_file_fstat, NULL, (void *)some);
    says_einval(bight_file_fstat, (void *)some, NULL);
    says_einval(bight_file_sync, NULL);
    says_einval(bight_file_datasync, NULL);
    says_einval(bight_file_truncate, NULL, 0);
    says_einval(bight_file_stream, NULL, (void *)some, 0);
    says_einval(bight_file_stream, (void *)some, NULL, 0);
}

static void paths(void)
{
    says_einval(bight_file_stat, NULL, (void *)some);
    says_einval(bight_file_stat, some, NULL);
    says_einval(bight_file_lstat, NULL, (void *)some);
    says_einval(bight_file_lstat, some, NULL);
    says_einval(bight_file_access, NULL, 0);
    says_einval(bight_file_rename, NULL, some);
    says_einval(bight_file_rename, some, NULL);
    says_einval(bight_file_link, NULL, some);
    says_einval(bight_file_link, some, NULL);
    says_einval(bight_file_symlink, NULL, some);
    says_einval(bight_file_symlink, some, NULL);
    says_einval(bight_file_readlink, NULL, some, 1);
    says_einval(bight_file_readlink, some, NULL, 1);
    says_einval(bight_file_realpath, NULL, some, 1);
    says_einval(bight_file_realpath, some, NULL, 1);
    says_einval(bight_file_unlink, NULL);
    says_einval(bight_file_chmod, NULL, 0);
    says_einval(bight_file_chown, NULL, 0, 0);
    says_einval(bight_file_utime, NULL, 0, 0);
    says_einval(bight_file_copy, NULL, some, 0);
    says_einval(bight_file_copy, some, NULL, 0);
    says_einval(bight_file_statfs, NULL, (void *)some);
    says_einval(bight_file_statfs, some, NULL);
}

static void whole_files(void)
{
    void *data;
    size_t bytes;

    says_einval(bight_file_load, NULL, &data, &bytes, 1);
    says_einval(bight_file_load, some, NULL, &bytes, 1);
    says_einval(bight_file_load, some, &data, NULL, 1);
    says_einval(bight_file_save, NULL, some, 1, 0);
    says_einval(bight_file_save, some, NULL, 1, 0);
    says_einval(bight_file_replace, NULL, some, 1, NULL);
    says_einval(bight_file_replace, some, NULL, 1, NULL);
}

static void directories(void)
{
    says_einval(bight_directory_walk, NULL, some, NULL);
    says_einval(bight_directory_walk, (void *)some, NULL, NULL);
    says_einval(bight_directory_scan, NULL, some, 0);
    says_einval(bight_directory_scan, (void *)some, NULL, 0);
    says_einval(bight_directory_next, NULL, (void *)some);
    says_einval(bight_directory_next, (void *)some, NULL);
    gives(0, bight_directory_end, NULL);
    says_einval(bight_directory_make, NULL, 0);
    says_einval(bight_directory_make_all, NULL, 0);
    says_einval(bight_directory_mkdtemp, NULL);
    says_einval(bight_directory_remove, NULL);
    says_einval(bight_directory_sync, NULL);
}

static void watches(void)
{
    says_einval(bight_watch_open, NULL, some, NULL);
    says_einval(bight_watch_open, (void *)some, NULL, NULL);
    says_einval(bight_watch_next, NULL, (void *)some);
    says_einval(bight_watch_next, (void *)some, NULL);
    says_einval(bight_watch_try_next, NULL, (void *)some);
    says_einval(bight_watch_try_next, (void *)some, NULL);
    does_nothing(bight_case_watch, NULL, (void *)some);
    gives(0, bight_watch_end, NULL);
}

void walk_file(void)
{
    whole_files();
    directories();
    watches();
    open_files();
    paths();
}
