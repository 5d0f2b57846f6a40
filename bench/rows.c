/* The command line of a bench program and its rows: see bench.h. */
#include "bench/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many samples a short look at a row takes, when it is itself one of many samples. */
#define SHORT_SAMPLES 3
#define SUFFIX "_instructions"

struct figures {
    double value, base, peers[BENCH_PEERS];
};

static void open_row(const struct bench_row *row)
{
    if (row->open)
        row->open(row->arg);
}

static void close_row(const struct bench_row *row)
{
    if (row->close)
        row->close(row->arg);
}

static bool is_program(const char *name)
{
    static const char system[] = ":/usr/local/sbin:/usr/sbin:/sbin";
    const char *path = getenv("PATH");
    char folders[8192], file[4096], *rest = folders;

    snprintf(folders, sizeof folders, "%s%s", path ? path : "/usr/bin:/bin", system);
    for (char *folder; (folder = strsep(&rest, ":"));) {
        snprintf(file, sizeof file, "%s/%s", folder, name);
        if (!access(file, X_OK))
            return true;
    }
    return false;
}

/* Whether the row is skipped for want of that program, and then why. */
static bool lacks_program(const struct bench_row *row, const char *suffix, const char *program)
{
    if (is_program(program))
        return false;
    fprintf(stderr, "%s%s is skipped: it needs %s (package %s)\n", row->name, suffix, program,
            program);
    return true;
}

static bool lacks(const struct bench_row *row)
{
    for (size_t i = 0; i < BENCH_NEEDS && row->needs[i]; i++) {
        if (lacks_program(row, "", row->needs[i]))
            return true;
    }
    return false;
}

static double sample(const struct bench_row *row, bench_sample *fn)
{
    return fn ? fn(row->arg, row->operations) : 0;
}

static void sample_all(const struct bench_row *row, struct figures *figures)
{
    figures->base = sample(row, row->base);
    for (size_t i = 0; i < BENCH_PEERS; i++)
        figures->peers[i] = sample(row, row->peers[i].sample);
    figures->value = sample(row, row->value);
}

/* The median of the doubles at the same place in each of `all`. */
static double median_at(const struct figures *all, size_t count, size_t offset)
{
    double values[BENCH_SAMPLES_MAX];

    for (size_t i = 0; i < count; i++)
        memcpy(&values[i], (const char *)&all[i] + offset, sizeof values[i]);
    return bench_median(values, count);
}

static void print_baseline(const char *baseline, double value, double base)
{
    if (!baseline)
        printf("\"baseline\": null, \"baseline_value\": null, \"ratio\": null");
    else if (base > 0)
        printf("\"baseline\": \"%s\", \"baseline_value\": %.6g, \"ratio\": %.4g", baseline, base,
               value / base);
    else
        printf("\"baseline\": \"%s\", \"baseline_value\": %.6g, \"ratio\": null", baseline, base);
}

static void print_peers(const struct bench_row *row, const struct figures *figures)
{
    if (!row->peers[0].sample)
        return;
    printf(", \"peers\": {");
    for (size_t i = 0; i < BENCH_PEERS && row->peers[i].sample; i++)
        printf("%s\"%s\": %.6g", i ? ", " : "", row->peers[i].name, figures->peers[i]);
    printf("}");
}

/* Samples of value, baseline and peers in turns, and the row with their medians. */
static void measure(const struct bench_row *row)
{
    size_t count = row->samples ? row->samples : BENCH_SAMPLES;
    struct figures all[BENCH_SAMPLES_MAX], figures;

    if (lacks(row))
        return;
    open_row(row);
    if (!row->samples)
        sample_all(row, &figures);
    for (size_t i = 0; i < count; i++)
        sample_all(row, &all[i]);
    close_row(row);
    figures.value = median_at(all, count, offsetof(struct figures, value));
    figures.base = median_at(all, count, offsetof(struct figures, base));
    for (size_t i = 0; i < BENCH_PEERS; i++)
        figures.peers[i] = median_at(all, count, offsetof(struct figures, peers[i]));
    printf("{\"bench\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", ", row->name, figures.value,
           row->unit);
    print_baseline(row->baseline, figures.value, figures.base);
    print_peers(row, &figures);
    printf("}\n");
    fflush(stdout);
}

static unsigned counted_samples(const struct bench_row *row)
{
    return row->counted_samples ? row->counted_samples : 1;
}

static void measure_instructions(const struct bench_row *row)
{
    double values[BENCH_SAMPLES_MAX];
    size_t count = counted_samples(row);

    if (lacks_program(row, SUFFIX, "valgrind"))
        return;
    for (size_t i = 0; i < count; i++)
        values[i] = bench_count_instructions(row);
    printf("{\"bench\": \"%s" SUFFIX "\", \"value\": %.6g, \"unit\": \"instructions\", ", row->name,
           bench_median(values, count));
    print_baseline(NULL, 0, 0);
    printf("}\n");
    fflush(stdout);
}

/* One sample of the median is enough if a row's own number says that each takes long. */
static double short_look(const struct bench_row *row)
{
    double values[SHORT_SAMPLES];
    size_t count = row->samples ? 1 : SHORT_SAMPLES;

    open_row(row);
    if (!row->samples)
        sample(row, row->value);
    for (size_t i = 0; i < count; i++)
        values[i] = sample(row, row->value);
    close_row(row);
    return bench_median(values, count);
}

/* The row of that name; *instructions says whether the name is that of its row of instructions. */
static const struct bench_row *find(const struct bench_row *rows, size_t count, const char *name,
                                    bool *instructions)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(rows[i].name);

        if (strncmp(name, rows[i].name, length) != 0)
            continue;
        *instructions = rows[i].counted && !strcmp(name + length, SUFFIX);
        if (*instructions || !name[length])
            return &rows[i];
    }
    fprintf(stderr, "no row %s\n", name);
    exit(2);
}

static void list(const struct bench_row *row)
{
    printf("%s\t%u\t%s\n", row->name, row->samples ? row->samples : BENCH_SAMPLES, row->unit);
    if (row->counted)
        printf("%s" SUFFIX "\t%u\tinstructions\n", row->name, counted_samples(row));
}

static void try_row(const struct bench_row *row, uint64_t operations)
{
    struct bench_row tried = *row;
    struct figures figures;

    if (lacks(row))
        return;
    tried.operations = operations;
    open_row(&tried);
    sample_all(&tried, &figures);
    close_row(&tried);
}

static void one_row(const char *name, const struct bench_row *rows, size_t count)
{
    bool instructions;
    const struct bench_row *row = find(rows, count, name, &instructions);

    if (instructions)
        measure_instructions(row);
    else
        measure(row);
}

static void one_sample(const char *name, const struct bench_row *rows, size_t count)
{
    bool instructions;
    const struct bench_row *row = find(rows, count, name, &instructions);

    if (instructions ? lacks_program(row, SUFFIX, "valgrind") : lacks(row))
        exit(1);
    printf("%.9g\n", instructions ? bench_count_instructions(row) : short_look(row));
}

/* Runs in a process that callgrind or another tool watches. */
static void operate(const struct bench_row *row, uint64_t operations)
{
    bench_count();
    open_row(row);
    row->value(row->arg, operations);
    close_row(row);
}

static void all_rows(const struct bench_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        measure(&rows[i]);
        if (rows[i].counted)
            measure_instructions(&rows[i]);
    }
}

int bench_main(int argc, char **argv, const struct bench_row *rows, size_t count)
{
    const char *option = argc > 1 ? argv[1] : "";
    bool instructions;

    if (argc == 1) {
        all_rows(rows, count);
    } else if (argc == 2 && !strcmp(option, "--list")) {
        for (size_t i = 0; i < count; i++)
            list(&rows[i]);
    } else if (argc > 2 && !strcmp(option, "--row")) {
        for (int i = 2; i < argc; i++)
            one_row(argv[i], rows, count);
    } else if (argc == 3 && !strcmp(option, "--sample")) {
        one_sample(argv[2], rows, count);
    } else if (argc == 3 && !strcmp(option, "--try")) {
        for (size_t i = 0; i < count; i++)
            try_row(&rows[i], strtoull(argv[2], NULL, 10));
    } else if (argc == 4 && !strcmp(option, "--operations")) {
        operate(find(rows, count, argv[3], &instructions), strtoull(argv[2], NULL, 10));
    } else {
        fprintf(stderr, "usage: see bench/bench.h\n");
        return 2;
    }
    return 0;
}
