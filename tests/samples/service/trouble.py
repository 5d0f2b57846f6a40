#!/usr/bin/env python3
"""json-service when something around it fails: its database, its workers, its clients, its time.

usage: trouble.py JSON-SERVICE sqlite|postgres|workers [CASE...]"""
import os
import signal
import socket
import struct
import sys
import time

from service import Later, Postgres, Service, Sqlite, comes, run_cases

NEW = {"title": "new", "text": "text"}

ON_SQLITE, ON_POSTGRES, OF_WORKERS = {}, {}, {}


def on(cases):
    def add(case):
        cases[case.__name__] = case
        return case
    return add


def is_503(answer, error):
    assert (answer.status, answer.retry_after) == (503, "1"), answer
    assert error in answer.json["error"], answer
    return True


# SQLite

@on(ON_SQLITE)
def case_who_reads_does_not_wait_for_a_writer(store):
    with Service(store) as service:
        path = f"/notes/{service.add()}"
        with store.locked():
            busy = Later(service, "PUT", path, NEW)
            began = time.monotonic()
            for _ in range(20):
                assert service.ask("GET", path).json["version"] == 1
            assert time.monotonic() - began < 0.9
            is_503(busy.get(), "busy")
        assert service.ask("PUT", path, NEW).json["version"] == 2


@on(ON_SQLITE)
def case_a_lock_that_is_given_back_in_time_is_no_trouble(store):
    with Service(store) as service:
        path = f"/notes/{service.add()}"
        with store.locked():
            late = Later(service, "PUT", path, NEW)
            time.sleep(0.2)
            assert late.is_alive()
        assert late.get().status == 200


@on(ON_SQLITE)
def case_who_waits_for_another_writer_has_a_deadline(store):
    with Service(store, "--deadline-ms=300") as service:
        path = f"/notes/{service.add()}"
        with store.locked():
            writers = [Later(service, "PUT", path, NEW) for _ in range(10)]
            errors = [writer.get().json["error"] for writer in writers]
            assert all(is_503(writer.get(), "") for writer in writers)
        assert sorted(errors) == 9 * ["it took too long"] + ["the database is busy"] or \
            sorted(errors) == sorted(10 * ["it took too long"]), errors
        assert service.ask("PUT", path, NEW).json["version"] == 2


# PostgreSQL

BACKENDS = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
WAITING = f"SELECT count(*) {BACKENDS} AND wait_event_type = 'Lock'"
KILL_WAITING = f"SELECT count(pg_terminate_backend(pid)) {BACKENDS} AND wait_event_type = 'Lock'"


@on(ON_POSTGRES)
def case_backends_that_die_unused_are_not_missed(store):
    with Service(store) as service:
        path = f"/notes/{service.add()}"
        with store.locked():
            many = [Later(service, "GET", path) for _ in range(8)]
            comes(lambda: store.says(WAITING) == "8")
        assert [one.get().status for one in many] == 8 * [200]
        assert store.says(f"SELECT count(pg_terminate_backend(pid)) {BACKENDS}") == "8"
        comes(lambda: store.says(f"SELECT count(*) {BACKENDS}") == "0")
        for i in range(10):
            assert service.ask("PUT", path, NEW).json["version"] == 2 + i


@on(ON_POSTGRES)
def case_a_read_whose_backend_dies_is_done_again(store):
    with Service(store) as service:
        path = f"/notes/{service.add()}"
        with store.locked():
            read = Later(service, "GET", path)
            comes(lambda: store.says(WAITING) == "1")
            assert store.says(KILL_WAITING) == "1"
            comes(lambda: store.says(WAITING) == "1")
        assert read.get().status == 200


@on(ON_POSTGRES)
def case_a_read_whose_backends_die_is_given_up(store):
    with Service(store) as service:
        path = f"/notes/{service.add()}"
        with store.locked():
            read = Later(service, "GET", path)
            for _ in range(2):
                comes(lambda: store.says(KILL_WAITING) == "1")
            is_503(read.get(), "cannot be reached")
        assert service.ask("GET", path).status == 200


@on(ON_POSTGRES)
def case_a_change_whose_backend_dies_may_have_been_made(store):
    with Service(store) as service:
        path = f"/notes/{service.add()}"
        with store.locked():
            change = Later(service, "PUT", path, NEW)
            comes(lambda: store.says(KILL_WAITING) == "1")
            answer = change.get()
        assert answer.status == 500 and "may have been made" in answer.json["error"], answer
        assert service.ask("GET", path).json["version"] == 1
        assert service.ask("PUT", path, NEW).json["version"] == 2


@on(ON_POSTGRES)
def case_a_server_that_is_away_comes_back(store):
    service = Service(store)
    path = f"/notes/{service.add()}"
    store.halt()
    for method, data in (("GET", None), ("PUT", NEW), ("DELETE", None)):
        is_503(service.ask(method, path, data), "cannot be reached")
    assert service.ask("GET", "/healthz").status == 200
    store.start()
    assert service.ask("PUT", path, NEW).json["version"] == 2
    service.end(expected="(postgresql: .*Connection refused\n.*\n){3}")


@on(ON_POSTGRES)
def case_a_deadline_ends_the_statement_on_the_server(store):
    with Service(store, "--deadline-ms=300") as service:
        path = f"/notes/{service.add()}"
        with store.locked():
            for method, data in (("GET", None), ("PUT", NEW)):
                began = time.monotonic()
                is_503(service.ask(method, path, data), "too long")
                assert 0.25 < time.monotonic() - began < 5
            assert store.says(WAITING) == "0"
        assert service.ask("GET", path).json["version"] == 1


@on(ON_POSTGRES)
def case_more_requests_than_connections_take_turns(store):
    with Service(store) as service:
        path = f"/notes/{service.add()}"
        with store.locked():
            many = [Later(service, "GET", path) for _ in range(30)]
            comes(lambda: store.says(WAITING) == "8")
        assert [one.get().status for one in many] == 30 * [200]
        assert int(store.says(f"SELECT count(*) {BACKENDS}")) <= 8


@on(ON_POSTGRES)
def case_who_hangs_up_ends_his_statement(store):
    service = Service(store)
    path = f"/notes/{service.add()}"
    with store.locked():
        client = socket.create_connection(("127.0.0.1", service.port))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        comes(lambda: store.says(WAITING) == "1")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        comes(lambda: store.says(WAITING) == "0")
    assert service.ask("GET", path).status == 200
    service.end(gone=1)


@on(ON_POSTGRES)
def case_many_connections_beside_locks_lose_nothing(store):
    """Backends are killed all the time, and each change is made once or, as it is told, perhaps."""
    with Service(store) as service:
        path = f"/notes/{service.add()}"
        told = maybe = 0
        for i in range(100):
            if i % 10 == 5:
                store.says(f"SELECT count(pg_terminate_backend(pid)) {BACKENDS}")
            answer = service.ask("PUT", path, NEW)
            assert answer.status in (200, 500), answer
            told += answer.status == 200
            maybe += answer.status == 500
        assert told + 1 <= service.ask("GET", path).json["version"] <= told + maybe + 1


# Workers

PATIENT = "--deadline-ms=60000"


def a_long_search(service):
    number = service.add("long", "some words " * 20000)
    return f"/notes/{number}/search?q={'no such words ' * 28}&mistakes=20".replace(" ", "+")


def kill_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


@on(OF_WORKERS)
def case_a_worker_that_dies_is_no_trouble(store):
    with Service(store, "--workers=1", PATIENT) as service:
        search = Later(service, "GET", a_long_search(service))
        comes(lambda: service.metric("bight_jobs") == 1)
        kill_all(service.workers())
        assert search.get().json == {"places": [], "more": False}
        assert service.metric("bight_workers_died_total") == 1
        assert service.metric("bight_workers_ready") == 1


@on(OF_WORKERS)
def case_a_search_that_kills_its_workers_is_given_up(store):
    with Service(store, "--workers=1", PATIENT) as service:
        search = Later(service, "GET", a_long_search(service))
        while search.is_alive():
            kill_all(service.workers())
        is_503(search.get(), "lost")
        comes(lambda: service.metric("bight_workers_ready") == 1)
        assert service.ask("GET", f"/notes/{service.add('a', 'b')}/search?q=b").status == 200


@on(OF_WORKERS)
def case_a_search_has_a_deadline(store):
    with Service(store) as service:
        path = a_long_search(service)
    with Service(store, "--workers=1", "--deadline-ms=50") as service:
        for _ in range(3):
            began = time.monotonic()
            is_503(service.ask("GET", path), "too long")
            assert time.monotonic() - began < 2
        assert service.metric("bight_workers_died_total") == 0


@on(OF_WORKERS)
def case_others_are_answered_while_workers_work(store):
    with Service(store, "--workers=1", PATIENT) as service:
        path = a_long_search(service)
        searches = [Later(service, "GET", path) for _ in range(4)]
        comes(lambda: service.metric("bight_jobs") == 4)
        worst = 0
        while searches[-1].is_alive():
            began = time.monotonic()
            service.ask("GET", "/healthz")
            worst = max(worst, time.monotonic() - began)
        assert worst < searches[-1].took_s / 2, (worst, searches[-1].took_s)
        assert all(search.get().status == 200 for search in searches)


@on(OF_WORKERS)
def case_it_ends_in_order_while_workers_die(store):
    service = Service(store, "--workers=2", PATIENT)
    path = a_long_search(service)
    searches = [Later(service, "GET", path) for _ in range(4)]
    comes(lambda: service.metric("bight_jobs") == 4)
    service.terminate()
    kill_all(service.workers())
    assert {search.get().status for search in searches} <= {200, 503}
    service.end()


STORES = {"sqlite": (Sqlite, ON_SQLITE), "postgres": (Postgres, ON_POSTGRES),
          "workers": (Sqlite, OF_WORKERS)}
STORE, CASES = STORES[sys.argv[2]]
run_cases(CASES, STORE())
