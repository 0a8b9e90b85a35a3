"""A real git server on loopback, over HTTP and HTTPS: `git http-backend` behind Python's own HTTP server."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from tests.support.process import REAL_GIT
from tests.support.repositories import Bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from tests.support.sealed import SealedHome

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the server treats one repository.

    latency: seconds that each round trip takes (one per request; see also `GitServer.latency`).
    dead: requests are taken and never answered.
    together: who asks for refs is answered once as many have asked, and not before.
    account: (user, password) that every request must bring; others get 401.
    denies_push: pushes get 403.
    before_offer: called before the refs are offered to somebody who is about to push.
    before_push: called when a push has arrived, before git takes it.
    """

    latency: float = 0
    dead: bool = False
    together: threading.Barrier | None = None
    account: tuple[str, str] | None = None
    denies_push: bool = False
    before_offer: Callable[[], object] | None = None
    before_push: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the server was sent: method, repository name, and the git service it was for."""

    method: str
    repository: str
    service: str


class GitServer:
    """Serves the bare repositories below `root` at `http://127.0.0.1:<port>/<name>` (and at https).

    Args:
        root: folder of the bare repositories; names may have folders in them; `.git` at the end may be left out.
        home: the sealed home whose git configuration is told of the certificate when HTTPS is used.
        latency: seconds that opening a connection takes, for every repository (each TLS handshake costs it again).
    """

    def __init__(self, root: Path, *, home: SealedHome | None = None, latency: float = 0) -> None:
        self.root = root
        self.home = home
        self.latency = latency
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._default = Behaviour()
        self._behaviours: dict[str, Behaviour] = {}
        self._cleanup = contextlib.ExitStack()
        self._connections: set[Any] = set()

    def __enter__(self) -> Self:
        self.root.mkdir(parents=True, exist_ok=True)
        self._cleanup.callback(self._drop_connections)
        self._cleanup.callback(self.closing.set)
        self._http = self._listen(None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def url(self, name: str) -> str:
        """Return the http URL of a repository."""
        return f"http://127.0.0.1:{self._http}/{name}"

    def https_url(self, name: str) -> str:
        """Return the https URL of a repository; the first call makes the certificate and trusts it."""
        return f"https://127.0.0.1:{self._https}/{name}"

    def create(self, name: str, *, object_format: str = "sha1") -> Bare:
        """Make an empty bare repository and return it."""
        return Bare.init(self.root / name, object_format=object_format)

    def on(self, name: str | None = None, **changes: Any) -> None:
        """Change how one repository is treated, or, without a name, every one that has no behaviour of its own."""
        if name is None:
            self._default = replace(self._default, **changes)
        else:
            self._behaviours[name] = replace(self._behaviours.get(name, self._default), **changes)

    def behaviour(self, name: str) -> Behaviour:
        """Return how a repository is treated."""
        return self._behaviours.get(name, self._default)

    def pushes(self) -> list[str]:
        """Return the names of the repositories that were sent a push, in order; offers of refs do not count."""
        return [seen.repository for seen in self.requests if (seen.method, seen.service) == ("POST", "receive")]

    def find(self, path: str) -> str | None:
        """Return the name of the repository that a URL path names, or None."""
        bare = path.strip("/")
        while bare.endswith(".git"):
            bare = bare.removesuffix(".git")
        return next((name for name in (f"{bare}.git", bare) if (self.root / name / "HEAD").is_file()), None)

    @cached_property
    def _https(self) -> int:
        import trustme

        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        folder = Path(self._cleanup.enter_context(tempfile.TemporaryDirectory()))
        self.certificate = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.certificate))
        port = self._listen(context)
        if self.home is not None:
            self.home.set(f"http.https://127.0.0.1:{port}/.sslCAInfo", str(self.certificate))
        return port

    def _listen(self, context: ssl.SSLContext | None) -> int:
        stand = self

        class Handler(_Handler):
            server_side = stand
            tls = context

        listener = _Listener(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self._cleanup.callback(listener.server_close)
        self._cleanup.callback(listener.shutdown)
        return int(listener.server_address[1])

    def hold(self, connection: Any) -> None:
        """Remember an open connection, to be closed with the server."""
        self._connections.add(connection)

    def _drop_connections(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that a client dropped: tests do that on purpose."""


class _Handler(BaseHTTPRequestHandler):
    """One connection. A subclass made by GitServer carries the server and the TLS context."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_side: GitServer
    tls: ssl.SSLContext | None = None

    def setup(self) -> None:
        time.sleep(self.server_side.latency)
        if self.tls is not None:
            # Here, in the thread of the connection: a slow handshake must not hold up the others.
            self.request = self.tls.wrap_socket(self.request, server_side=True)
            time.sleep(self.server_side.latency)
        self.server_side.hold(self.request)
        super().setup()

    def finish(self) -> None:
        super().finish()
        with contextlib.suppress(OSError):
            self.request.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server declares it
        """Keep the test's output clean."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = tempfile.SpooledTemporaryFile(_BLOCK)  # noqa: SIM115 - closed by the with below
        with body:
            for block in self._blocks():
                body.write(block)
            size = body.tell()
            body.seek(0)
            url = urlsplit(self.path)
            path, service = _split_service(unquote(url.path), url.query)
            name = self.server_side.find(path)
            probe = size == 4 and service == "receive"
            if not probe:
                self.server_side.requests.append(Request(self.command, name or path, service))
            behaviour = self.server_side.behaviour(name or path)
            time.sleep(behaviour.latency)
            if behaviour.together is not None and (self.command, service) == ("GET", "upload"):
                behaviour.together.wait()
            if behaviour.dead:
                self.server_side.closing.wait()
                self.close_connection = True
            elif not self._refused(name, service, behaviour):
                hook = behaviour.before_push if self.command == "POST" else behaviour.before_offer
                if service == "receive" and hook is not None and not probe:
                    hook()
                self._git(f"{name}{unquote(url.path).removeprefix(path)}", url.query, body, size, behaviour)

    def _refused(self, name: str | None, service: str, behaviour: Behaviour) -> bool:
        """Answer for a request that git is not asked about; returns whether it was one."""
        if behaviour.account is not None:
            wanted = base64.b64encode(":".join(behaviour.account).encode()).decode()
            if self.headers.get("Authorization") != f"Basic {wanted}":
                self._say(401, "Authentication required", ("WWW-Authenticate", 'Basic realm="tests"'))
                return True
        if name is None:
            self._say(404, "Repository not found")
            return True
        if service == "receive" and behaviour.denies_push:
            self._say(403, "You are not allowed to push to this repository.")
            return True
        return False

    def _say(self, status: int, text: str, *headers: tuple[str, str]) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        for header in (*headers, ("Content-Type", "text/plain"), ("Content-Length", str(len(body)))):
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def _blocks(self) -> Iterator[bytes]:
        """Yield the request's body, whole or chunked, as it came."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            yield self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _git(self, path: str, query: str, body: IO[bytes], size: int, behaviour: Behaviour) -> None:
        """Let `git http-backend` answer, and send its answer on as it comes."""
        env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        env |= {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.server_side.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "GATEWAY_INTERFACE": "CGI/1.1",
            "PATH_INFO": f"/{path}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(size),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": behaviour.account[0] if behaviour.account else "",
        }
        with subprocess.Popen(
            [REAL_GIT, "http-backend"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
        ) as backend:
            assert backend.stdin is not None
            feeder = threading.Thread(target=_feed, args=(body, backend.stdin), daemon=True)
            feeder.start()
            assert isinstance(backend.stdout, io.BufferedReader)
            self._forward(backend.stdout)
            feeder.join()

    def _forward(self, answer: io.BufferedReader) -> None:
        """Turn a CGI answer into an HTTP answer in chunks."""
        status, headers = 200, []
        while line := answer.readline().strip():
            key, _, value = line.decode().partition(":")
            if key.lower() == "status":
                status = int(value.split()[0])
            elif key.lower() != "content-length":
                headers.append((key, value.strip()))
        self.send_response(status)
        for header in (*headers, ("Transfer-Encoding", "chunked")):
            self.send_header(*header)
        self.end_headers()
        while block := answer.read1(_BLOCK):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        self.wfile.write(b"0\r\n\r\n")


def _split_service(path: str, query: str) -> tuple[str, str]:
    """Return the repository's part of a URL path, and `receive`, `upload` or `files`."""
    for ending in ("/git-receive-pack", "/git-upload-pack", "/info/refs"):
        if path.endswith(ending):
            asked = ending + query
            service = "receive" if "receive-pack" in asked else "upload" if "upload-pack" in asked else "files"
            return path.removesuffix(ending), service
    for marker in ("/objects/", "/HEAD"):
        if marker in path:
            return path.partition(marker)[0], "files"
    return path, "files"


def _feed(body: IO[bytes], pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError), pipe:
        shutil.copyfileobj(body, pipe)
