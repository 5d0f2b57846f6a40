/* See codings.h. */
#include "net/server/codings.h"

#include <string.h>

#include "net/server/head.h"

#define WEIGHT_ONE 1000

const struct coding_name bight__coding_names[CODINGS_COUNT] = {
    [CODING_BR] = {"br", ".br", "-br"},
    [CODING_ZSTD] = {"zstd", ".zst", "-zstd"},
    [CODING_GZIP] = {"gzip", ".gz", "-gzip"},
    [CODING_IDENTITY] = {"identity", "", ""},
};

void bight__accepted_init(struct accepted *accepted)
{
    for (int i = 0; i < CODINGS_COUNT; i++)
        accepted->weights[i] = -1;
    accepted->others = -1;
}

/* Where the weight of a coding is kept; NULL for one that we do not have. */
static int *weight_of(struct accepted *accepted, const char *text, size_t bytes)
{
    for (int i = 0; i < CODINGS_COUNT; i++)
        if (bight__is_name(text, bytes, bight__coding_names[i].name))
            return &accepted->weights[i];
    if (bight__is_name(text, bytes, "x-gzip")) /* RFC 9110, 8.4.1.3 */
        return &accepted->weights[CODING_GZIP];
    return bight__is_name(text, bytes, "*") ? &accepted->others : NULL;
}

/* A qvalue (RFC 9110, 12.4.2): "0" or "1" with up to three digits behind a point; -1: malformed. */
static int parse_weight(const char *at, const char *end)
{
    int weight, unit = WEIGHT_ONE;

    if (at == end || (*at != '0' && *at != '1'))
        return -1;
    weight = (*at++ - '0') * unit;
    if (at < end && *at++ != '.')
        return -1;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9' || unit == 1)
            return -1;
        unit /= 10;
        weight += (*at - '0') * unit;
    }
    return weight <= WEIGHT_ONE ? weight : -1;
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* What is behind the name of a coding: nothing, or ";q=" and a weight; -1: something else. */
static int take_weight(const char *at, const char *end)
{
    at = skip_space(at, end);
    if (at == end)
        return WEIGHT_ONE;
    if (*at != ';')
        return -1;
    at = skip_space(at + 1, end);
    if (end - at < 2 || (*at != 'q' && *at != 'Q') || at[1] != '=')
        return -1;
    return parse_weight(at + 2, end);
}

void bight__accepted_take(struct accepted *accepted, const char *value)
{
    const char *end = value + strlen(value), *member;
    size_t bytes;

    while ((member = bight__list_next(&value, end, &bytes))) {
        size_t name = 0;
        int *place, weight;

        while (name < bytes && member[name] != ';' && member[name] != ' ' && member[name] != '\t')
            name++;
        place = weight_of(accepted, member, name);
        weight = take_weight(member + name, member + bytes);
        if (place && weight >= 0)
            *place = weight;
    }
}

/* What was not named has the weight of "*"; 0: it is not accepted. */
static int weight_in(const struct accepted *accepted, enum coding coding)
{
    int weight = accepted->weights[coding];

    if (weight < 0)
        weight = accepted->others;
    return weight > 0 ? weight : 0;
}

int bight__accepted_order(const struct accepted *accepted, enum coding order[CODINGS_COUNT])
{
    /* No coding at all is accepted where nothing says so, but then it is the last choice. */
    int least = weight_in(accepted, CODING_IDENTITY);
    int count = 0;

    for (enum coding coding = 0; coding < CODING_IDENTITY; coding++) {
        int weight = weight_in(accepted, coding), at = count;

        if (weight == 0 || weight < least)
            continue;
        for (; at > 0 && weight_in(accepted, order[at - 1]) < weight; at--)
            order[at] = order[at - 1];
        order[at] = coding;
        count++;
    }
    return count;
}
