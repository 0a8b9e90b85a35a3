"""`openllm-repos status --html`: one page with the picture, the table, drift and conflicts, and releases."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest

from openllm_repos.git import process
from tests.support.process import REAL_GIT
from tests.support.releases import Releases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.family import Family
    from tests.support.inprocess import RunCli


STOPPED = "The source and space both changed 1 file in ways that do not go together; nothing was changed."

LACKS = "lacks 1 commit of the source, and changed 1 mapped file by itself (1 commit)."
CONFLICT = "both sides changed training/train.py in ways that do not go together."

TAKE_A_SIDE = "or take one side of a file: --keep-target PATH, --take-source PATH"


def section(page: str, name: str) -> str:
    """Return the text of one section, each element on a line of its own."""
    (found,) = re.findall(rf'<section id="{name}"[^>]*>(.*?)</section>', page, re.DOTALL)
    return html.unescape(re.sub(r"\s*\n\s*", "\n", re.sub(r"<[^>]*>", "\n", found))).strip()


def conflicting(family: Family) -> None:
    """Both sides change the same line."""
    family.synced()
    family.edit("Tune it here", {"training/train.py": "theirs\n"})
    family.commit("Tune it there", {"core/src/train.py": "ours\n"})


@pytest.mark.slow
def test_a_conflict_is_told_before_anybody_syncs(family: Family, run_cli: RunCli) -> None:
    """The page says what a sync would stop on, and who changed what; clone and remotes stay as they were."""
    conflicting(family)
    before = family.everything()
    done = run_cli("status", "--html", family.folder / "page.html", cwd=family.clone.path)
    assert (done.code, done.out) == (0, "")
    assert done.err == f"Wrote {family.folder}/page.html: 1 of 2 repos needs something.\n"
    assert family.everything() == before
    page = (family.folder / "page.html").read_text(encoding="utf-8")
    assert section(page, "changes").splitlines() == [
        *("Drift and conflicts", "space", "diverged"),
        f"A sync would stop, and say: {STOPPED}",
        "Next",
        *("openllm-repos sync space --resolve", TAKE_A_SIDE),
        *("1 conflict", "modified in the source, modified in the target", "training/train.py"),
        *("1 mapped file changed there", "modified", "training/train.py"),
        *("1 commit that did it", family.space.tips()["refs/heads/main"][:10]),
        *("Tune it here", "Test User", ", 2023-11-14"),
    ]
    assert section(page, "next").splitlines()[1:] == [
        "space",
        f"{LACKS} A sync would stop: {CONFLICT}",
        *("Look at it.", "Next"),
        *("openllm-repos sync space --resolve", TAKE_A_SIDE),
    ]
    assert section(page, "releases").splitlines() == ["Releases", "There is no release yet."]


def test_every_format_tells_of_a_conflict_and_of_an_open_merge(family: Family, run_cli: RunCli) -> None:
    conflicting(family)

    def told(*args: str) -> str:
        done = run_cli("status", *args, cwd=family.clone.path)
        assert (done.code, done.err) == (0, "")
        return " ".join(html.unescape(re.sub(r"<[^>]*>", "", done.out)).replace("\\", "").split())

    formats: tuple[tuple[str, ...], ...] = ((), ("--markdown",), ("--json",), ("--html", "-"))
    for args in formats:
        said = told(*args)
        assert f"{LACKS} A sync would stop: {CONFLICT}" in said, args
        assert "openllm-repos sync space --resolve" in said, args
    (_, space) = run_cli("status", "--json", cwd=family.clone.path).json()["repos"]
    assert [one["path"] for one in space["stopped"]["conflicts"]] == ["training/train.py"]

    assert run_cli("sync", "space", "--resolve", cwd=family.clone.path).code == 0
    for args in formats:
        said = told(*args)
        assert "has a merge open in " in said, args
        assert "openllm-repos sync space --continue" in said, args
    assert "--resolve" not in told()  # it is refused now
    assert run_cli("sync", "space", "--abort", cwd=family.clone.path).code == 0
    assert "has a merge open" not in told()


@pytest.mark.slow
def test_a_merge_of_the_persons_own_is_told_until_it_is_committed(family: Family, run_cli: RunCli) -> None:
    family.synced()
    family.clone.git("branch", "other")
    family.commit("Here", {"core/src/train.py": "ours\n"})
    family.clone.git("checkout", "-q", "other")
    family.clone.commit("There", {"core/src/train.py": "theirs\n"})
    family.clone.git("checkout", "-q", "main")
    family.clone.run("merge", "-q", "other", ok=(1,))
    assert (
        "main: has a merge under way in this clone.\n  next: git status" in run_cli("status", cwd=family.clone.path).out
    )
    family.clone.git("merge", "--abort")
    assert "merge under way" not in run_cli("status", cwd=family.clone.path).out


@pytest.mark.slow
def test_what_goes_together_is_said_to(family: Family, run_cli: RunCli) -> None:
    family.synced()
    family.edit("Fix there", {"training/train.py": "fixed\n"})
    family.commit("Fix here", {"core/src/model.py": "fixed\n"})
    page = run_cli("status", "--html", "-", cwd=family.clone.path).out
    assert "A sync would merge it: nothing conflicts." in section(page, "changes")
    assert re.findall(r"lacks 1 commit of the source, 1 mapped file changed there", section(page, "repos"))


def test_the_page_goes_with_check_and_stands_for_itself(family: Family, run_cli: RunCli) -> None:
    done = run_cli("status", "--html", "-", "--check", cwd=family.clone.path)
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("<!doctype html>\n")
    assert run_cli("status", "--html", "-", "--json", cwd=family.clone.path).code == 2
    assert run_cli("-q", "status", "--html", "page.html", cwd=family.clone.path).err == ""


@pytest.mark.slow
def test_offline_nobody_is_asked_and_nothing_is_planned(family: Family, run_cli: RunCli) -> None:
    conflicting(family)
    assert run_cli("sync", "--yes", cwd=family.clone.path).code == 3  # what it has seen stays fetched
    page = run_cli("status", "--offline", "--html", "-", cwd=family.clone.path).out
    assert "Nobody was asked" in page
    assert "A sync would" not in page
    assert "Which releases there are is not known" in section(page, "releases")


def test_a_git_that_cannot_merge_shows_the_rest(
    family: Family, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicting(family)
    old = tmp_path / "git"
    said = 'case "$*" in *version) echo git version 2.37.0; exit;; esac'
    old.write_text(f'#!/bin/sh\n{said}\nexec {REAL_GIT} "$@"\n')
    old.chmod(0o755)
    monkeypatch.setattr(process, "program", lambda: str(old))
    page = run_cli("status", "--html", "-", cwd=family.clone.path).out
    assert "1 mapped file changed there" in section(page, "changes")
    assert "A sync would" not in page


def test_a_source_without_a_commit_shows_the_rest(family: Family, run_cli: RunCli) -> None:
    family.origin.git("update-ref", "-d", "refs/heads/main")
    family.clone.git("switch", "-q", "--orphan", "other")
    family.clone.git("update-ref", "-d", "refs/heads/main")
    family.manifest()
    page = run_cli("status", "--html", "-", cwd=family.clone.path).out
    assert "unknown" in section(page, "repos")
    assert "held against" not in page


def test_releases_stand_beside_the_repos(tmp_path: Path, run_cli: RunCli) -> None:
    """One tag is gone, one was moved, one is not annotated; an older tag was made by hand and has no lock."""
    releases = Releases.make(tmp_path / "releases", run_cli)
    releases.remotes["main"].git("tag", "v0.9.0", "main")
    releases.released("1.0.0")
    commit = releases.remotes["training-data"].git("rev-parse", "v1.0.0^{commit}")
    releases.remotes["training-data"].git("tag", "-f", "v1.0.0", commit)
    releases.remotes["small-7k"].git("tag", "-d", "v1.0.0")
    moved = releases.member("small-8k", "More", {"more.json": "{}\n"})
    releases.remotes["small-8k"].git("tag", "-f", "v1.0.0", moved)
    page = run_cli("status", "--html", "-", cwd=releases.clone.path).out
    assert "<title>openllm: 3 of 5 repos need something</title>" in page
    assert "lacks the tag v1.0.0 of the release 1.0.0." in section(page, "next")
    assert "lacks the tag v1.0.0 of the release 1.0.0" in section(page, "repos")
    rows = [re.sub(r"(<[^>]*>)+", " ", row).split() for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)[-3:]]
    tips = {name: bare.git("rev-parse", "main")[:7] for name, bare in releases.remotes.items()}
    assert rows == [
        ["Version", "main", "space", "small-7k", "small-8k", "training-data"],
        [
            *("1.0.0", "good", tips["main"], "good", tips["space"], "missing", "moved", moved[:7]),
            *("lightweight", commit[:7]),
        ],
        [
            *("0.9.0", "(no", "lock)", "good", releases.remotes["main"].git("rev-parse", "v0.9.0")[:7]),
            *("-", "no", "part", "in", "it") * 4,
        ],
    ]


def test_a_lock_that_cannot_be_read_is_said_so(tmp_path: Path, run_cli: RunCli) -> None:
    releases = Releases.make(tmp_path / "releases", run_cli)
    releases.commit("Break it", {"manifest/releases/v1.0.0.toml": "no lock\n"})
    page = run_cli("status", "--html", "-", cwd=releases.clone.path).out
    assert "1.0.0 (lock cannot be read)" in section(page, "releases")
