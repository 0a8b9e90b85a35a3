"""Releases that were made or begun: listed, shown, verified, given up."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.fingerprint import listing
from tests.support.inprocess import RunCli
from tests.support.releases import MEMBERS, ORDER, Releases
from tests.support.repositories import Bare, Clone


@pytest.fixture
def releases(tmp_path: Path, run_cli: RunCli) -> Releases:
    """Return a family that was released once, as 1.0.0."""
    made = Releases.make(tmp_path / "family", run_cli)
    made.released("1.0.0")
    return made


@pytest.fixture
def halted(tmp_path: Path, run_cli: RunCli) -> Releases:
    """Return a family whose release 1.0.0 was refused by small-8k."""
    made = Releases.make(tmp_path / "family", run_cli)
    hook = made.remotes["small-8k"].refuse()
    assert made.release("1.0.0").code == 3
    hook.unlink()
    return made


def retag(bare: Bare, tag: str, rev: str) -> None:
    """Move a tag, as somebody with rights on the host can."""
    bare.git("-c", "user.name=M", "-c", "user.email=m@example.org", "tag", "-a", "-f", "-m", "moved", tag, rev)


@pytest.mark.slow
def test_a_release_that_is_complete_verifies(releases: Releases) -> None:
    before = listing(releases.folder)
    done = releases.release("verify", "v1.0.0")
    assert (done.code, done.err) == (0, "")
    tags = releases.tags("v1.0.0")
    assert done.out.splitlines() == [
        "v1.0.0: complete, 5 repos",
        *(f"  {name:13}  v1.0.0 at {str(tags[name])[:10]}" for name in ("main", "space", *MEMBERS)),
    ]
    assert releases.release("verify").out == done.out, "the newest by default"
    assert releases.release("verify", "1.0.0").out == done.out, "or by its version"
    assert listing(releases.folder) == before


@pytest.mark.slow
def test_a_tag_that_was_moved_by_hand_is_found(releases: Releases) -> None:
    releases.member("small-7k", "Newer", {"config.json": "{}"})
    retag(releases.remotes["small-7k"], "v1.0.0", "main")
    new, old = (releases.remotes["small-7k"].tip(rev)[:10] for rev in ("main", "main~1"))
    done = releases.release("verify", "v1.0.0")
    assert done.code == 1
    assert done.out.splitlines()[0] == "v1.0.0: 4 of 5 repos have it (1 moved)"
    assert f"  small-7k       moved: v1.0.0 is at {new}, and the lock says {old}" in done.out.splitlines()
    status = releases.run("status", "--check", cwd=releases.clone.path)
    assert status.code == 1
    assert f"small-7k: has its tag v1.0.0 at {new}, and the release has {old}." in status.out.replace("\n  ", " ")
    assert "next: openllm-repos release 1.0.0  # then makes it as it was" in status.out


@pytest.mark.slow
def test_every_sort_of_fault_is_told(releases: Releases) -> None:
    releases.remotes["space"].git("update-ref", "-d", "refs/tags/v1.0.0")
    releases.remotes["small-8k"].git("tag", "-f", "v1.0.0", "main")
    releases.remotes["training-data"].path.rename(releases.folder / "away")
    done = releases.release("verify", "--json")
    assert done.code == 1
    (release,) = done.json()["releases"]
    assert {repo["name"]: repo["state"] for repo in release["repos"]} == {
        "main": "good",
        "space": "missing",
        "small-7k": "good",
        "small-8k": "lightweight",
        "training-data": "unreachable",
    }
    assert (release["complete"], release["out"]) == (False, True)
    said = releases.release("verify").out
    assert "v1.0.0: 3 of 5 repos have it (1 missing, 1 lightweight, 1 unreachable)" in said
    assert "  space          missing: v1.0.0 at" in said
    assert "  small-8k       lightweight: v1.0.0 at" in said


@pytest.mark.slow
def test_a_repo_that_does_not_answer_leaves_it_open_with_30(releases: Releases) -> None:
    releases.remotes["training-data"].path.rename(releases.folder / "away")
    done = releases.release("verify")
    assert done.code == 30
    assert "  training-data  unreachable: " in done.out


@pytest.mark.slow
def test_what_was_taken_away_is_brought_back_by_the_same_release(releases: Releases) -> None:
    lost = releases.remotes["space"].tips()["refs/tags/v1.0.0"]
    releases.remotes["space"].git("update-ref", "-d", "refs/tags/v1.0.0")
    assert "lacks the tag v1.0.0 of the release 1.0.0." in releases.run("status", cwd=releases.clone.path).out
    releases.released("1.0.0")
    assert releases.remotes["space"].tips()["refs/tags/v1.0.0"] == lost


@pytest.mark.slow
def test_verify_holds_all_releases_and_needs_no_state_of_this_clone(releases: Releases) -> None:
    releases.run("version", "set", "1.1.0", cwd=releases.clone.path)
    releases.commit("Raise the version")
    releases.released("1.1.0")
    fresh = Clone.of(releases.remotes["main"].url, releases.folder / "fresh", "--no-tags")
    done = releases.run("release", "verify", "--all", cwd=fresh.path)
    assert done.code == 0
    heads = [line for line in done.out.splitlines() if not line.startswith(" ")]
    assert heads == ["v1.1.0: complete, 5 repos", "v1.0.0: complete, 5 repos"]


@pytest.mark.slow
def test_unsigned_tags_are_a_fault_where_signatures_are_asked_for(releases: Releases) -> None:
    done = releases.release("verify", "--signed")
    assert done.code == 1
    assert "v1.0.0: 5 of 5 repos have it (5 unsigned)" in done.out
    releases.clone.git("config", "tag.gpgSign", "true")
    assert releases.release("verify").code == 1


@pytest.mark.slow
def test_the_sources_own_tag_is_held_against_the_commit_that_added_the_lock(releases: Releases) -> None:
    made = releases.remotes["main"].tip("v1.0.0")
    later = releases.commit("Later", {"README.md": "hi\n"})
    retag(releases.remotes["main"], "v1.0.0", "main")
    said = f"  main           moved: v1.0.0 is at {later[:10]}, and the lock says {made[:10]}"
    assert said in releases.release("verify").out.splitlines(), "though that commit holds the lock too"
    retag(releases.remotes["main"], "v1.0.0", "main~2")
    done = releases.release("verify")
    assert done.code == 1
    assert (
        f"moved: v1.0.0 is at {releases.remotes['main'].tip('main~2')[:10]}, and the lock says {made[:10]}" in done.out
    )
    assert releases.release("1.0.0").code == 3


@pytest.mark.slow
def test_a_lock_that_was_edited_later_counts_as_it_was_written(releases: Releases) -> None:
    path = "manifest/releases/v1.0.0.toml"
    text = (releases.clone.path / path).read_text()
    commit = releases.remotes["space"].tip("v1.0.0")
    releases.commit("Edit", {path: text.replace(commit, "1" * 40)})
    assert releases.release("verify").code == 0
    releases.remotes["main"].git("update-ref", "-d", "refs/tags/v1.0.0")
    assert "  main           missing: v1.0.0 at" in releases.release("verify").out
    releases.released("1.0.0")


@pytest.mark.slow
def test_a_file_that_is_no_lock_is_told(releases: Releases) -> None:
    releases.commit("No lock", {"manifest/releases/v2.0.0.toml": "[[x\n"})
    done = releases.release("verify", "--all")
    assert done.code == 1
    assert "v2.0.0: The lock in manifest/releases/v2.0.0.toml of" in done.out
    assert "is not sound: it is not TOML that can be read." in done.out
    assert "is not sound" in releases.run("status", cwd=releases.clone.path).out.replace("\n  ", " ")


def test_releases_are_listed_newest_first(halted: Releases) -> None:
    halted.remotes["main"].git("tag", "v0.9.0", "main~1")
    halted.remotes["main"].git("tag", "v0.10.0", "main~1")
    halted.remotes["main"].git("tag", "nightly", "main~1")
    done = halted.release("list")
    assert done.code == 0
    day = halted.release("show", "1.0.0", "--json").json()["date"]
    assert done.out.splitlines() == [
        f"v1.0.0   {day}  not out yet: 2 of 5 repos have it (3 missing)",
        "v0.10.0              no lock: not made by a release",
        "v0.9.0               no lock: not made by a release",
    ]
    facts = halted.release("list", "--json").json()["releases"]
    assert (facts[0]["tag"], facts[0]["complete"], facts[0]["out"]) == ("v1.0.0", False, False)
    halted.released("1.0.0")
    assert halted.release("list").out.splitlines()[0] == f"v1.0.0   {day}  complete, 5 repos"


def test_where_there_is_no_release_yet(tmp_path: Path, run_cli: RunCli) -> None:
    made = Releases.make(tmp_path / "family", run_cli)
    assert made.release("list").out == "There is no release yet.\n"
    assert made.release("verify").code == 2
    done = made.release("show", "v1.0.0")
    assert done.code == 2
    assert "There is no release v1.0.0. There is none yet." in done.err
    assert made.release("verify", "v1", "--all").code == 2


def test_a_release_is_shown(releases: Releases) -> None:
    done = releases.release("show", "v1.0.0")
    tags = releases.tags("v1.0.0")
    facts = releases.release("show", "v1.0.0", "--json").json()
    assert done.out.splitlines() == [
        f"openllm 1.0.0, v1.0.0, {facts['date']} by Test User",
        *(f"{name:13}  v1.0.0  {tags[name]}  {releases.urls[name]}" for name in ("main", "space", *MEMBERS)),
    ]
    assert (facts["by"], facts["lock"]) == ("Test User", "commit")
    assert {repo["name"]: repo["commit"] for repo in facts["repos"]} == tags
    releases.remotes["main"].git("tag", "v0.9.0", "main~1")
    assert "v0.9.0 has no lock: it was not made by a release." in releases.release("show", "v0.9.0").err
    assert "There is no release v3.0. The newest is v1.0.0." in releases.release("show", "v3.0").err


def test_a_release_that_is_not_out_can_be_given_up(halted: Releases) -> None:
    done = halted.release("abort", "1.0.0")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "Gave up v1.0.0: space, small-7k had its tag taken back.",
        "The lock is off main.",
        "next: git pull  # takes that over",
    ]
    assert set(halted.tags("v1.0.0").values()) == {None}
    main = halted.remotes["main"]
    assert main.log("main") == ["Give up release openllm 1.0.0", "Release openllm 1.0.0", "Start"]
    assert main.git("diff", "--stat", "main", "main~2") == ""
    assert halted.release("abort", "1.0.0").code == 2, "there is nothing left of it"

    halted.clone.git("pull", "-q", "--ff-only", "origin", "main")
    halted.released("1.0.0")
    assert halted.release("verify").code == 0


@pytest.mark.slow
def test_another_machine_can_give_it_up_too(halted: Releases) -> None:
    theirs = Clone.of(halted.remotes["main"].url, halted.folder / "theirs")
    theirs.git("config", "user.name", "Grace Hopper")
    assert halted.run("release", "abort", "1.0.0", "--yes", cwd=theirs.path).code == 0
    assert set(halted.tags("v1.0.0").values()) == {None}
    assert halted.release("1.0.0", "--resume").code == 2, "what was begun here is known to be given up"
    halted.clone.git("pull", "-q", "--ff-only", "origin", "main")
    halted.released("1.0.0")


@pytest.mark.slow
def test_tags_that_somebody_else_made_are_left_alone(halted: Releases) -> None:
    halted.remotes["small-8k"].git("tag", "-a", "-m", "theirs", "v1.0.0", "main")
    mine = halted.remotes["small-8k"].tips()["refs/tags/v1.0.0"]
    done = halted.release("abort", "1.0.0")
    assert done.code == 0
    assert "Kept: the tag on small-8k, which this release did not make, or cannot prove that." in done.out
    assert halted.remotes["small-8k"].tips()["refs/tags/v1.0.0"] == mine


@pytest.mark.slow
def test_a_release_that_is_out_is_never_taken_back(releases: Releases) -> None:
    tips = {name: bare.tips() for name, bare in releases.remotes.items()}
    done = releases.release("abort", "1.0.0")
    assert done.code == 3
    assert "The release v1.0.0 is out: main has its tag, and others may have built on it." in done.err
    assert {name: bare.tips() for name, bare in releases.remotes.items()} == tips


@pytest.mark.slow
def test_a_remote_that_keeps_its_tag_says_so_and_the_rest_is_done_later(halted: Releases) -> None:
    hook = halted.remotes["small-7k"].refuse("immutable")
    done = halted.release("abort", "1.0.0")
    assert done.code == 3
    assert "small-7k does not let its tag v1.0.0 be removed:" in done.err
    assert "immutable" in done.err
    hook.unlink()
    assert halted.release("abort", "1.0.0").code == 0
    assert set(halted.tags("v1.0.0").values()) == {None}


@pytest.mark.slow
def test_signed_tags_are_taken_back_only_where_they_were_made(halted: Releases) -> None:
    theirs = Clone.of(halted.remotes["main"].url, halted.folder / "theirs")
    theirs.git("config", "tag.gpgSign", "true")
    done = halted.run("release", "abort", "1.0.0", "--yes", cwd=theirs.path)
    assert done.code == 0
    assert "Kept: the tag on space, small-7k, which this release did not make, or cannot prove that." in done.out


@pytest.mark.slow
def test_a_branch_that_keeps_the_lock_says_so(halted: Releases) -> None:
    hook = halted.remotes["main"].refuse("protected")
    done = halted.release("abort", "1.0.0")
    assert done.code == 3
    assert "main did not take the commit that removes manifest/releases/v1.0.0.toml:" in done.err
    hook.unlink()
    assert "The lock is off main" in halted.release("abort", "1.0.0").out


def test_giving_up_needs_every_answer_first(halted: Releases) -> None:
    halted.remotes["training-data"].path.rename(halted.folder / "away")
    done = halted.release("abort", "1.0.0")
    assert done.code == 30
    assert "Not every repo answers, so nothing was taken back:\n  training-data: is unreachable" in done.err
    assert halted.remotes["space"].tips()["refs/tags/v1.0.0"]


@pytest.mark.slow
def test_a_repo_that_is_gone_for_good_does_not_hold_a_release_for_ever(halted: Releases) -> None:
    gone = halted.remotes.pop("small-8k")
    shutil.rmtree(gone.path)
    assert halted.release("1.0.0").code == 30
    done = halted.release("abort", "1.0.0")
    assert done.code == 30
    assert "next: openllm-repos release abort 1.0.0 --leave small-8k  # if it is gone for good" in done.err

    done = halted.release("abort", "1.0.0", "--leave", "small-8k")
    assert done.code == 0, done.err
    assert "Left alone: small-8k." in done.out
    assert set(halted.tags("v1.0.0").values()) == {None}
    manifest = halted.clone.path / "repos.toml"
    manifest.write_text(manifest.read_text().replace("[repos.small-8k]", "[repos.small-8k]\nrelease = false"))
    halted.clone.git("pull", "-q", "--ff-only", "origin", "main")
    halted.commit("Do without it")
    halted.released("1.0.0")


@pytest.mark.slow
def test_a_repo_that_keeps_its_tags_does_not_hold_a_release_for_ever(halted: Releases) -> None:
    halted.remotes["small-7k"].refuse()
    done = halted.release("abort", "1.0.0")
    assert (done.code, done.err.splitlines()[-1].removeprefix("next: ").partition("  # ")[0]) == (
        3,
        "openllm-repos release abort 1.0.0 --leave small-7k",
    )
    assert halted.release("abort", "1.0.0", "--leave", "small-7k").code == 0
    assert [name for name, commit in halted.tags("v1.0.0").items() if commit is not None] == ["small-7k"]
    assert "openllm-repos release 1.0.0" not in halted.run("status", cwd=halted.clone.path).out


@pytest.mark.slow
def test_only_another_repo_of_the_release_can_be_left_alone(halted: Releases) -> None:
    for name, what in (("main", "main is the source, which is always asked."), ("x", "x is no repo of the release.")):
        done = halted.release("abort", "1.0.0", "--leave", name)
        assert (done.code, done.err.splitlines()) == (
            2,
            [f"error: {what}", "hint: Others of v1.0.0: space, small-7k, small-8k, training-data"],
        )


@pytest.mark.slow
def test_whatever_a_release_lacks_status_names_the_way_on(releases: Releases) -> None:
    for name in ORDER:
        tag = releases.remotes[name].tips()["refs/tags/v1.0.0"]
        releases.remotes[name].git("update-ref", "-d", "refs/tags/v1.0.0")
        said = releases.run("status", "--json", cwd=releases.clone.path).json()
        assert said["differs"]
        assert said["problems"] == [
            {
                "repo": name,
                "message": "lacks the tag v1.0.0 of the release 1.0.0.",
                "next": "openllm-repos release 1.0.0",
            }
        ]
        releases.remotes[name].git("update-ref", "refs/tags/v1.0.0", tag)


@pytest.mark.slow
def test_a_git_that_follows_renames_by_itself_finds_each_lock(releases: Releases) -> None:
    releases.clone.git("config", "log.follow", "true")
    releases.clone.git("push", "-q", "origin", "main")
    releases.commit("Go on", {"pyproject.toml": '[project]\nname = "openllm"\nversion = "1.1.0"\n'})
    releases.released("1.1.0")
    listed = releases.release("list").out.splitlines()
    assert [(row.split()[0], row.split()[2]) for row in listed] == [("v1.1.0", "complete,"), ("v1.0.0", "complete,")]
    assert releases.release("notes", "1.1.0").code == 0
