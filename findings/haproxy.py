"""What the scripts about haproxy share: one between a client and an upstream server, all on the loopback.

The program is the environment's HAPROXY, and its configuration is written to the environment's WORK.
"""
import os
import signal
import socket
import struct
import subprocess
import sys

REQUEST = b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n"
FRONTEND = "frontend f\n  bind fd@{front}\n  default_backend b\n"
BACKEND = "backend b\n  server s 127.0.0.1:{upstream}\n"

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def listener():
    return socket.create_server(("127.0.0.1", 0))


def until(sock, end):
    """Read to these bytes, or to the end of the connection."""
    text = b""
    while end not in text:
        piece = sock.recv(4096)
        if not piece:
            break
        text += piece
    return text


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Haproxy:
    """One with these lines of configuration, where {front} is its socket and {upstream} the port behind it."""

    def __init__(self, lines):
        self.upstream = listener()
        self.front = listener()
        text = lines.format(front=self.front.fileno(), upstream=self.upstream.getsockname()[1])
        path = os.path.join(os.environ["WORK"], "haproxy.cfg")
        with open(path, "w") as file:
            file.write(text)
        self.process = subprocess.Popen([os.environ["HAPROXY"], "-db", "-q", "-f", path],
                                        pass_fds=[self.front.fileno()])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.upstream.close()
        self.front.close()

    def ask(self, path=b""):
        """A client that has asked."""
        client = socket.create_connection(self.front.getsockname())
        client.settimeout(20)
        client.sendall(REQUEST % path)
        return client

    def asked(self):
        """What haproxy asks the upstream server, once it has."""
        server, _ = self.upstream.accept()
        server.settimeout(20)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return server, until(server, b"\r\n\r\n").split(b"\r\n")[0].decode()
