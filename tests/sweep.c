/* See sweep.h. */
#include "tests/sweep.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <uv.h>

#include "tests/support.h"

#define SITES_MAX 256

/* Addresses are the same in all processes of the suite: they are forked, not started anew. */
static struct site_table {
    size_t count;
    struct {
        const void *address;
        size_t seen, hit;
    } sites[SITES_MAX];
} * table;

void sweep_share_sites(void)
{
    table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED) {
        perror("mmap");
        exit(EXIT_FAILURE);
    }
}

void sweep_start(struct sweep *sweep, struct bight_seams *seams, size_t from, size_t count)
{
    *sweep = (struct sweep){.from = from, .count = count};
    bight__test_time(&sweep->test, seams);
}

bool sweep_visit(void *ctx, const void *site)
{
    struct sweep *sweep = ctx;
    size_t visit = sweep->visits++, i;
    bool yes = visit >= sweep->from && visit - sweep->from < sweep->count;

    sweep->said += yes;
    for (i = 0; i < table->count && table->sites[i].address != site; i++)
        ;
    if (i == SITES_MAX)
        ck_abort_msg("more than %d sites", SITES_MAX);
    if (i == table->count)
        table->sites[table->count++].address = site;
    table->sites[i].seen++;
    table->sites[i].hit += yes;
    return yes;
}

extern const char __executable_start;

bool sweep_report(const char *what)
{
    size_t hit = 0;

    for (size_t i = 0; i < table->count; i++) {
        hit += table->sites[i].hit != 0;
        if (!table->sites[i].hit)
            printf("never hit: executable + %#tx\n",
                   (const char *)table->sites[i].address - &__executable_start);
    }
    printf("%s found %zu, hit %zu\n", what, table->count, hit);
    return table->count && hit == table->count;
}

/* Addresses in a disassembly of a position-independent program count from 0. */
static bool was_seen(uintptr_t address)
{
    const uintptr_t base = (uintptr_t)&__executable_start;

    for (size_t i = 0; i < table->count; i++) {
        uintptr_t site = (uintptr_t)table->sites[i].address;
        if (site == address || site - base == address)
            return true;
    }
    return false;
}

/* `line` names a source file and a line. */
static bool is_in(const char *line, const char *folder)
{
    const char *slash = strrchr(line, '/');
    size_t bytes = strlen(folder);

    return (size_t)(slash - line) > bytes && slash[-(ptrdiff_t)bytes - 1] == '/' &&
           strncmp(slash - bytes, folder, bytes) == 0;
}

bool sweep_reached_calls(const char *callee, const char *folder)
{
    FILE *lines = popen("objdump -dl --no-show-raw-insn /proc/$PPID/exe 2>&1", "r");
    char line[512], name[128], last_call[512] = "";
    size_t calls = 0, reached = 0;
    bool here = !folder;

    if (!lines)
        return true;
    snprintf(name, sizeof name, "<%s", callee);
    /* The site is the address after the call: that of the next line. */
    while (fgets(line, sizeof line, lines)) {
        if (*line == '/')
            here = !folder || is_in(line, folder);
        if (*line != ' ')
            continue;
        if (*last_call) {
            bool seen = was_seen(strtoull(line, NULL, 16));
            calls++;
            reached += seen;
            if (!seen)
                printf("never reached: %s", last_call);
        }
        bool is_call = (strstr(line, "call") || strstr(line, "\tbl\t")) && strstr(line, name);
        snprintf(last_call, sizeof last_call, "%s", is_call && here ? line : "");
    }
    pclose(lines);
    printf("calls of %s in the program %zu, reached %zu\n", callee, calls, reached);
    return reached == calls;
}

static long blocks;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t bytes)
{
    void *memory = __real_malloc(bytes);

    blocks += memory != NULL;
    return memory;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    void *memory = __real_calloc(count, bytes);

    blocks += memory != NULL;
    return memory;
}

void __wrap_free(void *memory)
{
    blocks -= memory != NULL;
    __real_free(memory);
}

/* Nobody here asks for 0 bytes, which would free. */
void *__wrap_realloc(void *memory, size_t bytes)
{
    void *moved = __real_realloc(memory, bytes);

    blocks += !memory && moved;
    return moved;
}

void sweep_count_libuv(void)
{
    ck_assert_int_eq(
        uv_replace_allocator(__wrap_malloc, __wrap_realloc, __wrap_calloc, __wrap_free), 0);
}

long sweep_blocks(void)
{
    return blocks;
}

int sweep_maps(void)
{
#if defined(BIGHT_ASAN) || defined(BIGHT_TSAN)
    return 0;
#else
    return test_maps();
#endif
}
