#!/usr/bin/env python3
"""The end of json-service: by a signal, with requests under way, and under the load of wrk.

usage: drain.py JSON-SERVICE sqlite|postgres [CASE...]"""
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from service import Later, Postgres, Service, Sqlite, comes, die_with_parent, run_cases, skip

CONNECTIONS = 40


def listen():
    """As a service manager does: the socket outlives those that it is handed to."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    return listener


class Load:
    """wrk: each of its connections has one request under way, all the time until the end."""

    def __init__(self, port, path, *words):
        self.wrk = subprocess.Popen(
            ["wrk", "-t2", f"-c{CONNECTIONS}", "-d600s", "--timeout", "10s", *words,
             f"http://127.0.0.1:{port}{path}"], stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: die_with_parent(signal.SIGKILL))

    def end(self):
        """Returns how many requests were answered, after a look at what else it says."""
        self.wrk.send_signal(signal.SIGINT)
        said = self.wrk.communicate(timeout=60)[0]
        assert self.wrk.returncode == 0, said
        assert "Socket errors" not in said and "Non-2xx" not in said, said
        return int(re.search(r"(\d+) requests in", said)[1])


def is_under_load(service):
    return service.metric('service_requests_answered_total{status="2xx"}') > 100


def take_over(store, path, times, *words, gap=False):
    """One service after the other has the socket, while wrk asks for `path`; with a `gap` the next
    one begins only when the last has ended."""
    listener = listen()
    service = Service(store, listener=listener)
    load = Load(service.port, path, *words)
    total = 0
    for _ in range(times):
        comes(lambda: is_under_load(service))
        heir = None if gap else Service(store, listener=listener)
        total += service.end() - service.asked
        service = heir or Service(store, listener=listener)
    comes(lambda: is_under_load(service))
    by_wrk = load.end()
    total += service.end() - service.asked
    listener.close()
    # What was under way when its time was over, wrk does not count.
    assert by_wrk <= total <= by_wrk + CONNECTIONS, (by_wrk, total)
    return total


def case_one_takes_over_from_the_other_under_load(store):
    with Service(store) as service:
        path = f"/notes/{service.add('loaded', 'some text')}"
    assert take_over(store, path, 3) > 1000


def case_so_it_does_with_a_connection_per_request(store):
    with Service(store) as service:
        path = f"/notes/{service.add('loaded', 'some text')}"
    take_over(store, path, 3, "-H", "Connection: close")


def case_who_comes_between_two_services_waits(store):
    with Service(store) as service:
        path = f"/notes/{service.add('loaded', 'some text')}"
    take_over(store, path, 2, gap=True)


def case_so_it_does_while_it_searches(store):
    with Service(store) as service:
        path = f"/notes/{service.add('loaded', 'some text ' * 2000)}/search?q=taxt&mistakes=1"
    take_over(store, path, 2)


def case_what_is_under_way_is_answered(store):
    with Service(store) as service:
        number = service.add()
        with store.locked():
            slow = Later(service, "PUT", f"/notes/{number}", {"title": "late", "text": ""})
            comes(lambda: service.metric("service_requests_begun_total") >= 3)
            time.sleep(0.1)
            service.terminate()
            comes(lambda: refuses(service))
        answer = slow.get()
        assert answer.status == 200 and answer.headers["Connection"] == "close", answer
        assert service.program.wait(30) == 0


def refuses(service):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", service.port)) != 0


def case_who_is_connected_gets_an_answer_and_the_end(store):
    with Service(store) as service:
        connections = [service.connect() for _ in range(5)]
        for connection in connections:
            assert service.ask("GET", "/healthz", connection=connection).status == 200
        service.terminate()
        comes(lambda: refuses(service))
        for connection in connections:
            answer = service.ask("GET", "/healthz", connection=connection)
            assert (answer.status, answer.json) == (503, {"status": "draining"}), answer
            assert answer.headers["Connection"] == "close"


def case_who_says_nothing_does_not_keep_it(store):
    with Service(store) as service:
        silent = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(5)]
        service.ask("GET", "/healthz")
        began = time.monotonic()
        service.end()
        assert time.monotonic() - began < 5
        assert all(one.recv(1) == b"" for one in silent)


def case_the_drain_has_a_limit(store):
    service = Service(store, "--drain-ms=300")
    half = socket.create_connection(("127.0.0.1", service.port))
    half.sendall(b"POST /notes HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                 b"Content-Length: 100\r\n\r\n{")
    comes(lambda: service.metric("service_requests_begun_total") >= 2)
    began = time.monotonic()
    service.end(expected=None)
    assert service.program.returncode == 0 and time.monotonic() - began < 3


if not shutil.which("wrk"):
    skip("wrk")
run_cases(globals(), {"sqlite": Sqlite, "postgres": Postgres}[sys.argv[2]]())
