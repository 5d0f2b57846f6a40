#!/usr/bin/env python3
"""bight-serve as other programs see it: http.client, and curl where it is installed.

usage: peers.py BIGHT-SERVE [CASE...]

Each function whose name begins with "case_" is a case; a failed assertion is a failure."""
import email.message
import gzip
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BIG = bytes(i * 7 % 251 for i in range(1 << 20)) * 5
TIME = 784111777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


class Serve:
    """The program, on a free port, with a directory of known files."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name, "root")
        for name, data in {
            "index.html": b"<h1>home</h1>\n",
            "letters.txt": b"abcdefghijklmnopqrstuvwxyz",
            "empty.txt": b"",
            "big.bin": BIG,
            "sub/index.html": b"sub\n",
            "code.js": b"plain",
            "code.js.gz": gzip.compress(b"plain", mtime=0),
            "name with ?#%.txt": b"odd\n",
            "../outside.txt": b"outside\n",
        }.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            os.utime(path, (TIME, TIME))
        self.program = subprocess.Popen(
            [sys.argv[1], "-l", "127.0.0.1:0", *self.options, str(self.root)],
            stdout=subprocess.PIPE, text=True)
        line = self.program.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), line
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def __exit__(self, kind, value, trace):
        if self.program.poll() is None:
            self.program.send_signal(signal.SIGTERM)
        self.rest = self.program.communicate(timeout=30)[0]
        self.folder.cleanup()
        assert kind or self.program.returncode == 0, self.program.returncode

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)


def ask(connection, path, method="GET", **headers):
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    answer.data = answer.read()
    return answer


def curl(*words):
    return subprocess.run(["curl", "-sS", "--max-time", "30", *words], check=True,
                          stdout=subprocess.PIPE).stdout


def case_one_connection_many_requests():
    with Serve() as serve:
        connection = serve.connect()
        for _ in range(3):
            for path, data in (("/", b"<h1>home</h1>\n"), ("/big.bin", BIG), ("/empty.txt", b""),
                               ("/sub/", b"sub\n"), ("/name%20with%20%3f%23%25.txt", b"odd\n")):
                answer = ask(connection, path)
                assert (answer.status, answer.data) == (200, data), path
            assert ask(connection, "/none").status == 404
            assert ask(connection, "/../outside.txt").status == 404
            assert ask(connection, "/%2e%2e/outside.txt").status == 404
            assert ask(connection, "/big.bin", "HEAD").getheader("Content-Length") == str(len(BIG))
        connection.close()


def case_parts_are_what_python_understands():
    with Serve() as serve:
        connection = serve.connect()
        answer = ask(connection, "/big.bin", Range="bytes=1000000-1999999")
        assert answer.status == 206 and answer.data == BIG[1000000:2000000]
        answer = ask(connection, "/big.bin", Range="bytes=0-9,100000-399999,-7")
        assert answer.status == 206
        assert len(answer.data) == int(answer.getheader("Content-Length"))
        message = email.message_from_bytes(
            b"Content-Type: " + answer.getheader("Content-Type").encode() + b"\r\n\r\n" +
            answer.data.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"))
        assert message.is_multipart()
        ranges = [part["Content-Range"] for part in message.get_payload()]
        size = len(BIG)
        assert ranges == [f"bytes 0-9/{size}", f"bytes 100000-399999/{size}",
                          f"bytes {size - 7}-{size - 1}/{size}"], ranges
        answer = ask(connection, "/letters.txt", Range="bytes=26-")
        assert answer.status == 416 and answer.getheader("Content-Range") == "bytes */26"


def case_what_a_client_has_is_not_sent_again():
    with Serve("-c", "60") as serve:
        connection = serve.connect()
        first = ask(connection, "/letters.txt")
        assert first.getheader("Last-Modified") == DATE
        assert first.getheader("Cache-Control") == "max-age=60"
        again = ask(connection, "/letters.txt", If_None_Match=first.getheader("ETag"))
        assert (again.status, again.data) == (304, b"")
        assert ask(connection, "/letters.txt", If_Modified_Since=DATE).status == 304
        assert ask(connection, "/letters.txt", If_Match='"x"').status == 412


def case_coded_files_are_for_those_who_take_them():
    with Serve("-z") as serve:
        connection = serve.connect()
        coded = ask(connection, "/code.js", Accept_Encoding="gzip")
        assert coded.getheader("Content-Encoding") == "gzip"
        assert gzip.decompress(coded.data) == b"plain"
        plain = ask(connection, "/code.js", Accept_Encoding="identity")
        assert plain.getheader("Content-Encoding") is None and plain.data == b"plain"
        assert coded.getheader("Vary") == plain.getheader("Vary") == "Accept-Encoding"
        assert coded.getheader("ETag") != plain.getheader("ETag")


def case_curl_follows_resumes_and_decodes():
    if not shutil.which("curl"):
        print("curl is not installed: its case is left out")
        return
    with Serve("-z") as serve:
        part = pathlib.Path(serve.folder.name, "part")
        assert curl("-L", serve.url("/sub")) == b"sub\n"
        assert curl("-w", "%{redirect_url}", "-o", os.devnull, serve.url("/sub?a")) == \
            serve.url("/sub/?a").encode()
        assert curl("--path-as-is", "-o", os.devnull, "-w", "%{http_code}",
                    serve.url("/sub/../../outside.txt")) == b"404"
        part.write_bytes(BIG[:1234567])
        curl("-C", "-", "-o", str(part), serve.url("/big.bin"))
        assert part.read_bytes() == BIG
        assert curl("--compressed", serve.url("/code.js")) == b"plain"
        assert curl("-r", "3-5", serve.url("/letters.txt")) == b"def"
        assert curl("-z", DATE, "-w", "%{http_code}", serve.url("/letters.txt")) == b"304"
        assert curl("-X", "DELETE", "-o", os.devnull, "-w", "%{http_code}",
                    serve.url("/letters.txt")) == b"405"
        tag = pathlib.Path(serve.folder.name, "tag")
        curl("--etag-save", str(tag), serve.url("/letters.txt"))
        assert curl("--etag-compare", str(tag), "-w", "%{http_code}",
                    serve.url("/letters.txt")) == b"304"


def case_requests_under_way_are_finished_after_the_signal():
    with Serve() as serve:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        slow.connect(("127.0.0.1", serve.port))
        slow.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        pieces = [slow.recv(1000)]
        serve.program.send_signal(signal.SIGTERM)
        while piece := slow.recv(1 << 16):
            pieces.append(piece)
        assert b"".join(pieces).endswith(b"\r\n\r\n" + BIG)
        slow.close()
        serve.program.wait(timeout=30)


def case_its_end_is_not_hurried_by_further_signals():
    for _ in range(10):
        with Serve() as serve:
            while serve.program.poll() is None:
                serve.program.send_signal(signal.SIGTERM)


def case_a_line_tells_of_each_request():
    serve = Serve("-v")
    with serve:
        connection = serve.connect()
        ask(connection, "/letters.txt?x")
        ask(connection, "/none", "HEAD")
        connection.close()
    lines = [line.split('"')[1:3] for line in serve.rest.splitlines()]
    assert lines == [["GET /letters.txt?x HTTP/1.1", " 200 26 "],
                     ["HEAD /none HTTP/1.1", " 404 14 "]], serve.rest


def case_mistakes_on_the_command_line_are_told():
    for words in ([], ["a", "b"], ["-l", "nowhere", "."], ["-l", "127.0.0.1:65536", "."],
                  ["-l", "127.0.0.1:-1", "."], ["-c", "x", "."], ["-i", "a/b", "."], ["-x", "."]):
        done = subprocess.run([sys.argv[1], *words], stderr=subprocess.PIPE, check=False)
        assert done.returncode == 2 and b"--help" in done.stderr, words
    done = subprocess.run([sys.argv[1], "/nowhere/at/all"], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"/nowhere/at/all" in done.stderr
    assert b"--listen" in subprocess.run([sys.argv[1], "--help"], stdout=subprocess.PIPE,
                                         check=True).stdout


def main():
    failed = []
    wanted = sys.argv[2:]
    for name, case in list(globals().items()):
        if not name.startswith("case_") or (wanted and name not in wanted):
            continue
        began = time.monotonic()
        try:
            case()
        except Exception as error:  # the other cases are of interest too
            failed.append(name)
            print(f"{name}: {error!r}")
        print(f"{time.monotonic() - began:6.2f} s  {name}")
    sys.exit(f"failed: {' '.join(failed)}" if failed else 0)


main()
