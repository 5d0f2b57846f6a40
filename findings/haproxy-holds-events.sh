#!/bin/sh
# haproxy: a stream of events arrives 200 ms late, the answer's head too, unless the stream ends with its connection.
#
# Expected: server-sent events are an ordinary answer of HTTP (HTML, 9.2), and a proxy hands on what it has. haproxy's
# manual, configuration.txt of 2.6, knows a delay, under "option http-no-delay": for applications that "abuse the HTTP
# protocol" with "many interleaved data chunks in both directions within a single request", "around 200 ms per round
# trip". It "only happens with abnormal uses", and the option "should never be used at all" but for these. A stream in
# one direction, without round trips, does not look like one.
# Found: each piece of any body that has a length or is in chunks is sent with MSG_MORE, so that the kernel waits 200 ms
# for more (tcp(7), TCP_CORK). Who waits for the head to see the stream open waits as long. A body that lasts until the
# connection ends goes out at once.
# What helps: that option, in the frontend or the backend of the stream; or a stream that is not in chunks, which HTML
# suggests where these are in the way.
# shellcheck source=findings/common.sh
. "$(dirname "$0")/common.sh"

unpack haproxy=2.6.12-1+deb12u4
export HAPROXY="$root/usr/sbin/haproxy" WORK="$work"
"$HAPROXY" -v >"$work/log" 2>&1 || unavailable "haproxy does not run"
cat >"$work/program.py" <<'PY'
import statistics
import time

from haproxy import BACKEND, FRONTEND, Haproxy, until

DEFAULTS = "defaults\n  mode http\n  timeout connect 9s\n  timeout client 9s\n  timeout server 9s\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%b\r\n\r\n"


def in_chunks(event):
    return b"%x\r\n%b\r\n" % (len(event), event)


def as_it_is(event):
    return event


def arrives(server, client, text, end):
    begin = time.monotonic()
    server.sendall(text)
    until(client, end)
    return time.monotonic() - begin


def in_words(seconds):
    if seconds < 0.1:
        return "at once"
    return "200 ms late" if 0.15 < seconds < 0.35 else f"{1000 * seconds:.0f} ms late"


def show(name, lines, framing, frame):
    heads, events = [], []
    for _ in range(3):
        with Haproxy(lines) as haproxy:
            client = haproxy.ask()
            server, _ = haproxy.asked()
            heads.append(arrives(server, client, HEAD % framing, b"\r\n\r\n"))
            for i in range(3):
                event = b"data: %d\n\n" % i
                events.append(arrives(server, client, frame(event), event))
                time.sleep(0.3)
    print(f"{name}: head {in_words(statistics.median(heads))}, events {in_words(statistics.median(events))}")


CHUNKED = b"Transfer-Encoding: chunked"
OPTION = "  option http-no-delay\n"
show("in chunks", DEFAULTS + FRONTEND + BACKEND, CHUNKED, in_chunks)
show("with a length", DEFAULTS + FRONTEND + BACKEND, b"Content-Length: 1000", as_it_is)
show("until the connection ends", DEFAULTS + FRONTEND + BACKEND, b"Connection: close", as_it_is)
show("in chunks, option in the frontend", DEFAULTS + FRONTEND + OPTION + BACKEND, CHUNKED, in_chunks)
show("in chunks, option in the backend", DEFAULTS + FRONTEND + BACKEND + OPTION, CHUNKED, in_chunks)
PY
PYTHONPATH=$(dirname "$0") shows /usr/bin/python3 -B "$work/program.py" <<'OUTPUT'
in chunks: head 200 ms late, events 200 ms late
with a length: head 200 ms late, events 200 ms late
until the connection ends: head at once, events at once
in chunks, option in the frontend: head at once, events at once
in chunks, option in the backend: head at once, events at once
OUTPUT
