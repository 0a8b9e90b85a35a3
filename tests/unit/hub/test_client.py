"""The client, against the sandbox's Hub: what it answers, and what each refusal becomes."""

from __future__ import annotations

import functools
import json
import resource
import time
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from openllm_repos.errors import EnvironmentProblem, RemoteRefused
from openllm_repos.hub import client as client_module
from openllm_repos.hub.client import HubClient
from openllm_repos.hub.failures import Cause, HubError, HubRefused, HubUnreachable
from openllm_repos.hub.model import Account, CardReport, HubInfo, HubRefs, HubRepo, HubType, Runtime, Stage, WriteAccess
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from openllm_repos.names.url import RepoId
from openllm_repos.retry import RetryPolicy
from tests.support.repositories import Bare
from tests.support.stranger import Stranger

if TYPE_CHECKING:
    from collections.abc import Callable

    from openllm_repos.sandbox import Sandbox

SPACE = HubRepo(HubType.SPACE, RepoId("lemms/openllm"))
MODEL = HubRepo(HubType.MODEL, RepoId("lemms/small"))
DATA = HubRepo(HubType.DATASET, RepoId("lemms/data"))
NOWHERE = HubRepo(HubType.MODEL, RepoId("lemms/nowhere"))
RATE = {"RateLimit": '"api";r=0;t=1', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}


@pytest.fixture
def hub(sandbox: Sandbox) -> HubClient:
    """Return a client that may write, of a Hub with a Space, a private model and a gated dataset."""
    sandbox.hub.create("space", SPACE.id, sdk="gradio")
    sandbox.hub.create("model", MODEL.id, private=True)
    sandbox.hub.create("dataset", DATA.id, gated=True)
    return HubClient(sandbox.hub.url, "hf_write")


def _tip(sandbox: Sandbox, repo: HubRepo) -> ObjectId:
    return ObjectId(Bare(sandbox.hub.path(repo.type.value, repo.id)).tip("main"))


# ---- answers ---------------------------------------------------------------------------------------------------------


def test_a_repository_has_a_name_for_people_one_for_urls_and_one_for_the_api() -> None:
    assert [str(repo) for repo in (SPACE, MODEL)] == ["space lemms/openllm", "model lemms/small"]
    assert [repo.resource for repo in (SPACE, MODEL, DATA)] == [
        "spaces/lemms/openllm",
        "lemms/small",
        "datasets/lemms/data",
    ]
    assert [repo.api for repo in (SPACE, MODEL)] == ["spaces/lemms/openllm", "models/lemms/small"]


def test_whoami_is_asked_once(sandbox: Sandbox, hub: HubClient) -> None:
    assert hub.whoami() == hub.whoami() == Account("lemms", "write")
    assert [seen.path for seen in sandbox.hub.log] == ["/api/whoami-v2"]


def test_the_hub_tells_what_it_knows_of_a_repository(sandbox: Sandbox, hub: HubClient) -> None:
    space, model, data = (hub.info(repo) for repo in (SPACE, MODEL, DATA))
    assert (space.tip, space.sdk, space.private, space.gated) == (_tip(sandbox, SPACE), "gradio", False, False)
    assert space.runtime is not None
    assert (model.private, model.gated, model.sdk, model.runtime) == (True, False, None, None)
    assert data.gated
    assert data.changed is not None
    assert abs(data.changed.timestamp() - time.time()) < 600


def test_the_refs_of_many_repositories_come_at_once(sandbox: Sandbox, hub: HubClient) -> None:
    tip = _tip(sandbox, SPACE)
    hub.create_tag(SPACE, TagName("v1"), tip, message="The first")
    answers = hub.all_refs([SPACE, NOWHERE, MODEL])
    assert list(answers) == [SPACE, NOWHERE, MODEL]
    assert answers[SPACE] == HubRefs({"main": tip}, {"v1": tip})
    assert answers[MODEL] == HubRefs({"main": _tip(sandbox, MODEL)}, {})
    refused = answers[NOWHERE]
    assert isinstance(refused, HubRefused)
    assert refused.cause is Cause.NOT_FOUND


def test_a_tag_is_created_at_a_commit_and_never_moved(sandbox: Sandbox, hub: HubClient) -> None:
    bare = Bare(sandbox.hub.path("space", SPACE.id))
    first = _tip(sandbox, SPACE)
    hub.create_tag(SPACE, TagName("v1"), first)
    hub.create_tag(SPACE, TagName("v2"), first, message="Signed by nobody")
    assert [bare.git("cat-file", "-t", tag) for tag in ("v1", "v2")] == ["commit", "tag"]
    with pytest.raises(HubRefused, match=r"The Hub has the tag v1 of the space lemms/openllm already") as refused:
        hub.create_tag(SPACE, TagName("v1"), first)
    assert refused.value.cause is Cause.EXISTS
    with pytest.raises(HubRefused, match="finds no such branch, tag or commit"):
        hub.create_tag(SPACE, TagName("v3"), ObjectId("1" * 40))


def test_a_card_is_judged_by_the_hubs_own_validator(hub: HubClient) -> None:
    assert hub.check_card("---\nlicense: mit\n---\n", HubType.MODEL) == CardReport()
    assert hub.check_card("---\nsdk: excel\n---\n", HubType.SPACE).errors == (
        '"sdk" must be one of [gradio, streamlit, docker, static]',
    )


def test_a_question_that_the_validator_does_not_take_is_no_verdict_on_the_card() -> None:
    said = b'{"error": "Invalid request"}'
    with Stranger(400, [said]) as hub, pytest.raises(HubUnreachable, match="Invalid request"):
        HubClient(hub.url).check_card("---\nsdk: flask\n---\n", HubType.SPACE)


def test_a_repository_is_created_where_there_is_none(sandbox: Sandbox, hub: HubClient) -> None:
    made = HubRepo(HubType.SPACE, RepoId("lemms/new"))
    assert hub.create_repo(made, private=True, sdk="static") == f"{sandbox.hub.url}/spaces/lemms/new"
    assert (hub.info(made).private, hub.info(made).sdk) == (True, "static")
    assert hub.create_repo(HubRepo(HubType.DATASET, RepoId("lemms/new"))).endswith("/datasets/lemms/new")
    with pytest.raises(HubRefused, match="The Hub has the space lemms/new already") as refused:
        hub.create_repo(made, sdk="static")
    assert refused.value.cause is Cause.EXISTS


def test_a_creation_waits_for_another_one_of_the_same_user(
    sandbox: Sandbox, hub: HubClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_CREATION_PAUSE", 0.01)
    made = HubRepo(HubType.MODEL, RepoId("lemms/new"))
    sandbox.hub.fault(match="POST /api/repos/create", status=409, count=2)
    assert hub.create_repo(made).endswith("/lemms/new")
    sandbox.hub.fault(match="POST /api/repos/create", status=409, count=None)
    with pytest.raises(HubUnreachable, match="The Hub is creating something else for lemms"):
        hub.create_repo(NOWHERE)


def test_the_runtime_of_a_space_and_the_end_of_its_log(sandbox: Sandbox, hub: HubClient) -> None:
    sandbox.hub.stage(SPACE.id, "BUILDING")
    assert hub.runtime(SPACE) == Runtime(Stage.BUILDING, "BUILDING", _tip(sandbox, SPACE))
    sandbox.hub.stage(SPACE.id, "HIBERNATING")
    assert hub.runtime(SPACE) == Runtime(Stage.UNKNOWN, "HIBERNATING", _tip(sandbox, SPACE))
    assert hub.build_log(SPACE) == ("No application file: app.py is not in the repository.",)
    assert hub.build_log(SPACE, lines=0) == ()
    assert hub.run_log(SPACE) == ()


# ---- who may write ---------------------------------------------------------------------------------------------------


def test_write_access_is_known_before_any_work(sandbox: Sandbox, hub: HubClient) -> None:
    assert [hub.write_access(repo) for repo in (SPACE, MODEL, DATA)] == [WriteAccess(allowed=True)] * 3
    missing = hub.write_access(NOWHERE)
    assert (missing.allowed, missing.exists) == (False, False)
    read = HubClient(sandbox.hub.url, "hf_read").write_access(SPACE)
    assert read.why == "The token of lemms can only read."
    assert "https://huggingface.co/settings/tokens" in read.hint
    fine = HubClient(sandbox.hub.url, "hf_fine")
    assert fine.write_access(SPACE).allowed
    sandbox.hub.accounts["hf_else"] = sandbox.hub.accounts["hf_other"]
    other = HubClient(sandbox.hub.url, "hf_else").write_access(SPACE)
    assert other.why == "somebody-else is not a member of lemms."
    nobody = HubClient(sandbox.hub.url).write_access(SPACE)
    assert (nobody.allowed, nobody.why) == (False, "There is no token to write to the space lemms/openllm with.")
    gated = HubClient(sandbox.hub.url, "hf_other").write_access(DATA)
    assert not gated.allowed


@pytest.mark.parametrize("body", [b"", b"OK", b'"OK"', b"{}"])
def test_of_the_answer_about_write_access_only_the_status_counts(body: bytes) -> None:
    with Stranger(200, body) as hub:
        assert HubClient(hub.url, "hf_x").write_access(SPACE).allowed


@pytest.mark.usefixtures("hub")
def test_a_token_whose_owner_is_not_told_is_refused_all_the_same(sandbox: Sandbox) -> None:
    sandbox.hub.fault(match="GET /api/whoami-v2", status=403)
    assert HubClient(sandbox.hub.url, "hf_read").write_access(SPACE).why.startswith("The token may not do this")


def test_a_silent_hub_is_no_answer_about_write_access(sandbox: Sandbox, hub: HubClient) -> None:
    sandbox.hub.fault(match="GET */auth-check/write", status=502)
    with pytest.raises(HubUnreachable):
        hub.write_access(SPACE)


# ---- refusals --------------------------------------------------------------------------------------------------------


def _refused(client: HubClient, repo: HubRepo = SPACE) -> HubError:
    with pytest.raises(HubError) as refused:
        client.info(repo)
    return refused.value


@pytest.mark.parametrize(
    ("fault", "cause", "code", "message"),
    [
        ({"status": 402}, Cause.PAYMENT, 3, "The Hub wants a paid plan for the space lemms/openllm: injected."),
        ({"status": 403}, Cause.NOT_ALLOWED, 3, "The token may not do this with the space lemms/openllm: injected."),
        ({"status": 404}, Cause.NOT_FOUND, 3, "The Hub does not find the space lemms/openllm: injected."),
        ({"status": 409}, Cause.EXISTS, 3, "The Hub has the space lemms/openllm already: injected."),
        ({"status": 412}, Cause.MOVED, 3, "Somebody changed the space lemms/openllm meanwhile: injected."),
        (
            {"status": 422},
            Cause.INVALID,
            3,
            "The Hub does not take what was said of the space lemms/openllm: injected.",
        ),
        ({"status": 429}, Cause.LIMITED, 30, "The Hub takes no more requests about the space lemms/openllm for now"),
        ({"status": 500}, Cause.SERVER, 30, "The Hub could not answer about the space lemms/openllm (status 500)"),
        (
            {"status": 403, "code": "GatedRepo"},
            Cause.GATED,
            3,
            "gives the space lemms/openllm only to people on a list",
        ),
        (
            {"status": 403, "headers": {"X-Error-Message": "Access to this resource is disabled."}},
            Cause.DISABLED,
            3,
            "The Hub has disabled the space lemms/openllm.",
        ),
        ({"cut": True}, Cause.CONNECTION, 30, "The Hub could not be asked about the space lemms/openllm: "),
        ({"delay": 2}, Cause.TIMEOUT, 30, "The Hub did not answer in time about the space lemms/openllm."),
    ],
    ids=lambda value: str(value) if isinstance(value, Cause) else "",
)
@pytest.mark.usefixtures("hub")
def test_each_failure_is_one_sentence_with_a_cause(
    sandbox: Sandbox, fault: dict[str, Any], cause: Cause, code: int, message: str
) -> None:
    sandbox.hub.fault(match="GET *", **fault)
    error = _refused(HubClient(sandbox.hub.url, "hf_write", deadline=0.5 if "delay" in fault else 10))
    assert (error.cause, error.exit_code) == (cause, code)
    assert message in error.message
    assert isinstance(error, RemoteRefused if code == 3 else EnvironmentProblem)
    assert error.hint or cause is Cause.INVALID


def test_the_hubs_words_are_shown_on_one_line_and_without_secrets() -> None:
    with Stranger(403, json.dumps({"error": "no\nto hf_abcdefghij \x1b[31m" + "x" * 400}).encode()) as hub:
        error = _refused(HubClient(hub.url))
    assert "no to *** \\x1b[31mxxx" in error.message
    assert len(error.message) < 500


@pytest.mark.usefixtures("hub")
def test_a_token_is_wanted_or_not_taken(sandbox: Sandbox) -> None:
    nobody = _refused(HubClient(sandbox.hub.url), MODEL)
    assert (nobody.cause, "hf auth login" in nobody.hint) == (Cause.NO_TOKEN, True)
    assert "is private, or does not exist" in nobody.message
    ended = _refused(HubClient(sandbox.hub.url, "hf_ended"), MODEL)
    assert (ended.cause, "Make another" in ended.hint) == (Cause.BAD_TOKEN, True)
    with pytest.raises(HubRefused) as refused:
        HubClient(sandbox.hub.url).create_repo(NOWHERE)
    assert refused.value.cause in {Cause.NO_TOKEN, Cause.NOT_ALLOWED}
    with pytest.raises(HubRefused, match="There is no token for the Hub"):
        HubClient(sandbox.hub.url).whoami()


@pytest.mark.parametrize("token", ["hf_\u201cquoted\u201d", "hf_two\twords", "hf_\udce4"], ids=ascii)
def test_a_token_that_no_header_can_hold_is_refused_and_not_repeated(token: str) -> None:
    hub = HubClient("http://127.0.0.1:9", token)
    refused = _refused(hub, MODEL)
    assert (refused.cause, "hf auth login" in refused.hint) == (Cause.BAD_TOKEN, True)
    assert token not in f"{refused.message}{refused.hint}{refused!r}"
    assert not hub.write_access(MODEL).allowed


def test_a_space_that_costs_says_how_one_comes_free(sandbox: Sandbox, hub: HubClient) -> None:
    sandbox.hub.free_account = True
    with pytest.raises(HubRefused) as refused:
        hub.create_repo(HubRepo(HubType.SPACE, RepoId("lemms/paid")), sdk="docker")
    assert (refused.value.cause, "--sdk static" in refused.value.hint) == (Cause.PAYMENT, True)


@pytest.mark.usefixtures("hub")
def test_a_hub_that_asks_to_wait_is_waited_for(sandbox: Sandbox) -> None:
    told: list[str] = []
    patient = HubClient(sandbox.hub.url, "hf_write", retry=RetryPolicy(30, told.append))
    sandbox.hub.fault(match="GET *", status=429, headers=RATE)
    assert patient.info(SPACE).sdk == "gradio"
    host = sandbox.hub.url.removeprefix("http://")
    assert told == [f"waiting 1 s: {host} asked for it (HTTP 429)"]


@pytest.mark.parametrize("fault", [{"status": 503}, {"reset": True}, {"cut": True}, {"truncate": 5}], ids=str)
@pytest.mark.usefixtures("hub")
def test_a_question_whose_answer_is_bad_once_is_asked_again(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.hub.fault(match="GET *", **fault)
    assert HubClient(sandbox.hub.url, "hf_write", retry=RetryPolicy(30)).info(SPACE).sdk == "gradio"


@pytest.mark.usefixtures("hub")
def test_a_creation_is_asked_for_again_only_where_the_hub_did_not_look_at_it(sandbox: Sandbox) -> None:
    patient = HubClient(sandbox.hub.url, "hf_write", retry=RetryPolicy(30))
    sandbox.hub.fault(match="POST /api/repos/create", status=429)
    assert patient.create_repo(HubRepo(HubType.MODEL, RepoId("lemms/new"))).endswith("/lemms/new")
    sandbox.hub.fault(match="POST /api/repos/create", lose_answer=True)
    with pytest.raises(HubUnreachable, match="could not be asked"):
        patient.create_repo(HubRepo(HubType.MODEL, RepoId("lemms/newer")))
    assert [seen.path for seen in sandbox.hub.log].count("/api/repos/create") == 3


@pytest.mark.usefixtures("hub")
def test_there_is_a_limit_to_the_waiting(sandbox: Sandbox) -> None:
    told: list[str] = []
    for headers in (RATE | {"RateLimit": '"api";r=0;t=290'}, {"Retry-After": "3600"}):
        sandbox.hub.fault(match="GET *", status=429, headers=headers, count=None)
        error = _refused(HubClient(sandbox.hub.url, "hf_write", retry=RetryPolicy(120, told.append)))
        assert (error.cause, "--patience" in error.hint, told) == (Cause.LIMITED, True, [])
        sandbox.hub.faults.clear()


def test_offline_nobody_is_asked(sandbox: Sandbox, hub: HubClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "yes")
    assert (_refused(hub).cause, sandbox.hub.log) == (Cause.OFFLINE, [])
    with pytest.raises(HubUnreachable, match="HF_HUB_OFFLINE is set"):
        hub.build_log(SPACE)


@pytest.mark.parametrize("body", [b"<html>Please log in to the network</html>", b"[1]", b'{"sha": "', b"\xff"])
def test_what_is_not_the_hub_is_seen_through(body: bytes) -> None:
    with Stranger(200, body) as hub:
        error = _refused(HubClient(hub.url))
    host = hub.url.removeprefix("http://")
    assert f"What answers at {host} about the space lemms/openllm is not the Hub" in error.message
    assert (error.cause, error.exit_code) == (Cause.SERVER, 30)


def test_an_answer_that_lacks_everything_claims_nothing() -> None:
    with Stranger(200, b"{}") as hub:
        client = HubClient(hub.url, "hf_x")
        assert client.info(SPACE) == HubInfo(tip=None, private=False, gated=False)
        assert client.refs(SPACE) == HubRefs()
        assert client.runtime(SPACE) == Runtime(Stage.UNKNOWN, "")
        assert client.whoami() == Account("", "unknown")
        assert client.create_repo(SPACE, sdk="static") == f"{hub.url}/spaces/lemms/openllm"


@pytest.mark.parametrize(
    "said",
    [
        {"sha": "?"},
        {"sha": 1},
        {"private": "yes"},
        {"runtime": []},
        {"branches": [1], "stage": 1, "orgs": [1], "errors": {}},
        {"branches": [{"name": "x"}], "sdk": 1},
        {"tags": {}, "lastModified": "yesterday", "gated": []},
    ],
    ids=str,
)
def test_a_value_of_another_type_is_not_the_hubs(said: dict[str, object]) -> None:
    def ask(work: Callable[[], object]) -> bool:
        try:
            work()
        except HubUnreachable as why:
            return "is not the Hub" in why.message
        return False

    with Stranger(200, json.dumps(said).encode()) as hub:
        client = HubClient(hub.url, "hf_x")
        each = (client.info, client.refs, client.runtime)
        works = (*(functools.partial(work, SPACE) for work in each), client.whoami)
        assert any(ask(work) for work in works)


def test_an_answer_that_is_too_long_is_not_read_to_its_end(sandbox: Sandbox, hub: HubClient) -> None:
    sandbox.hub.fault(match="GET *", status=200, huge=1 << 31, count=None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(HubUnreachable, match=r"is not the Hub \(it is longer than 32 MiB\)"):
        hub.info(SPACE)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 << 10


def test_a_small_answer_that_unpacks_to_gigabytes_is_not_unpacked() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(128)) + packer.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Stranger(200, bomb, headers={"Content-Encoding": "gzip"}) as hub:
        with pytest.raises(HubUnreachable, match="it is longer than 32 MiB"):
            HubClient(hub.url).info(SPACE)
        with Stranger(302, bomb, headers={"Content-Encoding": "gzip", "Location": f"{hub.url}/x"}) as first:
            assert "it is longer" in _refused(HubClient(first.url)).message
    with Stranger(200, b"x", headers={"Content-Encoding": "br"}) as hub:
        assert "it is packed as br" in _refused(HubClient(hub.url)).message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 << 10


def test_a_log_whose_line_does_not_end_is_given_up() -> None:
    with Stranger(200, b"data: " + b"x" * 3_000_000, endless=True) as there:
        assert HubClient(there.url, deadline=0.5).build_log(SPACE) == ()


def test_nothing_listens_there() -> None:
    error = _refused(HubClient("http://127.0.0.1:9"))
    assert error.message.startswith("There is no connection to 127.0.0.1:9: ")
    assert (error.cause, error.passing) == (Cause.CONNECTION, None)


def test_a_log_that_goes_on_for_ever_is_read_as_far_as_it_has_come() -> None:
    events = [b"data: " + json.dumps({"data": f"step {n}\n", "timestamp": ""}).encode() + b"\n\n" for n in range(30)]
    with Stranger(200, b": hello\n\ndata:\n\ndata: {]\n\n" + b"".join(events), endless=True) as hub:
        read = HubClient(hub.url, deadline=2).build_log(SPACE, lines=2)
    assert read == ("step 28", "step 29")


@pytest.mark.usefixtures("hub")
def test_a_log_that_is_refused_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(HubRefused, match="The token may not do this with the build log of the space"):
        HubClient(sandbox.hub.url, "hf_read").build_log(SPACE)
