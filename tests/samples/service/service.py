"""What the suites of json-service share: the program, the stores it is tried on, and the cases.

A function of a suite whose name begins with "case_" is a case; a failed assertion is a failure.
Exit status 77: what the suite needs is not installed."""
import contextlib
import ctypes
import glob
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM = sys.argv[1]
PATIENCE_S = 60


def skip(what):
    print(f"skipped: {what} is not installed")
    sys.exit(77)


def die_with_parent(signum):
    """For a new process: to be ended when the suite is."""
    ctypes.CDLL(None).prctl(1, signum)


def comes(condition):
    """Wait until `condition()` is true; returns what it is."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.005)
    return value


class Answer:
    def __init__(self, answer):
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read()
        self.retry_after = answer.getheader("Retry-After")
        if self.text and answer.getheader("Content-Type") == "application/json":
            self.json = json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:200]}"


class Service:
    """The program, on a store. Its port is free, or that of `listener`, a socket that it is handed
    as a service manager does it."""

    def __init__(self, store, *options, listener=None):
        self.asked = 0
        self.ending = False
        self.log = tempfile.TemporaryFile()
        self.complaints = tempfile.TemporaryFile()
        command = [PROGRAM, "-l", "127.0.0.1:0", "-s", store.url, *options]
        if listener:
            command = ["sh", "-c", f'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&{listener.fileno()}',
                       "sh", *command]
        self.program = subprocess.Popen(
            command, stdout=self.log, stderr=self.complaints,
            pass_fds=[listener.fileno()] if listener else [],
            preexec_fn=lambda: die_with_parent(signal.SIGKILL))
        self.where = comes(self.first_line).decode().removeprefix("listening on ")
        self.port = int(self.where.rsplit(":", 1)[1]) if ":" in self.where else None

    def first_line(self):
        line = self.said().split(b"\n")
        assert len(line) > 1 or self.program.poll() is None, self.complained()
        return line[0] if len(line) > 1 else None

    def said(self):
        return os.pread(self.log.fileno(), 1 << 30, 0)

    def complained(self):
        return os.pread(self.complaints.fileno(), 1 << 20, 0).decode()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.end(expected=None if kind else "")

    def terminate(self):
        if not self.ending and self.program.poll() is None:
            self.program.send_signal(signal.SIGTERM)
        self.ending = True

    def end(self, expected="", gone=0):
        """A signal, and a look at how it ends. Returns the number of requests that it answered;
        `expected` is a pattern of what else it complains of, None: anything; `gone` clients have
        not waited for an answer."""
        self.terminate()
        status = self.program.wait(timeout=PATIENCE_S)
        *others, last = self.complained().splitlines(keepends=True) or [""]
        counts = re.fullmatch(r"json-service: requests: (\d+) begun, (\d+) answered, (\d+) failed; "
                              r"(\d+) refused\n", last)
        if expected is not None:
            assert status == 0 and counts, (status, self.complained())
            assert re.fullmatch(expected, "".join(others), re.DOTALL), others
            assert int(counts[1]) == int(counts[2]) + gone, last
        return int(counts[2]) if counts else 0

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(self, method, path, data=None, connection=None, **headers):
        """`data` is sent as JSON, unless it is bytes."""
        own = connection or self.connect()
        self.asked += 1
        if data is not None:
            headers.setdefault("Content_Type", "application/json")
            if not isinstance(data, bytes):
                data = json.dumps(data).encode()
        # It need not hear the whole of a body before it answers.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            own.request(method, path, data, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = Answer(own.getresponse())
        if not connection:
            own.close()
        return answer

    def add(self, title="title", text="text"):
        answer = self.ask("POST", "/notes", {"title": title, "text": text})
        assert answer.status == 201, answer
        return answer.json["id"]

    def metric(self, name):
        text = self.ask("GET", "/metrics").text.decode()
        return int(re.search(rf"^{re.escape(name)} (\d+)$", text, re.MULTILINE)[1])

    def workers(self):
        """The process ids of its workers, which are not its children."""
        found = []
        for stat in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError):
                pid, rest = pathlib.Path(stat).read_text().split(" (", 1)
                name, rest = rest.rsplit(") ", 1)
                if name == "bight-worker" and self.is_above(int(rest.split()[1])):
                    found.append(int(pid))
        return found

    def is_above(self, pid):
        while pid > 1:
            if pid == self.program.pid:
                return True
            try:
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                return False
            pid = int(stat.rsplit(") ", 1)[1].split()[1])
        return False


class Later(threading.Thread):
    """A request that is made meanwhile; `answer` is what comes of it."""

    def __init__(self, service, *words, **more):
        super().__init__(daemon=True)
        self.call = lambda: service.ask(*words, **more)
        self.began = time.monotonic()
        self.start()

    def run(self):
        self.answer = self.call()
        self.took_s = time.monotonic() - self.began

    def get(self):
        self.join(PATIENCE_S)
        return self.answer


class Sqlite:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.file = str(pathlib.Path(self.folder.name, "notes.db"))
        self.url = f"sqlite:{self.file}"

    def clear(self):
        for file in glob.glob(f"{self.file}*"):
            os.remove(file)

    def stop(self):
        self.folder.cleanup()

    @contextlib.contextmanager
    def locked(self):
        """This process writes, and has not said yet what."""
        connection = sqlite3.connect(self.file, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
        connection.close()


class Postgres:
    """A server of the suite's own. It refuses to run as root, for whom it runs as Debian's user
    postgres."""

    def __init__(self):
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not self.bin:
            skip("postgresql")
        self.bin = os.path.dirname(self.bin[-1])
        self.folder = tempfile.mkdtemp(prefix="bight-postgres-")
        self.user = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                 "--no-sync").communicate()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self.start()

    def run(self, program, *words, **more):
        return subprocess.Popen(
            [f"{self.bin}/{program}", *words], cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=open(f"{self.folder}/log", "ab"),
            preexec_fn=lambda: die_with_parent(signal.SIGQUIT), **self.user, **more)

    def start(self):
        self.server = self.run("postgres", "-D", "data", "-F", "-h", "127.0.0.1", "-k", self.folder,
                               "-p", str(self.port), "-c", "shared_buffers=16MB")
        pid_file = pathlib.Path(self.folder, "data", "postmaster.pid")
        comes(lambda: pid_file.exists() and pid_file.read_text().splitlines()[7:8] == ["ready   "])

    def halt(self):
        self.server.send_signal(signal.SIGINT)  # its fast way down
        assert self.server.wait(PATIENCE_S) == 0

    def stop(self):
        self.halt()
        shutil.rmtree(self.folder)

    def psql(self, **more):
        return subprocess.Popen([f"{self.bin}/psql", "-qAtX", "-v", "ON_ERROR_STOP=1", self.url],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)

    def says(self, sql):
        psql = self.psql(stderr=subprocess.DEVNULL)
        said = psql.communicate(sql)[0].strip()
        assert psql.returncode == 0, sql
        return said

    def clear(self):
        self.says("DROP TABLE IF EXISTS notes")

    @contextlib.contextmanager
    def locked(self):
        psql = self.psql()
        psql.stdin.write("BEGIN; LOCK TABLE notes; SELECT 'locked';\n")
        psql.stdin.flush()
        assert psql.stdout.readline() == "locked\n"
        yield
        psql.communicate("COMMIT;")


def run_cases(names, store=None):
    """Run the cases among `names`, or those that the command line wants, and exit."""
    failed = []
    wanted = [word for word in sys.argv[2:] if word.startswith("case_")]
    for name, case in list(names.items()):
        if not name.startswith("case_") or (wanted and name not in wanted):
            continue
        began = time.monotonic()
        try:
            if store:
                store.clear()
            case(*([store] if store else []))
        except Exception as error:  # the other cases are of interest too
            failed.append(name)
            line = error.__traceback__.tb_next.tb_lineno
            print(f"{name}:{line}: {error!r}")
        print(f"{time.monotonic() - began:6.2f} s  {name}", flush=True)
    if store:
        store.stop()
    sys.exit(f"failed: {' '.join(failed)}" if failed else 0)
