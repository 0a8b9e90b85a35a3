"""Whatever a Hub or a GitHub answers to anything that we ask: a value, or an error that was expected. Never more."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

import openllm_repos
from openllm_repos.errors import ReposError
from openllm_repos.github import pulls
from openllm_repos.github.pulls import PullRequest, open_pull
from openllm_repos.hub import session, tokens
from openllm_repos.hub.client import HubClient
from openllm_repos.hub.content import HubCommit, HubContent, Offer, Small
from openllm_repos.hub.large import LargeFiles
from openllm_repos.hub.model import HubRepo, HubType
from openllm_repos.hub.session import Manners
from openllm_repos.hub.tokens import TrustedPublishing
from openllm_repos.hub.wire import Limits
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName, TagName
from openllm_repos.names.url import RepoId
from tests.support.examples import examples

SPACE = HubRepo(HubType.SPACE, RepoId("lemms/openllm"))
COMMIT = ObjectId("a" * 40)
DEADLINE = 2.0
DROPS = 250  # five seconds
BODY, FIRST = "after its headers", "from the first byte on"


class Held:
    """A large file of eighty bytes."""

    name = "model.bin"
    size = 80
    sha256 = hashlib.sha256(bytes(80)).hexdigest()

    def pieces(self, start: int, length: int) -> Iterator[bytes]:
        del start
        yield bytes(length)


class Answering:
    """A server that answers everybody with what it was told last.

    Attributes:
        drips: whether its answers come byte by byte: from the first on, or after their headers.
        whole: what is answered whole all the same, by a word of method and path.
        ended: how many answers came to their end.
    """

    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, {}, b""  # type: tuple[int, Mapping[str, str], bytes]
        self.drips = ""
        self.whole: Mapping[str, bytes] = {}
        self.ended = 0
        self.stopped = threading.Event()
        there = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                if there.drips:
                    self.drip(next((said for word, said in there.whole.items() if word in self.requestline), None))
                    return
                self.send_response(there.status)
                for name, value in there.headers.items():
                    self.send_header(name, value.replace("HERE", there.url))
                self.send_header("Content-Length", str(len(there.body)))
                self.end_headers()
                self.wfile.write(there.body.replace(b"HERE", there.url.encode()))

            def drip(self, whole: bytes | None) -> None:
                body = b" " * DROPS if whole is None else whole.replace(b"HERE", there.url.encode())
                said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                drops = 0 if whole is not None else len(said) if there.drips == FIRST else DROPS
                with contextlib.suppress(OSError):  # whom it is for has gone
                    self.wfile.write(said[: len(said) - drops])
                    for left in range(drops, 0, -1):
                        if there.stopped.wait(0.02):
                            self.close_connection = True
                            return
                        there.ended += left == 1
                        self.wfile.write(said[-left:][:1])

            do_GET = do_POST = do_PUT = answer  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()


def _content(url: str) -> HubContent:
    return HubContent(url, SPACE, lambda: "hf_x", Manners(DEADLINE))


def _client(url: str) -> HubClient:
    return HubClient(url, "hf_x", deadline=DEADLINE)


PULL = PullRequest(RepoId("louischua/openllm"), BranchName("import/space"), BranchName("main"), "Title", "Body")
ASKED: dict[str, Callable[[str], object]] = {
    "whoami": lambda url: _client(url).whoami(),
    "info": lambda url: _client(url).info(SPACE, only=("sdk",)),
    "refs": lambda url: _client(url).refs(SPACE),
    "history": lambda url: _client(url).history(SPACE, COMMIT),
    "may write": lambda url: _client(url).write_access(SPACE),
    "create": lambda url: _client(url).create_repo(SPACE, sdk="static"),
    "tag": lambda url: _client(url).create_tag(SPACE, TagName("v1"), COMMIT),
    "card": lambda url: _client(url).check_card("---\n---\n", HubType.SPACE),
    "runtime": lambda url: _client(url).runtime(SPACE),
    "log": lambda url: _client(url).build_log(SPACE),
    "files": lambda url: _content(url).files(COMMIT),
    "read": lambda url: _content(url).read(COMMIT, "README.md"),
    "ways": lambda url: _content(url).ways("main", [Offer("a.bin", 5, b"x")]),
    "commit": lambda url: _content(url).commit(HubCommit("main", COMMIT, "x", "", {"a": Small(1, lambda: b"a")}, {})),
    "large": lambda url: LargeFiles(_content(url)).send([Held()]),
    "token": lambda url: TrustedPublishing(url, {"HF_OIDC_ID_TOKEN": "x"}).token(SPACE),
    "proof": lambda url: TrustedPublishing(
        url,
        {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}/mint",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
        },
    ).token(SPACE),
    "pull": lambda url: open_pull(url, "ghp_x", PULL),
}

KEYS = st.sampled_from(
    (
        *("name", "auth", "accessToken", "role", "orgs", "sha", "private", "gated", "lastModified", "sdk", "runtime"),
        *("stage", "errorMessage", "branches", "tags", "targetCommit", "id", "url", "error", "errors", "warnings"),
        *("message", "type", "path", "oid", "size", "lfs", "files", "uploadMode", "shouldIgnore", "commitOid"),
        *("objects", "actions", "upload", "verify", "href", "header", "chunk_size", "1", "code", "access_token"),
        *("expires_in", "value", "state", "head", "base", "ref", "html_url", "data"),
    )
)
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        (
            *("main", "file", "lfs", "regular", "open", "a.bin", Held.sha256, "a" * 40, "RUNNING", "hf_x", "40"),
            *("2026-11-24T00:00:00Z", "0001-01-01T00:00:00+14:00", "HERE/x", "https://[::1", "import/space"),
            *("\ud800", "\r\nHost: x", "-1", "9" * 30),
        )
    ),
)
JSON = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=24
)
BODIES = st.one_of(
    JSON.map(lambda said: json.dumps(said).encode()),
    JSON.map(lambda said: b"data: " + json.dumps({"data": said}).encode() + b"\n"),
    st.binary(max_size=40),
    st.sampled_from((b"", b"<html>", b"[" * 200_000, b'{"a":' * 100_000, b"9" * 5000, b"1e999", b"\xff\xfe[\0]\0")),
)
STATUSES = st.one_of(
    st.just(200),
    st.sampled_from((201, 204, 299, 302, 307, 400, 401, 402, 403, 404, 409, 412, 422, 429, 500, 503, 599, 999)),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        (
            *("Content-Encoding", "Location", "Link", "Retry-After", "RateLimit", "X-Error-Code", "X-Error-Message"),
            *("Content-Type", "ETag", "x-ratelimit-remaining", "x-ratelimit-reset", "X-HF-Warning"),
        )
    ),
    st.sampled_from(
        (
            *(
                "gzip",
                "br",
                "identity",
                "HERE/x",
                "https://[::1",
                "http://169.254.169.254/",
                "//",
                '<HERE/y>; rel="next"',
            ),
            *(
                "0",
                "-1",
                "9" * 30,
                "Fri, 99 Foo 9999",
                '"api";r=0;t=5',
                "RepoNotFound",
                "GatedRepo",
                "text/html",
                "\xff",
            ),
        )
    ),
    max_size=3,
)


@pytest.fixture(scope="module")
def hub() -> Iterator[Answering]:
    with Answering() as running:
        yield running


def _outcome(work: Callable[[], object]) -> None:
    """Whatever comes of it, it is a value, or an error that people can read, of the environment or a refusal."""
    failed: ReposError | None = None
    try:
        work()
    except ReposError as why:
        failed = why
    if failed is not None:
        assert failed.exit_code in {3, 30}
        assert (failed.message + failed.hint).encode()


@pytest.mark.parametrize("what", ASKED)
@examples(25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(status=STATUSES, headers=HEADERS, body=BODIES)
@example(200, {}, b'{"objects": [{"oid": "' + Held.sha256.encode() + b'", "actions": []}]}')
@example(200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(40 << 20)))
@example(302, {"Location": "HERE/x"}, b"")
@example(200, {"Link": '<HERE/y>; rel="next"'}, b"[]")
def test_no_answer_is_our_bug(hub: Answering, what: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    hub.status, hub.headers, hub.body = status, headers, body
    _outcome(lambda: ASKED[what](hub.url))


_UPLOAD = {"upload": {"href": "HERE/put", "header": {}}, "verify": {"href": "HERE/verify", "header": {}}}
BATCH = json.dumps({"objects": [{"oid": Held.sha256, "size": Held.size, "actions": _UPLOAD}]}).encode()
PROOF = b'{"value": "x"}'
DRIPPING: list[tuple[str, str, Mapping[str, bytes]]] = [
    *((what, BODY, {}) for what in ASKED),
    *((what, FIRST, {}) for what in ("whoami", "pull", "large", "log")),
    ("large", BODY, {"/batch": BATCH}),
    ("large", BODY, {"/batch": BATCH, "/put": b""}),
    ("proof", BODY, {"/mint": PROOF}),
    ("pull", BODY, {"GET": b"[]"}),
]


@pytest.mark.parametrize(
    ("what", "drips", "whole"), DRIPPING, ids=lambda one: one if isinstance(one, str) else "+".join(one)
)
def test_whatever_is_asked_an_answer_that_drips_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, what: str, drips: str, whole: Mapping[str, bytes]
) -> None:
    """Each piece comes in time, and all of them would take for ever."""
    monkeypatch.setitem(globals(), "DEADLINE", 0.1)
    monkeypatch.setattr(tokens, "_DEADLINE", 0.1)
    monkeypatch.setattr(session, "_SENDING", Limits(phase=0.3, total=0.3))
    monkeypatch.setattr(pulls, "_TOTAL", 0.3)
    with Answering() as slow:
        slow.drips, slow.whole = drips, whole
        _outcome(lambda: ASKED[what](slow.url))
        assert slow.ended == 0


def test_every_request_is_made_in_a_place_that_bounds_it() -> None:
    """Who opens a connection is in the table above: hub/wire for the Hub and its stores, github/pulls for GitHub."""
    package = Path(openllm_repos.__file__).parent
    opening = re.compile(r"HTTPS?Connection\b|urlopen|get_session\(|create_connection|httpx2?\.(?:get|post|Client)")
    found = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if opening.search(path.read_text())}
    assert {one for one in found if not one.startswith("sandbox/")} == {"hub/wire.py", "github/pulls.py"}
