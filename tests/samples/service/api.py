#!/usr/bin/env python3
"""What json-service answers, on a store of one kind.

usage: api.py JSON-SERVICE sqlite|postgres [CASE...]"""
import contextlib
import http.client
import json
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
from urllib.parse import quote

from service import PROGRAM, Postgres, Service, Sqlite, run_cases

# Real text: the repository's own.
DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"


def case_a_note_is_made_read_changed_and_deleted(store):
    with Service(store) as service:
        made = service.ask("POST", "/notes", {"title": "one", "text": "first"})
        assert made.status == 201 and made.headers["ETag"] == '"1"', made
        path = made.headers["Location"]
        assert path == f"/notes/{made.json['id']}"
        assert made.json == {"id": made.json["id"], "version": 1, "title": "one", "text": "first"}
        assert service.ask("GET", path).json == made.json
        assert service.ask("HEAD", path).headers["Content-Length"] == str(len(made.text))
        changed = service.ask("PUT", path, {"title": "two", "text": ""})
        assert changed.status == 200 and changed.headers["ETag"] == '"2"', changed
        assert changed.json == {"id": made.json["id"], "version": 2, "title": "two", "text": ""}
        assert service.ask("GET", path).json == changed.json
        gone = service.ask("DELETE", path)
        assert (gone.status, gone.text) == (204, b"")
        for method, data in (("GET", None), ("DELETE", None), ("PUT", {"title": "a", "text": "b"})):
            assert service.ask(method, path, data).status == 404
        assert service.add() > made.json["id"], "an id was given twice"


def case_notes_outlive_the_service(store):
    with Service(store) as service:
        number = service.add("kept", "for later")
    with Service(store) as service:
        assert service.ask("GET", f"/notes/{number}").json["text"] == "for later"


def case_a_list_has_pages(store):
    with Service(store) as service:
        assert service.ask("GET", "/notes").json == {"notes": [], "next": None}
        numbers = [service.add(f"note {i}") for i in range(45)]
        service.ask("DELETE", f"/notes/{numbers.pop(20)}")
        seen, after, pages = [], 0, 0
        while after is not None:
            page = service.ask("GET", f"/notes?after={after}").json
            seen += page["notes"]
            after, pages = page["next"], pages + 1
        assert [note["id"] for note in seen] == numbers and pages == 3
        assert seen[7] == {"id": numbers[7], "version": 1, "title": "note 7"}
        assert len(service.ask("GET", "/notes?limit=44").json["notes"]) == 44
        assert service.ask("GET", "/notes?limit=44").json["next"] is None
        assert service.ask("GET", "/notes?limit=1").json["next"] == numbers[0]
        assert service.ask("GET", f"/notes?after={2 ** 63 - 1}").json["notes"] == []


def case_text_comes_back_as_it_was(store):
    with Service(store) as service:
        for text in ("", "Zürich \u20ac \U0001f600 \u200d", "'); DROP TABLE notes; --", "%s %n ?1 $1 \\",
                     "\t\r\n\x01\x7f", '"}{"', "x" * (512 * 1024),
                     (DOCS / "server.md").read_text(encoding="utf-8")):
            title = text[:40] or "none"
            number = service.add(title, text)
            note = service.ask("GET", f"/notes/{number}").json
            assert (note["title"], note["text"]) == (title, text), text[:40]


GOOD = {"title": "a", "text": "b"}
NOTES = "/notes"

# Method, path, body, status, a part of the error.
BAD = [
    ("POST", NOTES, b"", 400, "expected"),
    ("POST", NOTES, b"title=a", 400, "expected"),
    ("POST", NOTES, b'{"title": "a", "text": "b"', 400, "'}' expected"),
    ("POST", NOTES, b'{"title": "a", "text": "b"} x', 400, "end of file expected"),
    ("POST", NOTES, b'{"title": "a", "title": "a", "text": "b"}', 400, "duplicate"),
    ("POST", NOTES, b'{"title": "a", "text": "\xff"}', 400, "unable to decode"),
    ("POST", NOTES, b'{"title": "a", "text": "\\u0000"}', 400, "u0000"),
    ("POST", NOTES, b'{"title": "a", "text": "\\ud800"}', 400, "invalid Unicode"),
    ("POST", NOTES, b'{"title": "\\u0\xc3\xa4"}', 400, "'\"\\u0?'"),  # within a character
    ("POST", NOTES, b'{"title": "a", "text": "\n"}', 400, "unexpected newline"),
    ("POST", NOTES, b"[" * 17 + b"]" * 17, 400, "too deeply"),
    ("POST", NOTES, b'{"a":' * 100000, 400, "too deeply"),
    ("POST", NOTES, b'[{"":' * 100000 + b'"\\\\"', 400, "too deeply"),
    ("POST", NOTES, [], 400, "not an object"),
    ("POST", NOTES, [GOOD], 400, "not an object"),
    ("POST", NOTES, b'"text"', 400, "expected"),
    ("POST", NOTES, {}, 400, "missing"),
    ("POST", NOTES, {"title": "a"}, 400, "missing"),
    ("POST", NOTES, {"text": "b"}, 400, "missing"),
    ("POST", NOTES, {"title": 1, "text": "b"}, 400, "not a string"),
    ("POST", NOTES, {"title": "a", "text": None}, 400, "not a string"),
    ("POST", NOTES, {"title": ["a"], "text": "b"}, 400, "not a string"),
    ("POST", NOTES, {"title": "", "text": "b"}, 400, "empty"),
    ("POST", NOTES, {"title": "a" * 201, "text": "b"}, 400, "too long"),
    ("POST", NOTES, {"title": "a", "text": "b" * (512 * 1024 + 1)}, 400, "too long"),
    ("POST", NOTES, {**GOOD, "id": 7}, 400, "members other"),
    ("POST", NOTES, b" " * (1 << 20) + b"x", 413, "too long"),
    ("PUT", "/notes/1", {"title": 1}, 400, "not a string"),
    ("PUT", "/notes/x", GOOD, 400, "a number"),
    ("PUT", "/notes/1000000", GOOD, 404, "no such note"),
    ("GET", "/notes/1000000", None, 404, "no such note"),
    ("DELETE", "/notes/1000000", None, 404, "no such note"),
    ("GET", "/notes/1000000/search?q=a", None, 404, "no such note"),
    ("GET", "/notes/0", None, 404, "no such note"),
    ("GET", "/notes/9223372036854775807", None, 404, "no such note"),
    ("GET", "/notes/9223372036854775808", None, 400, "a number"),
    ("GET", "/notes/-1", None, 400, "a number"),
    ("GET", "/notes/1%00", None, 400, ""),
    ("GET", "/notes/1%2F2", None, 400, "a number"),
    ("GET", "/notes/1'", None, 400, "a number"),
    ("GET", "/notes?limit=0", None, 400, "limit"),
    ("GET", "/notes?limit=101", None, 400, "limit"),
    ("GET", "/notes?limit=a", None, 400, "limit"),
    ("GET", "/notes?after=-1", None, 400, "after"),
    ("GET", "/notes?after=", None, 400, "after"),
    ("GET", "/notes/1/search", None, 400, "phrase"),
    ("GET", "/notes/1/search?q=", None, 400, "phrase"),
    ("GET", "/notes/1/search?q=" + "a" * 401, None, 400, "phrase"),
    ("GET", "/notes/1/search?q=a&mistakes=21", None, 400, "mistakes"),
    ("GET", "/notes/1/search?q=abc&mistakes=3", None, 400, "longer than the mistakes"),
    ("PATCH", NOTES, GOOD, 405, "other methods"),
    ("POST", "/notes/1", GOOD, 405, "other methods"),
    ("POST", "/notes/1/search", GOOD, 405, "other methods"),
    ("PUT", "/healthz", GOOD, 405, "other methods"),
    ("DELETE", "/metrics", None, 405, "other methods"),
    ("GET", "/", None, 404, "nothing at that path"),
    ("GET", "/notes/", None, 404, "nothing at that path"),
    ("GET", "/notes/1/search/2", None, 404, "nothing at that path"),
    ("GET", "/NOTES", None, 404, "nothing at that path"),
    ("GET", "/notes/../secret", None, 404, "nothing at that path"),
]


def case_bad_requests_are_told_what_is_wrong(store):
    with Service(store) as service:
        number = service.add()
        for method, path, data, status, error in BAD:
            answer = service.ask(method, path.replace("/notes/1/", f"/notes/{number}/"), data)
            assert answer.status == status, (method, path, data, answer)
            assert not error or error in answer.json["error"], (method, path, data, answer)
        assert service.ask("PATCH", NOTES).headers["Allow"] == "GET, HEAD, POST, OPTIONS"
        assert service.ask("POST", "/notes/1").headers["Allow"] == "GET, HEAD, PUT, DELETE, OPTIONS"
        options = service.ask("OPTIONS", "/notes/1")
        assert (options.status, options.headers["Allow"]) == (204, "GET, HEAD, PUT, DELETE, OPTIONS")
        for kind in ("text/plain", "application/jsonx", "application/x-www-form-urlencoded", ""):
            assert service.ask("POST", NOTES, GOOD, Content_Type=kind).status == 415, kind
        assert service.ask("POST", NOTES, GOOD, Content_Type="Application/JSON; charset=utf-8") \
            .status == 201
        assert len(service.ask("GET", NOTES).json["notes"]) == 2


def case_an_error_has_its_place(store):
    with Service(store) as service:
        answer = service.ask("POST", NOTES, b'{\n "title": "a",\n "text": b\n}')
        assert (answer.json["line"], answer.json["column"]) == (3, 10), answer
        answer = service.ask("POST", NOTES, {"title": "a", "text": 7})
        assert answer.json == {"error": "not a string", "member": "text"}


def case_a_body_in_chunks_is_limited_too(store):
    with Service(store) as service:
        for size, status in ((100, 201), (40000, 413)):
            connection = service.connect()
            body = [b'{"title": "a", "text": "', *[b"b" * 50] * size, b'"}']
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request("POST", NOTES, iter(body), {"Content-Type": "application/json"},
                                   encode_chunked=True)
            assert connection.getresponse().status == status
            connection.close()


def case_a_change_may_ask_for_a_version(store):
    with Service(store) as service:
        path = f"/notes/{service.add()}"
        assert service.ask("PUT", path, GOOD, If_Match='"2"').status == 412
        assert service.ask("PUT", path, GOOD, If_Match='"1"').json["version"] == 2
        assert service.ask("PUT", path, GOOD, If_Match='"1"').status == 412
        assert service.ask("PUT", path, GOOD, If_Match="*").json["version"] == 3
        for tag in ("3", '"3', 'W/"3"', '"x"', '"3", "4"', '"0"', '"-3"', ""):
            assert service.ask("PUT", path, GOOD, If_Match=tag).status == 400, tag
        assert service.ask("DELETE", path, If_Match='"2"').status == 412
        assert service.ask("DELETE", path, If_Match='"3"').status == 204
        assert service.ask("PUT", path, GOOD, If_Match='"3"').status == 412


def case_writers_at_the_same_time_lose_nothing(store):
    def count_up(service, path, times):
        connection = service.connect()
        while times:
            note = service.ask("GET", path, connection=connection)
            answer = service.ask("PUT", path, {"title": "sum", "text": str(int(note.json["text"]) + 1)},
                                 connection=connection, If_Match=note.headers["ETag"])
            assert answer.status in (200, 412), answer
            times -= answer.status == 200
            service.add("beside", "this")

    with Service(store) as service:
        path = f"/notes/{service.add('sum', '0')}"
        writers = [threading.Thread(target=count_up, args=(service, path, 10)) for _ in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        note = service.ask("GET", path).json
        assert (note["text"], note["version"]) == ("80", 81), note


def distance(one, other):
    row = list(range(len(other) + 1))
    for i, a in enumerate(one):
        last, row = row, [i + 1]
        for j, b in enumerate(other):
            row.append(min(last[j] + (a != b), last[j + 1] + 1, row[j] + 1))
    return row[-1]


def find_all(text, phrase):
    at, found = text.find(phrase), []
    while at >= 0:
        found.append(at)
        at = text.find(phrase, at + len(phrase))
    return found


def case_a_search_finds_what_is_there(store):
    text = (DOCS / "server.md").read_text(encoding="utf-8") + "\u20ac Zürich \U0001f600 end"
    with Service(store) as service:
        path = f"/notes/{service.add('docs', text)}/search"
        for phrase in ("bight", "Connection: close", "answer", "\u20ac Zürich", "not in there", "end"):
            answer = service.ask("GET", f"{path}?q={quote(phrase)}").json
            assert [place["at"] for place in answer["places"]] == find_all(text, phrase)[:100], phrase
            assert answer["more"] == (len(find_all(text, phrase)) > 100)
        for phrase, there in (("bight_htttp_sevre", "bight_http_serve"), ("Zurich", "Zürich"),
                              ("reqest lien", "request line")):
            places = service.ask("GET", f"{path}?q={phrase.replace(' ', '+')}&mistakes=3").json["places"]
            assert any(there in place["text"] or place["text"] in there for place in places), phrase
            for place in places:
                assert text[place["at"]:].startswith(place["text"])
                assert distance(phrase, place["text"]) == place["mistakes"] <= 3, place


def least_distances(text, phrase):
    """For each end in `text`, the least distance of `phrase` from what ends there."""
    column, least = list(range(len(phrase) + 1)), []
    for letter in text:
        last, column = column, [0]
        for i, other in enumerate(phrase):
            column.append(min(last[i] + (letter != other), last[i + 1] + 1, column[i] + 1))
        least.append(column[-1])
    return least


def case_a_search_is_right_about_any_text(store):
    chance = random.Random(1)
    with Service(store) as service:
        connection = service.connect()
        for _ in range(150):
            text = "".join(chance.choices("ab\u20ac", k=chance.randrange(1, 60)))
            phrase = "".join(chance.choices("ab\u20ac", k=chance.randrange(1, 8)))
            mistakes = chance.randrange(len(phrase))
            number = service.ask("POST", NOTES, {"title": "any", "text": text}, connection).json["id"]
            places = service.ask("GET", f"/notes/{number}/search?q={quote(phrase)}&mistakes={mistakes}",
                                 connection=connection).json["places"]
            least = least_distances(text, phrase)
            ends = [place["at"] + len(place["text"]) for place in places]
            assert all(text[place["at"]:].startswith(place["text"]) for place in places)
            assert [place["mistakes"] for place in places] == [least[end - 1] for end in ends]
            assert all(place["mistakes"] == distance(phrase, place["text"]) for place in places)
            assert all(end <= place["at"] for end, place in zip(ends, places[1:])), (text, phrase)
            assert bool(places) == (min(least) <= mistakes), (text, phrase)


def case_a_unix_socket_will_do(store):
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen(16)
        with Service(store, listener=listener) as service:
            assert service.where == "a Unix socket"
            connection = http.client.HTTPConnection("localhost")
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(f"{folder}/socket")
            assert service.ask("GET", NOTES, connection=connection).json["next"] is None
            connection.close()


def case_it_says_how_it_is(store):
    with Service(store, "--access-log", "--workers=2") as service:
        assert service.ask("GET", "/healthz").json == {"status": "ok"}
        number = service.add()
        service.ask("GET", f"/notes/{number}/search?q=text")
        service.ask("GET", "/none")
        for name, value in (("service_requests_begun_total", 5), ("bight_jobs_ended_total", 1),
                            ('service_requests_answered_total{status="2xx"}', 5),
                            ('service_requests_answered_total{status="4xx"}', 1),
                            ("bight_workers_ready", 2), ("service_requests_failed_total", 0)):
            assert service.metric(name) == value, name
    first, *lines = service.said().decode().splitlines()
    lines = [json.loads(line) for line in lines]
    assert first.startswith("listening on ")
    assert [(line["method"], line["target"], line["status"]) for line in lines[:4]] == [
        ("GET", "/healthz", 200), ("POST", "/notes", 201),
        ("GET", f"/notes/{number}/search?q=text", 200), ("GET", "/none", 404)]
    assert len({line["id"] for line in lines}) == len(lines) == 10


def case_who_reads_the_log_may_go_away(store):
    with subprocess.Popen([PROGRAM, "-l", "127.0.0.1:0", "-s", store.url, "-a"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        port = int(program.stdout.readline().rsplit(b":", 1)[1])
        program.stdout.close()
        for _ in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            connection.close()
        program.terminate()
        assert program.wait(30) == 0


def case_mistakes_on_the_command_line_are_told(store):
    for words in ([], ["-s"], ["-s", store.url, "x"], ["-s", store.url, "-l", "nowhere"],
                  ["-s", store.url, "-w", "0"], ["-s", store.url, "-d", "-1"], ["-x"]):
        done = subprocess.run([PROGRAM, *words], stderr=subprocess.PIPE, check=False)
        assert done.returncode == 2 and b"--help" in done.stderr, words
    for url in ("mysql://a", "", "sqlite:", "sqlite::memory:", "sqlite:/nowhere/at/all",
                "postgresql://postgres@127.0.0.1:1/x"):
        done = subprocess.run([PROGRAM, "-s", url], stderr=subprocess.PIPE, check=False)
        assert done.returncode == 1 and b"cannot open the store" in done.stderr, (url, done)
    done = subprocess.run([PROGRAM, "-s", store.url, "-l", "192.0.2.1:1"], stderr=subprocess.PIPE,
                          check=False)
    assert done.returncode == 1 and b"cannot listen" in done.stderr, done


run_cases(globals(), {"sqlite": Sqlite, "postgres": Postgres}[sys.argv[2]]())
