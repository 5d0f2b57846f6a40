#!/bin/sh
# haproxy: "option abortonclose" in a backend does nothing, and without it a silent stream outlives its client.
#
# Expected: haproxy's manual, configuration.txt of 2.6, allows the option in "defaults", "listen" and "backend", where
# "a session with an incoming channel closed will be aborted while it is still possible", as in the queue for a server;
# it names no difference between the three. "timeout client-fin" is for a connection of which "one direction is already
# shut down". And a reset, which cannot be somebody waiting for an answer, would end the session in any case.
# Found: in a backend that has a frontend of its own the option does not even take a request out of the queue: the
# server is asked for somebody who has gone. In "defaults" or "listen" it does that, and more than the manual says: an
# answer that has begun is ended too. Without it neither the end of the client nor its reset is seen before an event
# cannot be sent: the first one after a reset, the second one after an end. A silent stream lasts for "timeout server";
# "timeout client" and "timeout client-fin" change nothing. Known as https://github.com/haproxy/haproxy/issues/2344.
# What helps: the option in "defaults", above both sections. A client that ends its half and waits is then gone as well.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack haproxy=2.6.12-1+deb12u4
export HAPROXY="$root/usr/sbin/haproxy" WORK="$work"
"$HAPROXY" -v >"$work/log" 2>&1 || unavailable "haproxy does not run"
cat >"$work/program.py" <<'PY'
import time

from haproxy import BACKEND, FRONTEND, Haproxy, reset, until

DEFAULTS = "defaults\n  mode http\n  timeout connect 9s\n  timeout client 9s\n  timeout server 2s\n"
LISTEN = "listen l\n  bind fd@{front}\n  server s 127.0.0.1:{upstream}\n"
OPTION = "  option abortonclose\n"
PLACES = {
    "nowhere": DEFAULTS + FRONTEND + BACKEND,
    "backend": DEFAULTS + FRONTEND + BACKEND + OPTION,
    "defaults": DEFAULTS + OPTION + FRONTEND + BACKEND,
    "listen": DEFAULTS + LISTEN + OPTION,
}
EVENT = b"7\r\ndata:\n\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def end(sock):
    sock.close()


def begin_stream(haproxy):
    client = haproxy.ask()
    server, _ = haproxy.asked()
    server.sendall(HEAD + EVENT)
    until(client, b"data:\n\n")
    time.sleep(0.2)
    return client, server


def ended(server):
    """Is haproxy's connection at its end, or reset?"""
    try:
        return server.recv(1) == b""
    except ConnectionError:
        return True


def silent(lines, leave):
    with Haproxy(lines) as haproxy:
        client, server = begin_stream(haproxy)
        begin = time.monotonic()
        leave(client)
        assert ended(server)
        return "at once" if time.monotonic() - begin < 1 else "after timeout server"


def busy(lines, leave):
    with Haproxy(lines) as haproxy:
        client, server = begin_stream(haproxy)
        leave(client)
        server.settimeout(0.7)
        for events in range(10):
            try:
                if ended(server):
                    return f"after event {events}"
            except TimeoutError:
                server.sendall(EVENT)
        return "never"


def queued(lines, leave):
    """Of two requests for a server that takes one at a time, the client of the second leaves."""
    with Haproxy(lines.replace("{upstream}", "{upstream} maxconn 1")) as haproxy:
        first = haproxy.ask(b"first")
        server, _ = haproxy.asked()
        second = haproxy.ask(b"second")
        time.sleep(0.4)
        leave(second)
        time.sleep(0.4)
        third = haproxy.ask(b"third")
        time.sleep(0.4)
        server.sendall(EMPTY)
        until(first, b"\r\n\r\n")
        server.close()
        _, line = haproxy.asked()
        third.close()
        return "asked for all the same" if "second" in line else "dropped"


for how, leave in ("ends", end), ("resets", reset):
    print(f"the client {how}")
    for name, lines in PLACES.items():
        print(f"  option {name}: queued request {queued(lines, leave)}, silent stream ends {silent(lines, leave)}")
    timeouts = PLACES["nowhere"].replace("client 9s", "client 1s\n  timeout client-fin 1s")
    print(f"  timeouts of the client 1 s: silent stream ends {silent(timeouts, leave)}")
    print(f"  option nowhere: stream with events ends {busy(PLACES['nowhere'], leave)}")
PY
PYTHONPATH=$(dirname "$0") shows /usr/bin/python3 -B "$work/program.py" <<'OUTPUT'
the client ends
  option nowhere: queued request asked for all the same, silent stream ends after timeout server
  option backend: queued request asked for all the same, silent stream ends after timeout server
  option defaults: queued request dropped, silent stream ends at once
  option listen: queued request dropped, silent stream ends at once
  timeouts of the client 1 s: silent stream ends after timeout server
  option nowhere: stream with events ends after event 2
the client resets
  option nowhere: queued request asked for all the same, silent stream ends after timeout server
  option backend: queued request asked for all the same, silent stream ends after timeout server
  option defaults: queued request dropped, silent stream ends at once
  option listen: queued request dropped, silent stream ends at once
  timeouts of the client 1 s: silent stream ends after timeout server
  option nowhere: stream with events ends after event 1
OUTPUT
