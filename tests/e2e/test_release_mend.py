"""A release that is out and lacks a tag: what can be mended is, and what cannot is said and holds nothing up."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.support.inprocess import RunCli
from tests.support.releases import MEMBERS, ORDER, Releases
from tests.support.repositories import Bare, Clone

OUT = "is out all the same, without {}; the next release is not held up."


@pytest.fixture
def releases(tmp_path: Path, run_cli: RunCli) -> Releases:
    """Return a family that was released once, as 1.0.0, and has gone on to 1.1.0."""
    made = Releases.make(tmp_path / "family", run_cli)
    made.released("1.0.0")
    made.run("version", "set", "1.1.0", cwd=made.clone.path)
    made.commit("Go on")
    return made


def drop(bare: Bare, tag: str = "v1.0.0") -> None:
    """Take a tag away, as anybody can who may write to the repository."""
    bare.git("update-ref", "-d", f"refs/tags/{tag}")


def squash_history(bare: Bare) -> None:
    """Squash the history and forget it, as the Hub offers."""
    new = bare.git(
        *("-c", "user.name=G", "-c", "user.email=g@example.org", "commit-tree", "-m", "squashed", "main^{tree}")
    )
    bare.git("update-ref", "refs/heads/main", new)
    bare.git("gc", "-q", "--prune=now")


def refuse_tags(bare: Bare) -> Path:
    """Let a remote take no tag; return the hook."""
    return bare.refuse("frozen: over its storage quota", refs="refs/tags/*")


def test_a_squashed_history_is_said_and_holds_no_later_release_up(releases: Releases) -> None:
    data = releases.remotes["training-data"]
    gone = data.tip("v1.0.0")[:10]
    drop(data)
    squash_history(data)
    drop(releases.remotes["small-7k"])
    for lost in ("small-7k", ""):  # and the second time there is nothing new to say
        done = releases.release("1.0.0")
        assert done.code == 3
        assert (f"{lost}: tagging" in done.err) is bool(lost)
        assert f"training-data: does not give out its commit {gone} any more, which v1.0.0 is to name." in done.out
        assert done.out.splitlines()[-1] == f"1.0.0 {OUT.format('training-data')}"
        assert "not out" not in done.out + done.err
        assert "abort" not in done.out + done.err
    status = releases.run("status", "--json", cwd=releases.clone.path).json()
    assert [problem["message"] for problem in status["problems"]] == ["lacks the tag v1.0.0 of the release 1.0.0."]
    abort = releases.release("abort", "1.0.0")
    assert (abort.code, abort.err.splitlines()[-1].partition("  # ")[0]) == (
        3,
        "next: openllm-repos release verify v1.0.0",
    )
    releases.released("1.1.0")
    assert releases.run("status", "--check", cwd=releases.clone.path).code == 0


def test_a_repo_that_takes_no_tag_does_not_keep_the_others_from_theirs(releases: Releases) -> None:
    lost = {name: releases.remotes[name].tips()["refs/tags/v1.0.0"] for name in MEMBERS}
    for name in MEMBERS:
        drop(releases.remotes[name])
    hook = refuse_tags(releases.remotes["small-7k"])
    done = releases.release("1.0.0", "--json")
    said = done.json()
    assert (done.code, said["out"], [one["repo"] for one in said["obstacles"]]) == (3, True, ["small-7k"])
    assert said["obstacles"][0]["message"].startswith("did not take the tag v1.0.0: ")
    assert said["obstacles"][0]["next"].startswith("The storage of small-7k is full.")
    assert {repo["name"]: (repo["outcome"] or {}).get("pushed") for repo in said["repos"]} == {
        "space": False,
        "small-7k": None,
        "small-8k": True,
        "training-data": True,
        "main": False,
    }
    hook.unlink()
    releases.released("1.0.0")
    assert {name: releases.remotes[name].tips()["refs/tags/v1.0.0"] for name in MEMBERS} == lost


@pytest.mark.slow
def test_a_repo_that_is_silent_is_mended_later(releases: Releases) -> None:
    drop(releases.remotes["small-8k"])
    place, away = releases.remotes["small-7k"].path, releases.folder / "away"
    place.rename(away)
    done = releases.release("1.0.0")
    assert (done.code, "small-7k: is unreachable:" in done.out) == (30, True)
    assert releases.remotes["small-8k"].tip("v1.0.0") == releases.remotes["small-8k"].tip("main")
    away.rename(place)
    assert "Nothing to do" in releases.released("1.0.0").out


@pytest.mark.parametrize("name", ["small-7k", "main"])
@pytest.mark.parametrize("kind", ["annotated", "lightweight"])
def test_what_the_tool_names_for_a_wrong_tag_puts_it_right(releases: Releases, name: str, kind: str) -> None:
    """Somebody has put another tag in the place of a release's; `status` and `release` name the same way out."""
    bare = releases.remotes[name]
    made = bare.tips()["refs/tags/v1.0.0"]
    if name in MEMBERS:
        releases.member(name, "Newer", {"config.json": "{}"})
    bare.git(*_as_person(), "tag", "-f", *(("-a", "-m", "mine") if kind == "annotated" else ()), "v1.0.0", "main")
    theirs = bare.tips()["refs/tags/v1.0.0"]
    done = releases.release("1.0.0")
    assert (done.code, done.out.splitlines()[-1]) == (3, f"1.0.0 {OUT.format(name)}")
    assert bare.tips()["refs/tags/v1.0.0"] == theirs
    status = releases.run("status", "--check", cwd=releases.clone.path)
    commands = [line.removeprefix("  next: ") for line in status.out.splitlines() if "next: " in line]
    assert [line for line in done.out.splitlines() if line.startswith("  next: ")] == [f"  next: {c}" for c in commands]
    for command in commands:
        program, *words = shlex.split(command, comments=True)
        assert releases.clone.git(*words) == "" if program == "git" else releases.release(*words[1:]).code == 0
    assert bare.tips()["refs/tags/v1.0.0"] == made
    assert (status.code, releases.run("status", "--check", cwd=releases.clone.path).code) == (1, 0)


def _as_person() -> tuple[str, ...]:
    return "-c", "user.name=G", "-c", "user.email=g@example.org"


@pytest.mark.slow
def test_wrong_tags_of_older_releases_are_seen_by_status(releases: Releases) -> None:
    releases.released("1.1.0")
    releases.remotes["space"].git(*_as_person(), "tag", "-f", "-a", "-m", "x", "v1.0.0", "v1.0.0^{tree}")
    releases.remotes["training-data"].git("tag", "-f", "v1.0.0", "main")
    drop(releases.remotes["small-8k"])  # an old tag that is gone is the owner's own matter
    done = releases.run("status", "--check", "--json", cwd=releases.clone.path)
    assert done.code == 1
    assert [(one["repo"], one["message"].partition(" at ")[0]) for one in done.json()["problems"]] == [
        ("space", "has its tag v1.0.0"),
        ("training-data", "has its tag v1.0.0"),
    ]


def test_a_tag_that_no_release_made_is_seen_before_its_version_is_wanted(releases: Releases) -> None:
    for name, tag in (("small-7k", "v2.0.0"), ("main", "v2.0.0"), ("small-7k", "v0.5.0"), ("space", "nightly")):
        releases.remotes[name].git("tag", tag, "main")
    status = releases.run("status", "--check", "--json", cwd=releases.clone.path)
    assert status.code == 1
    said = "has a tag v2.0.0, which no release made: a release of that version would be refused."
    assert [(one["repo"], one["message"]) for one in status.json()["problems"]] == [("main", said), ("small-7k", said)]

    releases.run("version", "set", "2.0.0", cwd=releases.clone.path)
    releases.commit("Raise the version")
    done = releases.release("2.0.0")
    assert done.code == 3
    assert "next: openllm-repos release 2.0.0" not in done.err
    assert "next: openllm-repos version set 2.0.1  # is free in every repo" in done.err
    for one in status.json()["problems"]:
        releases.clone.git(*shlex.split(one["next"], comments=True)[1:])
    releases.released("2.0.0")


@pytest.mark.slow
def test_a_tag_of_this_clone_that_is_the_remotes_own_is_not_to_be_removed(releases: Releases) -> None:
    releases.remotes["main"].git(*_as_person(), "tag", "-a", "-m", "by hand", "v1.1.0", "main")
    releases.clone.git("fetch", "-q", "--tags", "origin")
    done = releases.release("1.1.0", "--dry-run")
    assert "main: its tag v1.1.0 is at" in done.out
    assert "of its own" not in done.out
    assert "git tag -d" not in done.out


@pytest.mark.slow
def test_a_release_that_is_out_is_not_in_the_way_though_its_run_was_stopped(releases: Releases) -> None:
    """Its clone was killed after the last push; then a member lost its tag, and its history."""
    refuse_tags(releases.remotes["main"])
    assert releases.release("1.1.0").code == 3
    (releases.remotes["main"].path / "hooks/update").unlink()
    other = Clone.of(releases.remotes["main"].url, releases.folder / "other")
    assert releases.run("release", "1.1.0", "--yes", cwd=other.path).code == 0
    data = releases.remotes["training-data"]
    drop(data, "v1.1.0")
    squash_history(data)
    assert "has not ended" not in releases.run("status", cwd=releases.clone.path).out
    releases.run("version", "set", "1.2.0", cwd=releases.clone.path)
    releases.commit("Go on")
    releases.released("1.2.0")
    assert {name: tag is not None for name, tag in releases.tags("v1.1.0").items()} == {
        name: name != "training-data" for name in ORDER
    }


@pytest.mark.slow
def test_only_the_newest_releases_are_listed_unless_all_are_wanted(releases: Releases) -> None:
    releases.released("1.1.0")
    assert [line.split()[0] for line in releases.release("list").out.splitlines()] == ["v1.1.0", "v1.0.0"]
    assert releases.release("list", "-n", "1").out.splitlines()[1:] == [
        "… and 1 older",
        "next: openllm-repos release list -n 0  # lists all",
    ]
    facts = releases.release("list", "-n", "1", "--json").json()
    assert ([one["tag"] for one in facts["releases"]], facts["older"]) == (["v1.1.0"], 1)
    assert len(releases.release("list", "-n", "0", "--json").json()["releases"]) == 2
