"""Files to and from one repository on the sandbox's Hub: large ones in parts and again, and answers that are none."""

from __future__ import annotations

import hashlib
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.hub import session
from openllm_repos.hub.content import HubCommit, HubContent, Offer, Small
from openllm_repos.hub.failures import Cause, HubError, HubRefused, HubUnreachable
from openllm_repos.hub.large import LargeFiles
from openllm_repos.hub.model import HubRepo, HubType
from openllm_repos.hub.session import Manners
from openllm_repos.hub.wire import Limits
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoId
from openllm_repos.retry import NEVER, RetryPolicy
from openllm_repos.sandbox.lfs import place
from openllm_repos.sandbox.repository import Change
from tests.support.repositories import Bare
from tests.support.stranger import Stranger

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox

MODEL = HubRepo(HubType.MODEL, RepoId("lemms/small"))


@dataclass(frozen=True)
class Held:
    """A large file that is in memory, as a test has it."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        return len(self.content)

    def pieces(self, start: int, length: int) -> Iterator[bytes]:
        for at in range(start, start + length, 10):
            yield self.content[at : min(at + 10, start + length)]


FILES = [Held(f"{number}.bin", bytes([0, number]) * 40) for number in range(3)]


@pytest.fixture
def content(sandbox: Sandbox) -> HubContent:
    """Return the files of a new model, to somebody who may write."""
    sandbox.hub.create("model", MODEL.id)
    return reached(sandbox)


def reached(sandbox: Sandbox, token: str | None = "hf_write", retry: RetryPolicy = NEVER) -> HubContent:
    return HubContent(sandbox.hub.url, MODEL, lambda: token, Manners(10, retry))


def tip(sandbox: Sandbox) -> ObjectId:
    return ObjectId(Bare(sandbox.hub.path("model", MODEL.id)).tip("main"))


def stored(sandbox: Sandbox, file: Held) -> bytes:
    return place(sandbox.hub.large_files, file.sha256).read_bytes()


def puts(sandbox: Sandbox) -> list[int]:
    return [seen.status for seen in sandbox.hub.log if seen.method == "PUT"]


def test_a_tree_of_more_than_a_page_is_read_whole(content: HubContent, sandbox: Sandbox) -> None:
    names = [f"data/{number:04}.txt" for number in range(1001)]
    old = tip(sandbox)
    change = Change(dict.fromkeys(names, b"x\n"))
    sandbox.hub.repo("model", MODEL.id).commit(change, "Many\n", "lemms", parent=old, ref="refs/heads/main", old=old)
    assert sorted(content.files(tip(sandbox))) == [".gitattributes", *names]


def test_large_files_are_sent_once_in_one_piece_or_in_parts(content: HubContent, sandbox: Sandbox) -> None:
    told: list[int] = []
    assert LargeFiles(content, told.append).send([FILES[0], FILES[0]]) == 1
    sandbox.hub.part_size = 30
    assert LargeFiles(content, told.append).send(FILES) == 2
    assert [stored(sandbox, file) for file in FILES] == [file.content for file in FILES]
    assert len(puts(sandbox)) == 1 + 2 * 3
    assert {seen.user for seen in sandbox.hub.log if seen.path.startswith(("/_lfs/upload", "/_lfs/complete"))} == {""}
    assert sum(told) == 3 * 80


def test_trouble_that_passes_is_waited_for(content: HubContent, sandbox: Sandbox) -> None:
    del content
    told: list[int] = []
    sandbox.hub.part_size = 30
    sandbox.hub.fault(match="PUT /_lfs/upload/*", status=503, count=2)
    sandbox.hub.fault(match="POST */objects/batch", status=429)
    sandbox.hub.fault(match="POST /_lfs/verify/*", cut=True)
    LargeFiles(reached(sandbox, retry=RetryPolicy(60)), told.append).send(FILES[:1])
    assert stored(sandbox, FILES[0]) == FILES[0].content
    assert sum(told) == 80


def test_a_store_that_does_not_answer_is_given_up(
    content: HubContent, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_SENDING", Limits(0.1, 10))
    sandbox.hub.fault(match="PUT /_lfs/upload/*", delay=0.5, count=None)
    with pytest.raises(HubUnreachable, match="did not answer in time") as late:
        LargeFiles(content).send(FILES[:1])
    assert late.value.cause is Cause.TIMEOUT


def test_a_link_that_has_ended_is_replaced(content: HubContent, sandbox: Sandbox) -> None:
    sandbox.hub.fault(match="PUT /_lfs/upload/*", status=403)
    LargeFiles(content).send(FILES[:1])
    assert stored(sandbox, FILES[0]) == FILES[0].content


def test_what_does_not_pass_is_told_and_stops_the_others(content: HubContent, sandbox: Sandbox) -> None:
    sandbox.hub.fault(match=f"PUT /_lfs/upload/{FILES[1].sha256}/*", status=422, count=None, message="no")
    with pytest.raises(HubRefused, match=r"1\.bin") as refused:
        LargeFiles(content).send(FILES)
    assert refused.value.status == 422
    sandbox.hub.faults.clear()
    sandbox.hub.fault(match="PUT /_lfs/upload/*", status=500, count=None)
    with pytest.raises(HubUnreachable, match="status 500"):
        LargeFiles(content).send([Held("9.bin", bytes(90))])


def test_a_file_that_fails_here_is_not_sent_to_its_end(content: HubContent) -> None:
    class Broken(Held):
        def pieces(self, start: int, length: int) -> Iterator[bytes]:
            yield self.content[start : length // 2]
            raise EnvironmentProblem("0.bin changes.")

    with pytest.raises(EnvironmentProblem, match=r"0\.bin changes"):
        LargeFiles(content).send([Broken("0.bin", bytes(60))])


@pytest.mark.slow
def test_who_stops_it_does_not_wait_for_a_store_that_is_silent(content: HubContent, sandbox: Sandbox) -> None:
    stop = lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # noqa: E731
    sandbox.hub.fault(match="PUT /_lfs/upload/*", before=stop, delay=60)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
    try:
        with pytest.raises(KeyboardInterrupt):
            LargeFiles(content).send(FILES[:1])
    finally:
        signal.signal(signal.SIGINT, before)
    assert not [seen for seen in sandbox.hub.log if seen.method == "PUT"]  # which is written down once it is answered


def test_nobody_sends_large_files_without_the_right_to(content: HubContent, sandbox: Sandbox) -> None:
    del content
    with pytest.raises(HubRefused) as refused:
        LargeFiles(reached(sandbox, "hf_read")).send(FILES)
    assert refused.value.cause is Cause.NOT_ALLOWED


def test_a_commit_has_small_and_large_files_and_takes_others_away(content: HubContent, sandbox: Sandbox) -> None:
    LargeFiles(content).send(FILES[:1])
    large = {"0.bin": (FILES[0].sha256, 80)}
    text = bytes(range(256)) * 5000
    small = {"a/ü \"'.txt": Small(len(text), lambda: text), "empty": Small(0, lambda: b"")}
    first = content.commit(HubCommit("main", tip(sandbox), "One", "Said: x", small, large))
    held = Bare(sandbox.hub.path("model", MODEL.id))
    assert (first, held.read("a/ü \"'.txt"), held.read("empty")) == (held.tip("main"), text, b"")
    assert held.trailers() == {"Said": "x"}
    second = content.commit(HubCommit("main", first, "Two", "", {}, {}, ["empty"]))
    assert [file.id for path, file in content.files(second).items() if path == "0.bin"] == [f"lfs:{FILES[0].sha256}"]
    assert "empty" not in held.paths()
    assert content.read(second, "a/ü \"'.txt") == text
    with pytest.raises(HubRefused) as moved:
        content.commit(HubCommit("main", first, "Late", "", small, {}))
    assert moved.value.cause is Cause.MOVED


def test_the_hub_says_how_a_file_goes_there(content: HubContent) -> None:
    offers = [Offer("a.safetensors", 5, b"x"), Offer("b.txt", 5, b"hello"), Offer("c.bin", 0, b"")]
    ways = content.ways("main", offers)
    assert [(path, way.large) for path, way in ways.items()] == [
        ("a.safetensors", True),
        ("b.txt", False),
        ("c.bin", False),
    ]


def test_many_files_are_asked_about_in_few_questions(content: HubContent, sandbox: Sandbox) -> None:
    offers = [Offer(f"{number}.txt", 1, b"x") for number in range(300)]
    assert len(content.ways("main", offers)) == 300
    assert [seen.path.rpartition("/")[0][-9:] for seen in sandbox.hub.log] == ["preupload", "preupload"]


def test_without_a_token_nothing_is_committed(content: HubContent, sandbox: Sandbox) -> None:
    del content
    with pytest.raises(HubRefused) as refused:
        reached(sandbox, None).commit(HubCommit("main", tip(sandbox), "One", "", {}, {}))
    assert refused.value.cause is Cause.NO_TOKEN


COMMIT = ObjectId("a" * 40)
ASKED: dict[str, Callable[[HubContent], object]] = {
    "files": lambda one: one.files(COMMIT),
    "ways": lambda one: one.ways("main", [Offer("a", 1, b"a")]),
    "commit": lambda one: one.commit(HubCommit("main", COMMIT, "One", "", {}, {})),
    "large": lambda one: LargeFiles(one).send(FILES[:1]),
}


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize(
    "body", [b"<html>Log in</html>", b'{"files": [1]}', b"[{}]", b"[]", b'{"objects": [{"oid": 1}]}']
)
def test_what_is_not_the_hub_is_seen_through(what: str, body: bytes) -> None:
    with Stranger(200, body) as hub:
        there = HubContent(hub.url, MODEL, lambda: "hf_x", Manners(5))
        if what == "files" and body == b"[]":
            assert there.files(COMMIT) == {}
            return
        with pytest.raises(HubUnreachable) as seen:
            ASKED[what](there)
    assert seen.value.cause is Cause.SERVER


@pytest.mark.parametrize(
    "action",
    [
        "[]",
        "1",
        '{"verify": {"href": "http://localhost:9/x"}}',
        '{"upload": {"href": "http://example.org/plain"}}',
        '{"upload": {"href": "https://me:password@example.org/x"}}',
        '{"upload": {"href": "http://localhost:9/x", "header": {"Host": "example.org"}}}',
        '{"upload": {"href": "http://localhost:9/x", "header": {"Transfer-Encoding": "chunked"}}}',
        '{"upload": {"href": "http://localhost:9/x", "header": {"content-length": "3"}}}',
        '{"upload": {"href": "http://localhost:9/x", "header": {"x-amz-a": "1\\r\\nHost: b"}}}',
        '{"upload": {"href": "http://localhost:9/x\\r\\nHost: b"}}',
        '{"upload": {}}',
        '{"upload": {"href": 1}}',
        '{"upload": {"href": "x", "header": {"chunk_size": "no", "1": "x"}}}',
        '{"upload": {"href": "x", "header": {"chunk_size": "50", "1": "x"}}}',
    ],
)
def test_links_that_make_no_sense_are_not_followed_nor_taken_for_a_file_that_is_there(action: str) -> None:
    body = f'{{"objects": [{{"oid": "{FILES[0].sha256}", "actions": {action}}}]}}'
    with Stranger(200, body.encode()) as hub, pytest.raises(HubUnreachable):
        LargeFiles(HubContent(hub.url, MODEL, lambda: "hf_x", Manners(5))).send(FILES[:1])


def test_a_part_that_the_store_does_not_name_cannot_be_put_together_with_others() -> None:
    with Stranger(200) as store:
        action = (
            f'{{"upload": {{"href": "{store.url}/whole", "header": {{"chunk_size": "80", "1": "{store.url}/1"}}}}}}'
        )
        body = f'{{"objects": [{{"oid": "{FILES[0].sha256}", "actions": {action}}}]}}'
        with Stranger(200, body.encode()) as hub, pytest.raises(HubUnreachable, match=r"part 1 of 0\.bin"):
            LargeFiles(HubContent(hub.url, MODEL, lambda: "hf_x", Manners(5))).send(FILES[:1])
        assert [path for path, _ in store.shown] == ["/1"]


def test_a_file_that_lfs_refuses_is_named() -> None:
    body = f'{{"objects": [{{"oid": "{FILES[0].sha256}", "error": {{"code": 422, "message": "too large"}}}}]}}'
    with Stranger(200, body.encode()) as hub, pytest.raises(HubRefused, match=r"does not take 0\.bin: too large"):
        LargeFiles(HubContent(hub.url, MODEL, lambda: "hf_x", Manners(5))).send(FILES[:1])


def test_a_commit_that_is_led_elsewhere_is_not_followed() -> None:
    with Stranger(307) as hub, pytest.raises(HubError, match="led to another place"):
        ASKED["commit"](HubContent(hub.url, MODEL, lambda: "hf_x", Manners(5)))


@pytest.mark.parametrize("error", ['{"code": 404}', "[]", '"gone"', '{"code": "422"}', '{"code": 507, "message": 1}'])
def test_an_error_of_lfs_of_any_type_is_never_a_file_that_is_there(error: str) -> None:
    body = f'{{"objects": [{{"oid": "{FILES[0].sha256}", "error": {error}}}]}}'
    with Stranger(200, body.encode()) as hub, pytest.raises(HubError):
        LargeFiles(HubContent(hub.url, MODEL, lambda: "hf_x", Manners(5))).send(FILES[:1])
