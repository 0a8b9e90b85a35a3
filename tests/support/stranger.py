"""A stranger on loopback: answers everybody the same, and writes down what it is shown."""

from __future__ import annotations

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType


class Stranger:
    """An HTTP server that gives one answer to everything. Use it as a context manager.

    Args:
        status: of the answer; the default wants a password.
        body: of the answer; several are given out in their order, the last one again and again.
        endless: after the body, keep the connection open as a stream of events does.
        headers: further ones of the answer.

    Attributes:
        url: where it listens, without a slash at the end.
        shown: of each request the path, and the ``Authorization`` that came with it in plain text, or "".
    """

    def __init__(
        self,
        status: int = 401,
        body: bytes | Sequence[bytes] = b"",
        *,
        endless: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._closing = closing = threading.Event()
        self.shown: list[tuple[str, str]] = []
        shown = self.shown
        bodies = [body] if isinstance(body, bytes) else list(body)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                scheme, _, value = self.headers.get("Authorization", "").partition(" ")
                shown.append((self.path, base64.b64decode(value).decode() if scheme == "Basic" else value))
                said = bodies.pop(0) if len(bodies) > 1 else bodies[0]
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="stranger"')
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                if not endless:
                    self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
                if endless:
                    closing.wait()
                    self.close_connection = True

            def do_POST(self) -> None:
                self.do_GET()

            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                self.do_GET()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server declares it
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        # Another name than the sandbox's: to git and to HTTP clients it is another host.
        self.url = f"http://localhost:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
