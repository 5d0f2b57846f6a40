"""Run the programs of this folder in turns and print one JSON object per row: scripts/bench --peers.

usage: driver.py [--rounds N] BUILD [GROUP-OR-ROW...]
       driver.py --try BUILD

BUILD is the folder with peer_bight and peer_load; the peers' programs are built beside them. --try says whether the
tables of this folder and the programs agree, and runs each row once, briefly, of what needs no compiler."""
import argparse
import csv
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILERS = {"c": ["cc", "-std=gnu11"], "c++": ["c++", "-std=c++14"]}
TRIED = 100  # operations of each row, when it is only tried
# A line of a program's table of rows, in any of the languages.
TABLED = re.compile(r'^\s*\{?"([a-z][a-z0-9_]*)"\s*[,:]')


def table(name, fields):
    with open(os.path.join(HERE, name), newline="") as lines:
        rows = csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
        return [dict(zip(fields, row, strict=True)) for row in rows]


def read_rows():
    return table("rows.tsv", ["group", "row", "unit", "operations", "least", "counted", "what"])


def read_peers():
    return table("peers.tsv", ["name", "program", "language", "share", "package", "needs", "link"])


def read_differences():
    return {(line["peer"], line["row"]): line["how"] for line in table("differs.tsv", ["peer", "row", "how"])}


def say(text):
    print("bench:", text, file=sys.stderr)


def quiet(command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)


# How a program is run, by its language; None where what it needs is not there.


def compiled(peer, build):
    compiler = COMPILERS[peer["language"]]
    header = quiet(compiler + ["-E", "-x", peer["language"], "-include", peer["needs"], "/dev/null"])
    if header.returncode:
        return None
    path = os.path.join(build, "peer_" + os.path.splitext(peer["program"])[0])
    source = os.path.join(HERE, peer["program"])
    subprocess.run(compiler + ["-O2", "-DNDEBUG", "-o", path, source] + shlex.split(peer["link"]), check=True)
    return [path]


def of_go(peer, build):
    if not shutil.which("go"):
        return None
    path = os.path.join(build, "peer_go")
    cache = os.path.join(build, "go-cache")
    environment = dict(os.environ, CGO_ENABLED="0", GO111MODULE="off", GOFLAGS="", GOCACHE=cache)
    subprocess.run(["go", "build", "-o", path, os.path.join(HERE, peer["program"])], check=True, env=environment)
    return [path]


def of_node(peer, _):
    node = shutil.which("node") or shutil.which("nodejs")
    return [node, os.path.join(HERE, peer["program"])] if node else None


def of_python(peer, _):
    """The distribution's Python, which has its modules, before another one."""
    for python in "/usr/bin/python3", sys.executable:
        if os.path.exists(python) and not quiet([python, "-c", "import " + peer["needs"]]).returncode:
            return [python, "-B", os.path.join(HERE, peer["program"])]
    return None


WAYS = {
    "built": lambda peer, build: [os.path.join(build, "peer_" + peer["program"])],
    "c": compiled,
    "c++": compiled,
    "go": of_go,
    "node": of_node,
    "python": of_python,
}
# What --try runs: CI has no others.
TRIED_LANGUAGES = "built", "python"


def find_programs(build):
    """The command of each peer that is there."""
    commands = {}
    for peer in read_peers():
        command = WAYS[peer["language"]](peer, build)
        if command:
            commands[peer["name"]] = command
        else:
            say(f"{peer['name']} is skipped: it needs {peer['needs']} (package {peer['package']})")
    return commands


def rows_of(command):
    return quiet(command, check=True).stdout.split()


def share(row, peer):
    return max(int(row["operations"]) // int(peer["share"]), min(int(row["least"]), int(row["operations"])))


def sample(command, row, operations):
    """What one operation took."""
    done = quiet(command + [row["row"], str(operations)])
    if done.returncode:
        sys.exit(f"bench: {' '.join(command)} {row['row']} {operations} failed: {done.stderr.strip()}")
    return float(done.stdout)


def rounded(value):
    return float(f"{value:.4g}")


def measure(row, peers, commands, rounds):
    """All peers in turns; who is first changes from round to round."""
    taken = {peer["name"]: [] for peer in peers}
    for turn in range(rounds):
        first = turn % len(peers)
        for peer in peers[first:] + peers[:first]:
            taken[peer["name"]].append(sample(commands[peer["name"]], row, share(row, peer)))
    return taken


def ratio(ours, theirs):
    """The median of the ratios in each turn; memory may not have grown in one."""
    ratios = [mine / other for mine, other in zip(ours, theirs) if other > 0]
    return rounded(statistics.median(ratios)) if ratios else None


def result(row, taken, differences):
    ours = taken.pop("bight")
    line = {"bench": row["row"], "group": row["group"], "value": rounded(statistics.median(ours)), "unit": row["unit"]}
    line["peers"] = {name: rounded(statistics.median(values)) for name, values in taken.items()}
    line["ratios"] = {name: ratio(ours, values) for name, values in taken.items()}
    differs = {name: differences[name, row["row"]] for name in taken if (name, row["row"]) in differences}
    if differs:
        line["differs"] = differs
    line["turns"] = len(ours)
    return line


def chosen_rows(names):
    rows = read_rows()
    known = {word for row in rows for word in (row["group"], row["row"])}
    for name in names:
        if name not in known:
            groups = dict.fromkeys(row["group"] for row in rows)
            sys.exit(f"bench: no group or row of peers: {name}; groups: {' '.join(groups)}")
    return [row for row in rows if not names or row["group"] in names or row["row"] in names]


def run(build, names, rounds):
    rows = chosen_rows(names)
    commands = find_programs(build)
    os.environ["PEER_LOAD"] = os.path.join(build, "peer_load")
    os.environ["GOMAXPROCS"] = "1"
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # and what it starts; the load goes to the other core
    has = {name: rows_of(command) for name, command in commands.items()}
    differences = read_differences()
    for row in rows:
        peers = [peer for peer in read_peers() if row["row"] in has.get(peer["name"], [])]
        say(f"{row['row']} of {', '.join(peer['name'] for peer in peers)}")
        taken = measure(row, peers, commands, rounds)
        print(json.dumps(result(row, taken, differences)), flush=True)


# What is wrong between tables and programs.


def listed(peer):
    """The rows of a program, by its text: what it needs may not be here."""
    program = peer["program"] + ".c" if peer["language"] == "built" else peer["program"]
    if program == "peer_uvloop.py":
        program = "peer_asyncio.py"
    with open(os.path.join(HERE, program)) as text:
        return [match[1] for match in map(TABLED.match, text) if match]


def complaints():
    rows = [row["row"] for row in read_rows()]
    lists = {peer["name"]: listed(peer) for peer in read_peers()}
    for name, has in lists.items():
        if has != [row for row in rows if row in has]:
            yield f"{name}: rows that rows.tsv has not, or in another order: {' '.join(has)}"
    for row in rows:
        if row not in lists["bight"]:
            yield f"{row}: bight does not have it"
        if not any(row in has for name, has in lists.items() if name != "bight"):
            yield f"{row}: no peer has it"
    for name, row in read_differences():
        if row not in lists.get(name, []):
            yield f"differs.tsv: {name} has no row {row}"


def attempt(build):
    wrong = list(complaints())
    if wrong:
        sys.exit("\n".join(wrong))
    os.environ["PEER_LOAD"] = os.path.join(build, "peer_load")
    for peer in read_peers():
        command = WAYS[peer["language"]](peer, build) if peer["language"] in TRIED_LANGUAGES else None
        if not command:
            continue
        if rows_of(command) != listed(peer):
            sys.exit(f"{peer['name']}: the rows it has are not those in its text")
        for row in listed(peer):
            if peer["language"] == "built" or not row.endswith("10000"):  # which take Python seconds
                sample(command, {"row": row}, TRIED)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    parser.add_argument("--try", dest="tried", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("build", nargs="?")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    if not given.build or given.rounds < 1:
        parser.error("no folder, or no rounds")
    if given.tried:
        return attempt(os.path.abspath(given.build))
    return run(os.path.abspath(given.build), given.names, given.rounds)


if __name__ == "__main__":
    main()
