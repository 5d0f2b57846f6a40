/* Random programs. Waits are frequent, codes are mostly heeded, deadlines and sleeps are short,
 * so that many things happen in the same millisecond. Shields have a deadline: one that waits
 * for ever is a hang that no cancellation ends, in the runtime too. */
#include "tests/model/program.h"
#include "tests/harness/random.h"

#include <bight/errors.h>
#include <bight/group.h>

#include <string.h>

struct maker {
    uint64_t state;
    struct program *program;
    struct script *script;
    unsigned careless;           /* of 8 steps */
    unsigned objects;            /* of each kind: with one there is more of a crowd */
    bool bounded[DEPTH_MAX + 1]; /* the scopes that are open here have a deadline */
};

static unsigned below(struct maker *maker, unsigned limit)
{
    return (unsigned)((test_random(&maker->state) >> 11) % limit);
}

/* Ops by how often they are made. */
static const uint8_t waits[] = {
    OP_YIELD,  OP_SLEEP,  OP_SLEEP,  OP_LOCK,    OP_LOCK,    OP_PUT,      OP_PUT,
    OP_GET,    OP_GET,    OP_WAIT,   OP_JOIN,    OP_JOIN,    OP_DRAIN,    OP_WAIT,
    OP_SELECT, OP_SELECT, OP_SELECT, OP_ACQUIRE, OP_ACQUIRE, OP_NOTIFIED, OP_NOTIFIED};
static const uint8_t choices[] = {OP_GET, OP_GET, OP_PUT, OP_PUT, OP_WAIT, OP_JOIN, OP_SLEEP};
static const uint8_t acts[] = {
    OP_TRYLOCK,     OP_UNLOCK,  OP_UNLOCK,    OP_TRY_PUT,      OP_TRY_GET, OP_TASK_DONE,
    OP_CLOSE,       OP_ABORT,   OP_TASK_DONE, OP_SET,          OP_SET,     OP_SET,
    OP_CLEAR,       OP_SPAWN,   OP_SPAWN,     OP_SPAWN,        OP_CANCEL,  OP_CANCEL,
    OP_LOOK,        OP_RETURN,  OP_LOOK,      OP_CANCEL_SCOPE, OP_PUT,     OP_GET,
    OP_SET_TIMEOUT, OP_RELEASE, OP_RELEASE,   OP_TRY_ACQUIRE,  OP_NOTIFY,  OP_NOTIFY};

static unsigned object(struct maker *maker, unsigned op)
{
    switch (op) {
    case OP_SPAWN:
        if (maker->program->begun < maker->program->tasks)
            return maker->program->begun +
                   below(maker, maker->program->tasks - maker->program->begun);
        return below(maker, maker->program->tasks);
    case OP_JOIN:
    case OP_CANCEL:
    case OP_CANCEL_SCOPE:
        return below(maker, maker->program->tasks);
    case OP_SET_TIMEOUT:
        return 1 + below(maker, DEPTH_MAX);
    default:
        return below(maker, maker->objects);
    }
}

static int operand(struct maker *maker, unsigned op)
{
    static const int codes[] = {BIGHT_EIO, BIGHT_EIO, BIGHT_ECANCELED, 0, 5};

    switch (op) {
    case OP_SLEEP:
        return below(maker, 12) ? (int)below(maker, 5) : -1;
    case OP_RETURN:
        return codes[below(maker, sizeof codes / sizeof codes[0])];
    case OP_CANCEL_SCOPE:
    case OP_NOTIFY:
        return 1 + (int)below(maker, 2);
    case OP_SET_TIMEOUT:
        return (int)below(maker, 5);
    default:
        return 0;
    }
}

static struct choice make_choice(struct maker *maker, unsigned op)
{
    return (struct choice){(uint8_t)op, (uint8_t)object(maker, op), (int16_t)operand(maker, op)};
}

static struct step *add(struct maker *maker, unsigned op)
{
    struct choice choice = make_choice(maker, op);
    struct step *step = &maker->script->steps[maker->script->length++];

    memset(step, 0, sizeof *step);
    step->op = choice.op;
    step->a = choice.a;
    step->b = choice.b;
    /* That something could not be had without waiting is rarely a reason to leave. */
    if (op == OP_SELECT) {
        step->count = (uint8_t)(1 + below(maker, CASES_MAX));
        for (unsigned i = 0; i < step->count; i++)
            step->cases[i] = make_choice(maker, choices[below(maker, sizeof choices)]);
    }
    step->careless = below(maker, 8) < (op >= OP_TRYLOCK && op < OP_SPAWN ? 7 : maker->careless);
    return step;
}

static const uint8_t policies[] = {0, 0, 0, BIGHT_GROUP_COLLECT, BIGHT_GROUP_FIRST_SUCCESS};

/* `room`: how many steps may follow. */
static void make_steps(struct maker *maker, unsigned depth, unsigned room)
{
    unsigned end = maker->script->length + room;

    while (maker->script->length < end) {
        unsigned left = end - maker->script->length;
        unsigned kind = below(maker, 8);

        if (kind < 2 && depth < DEPTH_MAX && left >= 3) {
            unsigned op = OP_SCOPE + below(maker, 3);
            bool spawns = op == OP_GROUP && left >= 4;
            struct step *step = add(maker, op);

            step->b = (int16_t)(op == OP_GROUP ? policies[below(maker, 5)] : below(maker, 7));
            if (op == OP_SCOPE && step->b == 6)
                step->b = -1;
            maker->bounded[depth + 1] = op != OP_GROUP && step->b >= 0;
            if (spawns)
                add(maker, OP_SPAWN);
            make_steps(maker, depth + 1, 1 + below(maker, left - 2 - spawns));
            add(maker, OP_END);
        } else if (kind == 2 && maker->bounded[depth] && below(maker, 2)) {
            struct step *step = add(maker, OP_SET_SHIELD);

            step->a = (uint8_t)depth;
            step->b = (int16_t)below(maker, 2);
        } else if (kind == 3 && left >= 3 && below(maker, 3) == 0) {
            unsigned mutex = below(maker, maker->objects);

            add(maker, OP_LOCK)->a = (uint8_t)mutex;
            add(maker, below(maker, 2) ? OP_NOTIFIED : OP_NOTIFY)->a = (uint8_t)mutex;
            add(maker, OP_UNLOCK)->a = (uint8_t)mutex;
        } else if (kind < 5) {
            add(maker, waits[below(maker, sizeof waits)]);
        } else {
            add(maker, acts[below(maker, sizeof acts)]);
        }
    }
}

void program_generate(struct program *program, uint64_t seed)
{
    struct maker maker = {.state = (seed + 1) * 0x9e3779b97f4a7c15u, .program = program};

    memset(program, 0, sizeof *program);
    program->seed = seed;
    maker.objects = 1 + below(&maker, 2);
    program->tasks = (uint8_t)(2 + below(&maker, TASKS_MAX - 1));
    program->begun = (uint8_t)(1 + below(&maker, program->tasks));
    for (unsigned i = 0; i < QUEUES; i++) {
        program->capacity[i] = (uint8_t)below(&maker, CAPACITY_MAX + 1);
        program->lifo[i] = below(&maker, 4) == 0;
    }
    for (unsigned task = 0; task < program->tasks; task++) {
        maker.script = &program->scripts[task];
        maker.careless = below(&maker, 3) ? 1 : below(&maker, 8);
        make_steps(&maker, 0, 1 + below(&maker, STEPS_MAX - 1));
    }
}
