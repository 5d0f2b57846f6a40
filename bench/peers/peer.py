"""What the programs of this folder that are Python share: the command line, as peer.h has it, the clock, and what the
rows of memory and of echo need."""
import os
import subprocess
import sys
import time

ECHO_CONNECTIONS = 64
ECHO_BUFFER_BYTES = 32768
PAGE = os.sysconf("SC_PAGESIZE")


def each(begin_ns, operations):
    return (time.process_time_ns() - begin_ns) / operations


def batches(count, batch):
    return max(1, count // batch)


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * PAGE


def start_load(port, count):
    if "PEER_LOAD" not in os.environ:
        sys.exit("PEER_LOAD does not name the load (build/release/bench/peer_load)")
    return subprocess.Popen([os.environ["PEER_LOAD"], str(port), str(count)])


def end_load(load):
    if load.wait():
        sys.exit("the load failed")


def main(rows, run):
    """`run` runs an async function with its argument."""
    if len(sys.argv) == 1:
        print("\n".join(rows))
    elif len(sys.argv) == 3 and sys.argv[1] in rows:
        print(run(rows[sys.argv[1]], int(sys.argv[2])))
    else:
        sys.exit(f"usage: {sys.argv[0]} [ROW COUNT]; without arguments: the rows")
