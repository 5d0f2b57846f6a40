/* See program.h: what is common to all who run programs, and how they are written and shown. */
#include "tests/model/program.h"

#include <bight/errors.h>

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const char *operands;
} ops[OPS] = {
#define PROGRAM_OP(op, name, operands) {name, operands},
    PROGRAM_OPS(PROGRAM_OP)
#undef PROGRAM_OP
};

static bool opens(const struct step *step)
{
    return step->op == OP_SCOPE || step->op == OP_SHIELD || step->op == OP_GROUP;
}

unsigned script_leave(const struct script *script, unsigned step)
{
    unsigned nested = 0;

    for (unsigned at = step + 1; at < script->length; at++) {
        if (opens(&script->steps[at]))
            nested++;
        else if (script->steps[at].op == OP_END && nested-- == 0)
            return at;
    }
    return script->length;
}

/* Reading */

static const char *skip_space(const char *text)
{
    return text + strspn(text, " \n");
}

static bool take_word(const char **text, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(*text, word, length) != 0 || strspn(*text + length, "abcdefghijklmnopqrstuvwxyz_"))
        return false;
    *text = skip_space(*text + length);
    return true;
}

static int take_number(const char **text)
{
    static const struct {
        const char *name;
        int code;
    } codes[] = {{"EIO", BIGHT_EIO}, {"ECANCELED", BIGHT_ECANCELED}};
    char *end;
    long number;

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (take_word(text, codes[i].name))
            return codes[i].code;
    }
    number = strtol(*text, &end, 10);
    if (end == *text)
        abort();
    *text = skip_space(end);
    return (int)number;
}

static struct choice take_choice(const char **text)
{
    struct choice choice = {.op = 0};

    while (choice.op < OPS && !take_word(text, ops[choice.op].name))
        choice.op++;
    if (choice.op == OPS)
        abort();
    if (strchr(ops[choice.op].operands, 'a'))
        choice.a = (uint8_t)take_number(text);
    if (strchr(ops[choice.op].operands, 'b'))
        choice.b = (int16_t)take_number(text);
    return choice;
}

static bool take_sign(const char **text, char sign)
{
    if (**text != sign)
        return false;
    *text = skip_space(*text + 1);
    return true;
}

void script_parse(struct script *script, const char *text)
{
    text = skip_space(text);
    while (*text) {
        struct step step = {.op = OPS};
        struct choice choice = take_choice(&text);

        step.op = choice.op;
        step.a = choice.a;
        step.b = choice.b;
        if (step.op == OP_SELECT) {
            do {
                if (step.count == CASES_MAX)
                    abort();
                step.cases[step.count++] = take_choice(&text);
            } while (take_sign(&text, '|'));
        }
        step.careless = take_sign(&text, '!');
        if (script->length == STEPS_MAX || (*text && !take_sign(&text, ';')))
            abort();
        script->steps[script->length++] = step;
    }
}

/* Showing */

const char *code_name(int rc)
{
    static char number[16];

    if (rc < 0)
        return bight_error_name(rc);
    if (rc == SKIPPED)
        return "skipped";
    snprintf(number, sizeof number, "%d", rc);
    return number;
}

static void choice_print(FILE *out, unsigned op, unsigned a, int b)
{
    fputs(ops[op].name, out);
    if (strchr(ops[op].operands, 'a'))
        fprintf(out, " %u", a);
    if (op == OP_RETURN)
        fprintf(out, " %s", code_name(b));
    else if (strchr(ops[op].operands, 'b'))
        fprintf(out, " %d", b);
}

void step_print(FILE *out, const struct step *step)
{
    choice_print(out, step->op, step->a, step->b);
    for (unsigned i = 0; i < step->count; i++) {
        fputs(i ? " | " : " ", out);
        choice_print(out, step->cases[i].op, step->cases[i].a, step->cases[i].b);
    }
    if (step->careless)
        fputs(" !", out);
}

void program_print(FILE *out, const struct program *program)
{
    if (program->seed)
        fprintf(out, "seed %llu, ", (unsigned long long)program->seed);
    fputs("queues of", out);
    for (unsigned i = 0; i < QUEUES; i++)
        fprintf(out, " %u%s", program->capacity[i], program->lifo[i] ? " last in, first out" : "");
    fputc('\n', out);
    for (unsigned task = 0; task < program->tasks; task++) {
        const struct script *script = &program->scripts[task];
        int indent = 0;

        fprintf(out, "task %u%s\n", task, task < program->begun ? "" : ", to be spawned");
        for (unsigned i = 0; i < script->length; i++) {
            if (script->steps[i].op == OP_END && indent > 0)
                indent--;
            fprintf(out, "  %2u  %*s", i, 2 * indent, "");
            step_print(out, &script->steps[i]);
            fputc('\n', out);
            indent += opens(&script->steps[i]);
        }
    }
}

void event_print(FILE *out, const struct program *program, const struct event *event)
{
    const struct script *script = &program->scripts[event->task];

    fprintf(out, "%4d ms  task %u  ", event->now_ms, event->task);
    if (event->step == STEP_DROPPED) {
        fputs("never ran\n", out);
    } else if (event->step == script->length) {
        fprintf(out, "ended: %s\n", code_name(event->rc));
    } else {
        fprintf(out, "%2u ", event->step);
        step_print(out, &script->steps[event->step]);
        fprintf(out, ": %s", code_name(event->rc));
        if (event->value)
            fprintf(out, " (%d)", event->value);
        fputc('\n', out);
    }
}
