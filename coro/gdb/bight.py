"""Commands of gdb for programs on bight: `bight tasks`, `bight bt`.

It is part of the library's debug information, and gdb loads it from there; docs/seeing.md says how.
It reads memory and debug information only and calls nothing in the program, so a core file does as
well as a process. Structs are those of coro/core/sched.h, task.h and scope.h; how a stopped stack is
left, of coro/stack/switch_here.h and switch_*.S.
"""
import re

import gdb
import gdb.unwinder

# task->flags and task->pending of coro/core/task.h.
TASK_STARTED = 32
PENDING_CANCEL = 1


def address(value):
    return int(value.cast(gdb.lookup_type("unsigned long")))


def at(number, type_name):
    """The struct of that type at an address."""
    return gdb.Value(number).cast(gdb.lookup_type("struct " + type_name).pointer()).dereference()


def offset(type_name, member):
    for field in gdb.lookup_type("struct " + type_name).fields():
        if field.name == member:
            return field.bitpos // 8
    raise gdb.GdbError("bight: struct %s has no %s: another version of the library?" % (type_name, member))


def words(start, count):
    data = gdb.selected_inferior().read_memory(start, 8 * count).tobytes()
    return [int.from_bytes(data[8 * i:8 * i + 8], "little") for i in range(count)]


def place(pc):
    """The line of the call that returns to `pc`."""
    line = gdb.find_pc_line(pc - 1)
    if line.symtab and line.line:
        return "%s:%d" % (line.symtab.filename, line.line)
    return hex(pc)


# Runtimes


def of_task_entry():
    """The runtime of the task in which the selected thread is."""
    frame = gdb.newest_frame()
    while frame:
        if frame.name() == "task_entry":
            argument = frame.read_var("argument")
            return None if argument.is_optimized_out else at(int(argument), "bight_task")["sched"]
        frame = frame.older()
    return None


def of_thread():
    """The runtime of the selected thread, or None. What is local to a thread is not always to be read:
    for a core file from elsewhere gdb may lack the libthread_db for it."""
    try:
        sched = gdb.parse_and_eval("bight__sched")
    except gdb.error:
        sched = of_task_entry()
    return sched.dereference() if sched is not None and int(sched) else None


def runtimes():
    """Each runtime of the process as its struct bight_sched, and the thread that it is on."""
    try:
        gdb.lookup_type("struct bight_task")
    except gdb.error:
        raise gdb.GdbError("bight: no debug information of libbight")
    found = []
    selected = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            sched = of_thread()
            if sched is not None:
                found.append((sched, thread))
    finally:
        if selected:
            selected.switch()
    if not found:
        raise gdb.GdbError("bight: no thread has a runtime")
    return sorted(found, key=lambda pair: pair[1].num)


# Tasks


def children(head, depth):
    """The tasks of a list, each with its depth, before those of its own groups."""
    member = offset("bight_task", "member")
    link = head["next"]
    while address(link) != address(head.address):
        task = at(address(link) - member, "bight_task")
        yield task, depth
        yield from children(task["children"], depth + 1)
        link = link.dereference()["next"]


def tasks(sched):
    return children(sched["children"], 1)


def waits(task):
    names = []
    first = waiter = task["parked"]
    while True:
        names.append(waiter["ops"]["name"].string())
        waiter = waiter["also"]
        if address(waiter) == address(first):
            return " or ".join(names)


def state(sched, task):
    if int(task["parked"]):
        text = "waits for " + waits(task)
    elif address(sched["current"]) == address(task.address):
        text = "running"
    else:
        text = "ready" if int(task["flags"]) & TASK_STARTED else "not started"
    return text + (", cancelled" if int(task["pending"]) & PENDING_CANCEL else "")


def title(sched, task):
    return "#%d %s: %s" % (int(task["id"]), task["name"].string() or "-", state(sched, task))


def headline(sched, thread):
    count = sum(1 for _ in tasks(sched))
    ready = int(sched["ready_tail"]) - int(sched["ready_head"])
    return "runtime of thread %d: %d tasks, %d ready" % (thread.num, count, ready)


# Backtraces


def stopped_x86_64(sp):
    """Above the address at which to go on lies what the code there takes: the inlined switch pops rbp
    first, which the unwind rules of the function around it do not know of; bight__switch has rules."""
    pc, rbp = words(sp, 2)
    if gdb.selected_inferior().read_memory(pc, 1).tobytes() == b"\x5d":
        return {"rip": pc + 1, "rsp": sp + 16, "rbp": rbp}
    return {"rip": pc, "rsp": sp + 8}


def stopped_aarch64(sp):
    saved = words(sp, 12)
    registers = {"x%d" % (19 + i): word for i, word in enumerate(saved[:12])}
    registers["pc"] = registers["x30"]
    registers["sp"] = sp + 160
    return registers


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class StoppedTask(gdb.unwinder.Unwinder):
    """While `registers` are set, the innermost frame of the selected thread seems to have been called
    from there: so the task's frames follow it. Nothing is written, which a core file would not allow."""

    def __init__(self):
        super().__init__("bight")
        self.registers = None

    def __call__(self, pending):
        if self.registers is None or pending.level() != 0:
            return None
        number = gdb.lookup_type("unsigned long")
        aarch64 = "pc" in self.registers
        here = FrameId(gdb.Value(self.registers["sp" if aarch64 else "rsp"] - 64).cast(number),
                       pending.read_register("pc" if aarch64 else "rip"))
        info = pending.create_unwind_info(here)
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(number))
        return info

    def backtrace(self, registers, how):
        self.registers = registers
        gdb.execute("frame 0", to_string=True)
        gdb.invalidate_cached_frames()
        try:
            return gdb.execute("bt" + how, to_string=True)
        finally:
            self.registers = None
            gdb.invalidate_cached_frames()


unwinder = StoppedTask()


def renumbered(text):
    """Without frame #0, which is the thread's own."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if re.match(r"#1\s", line)), len(lines))
    for line in lines[first:]:
        number = re.match(r"#(\d+)(\s+)(.*)", line)
        if number:
            line = "#%-3d%s" % (int(number.group(1)) - 1, number.group(3))
        yield line


def backtrace(sched, thread, task, how):
    if address(sched["current"]) == address(task.address):
        thread.switch()
        return gdb.execute("bt" + how, to_string=True).splitlines()
    if not int(task["flags"]) & TASK_STARTED:
        function = gdb.block_for_pc(address(task["fn"]))
        name = function.function if function and function.function else hex(address(task["fn"]))
        return ["will call %s (arg=%s)" % (name, hex(address(task["arg"])))]
    sp = address(task["stack"]["context"]["sp"])
    thread.switch()
    machine = gdb.newest_frame().architecture().name()
    if machine.startswith("i386:x86-64"):
        registers = stopped_x86_64(sp)
    elif machine.startswith("aarch64"):
        registers = stopped_aarch64(sp)
    else:
        raise gdb.GdbError("bight: backtraces are for x86-64 and aarch64, and this is " + machine)
    return renumbered(unwinder.backtrace(registers, how))


def stack_use(task):
    top = address(task.address)
    used = top - min(address(task["stack"]["low_water"]), address(task["stack"]["context"]["sp"]))
    return "%.1f of %d KiB of stack" % (used / 1024, (top - address(task["stack"]["lo"])) // 1024)


class Bight(gdb.Command):
    """Tasks of bight: `bight tasks` lists them, `bight bt` shows where they are."""

    def __init__(self):
        super().__init__("bight", gdb.COMMAND_STACK, prefix=True)


class BightTasks(gdb.Command):
    """bight tasks: the tree of tasks of each runtime in the process or core file, each task with what it
    waits for and where it was spawned."""

    def __init__(self):
        super().__init__("bight tasks", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if argument:
            raise gdb.GdbError("usage: bight tasks")
        for sched, thread in runtimes():
            print(headline(sched, thread))
            for task, depth in tasks(sched):
                spawned = address(task["spawned_at"])
                print("  " * depth + title(sched, task) +
                      (", spawned at " + place(spawned) if spawned else ""))


class BightBacktrace(gdb.Command):
    """bight bt [full] NUMBER|all: the backtrace of the task of that number, as `bight tasks` shows it, or
    of all; with `full`, with local variables. A number may stand for a task in each runtime."""

    def __init__(self):
        super().__init__("bight bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = argument.split()
        how = ""
        if wanted[:1] == ["full"]:
            how = " full"
            wanted = wanted[1:]
        if len(wanted) != 1 or not (wanted[0] == "all" or wanted[0].isdigit()):
            raise gdb.GdbError("usage: bight bt [full] NUMBER|all")
        selected = gdb.selected_thread()
        if not selected:
            raise gdb.GdbError("bight: no process, and no core file")
        frame = gdb.selected_frame().level()
        try:
            if not self.show(wanted[0], how):
                raise gdb.GdbError("bight: no task has number " + wanted[0])
        finally:
            selected.switch()
            gdb.execute("frame %d" % frame, to_string=True)

    def show(self, wanted, how):
        shown = 0
        for sched, thread in runtimes():
            for task, _ in list(tasks(sched)):
                if wanted not in ("all", str(int(task["id"]))):
                    continue
                shown += 1
                print("%s, %s" % (title(sched, task), stack_use(task)))
                for line in backtrace(sched, thread, task, how):
                    print(line)
                print()
        return shown


gdb.unwinder.register_unwinder(None, unwinder, True)
Bight()
BightTasks()
BightBacktrace()
