/* See sweep.h: the sites that were seen and hit, and those that the program has. */
#include "tests/harness/sweep.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <check.h>

#define SITES_MAX 512

/* Addresses are the same in all processes of the suite, because they are forked. */
static struct site_table {
    size_t count;
    struct {
        const void *address;
        unsigned hit; /* bits, by manner */
    } sites[SITES_MAX];
} * table;

void sweep_share_sites(int argc, char **argv)
{
    (void)argc;
    (void)argv;
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

static unsigned manner(const struct sweep *sweep)
{
    if (sweep->count == 1)
        return SWEEP_ONCE;
    return sweep->count == 2 ? SWEEP_TWICE : SWEEP_FROM_THERE_ON;
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
    if (yes)
        table->sites[i].hit |= manner(sweep);
    return yes;
}

void sweep_cancel(void *ctx, const void *site)
{
    if (sweep_visit(ctx, site))
        bight_task_cancel(bight_self());
}

extern const char __executable_start;

/* The number of the site, or SITES_MAX when it was not seen. Addresses in a disassembly of a
 * position-independent program count from 0. */
static size_t find(uintptr_t address)
{
    const uintptr_t base = (uintptr_t)&__executable_start;

    for (size_t i = 0; i < table->count; i++) {
        uintptr_t site = (uintptr_t)table->sites[i].address;
        if (site == address || site - base == address)
            return i;
    }
    return SITES_MAX;
}

static bool is_one_of(const char *const *names, const char *name, size_t bytes)
{
    for (; *names; names++) {
        if (strlen(*names) == bytes && strncmp(*names, name, bytes) == 0)
            return true;
    }
    return false;
}

/* Whether `line` names a line of a source file in one of the folders or in one of their rooms;
 * folders of the same names below tests/ do not count. */
static bool is_in(const char *line, const char *const *folders)
{
    const char *end = strrchr(line, '/');

    for (int up = 0; up < 2 && end > line; up++) {
        const char *folder = end;

        while (folder > line && folder[-1] != '/')
            folder--;
        if (is_one_of(folders, folder, (size_t)(end - folder)))
            return folder - line < 7 || strncmp(folder - 7, "/tests/", 7) != 0;
        end = folder - 1;
    }
    return false;
}

/* Whether the line calls one of the functions, or the compiler's variant of it (`name.part.0`). */
static bool is_call(const char *line, const char *const *callees)
{
    const char *name = strchr(line, '<');

    if (!name++ || (!strstr(line, "\tcall") && !strstr(line, "\tbl\t")))
        return false;
    return is_one_of(callees, name, strcspn(name, ".@+>"));
}

/* The state of reading a disassembly: the place, and whether the line before was a call. */
struct listing {
    char function[128];
    char place[512];
    bool here;
    char call[512]; /* the place of the call before this line, or empty */
};

/* The site is the address after the call: that of `line`, the next one. */
static void after_call(const struct listing *at, const char *line, unsigned manners, size_t *unseen)
{
    size_t site = find(strtoull(line, NULL, 16));
    const char *how = site == SITES_MAX ? "reached" : "hit";

    *unseen += site == SITES_MAX;
    if (site == SITES_MAX || (table->sites[site].hit & manners) != manners)
        printf("never %s: %s, %s", how, at->function, at->call);
}

/* Disassemble this program. Returns how many calls have not been seen; 0 without a disassembler. */
static size_t unseen_calls(unsigned manners, const char *const *callees, const char *const *folders)
{
    FILE *lines = popen("objdump -dl --no-show-raw-insn /proc/$PPID/exe 2>&1", "r");
    struct listing at = {.here = false};
    char line[512];
    size_t unseen = 0;

    if (!lines)
        return 0;
    while (fgets(line, sizeof line, lines)) {
        if (*line == '/') {
            at.here = is_in(line, folders);
            snprintf(at.place, sizeof at.place, "%s", line);
        } else if (*line != ' ') {
            (void)sscanf(line, "%*x <%127[^>]", at.function);
        } else {
            if (*at.call)
                after_call(&at, line, manners, &unseen);
            bool called = at.here && is_call(line, callees);
            snprintf(at.call, sizeof at.call, "%s", called ? at.place : "");
        }
    }
    pclose(lines);
    return unseen;
}

bool sweep_report(unsigned manners, const char *const *callees, const char *const *folders)
{
    size_t hit = 0, found = table->count + unseen_calls(manners, callees, folders);

    for (size_t i = 0; i < table->count; i++)
        hit += (table->sites[i].hit & manners) == manners;
    printf("sites found %zu, hit %zu\n", found, hit);
    return found && hit == found;
}
