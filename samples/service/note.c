/* See note.h. */
#include "samples/service/note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bight/errors.h>

/* jansson takes 2,048 levels, each of which takes stack: tasks have less of that than threads. */
#define DEPTH_MAX 16

void note_free(struct note *note)
{
    free(note->title);
    free(note->text);
    *note = (struct note){0};
}

void notes_free(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        note_free(&notes->items[i]);
    free(notes->items);
    *notes = (struct notes){0};
}

struct note *notes_add(struct notes *notes)
{
    if (notes->count == notes->room) {
        size_t room = notes->room ? 2 * notes->room : 16;
        struct note *items = realloc(notes->items, room * sizeof *items);

        if (!items)
            return NULL;
        notes->items = items;
        notes->room = room;
    }
    notes->items[notes->count] = (struct note){0};
    return &notes->items[notes->count++];
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The fault is a literal text, and of one member. */
static int refuse(struct note_fault *fault, const char *member, const char *text)
{
    *fault = (struct note_fault){.member = member};
    (void)snprintf(fault->text, sizeof fault->text, "%s", text);
    return BIGHT_EINVAL;
}

/* How deep brackets are nested, seen without a parser. Of a text that is not JSON it may be
 * anything, and no less than what a parser would find before it gave up. */
static int depth_of(const char *json, size_t bytes)
{
    bool in_string = false;
    int depth = 0, deepest = 0;

    for (size_t i = 0; i < bytes; i++) {
        char byte = json[i];

        if (byte == '"')
            in_string = !in_string;
        else if (in_string)
            i += byte == '\\';
        else if (byte == '[' || byte == '{')
            deepest = ++depth > deepest ? depth : deepest;
        else if (byte == ']' || byte == '}')
            depth--;
    }
    return deepest;
}

/* jansson may end what it quotes within a character, and then the text cannot be sent as JSON. */
static void make_sendable(char *text)
{
    json_t *json = json_string(text);

    for (; !json && *text; text++) {
        if ((unsigned char)*text >= 0x80)
            *text = '?';
    }
    json_decref(json);
}

static int load(json_t **out, const char *json, size_t bytes, struct note_fault *fault)
{
    json_error_t error;

    if (depth_of(json, bytes) > DEPTH_MAX)
        return refuse(fault, NULL, "nested too deeply");
    *out = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &error);
    if (*out)
        return 0;
    if (json_error_code(&error) == json_error_out_of_memory)
        return BIGHT_ENOMEM;
    (void)refuse(fault, NULL, error.text);
    make_sendable(fault->text);
    fault->line = error.line > 0 ? error.line : 0;
    fault->column = error.line > 0 ? error.column : 0;
    return BIGHT_EINVAL;
}

/* Copy the string `value` of a member that holds up to `most` bytes. */
static int take_string(char **out, const char *member, const json_t *value, size_t most,
                       struct note_fault *fault)
{
    if (!value)
        return refuse(fault, member, "missing");
    if (!json_is_string(value))
        return refuse(fault, member, "not a string");
    if (json_string_length(value) > most)
        return refuse(fault, member, "too long");
    *out = strdup(json_string_value(value));
    return *out ? 0 : BIGHT_ENOMEM;
}

static int take_members(struct note *note, const json_t *json, struct note_fault *fault)
{
    int rc;

    if (!json_is_object(json))
        return refuse(fault, NULL, "not an object");
    rc =
        take_string(&note->title, "title", json_object_get(json, "title"), NOTE_TITLE_BYTES, fault);
    if (rc == 0 && !*note->title)
        rc = refuse(fault, "title", "empty");
    if (rc == 0)
        rc =
            take_string(&note->text, "text", json_object_get(json, "text"), NOTE_TEXT_BYTES, fault);
    /* A misspelt member would else be lost without a word. */
    if (rc == 0 && json_object_size(json) != 2)
        rc = refuse(fault, NULL, "members other than title and text");
    return rc;
}

int note_parse(struct note *note, const char *json, size_t bytes, struct note_fault *fault)
{
    json_t *loaded;
    int rc = load(&loaded, json, bytes, fault);

    if (rc)
        return rc;
    *note = (struct note){0};
    rc = take_members(note, loaded, fault);
    json_decref(loaded);
    if (rc)
        note_free(note);
    return rc;
}

/* --- writing ---------------------------------------------------------------------------------- */

json_t *note_json(const struct note *note)
{
    return json_pack("{sI sI ss* ss*}", "id", (json_int_t)note->id, "version",
                     (json_int_t)note->version, "title", note->title, "text", note->text);
}
