"""A portal, a page of maintenance, a server without its disk: what says nothing of a repository is no evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openllm_repos.journal.log import Move
from openllm_repos.names.objectid import ObjectId
from tests.support.family import Family
from tests.support.logged import write_operation
from tests.support.repositories import Bare

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.hub_family import HubFamily
    from tests.support.process import Result

ASKED = "GET */info/refs[?]service=git-upload-pack"
PAGES = {"one line": "<html>Please log in</html>", "lines": "<html>\n<body>\nBack soon\n", "nothing": ""}
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


def portal(sandbox: Sandbox, page: str, *, skip: int = 0) -> None:
    """Let the Hub answer with a page, whoever asks for refs; `skip` questions are still answered."""
    how: dict[str, Any] = {"headers": {"Content-Type": "text/html"}, "body": page, "skip": skip, "count": None}
    sandbox.hub.fault(ASKED, 200, **how)


def run(family: Family, *args: str) -> Result:
    return family.run("--patience", "0", *args, cwd=family.clone.path)


def space(family: Family) -> tuple[str, str, str]:
    """Return what status says of the Space: its state, what is wrong, and what to do."""
    facts = run(family, "status", "--json").json()
    (state,) = (repo["state"] for repo in facts["repos"] if repo["name"] == "space")
    found = [(one["message"], one["next"]) for one in facts["problems"] if one["repo"] == "space"]
    return (state, *(found[0] if found else ("", "")))


def outcomes(family: Family) -> list[list[str]]:
    """Return the outcomes of the log, the newest operation first."""
    found = run(family, "log", "--json").json()["operations"]
    return [[move["outcome"] for move in one["moves"]] for one in found]


def lose_all_refs(bare: Bare) -> dict[str, str]:
    """Let a remote have no refs any more; return those that it had."""
    tips = bare.tips()
    for ref in tips:
        bare.git("update-ref", "-d", ref)
    return tips


@each_page
def test_a_portal_makes_no_empty_repository(sandbox: Sandbox, hub_family: HubFamily, page: str) -> None:
    hub_family.synced()
    hub_family.commit("More", {"core/src/more.py": "more\n"})
    portal(sandbox, page)
    state, message, _ = space(hub_family)
    assert state == "unknown"
    assert message == "did not answer as a git server does: a portal or a maintenance page?"
    tip, refs = hub_family.space.tip("main"), hub_family.clone.tips()
    for command in ("sync --yes", "undo --yes", "import space", "rollback space --lift --yes"):
        done = run(hub_family, *command.split())
        assert (done.code, "a portal or a maintenance page?" in done.out + done.err) == (30, True), command
    assert (hub_family.space.tip("main"), hub_family.clone.tips()) == (tip, refs)
    sandbox.hub.faults.clear()
    hub_family.synced()


@pytest.mark.parametrize("head", [200, 404])
def test_a_target_that_was_never_seen_is_not_taken_for_empty_either(
    sandbox: Sandbox, hub_family: HubFamily, head: int
) -> None:
    portal(sandbox, PAGES["one line"])
    sandbox.hub.fault("GET */HEAD", head, body="<html>", count=None)
    assert space(hub_family)[0] == "unknown"
    assert run(hub_family, "sync", "--yes").code == 30
    assert "training/model.py" not in hub_family.space.paths()


@each_page
def test_a_push_whose_outcome_a_portal_hides_is_asked_for_until_somebody_knows(
    sandbox: Sandbox, hub_family: HubFamily, page: str
) -> None:
    hub_family.synced()
    hub_family.commit("More", {"core/src/more.py": "more\n"})
    portal(sandbox, page, skip=1)
    done = run(hub_family, "sync", "--yes")
    assert (done.code, "The push may have landed." in done.out) == (30, True)
    assert "training/more.py" in hub_family.space.paths()
    for _ in range(2):
        assert outcomes(hub_family)[0] == ["begun"]
        done = run(hub_family, "sync", "--yes")
        assert (done.code, "its remote does not say if its push landed" in done.err) == (30, True)
    asked = run(hub_family, "undo", "--yes")
    assert (asked.code, "has not ended, so it is not known what it did" in asked.err) == (30, True)
    sandbox.hub.faults.clear()
    done = hub_family.synced()
    assert "space: an earlier sync did not end; its push landed" in done.err
    assert outcomes(hub_family)[0] == ["moved"]
    assert "up to date" in done.out


@pytest.mark.slow
def test_no_refs_where_a_tip_is_remembered_is_unknown_and_the_way_out_is_named(family: Family) -> None:
    family.synced()
    tip = family.space.tip("main")
    lose_all_refs(family.space)
    state, message, step = space(family)
    assert state == "unknown"
    assert message == f"answered with no refs, though it had main at {tip[:10]}: a portal or a maintenance page?"
    forget = "git update-ref -d refs/remotes/space/main"
    assert f"{forget}  # if it was made anew, and is empty" in step
    refused = run(family, "sync", "--yes")
    assert (refused.code, f"next: {forget}  #" in refused.out) == (30, True)
    assert run(family, "undo", "--yes").code == 30
    assert family.space.tips() == {}
    family.clone.git(*forget.split()[1:])
    assert space(family)[0] == "empty"
    family.synced()
    assert "training/model.py" in family.space.paths()


def test_a_source_that_shows_no_refs_stops_everything(family: Family) -> None:
    family.synced()
    family.clone.git("fetch", "-q", "origin")
    family.commit("More", {"core/src/more.py": "more\n"})
    lose_all_refs(family.origin)
    done = run(family, "sync", "--yes")
    assert (done.code, "main answered with no refs, though it had main at" in done.err) == (30, True)
    assert "training/more.py" not in family.space.paths()


def test_a_push_that_began_from_something_has_no_outcome_while_a_remote_shows_nothing(family: Family) -> None:
    family.synced()
    old, new = ObjectId(family.space.tip("main")), ObjectId(family.clone.tip())
    write_operation(
        family.clone.path, "sync", Move("space", family.space.url, "refs/heads/main", old, new), outcome=None
    )
    had = lose_all_refs(family.space)
    family.clone.git("update-ref", "-d", "refs/remotes/space/main")
    for _ in range(2):
        done = run(family, "sync", "--dry-run")
        assert (done.code, outcomes(family)[0]) == (0, ["begun"])
        done = run(family, "rollback", "space", "--lift", "--yes")
        assert f"it had main at {old[:10]}" in done.err
        assert outcomes(family)[0] == ["begun"]
    for ref, tip in had.items():
        family.space.git("update-ref", ref, tip)
    assert "its push had not landed" in family.synced().err
    assert outcomes(family)[0] == ["refused"]


def test_what_is_remembered_of_another_url_is_no_evidence(family: Family) -> None:
    family.synced()
    family.urls["space"] = Bare.init(family.folder / "other.git").url
    family.manifest()
    family.commit("Another Space")
    assert space(family)[0] == "empty"
    assert run(family, "sync", "--yes").code == 0


def test_a_branch_that_is_gone_beside_others_is_not_unknown(family: Family) -> None:
    family.synced()
    family.space.git("branch", "-m", "main", "old")
    assert space(family)[0] == "empty"
