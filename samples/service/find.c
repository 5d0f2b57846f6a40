/* See find.h. The algorithm is that of P. H. Sellers (1980): the edit distance between the phrase
 * and what ends at each letter of the text, by dynamic programming, column after column. */
#include "samples/service/find.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

/* Columns between two looks at whether the caller still wants the answer. */
#define COLUMNS_AT_A_TIME 4096

struct letters {
    uint32_t *at;
    uint32_t count;
};

/* The best way to have read the phrase up to some letter. */
struct cell {
    uint32_t mistakes;
    uint32_t begin; /* where in the text it began */
};

struct place {
    uint32_t begin, end, mistakes;
};

struct search {
    const struct bight_job *job;
    struct letters phrase, text;
    uint32_t mistakes;
    struct cell column[FIND_PHRASE_BYTES + 1];
    struct place places[FIND_PLACES_MAX];
    size_t count;
    bool more; /* than there is room for */
};

/* UTF-8 that is known to be valid. */
static int decode(struct letters *letters, const char *text, size_t bytes)
{
    letters->count = 0;
    letters->at = malloc((bytes + 1) * sizeof *letters->at);
    if (!letters->at)
        return BIGHT_ENOMEM;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)text[i];

        if ((byte & 0xc0) != 0x80)
            letters->at[letters->count++] = byte < 0x80   ? byte
                                            : byte < 0xe0 ? byte & 0x1f
                                            : byte < 0xf0 ? byte & 0x0f
                                                          : byte & 0x07;
        else if (letters->count)
            letters->at[letters->count - 1] = letters->at[letters->count - 1] << 6 | (byte & 0x3f);
    }
    return 0;
}

static size_t encode(char *to, const uint32_t *letters, uint32_t count)
{
    char *begin = to;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t letter = letters[i];
        int more = letter < 0x80 ? 0 : letter < 0x800 ? 1 : letter < 0x10000 ? 2 : 3;
        static const unsigned char marks[] = {0, 0xc0, 0xe0, 0xf0};

        *to++ = (char)(marks[more] | letter >> (6 * more));
        while (more-- > 0)
            *to++ = (char)(0x80 | (letter >> (6 * more) & 0x3f));
    }
    return (size_t)(to - begin);
}

static struct cell better(struct cell one, struct cell other)
{
    return other.mistakes < one.mistakes ? other : one;
}

static struct cell with_mistakes(struct cell cell, uint32_t mistakes)
{
    cell.mistakes += mistakes;
    return cell;
}

/* The column behind letter `at` of the text, from the one before it. */
static void advance(struct search *search, uint32_t at)
{
    struct cell *column = search->column;
    struct cell diagonal = column[0];

    column[0] = (struct cell){0, at + 1};
    for (uint32_t i = 1; i <= search->phrase.count; i++) {
        bool same = search->phrase.at[i - 1] == search->text.at[at];
        struct cell cell = with_mistakes(diagonal, !same);

        diagonal = column[i];
        cell = better(cell, with_mistakes(column[i], 1));
        column[i] = better(cell, with_mistakes(column[i - 1], 1));
    }
}

/* How much longer or shorter than the phrase it is. */
static uint32_t difference(const struct search *search, const struct place *place)
{
    uint32_t length = place->end - place->begin, wanted = search->phrase.count;

    return length > wanted ? length - wanted : wanted - length;
}

static bool is_better(const struct search *search, const struct place *one,
                      const struct place *other)
{
    if (one->mistakes != other->mistakes)
        return one->mistakes < other->mistakes;
    return difference(search, one) < difference(search, other);
}

/* One that overlaps the last takes its place, or none. */
static void note_place(struct search *search, uint32_t end)
{
    struct cell cell = search->column[search->phrase.count];
    struct place place = {cell.begin, end, cell.mistakes};
    struct place *last = search->count ? &search->places[search->count - 1] : NULL;

    if (place.mistakes > search->mistakes || place.begin >= end)
        return;
    if (last && place.begin < last->end) {
        if (is_better(search, &place, last))
            *last = place;
    } else if (search->count < FIND_PLACES_MAX) {
        search->places[search->count++] = place;
    } else {
        search->more = true;
    }
}

static int scan(struct search *search)
{
    for (uint32_t i = 0; i <= search->phrase.count; i++)
        search->column[i] = (struct cell){i, 0};
    for (uint32_t at = 0; at < search->text.count && !search->more; at++) {
        if (at % COLUMNS_AT_A_TIME == 0 && bight_job_cancelled(search->job))
            return BIGHT_ECANCELED;
        advance(search, at);
        note_place(search, at + 1);
    }
    return 0;
}

/* The text at a place is no longer than the phrase and all mistakes. */
static json_t *place_json(const struct search *search, const struct place *place)
{
    char text[4 * (FIND_PHRASE_BYTES + FIND_MISTAKES_MAX)];
    size_t bytes = encode(text, search->text.at + place->begin, place->end - place->begin);

    return json_pack("{sI si ss%}", "at", (json_int_t)place->begin, "mistakes",
                     (int)place->mistakes, "text", text, bytes);
}

static int write_answer(struct bight_job *job, const struct search *search)
{
    json_t *places = json_array(), *answer;
    char *text;
    int rc = BIGHT_ENOMEM;

    for (size_t i = 0; i < search->count; i++)
        (void)json_array_append_new(places, place_json(search, &search->places[i]));
    answer = json_pack("{so sb}", "places", places, "more", search->more);
    text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    if (text)
        rc = bight_job_output_append(job, text, strlen(text));
    free(text);
    json_decref(answer);
    return rc;
}

static int find(struct bight_job *job)
{
    const struct find_question *question = job->input;
    const char *phrase = (const char *)(question + 1);
    const char *text = phrase + question->phrase_bytes;
    size_t text_bytes = job->input_bytes - (size_t)(text - (const char *)job->input);
    struct search *search = calloc(1, sizeof *search);
    int rc = search ? 0 : BIGHT_ENOMEM;

    if (rc == 0) {
        search->job = job;
        search->mistakes = question->mistakes;
        rc = decode(&search->phrase, phrase, question->phrase_bytes);
    }
    if (rc == 0)
        rc = decode(&search->text, text, text_bytes);
    if (rc == 0)
        rc = scan(search);
    if (rc == 0)
        rc = write_answer(job, search);
    if (search) {
        free(search->phrase.at);
        free(search->text.at);
    }
    free(search);
    return rc;
}

/* A worker that dies is no harm: another one does the job again. */
static const struct bight_job_def find_job = {
    .name = "find", .fn = find, .flags = BIGHT_JOB_IDEMPOTENT};

static size_t letters_in(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

int find_in(struct bight_executor *workers, const char *text, const char *phrase, unsigned mistakes,
            struct bight_result *result)
{
    size_t phrase_bytes = strlen(phrase), text_bytes = strlen(text);
    size_t bytes = sizeof(struct find_question) + phrase_bytes + text_bytes;
    struct find_question *question;
    int rc;

    if (phrase_bytes > FIND_PHRASE_BYTES || mistakes > FIND_MISTAKES_MAX ||
        letters_in(phrase) <= mistakes)
        return BIGHT_EINVAL;
    question = malloc(bytes);
    if (!question)
        return BIGHT_ENOMEM;
    *question = (struct find_question){mistakes, (uint32_t)phrase_bytes};
    memcpy(question + 1, phrase, phrase_bytes);
    memcpy((char *)(question + 1) + phrase_bytes, text, text_bytes);
    rc = bight_execute(workers, &find_job, question, bytes, result);
    free(question);
    return rc == BIGHT_EJOBFAILED ? result->code : rc;
}
