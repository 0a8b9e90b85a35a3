"""HTTP on loopback: requests read to their end, answers sent, faults that were asked for, and a line in the log."""

from __future__ import annotations

import contextlib
import itertools
import re
import secrets
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import urlsplit

from openllm_repos.sandbox.exchange import Answer, Refused, Request, say, say_text
from openllm_repos.sandbox.faults import Fault
from openllm_repos.sandbox.site import Site

if TYPE_CHECKING:
    from io import BufferedIOBase

_BLOCK = 1 << 20
_LOCAL = re.compile(r"(?:127\.0\.0\.1|localhost)(?::\d+)?")
Route = Callable[[Request], Answer]


class Listener:
    """Serves one host on a port of 127.0.0.1.

    Args:
        site: whose faults and log these are; its `url` and `elsewhere` are set here.
        route: answers a request.
        port: 0 for any that is free.
    """

    def __init__(self, site: Site, route: Route, port: int = 0) -> None:
        self.site = site
        self.route = route
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        stand = self

        class Connection(_Connection):
            listener = stand

        self._server = _Server(("127.0.0.1", port), Connection)
        number = self._server.server_address[1]
        site.url = f"http://127.0.0.1:{number}"
        site.elsewhere = f"http://localhost:{number}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        """Stop, and drop what is still open."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def hold(self, connection: socket.socket) -> None:
        """Remember a connection, to be dropped at the end."""
        self._connections.add(connection)

    def forget(self, connection: socket.socket) -> None:
        """Forget a connection that is over."""
        self._connections.discard(connection)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that a client dropped."""


class _Connection(BaseHTTPRequestHandler):
    """One connection; `Listener` makes a class of its own with itself in it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    listener: Listener

    def setup(self) -> None:
        super().setup()
        self.listener.hold(self.connection)

    def finish(self) -> None:
        self.listener.forget(self.connection)
        super().finish()

    def version_string(self) -> str:
        return "openllm-sandbox"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server declares it
        """Print nothing: the log is in `Site.log`."""

    def handle_request(self) -> None:
        """Read a request, answer it, and write it down."""
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        with tempfile.SpooledTemporaryFile(_BLOCK) as body:
            for block in self._blocks():
                body.write(block)
            request = Request(self.command, url.path, url.query, headers, body, body.tell())
            # git asks with an empty push whether it may push before it sends a large one; that is no request to count.
            probe = request.size == 4 and url.path.endswith("/git-receive-pack")
            site = self.listener.site
            controls = url.path.startswith("/_sandbox/")
            fault = None if probe or controls else site.faults.take(self.command, url.path, url.query)
            try:
                self._treat(request, fault or Fault("*"), noted=not probe and not controls)
            except ConnectionError:
                self.close_connection = True  # the client went away
            except Exception as error:  # noqa: BLE001 - of ours, or of what a fault was to call first
                self._blame(request, error)
                self._break_off()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request  # noqa: N815 - http.server's names
    do_CONNECT = handle_request  # noqa: N815 - a proxy is asked so for https; the answer is no

    def _blocks(self) -> Iterator[bytes]:
        """Yield the body, whole or chunked, as it came."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left and (block := self.rfile.read(min(left, _BLOCK))):
            left -= len(block)
            yield block

    def _treat(self, request: Request, fault: Fault, *, noted: bool) -> None:
        """Answer a request as a fault wants it. It is in the log before the client has its answer."""
        note = self.listener.site.note if noted else (lambda _request, _status: None)
        if fault.before is not None:
            fault.before()
        if fault.delay:
            self.listener.closing.wait(fault.delay)
        if fault.reset:
            note(request, 0)
            self._reset()
            return
        if fault.cut:
            note(request, 0)
            self._break_off()
            return
        if fault.status is not None:
            headers = {"X-Error-Message": fault.message, **({"X-Error-Code": fault.code} if fault.code else {})}
            answer = say({"error": fault.message, "message": fault.message}, fault.status, {**headers, **fault.headers})
            if fault.body is not None or fault.huge:
                answer = replace(answer, body=_padded(fault, answer.body))
        else:
            answer = self._answer(request)
        if fault.lose_answer:
            for _ in answer.body if isinstance(answer.body, Iterator) else ():
                pass
            note(request, 0)
            self._break_off()
            return
        note(request, answer.status)
        if fault.pace:
            self.wfile = cast("BufferedIOBase", _Slow(self.wfile, fault.pace, self.listener.closing))
        self._send(answer, request.headers.get("range", ""), fault.truncate)

    def _answer(self, request: Request) -> Answer:
        host = request.headers.get("host", "")
        if "origin" in request.headers:  # a web page found the port
            return say_text("The sandbox answers programs on this machine only.\n", 403)
        if not _LOCAL.fullmatch(host):  # asked as a proxy, or under a name that somebody's DNS leads here
            return say_text(f"The sandbox lets nothing leave this machine: {host!r} is not reached.\n", 403)
        try:
            return self.listener.route(request)
        except Refused as refusal:
            return say({"error": refusal.message}, refusal.status, refusal.headers)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours, and the test shall learn of it
            self._blame(request, error)
            return say({"error": "The sandbox has a fault."}, 500)

    def _blame(self, request: Request, error: Exception) -> None:
        """Write down that something of our own, or of the test's, went wrong with a request."""
        if self.listener.closing.is_set():
            return
        said = f"{request.method} {request.path}: {type(error).__name__}: {error}"
        self.listener.site.mishaps.append(self.listener.site.without_secrets(said))

    def _send(self, answer: Answer, asked: str, truncate: int | None) -> None:
        headers = {"X-Request-Id": f"Root=1-{secrets.token_hex(12)}", **answer.headers}
        status = answer.status
        blocks: Iterator[bytes]
        if isinstance(answer.body, Path):
            status, extra, blocks = _ranged(answer.body, asked)
            headers |= extra
        elif isinstance(answer.body, bytes):
            headers["Content-Length"] = str(len(answer.body))
            blocks = iter((answer.body,))
        else:
            headers["Transfer-Encoding"] = "chunked"
            blocks = (b"%x\r\n%b\r\n" % (len(block), block) for block in answer.body)
        self.send_response(status)
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        if self.command == "HEAD":
            return
        self._write(blocks, truncate)
        if truncate is None and headers.get("Transfer-Encoding"):
            self.wfile.write(b"0\r\n\r\n")

    def _write(self, blocks: Iterator[bytes], truncate: int | None) -> None:
        """Send blocks to their end, or until so many bytes are sent. What makes them always runs to its end."""
        left = truncate
        gone: ConnectionError | None = None
        for block in blocks:
            part = block if left is None else block[:left]
            if left is not None:
                left -= len(part)
            if gone is None:
                try:
                    self.wfile.write(part)
                except ConnectionError as error:
                    gone = error
        if truncate is not None:
            self._drop()
        if gone is not None:
            raise gone

    def _break_off(self) -> None:
        """Drop the connection with an answer just begun: for an empty one, curl would ask again by itself."""
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n")
        self._drop()

    def _reset(self) -> None:
        """Drop the connection as a machine does that knows nothing of it any more."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class _Slow:
    """A stream to a client that gets one byte at a time."""

    def __init__(self, below: BufferedIOBase, pace: float, closing: threading.Event) -> None:
        self._below = below
        self._pace = pace
        self._closing = closing

    def write(self, data: bytes) -> int:
        for at in range(len(data)):
            self._below.write(data[at : at + 1])
            if self._closing.wait(self._pace):
                raise ConnectionResetError
        return len(data)

    def __getattr__(self, name: str) -> object:
        return getattr(self._below, name)


def _padded(fault: Fault, usual: object) -> bytes | Iterator[bytes]:
    """Return the body that a fault wants; one that is huge comes block by block."""
    wanted = usual if fault.body is None else fault.body
    body = wanted.encode("utf-8", "surrogatepass") if isinstance(wanted, str) else wanted
    assert isinstance(body, bytes)
    if not fault.huge:
        return body
    blanks = (b" " * min(_BLOCK, fault.huge - at) for at in range(0, fault.huge, _BLOCK))
    return itertools.chain(blanks, iter((body,)))


def _ranged(file: Path, asked: str) -> tuple[int, dict[str, str], Iterator[bytes]]:
    """Return status, headers and blocks of a file, or of the range of it that a client asks for."""
    size = file.stat().st_size
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
    start, end = (int(found[1]), min(int(found[2] or size), size - 1)) if found else (0, size - 1)
    headers = {"Accept-Ranges": "bytes", "Content-Length": str(end - start + 1)}
    if found:
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return (206 if found else 200), headers, _part(file, start, end - start + 1)


def _part(path: Path, start: int, left: int) -> Iterator[bytes]:
    file: IO[bytes]
    with path.open("rb") as file:
        file.seek(start)
        while left and (block := file.read(min(left, _BLOCK))):
            left -= len(block)
            yield block
