# SPDX-License-Identifier: MIT
"""gdb commands for the Kevlar kernel. `make debug` loads them.

    kv-tasks        every CPU's current thread, and all tasks by pid
    kv-bt PID       where a task sleeps: its kernel backtrace
    kv-log [N]      the last N lines of the kernel log (default 40)
    kv-symbols      loads the symbols of the kernel again after a rebuild
"""
import struct

import gdb

STATES = {0: "R", 1: "S", 2: "D", 4: "K", 8: "T", 16: "t", 32: "X"}


def value(expression):
    return gdb.parse_and_eval(expression)


def number(expression):
    return int(value(expression))


def pointer(address, kind):
    return value(f"(unsigned long){address & (1 << 64) - 1:#x}").cast(kind.pointer())


def percpu(name, cpu):
    """The per-CPU variable of that CPU."""
    address = number(f"&{name}") + number(f"percpu_offset[{cpu}]")
    return pointer(address, value(name).type).dereference()


def cpus():
    count = value("cpu_count") if gdb.lookup_global_symbol("cpu_count") else 1
    return range(int(count))


def string(array):
    return array.string(errors="replace").split("\0")[0]


def container(entry, type_name, field):
    kind = gdb.lookup_type(type_name)
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == field)
    return pointer(int(entry) - offset, kind)


def list_entries(head, type_name, field):
    """The containers of the entries of a struct list."""
    entry = head["next"]
    while int(entry) != int(head.address):
        yield container(entry, type_name, field)
        entry = entry["next"]


def processes(process=None):
    """All processes, by the tree of children from init down."""
    process = process or value("root_pid_ns.reaper")
    if int(process) == 0:
        return
    yield process
    for child in list_entries(process["children"], "struct process", "sibling"):
        yield from processes(child)


def tasks():
    for process in processes():
        for task in list_entries(process["threads"], "struct task", "thread_node"):
            yield process, task


def pid_of(task):
    return int(task["pid"]["numbers"][0]["nr"]) if int(task["pid"]) else 0


class Tasks(gdb.Command):
    """kv-tasks: every CPU's current thread, and all tasks by pid."""

    def __init__(self):
        super().__init__("kv-tasks", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        for cpu in cpus():
            thread = percpu("current_thread", cpu)
            if int(thread):
                print(f"cpu {cpu}: {string(thread['comm'])} ({thread})")
        print(f"{'PID':>6} {'TGID':>6} S CPU COMM             TASK")
        for process, task in tasks():
            thread = task["thread"]
            print(f"{pid_of(task):6} {pid_of(process['leader']):6} {STATES.get(int(thread['state']), '?')} "
                  f"{int(thread['cpu']):3} {string(thread['comm']):16} {int(task):#x}")


class Backtrace(gdb.Command):
    """kv-bt PID: the kernel backtrace of a task that is not running."""

    def __init__(self):
        super().__init__("kv-bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        pid = int(argument)
        for _, task in tasks():
            if pid_of(task) == pid:
                self.walk(task["thread"])
                return
        raise gdb.GdbError(f"no task {pid}")

    def walk(self, thread):
        """Follows the frame pointers that a thread left on its stack when it was switched out."""
        memory = gdb.selected_inferior()
        low, high = int(thread["kstack"]), int(thread["kstack"]) + 16384
        sp = int(thread["arch"]["sp"])
        frame = sp
        while low <= frame < high - 16:  # the saved frame pointer is among the registers on top
            word, = struct.unpack("<Q", memory.read_memory(frame, 8))
            if low <= word < high:
                frame = word
                break
            frame += 8
        while low <= frame < high - 16:
            following, back = struct.unpack("<QQ", memory.read_memory(frame, 16))
            place = gdb.find_pc_line(back - 1)  # of the call, not of what follows it
            name = gdb.execute(f"info symbol {back - 1:#x}", to_string=True).split(" in section")[0]
            where = f" at {place.symtab.filename}:{place.line}" if place.symtab else ""
            print(f"{back:#x} {name}{where}")
            if following <= frame:
                break
            frame = following


class Log(gdb.Command):
    """kv-log [N]: the last N lines of the kernel log."""

    def __init__(self):
        super().__init__("kv-log", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        wanted = int(argument) if argument else 40
        text = value("log_text")
        size = text.type.sizeof
        ring = bytes(gdb.selected_inferior().read_memory(int(text.address), size))
        records = value("log_records")
        count = records.type.sizeof // records[0].type.sizeof
        end = number("log_next")
        for sequence in range(max(number("log_first"), end - wanted), end):
            record = records[sequence % count]
            begin, length = int(record["position"]) % size, int(record["len"])
            line = (ring + ring)[begin:begin + length].decode(errors="replace")
            print(f"[{int(record['time_us']) / 1e6:12.6f}] <{int(record['level'])}> {line}")


class Symbols(gdb.Command):
    """kv-symbols: loads the symbols of the kernel again after a rebuild."""

    def __init__(self):
        super().__init__("kv-symbols", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        gdb.execute(f"symbol-file {gdb.objfiles()[0].filename}")


Tasks()
Backtrace()
Log()
Symbols()
