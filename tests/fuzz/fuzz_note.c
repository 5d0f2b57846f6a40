/* samples/service/note.c: JSON of a note. One that is taken has a title and a text within their
 * limits, and written as JSON it is read as the same; what is wrong with another can be said in
 * JSON. */
#include "samples/service/note.h"

#include <bight/errors.h>

#include "tests/fuzz/fuzz.h"

static void look_at_note(const struct note *note)
{
    json_t *json = json_pack("{ss ss}", "title", note->title, "text", note->text);
    char *text = json_dumps(json, JSON_COMPACT);
    struct note_fault fault;
    struct note again;

    FUZZ_CHECK(text && *note->title && strlen(note->title) <= NOTE_TITLE_BYTES);
    FUZZ_CHECK(strlen(note->text) <= NOTE_TEXT_BYTES);
    FUZZ_CHECK(note_parse(&again, text, strlen(text), &fault) == 0);
    FUZZ_CHECK(strcmp(note->title, again.title) == 0 && strcmp(note->text, again.text) == 0);
    note_free(&again);
    free(text);
    json_decref(json);
    json = note_json(note);
    FUZZ_CHECK(json && json_object_size(json) == 4);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct note_fault fault = {.line = -1};
    struct note note;
    int rc = note_parse(&note, (const char *)data, size, &fault);

    FUZZ_CHECK(rc == 0 || rc == BIGHT_EINVAL);
    if (rc == 0) {
        look_at_note(&note);
        note_free(&note);
        return 0;
    }
    FUZZ_CHECK(*fault.text && strlen(fault.text) < sizeof(fault.text));
    FUZZ_CHECK(fault.line >= 0 && fault.column >= 0);
    json_t *text = json_string(fault.text); /* which the answer is made of */
    FUZZ_CHECK(text);
    json_decref(text);
    return 0;
}
