"""The states of a target, row by row as in ARCHITECTURE: what is said of each, and that its next step helps."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests.support.family import MAPS, START, text
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.family import Family
    from tests.support.inprocess import RunCli
    from tests.support.process import Result

MODEL, THERE = "core/src/model.py", "training/model.py"


def nothing(_: Family) -> None:
    """The Space has no commit."""


def own_files(family: Family) -> None:
    family.edit("My app", {"app.py": "app\n"})


def copied(family: Family) -> None:
    family.edit("Upload", {THERE: START[MODEL], "training/train.py": "train\n"})


def synced(family: Family) -> None:
    own_files(family)
    family.synced()


def behind(family: Family) -> None:
    synced(family)
    family.commit("Better", {MODEL: text(l2="better")})


def edited(family: Family) -> None:
    synced(family)
    family.edit("Space edit", {THERE: text(l20="space")})


def both_moved(family: Family) -> None:
    edited(family)
    family.commit("Better", {MODEL: text(l2="better")})


def reset(family: Family) -> None:
    behind(family)
    family.synced()
    family.clone.git("reset", "-q", "--hard", "HEAD^")
    family.push()


def rewritten(family: Family) -> None:
    behind(family)
    family.synced()
    family.clone.git("commit", "-q", "--amend", "-m", "Better said")
    family.push()


def rolled_back(family: Family) -> None:
    first = family.clone.tip()
    behind(family)
    family.synced()
    assert family.run("rollback", "space", "--to", first, "--yes", cwd=family.clone.path).code == 0


def lost(family: Family) -> None:
    """The source's last commit is written anew, elsewhere, with another map; and nobody has the old one any more."""
    edited(family)
    family.commit("Better", {MODEL: text(l2="better")})
    family.synced()
    family.clone.git("commit", "-q", "--amend", "-m", "Better said")
    family.push()
    family.origin.git("gc", "-q", "--prune=now")
    now = family.clone.now
    family.clone = Clone.of(family.origin.url, family.folder / "another-clone")
    family.clone.now = now
    manifest = (family.clone.path / "repos.toml").read_text()
    more = f'{manifest}\n[[repos.space.map]]\nfrom = "tools/*.py"\nto = "tools/"\n'
    family.commit("Map", {"repos.toml": more, "tools/run.py": "run\n"})


def something_else(family: Family) -> None:
    synced(family)
    family.clone.git("checkout", "-q", "--orphan", "other")
    family.clone.git("commit", "-q", "--allow-empty", "-m", "Something else")
    family.clone.git("branch", "-q", "-M", "other", "main")


def moved_away(family: Family) -> None:
    synced(family)
    family.space.path.rename(family.folder / "moved.git")


def moved_back(family: Family) -> None:
    (family.folder / "moved.git").rename(family.space.path)


def made_anew(family: Family) -> None:
    synced(family)
    family.space.git("update-ref", "-d", "refs/heads/main")


def with_history(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    family.commit("Manifest", {"repos.toml": (family.clone.path / "repos.toml").read_text()})


@dataclass(frozen=True)
class Row:
    """A state: how it comes about, what is said of it, what is named first, and what a person does who reads that.

    Commands are pasted; `mend` is what a sentence asks for.
    """

    make: Callable[[Family], None]
    state: str
    said: str
    step: str
    repo: str = "space"
    mend: Callable[[Family], None] = nothing


ROWS = {
    "empty": Row(nothing, "empty", "has nothing of the source yet", "openllm-repos sync space"),
    "new": Row(own_files, "new", "has nothing of the source yet", "openllm-repos sync space"),
    "not adopted": Row(copied, "not adopted", "no sync put them there", "openllm-repos adopt space"),
    "in sync": Row(synced, "in sync", "", ""),
    "behind": Row(behind, "behind", "lacks 1 commit of the source", "openllm-repos sync space"),
    "drift": Row(edited, "drift", "changed 1 mapped file by itself (1 commit)", "openllm-repos diff space"),
    "diverged": Row(both_moved, "diverged", "lacks 1 commit of the source, and changed 1", "openllm-repos diff space"),
    "ahead": Row(reset, "ahead", "has 1 commit that the source was reset from", "openllm-repos sync space"),
    "rewritten": Row(rewritten, "rewritten", "which the source's history no longer has", "openllm-repos sync space"),
    "lost": Row(lost, "not adopted", "is gone from this clone and from the source", "openllm-repos adopt space --at"),
    "unrelated": Row(something_else, "unrelated", "this is no clone of", "git clone ", repo="main"),
    "unreachable": Row(moved_away, "unreachable", "is unreachable", "Check the URL", mend=moved_back),
    "unknown": Row(made_anew, "unknown", "answered with no refs, though it had main at", "Look at it in a browser"),
    "held": Row(rolled_back, "held", "syncs leave it alone", "openllm-repos rollback space --lift"),
}


def steps(said: str) -> list[list[str]]:
    """Return the commands among the lines of a hint, or of an output."""
    lines = [line.strip().removeprefix("next: ").partition("  #")[0] for line in said.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(("git ", "openllm-repos "))]


def paste(family: Family, said: str) -> None:
    """Run the commands that were named, one after the other."""
    for program, *args in steps(said):
        if args[0] == "clone":
            there = family.folder / "another-clone"
            family.clone.git(*args, str(there))
            family.clone = Clone(there, now=family.clone.now)
        elif program == "git":
            family.clone.git(*args)
        else:
            consent = [] if {"diff", "--dry-run"}.intersection(args) else ["--yes"]
            done = family.run(*args, *consent, cwd=family.clone.path)
            assert done.code == 0, (args, done.out, done.err)


@pytest.mark.each_case
@pytest.mark.parametrize("history", ["full", "squash"])
@pytest.mark.parametrize("name", ROWS)
def test_a_state_is_said_in_one_sentence_and_its_next_step_leads_out(family: Family, name: str, history: str) -> None:
    row = ROWS[name]
    with_history(family, history)
    row.make(family)
    if name == "lost" and history == "full":
        row = replace(ROWS["rewritten"], make=lost)  # the target's own history has what it was synced from
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    assert {repo["name"]: repo["state"] for repo in facts["repos"]}[row.repo] == row.state
    problems = [problem for problem in facts["problems"] if problem["repo"] == row.repo]
    if row.said:
        (problem,) = problems
        assert row.said in problem["message"]
        assert problem["next"].startswith(row.step)
        row.mend(family)
        paste(family, problem["next"])
        follow(family, imports=row.make in (edited, lost), ends="drift" if row.make is both_moved else "in sync")
    else:
        assert problems == []


def follow(family: Family, *, imports: bool, ends: str) -> None:
    """Go on as the sentences say until there is nothing to bring, on either side."""
    family.synced()
    if imports:
        assert family.run("import", "space", "--yes", cwd=family.clone.path).code == 0
        family.clone.git("merge", "-q", "--no-edit", "import/space")
        family.push()
        family.synced()
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    assert {repo["name"]: repo["state"] for repo in facts["repos"]}["space"] == ends


@pytest.mark.parametrize("space", ["lacks what is newer", "has it", "was synced before the rewrite"])
def test_a_clone_that_lags_names_the_pull_and_then_the_sync_that_help(family: Family, space: str) -> None:
    """The step of status, of sync and of diff is the same."""
    synced(family)
    old = family.clone.tip()
    if space == "was synced before the rewrite":
        family.commit("Given up", {MODEL: text(l9="given up")})
        family.synced()
        family.clone.git("reset", "-q", "--hard", old)
    family.commit("Better", {MODEL: text(l2="better")})
    if space == "has it":
        family.synced()
    family.clone.git("reset", "-q", "--hard", old)
    pull = ["git", "pull", "--ff-only", "origin", "main"]
    for command in (("sync", "--yes"), ("diff",), ("sync", "--dry-run")):
        done = family.run(*command, cwd=family.clone.path)
        assert "Your main is 1 commit behind its remote; what is newer does not come along." in done.out
        assert steps(done.out)[0] == pull
        assert ("space has newer commits of the source than" in done.out) is (space != "lacks what is newer")
    if space == "was synced before the rewrite":
        refused = family.run("import", "space", cwd=family.clone.path)
        assert (refused.code, steps(refused.err)[0]) == (3, pull)
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    named = {problem["repo"]: problem["next"] for problem in facts["problems"]}
    assert steps(named["main"]) == [pull]
    assert ("space" in named) is (space != "has it")
    paste(family, named.get("space", named["main"]))
    family.synced()
    assert family.space.read(THERE).decode() == text(l2="better")
    assert family.run("status", "--check", cwd=family.clone.path).code == 0


def test_a_clone_that_has_what_the_source_gave_up_is_told_to_drop_it_and_never_to_push_it(family: Family) -> None:
    behind(family)
    family.clone.git("fetch", "-q", "origin")
    family.origin.git("update-ref", "refs/heads/main", "main^")
    pull = [["git", "pull", "--rebase", "origin", "main"]]
    for command in (("sync", "--yes"), ("release", "1.0.0", "--dry-run")):
        refused = family.run(*command, cwd=family.clone.path)
        assert (refused.code, "not on its remote any more: it was reset" in refused.out + refused.err) == (3, True)
        assert steps(refused.out + refused.err)[0] == pull[0]
    diff = family.run("diff", cwd=family.clone.path).out
    assert ("The remote of main was reset from 1 commit that you have" in diff, steps(diff)[0]) == (True, pull[0])
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    ((message, said),) = [(one["message"], one["next"]) for one in facts["problems"]]  # of the source; not of the Space
    assert (message, steps(said)) == ("was reset from 1 commit that this clone has.", pull)
    paste(family, said)
    assert family.clone.tip() == family.origin.tip("main")


@pytest.mark.parametrize("history", ["full", "squash"])
def test_a_clone_that_lags_says_so_and_makes_no_target_differ(family: Family, history: str) -> None:
    with_history(family, history)
    behind(family)
    family.synced()
    family.edit("Space edit", {THERE: text(l2="better", l20="space")})
    family.clone.git("reset", "-q", "--hard", "HEAD^")
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    assert {repo["name"]: repo["state"] for repo in facts["repos"]} == {"main": "behind", "space": "drift"}
    (drift,) = [problem["message"] for problem in facts["problems"] if problem["repo"] == "space"]
    assert drift == "changed 1 mapped file by itself (1 commit)."
    before = family.space.tip("main")
    done = family.run("sync", "--yes", cwd=family.clone.path)
    assert (done.code, family.space.tip("main")) == (0, before)


def test_a_clone_that_lags_behind_a_change_of_the_maps_makes_no_target_differ(family: Family) -> None:
    edited(family)
    old = family.clone.tip()
    family.manifest(maps=(("core/src/*.py", "lib/"), ("configs/*.json", "configs/")))
    family.commit("Maps", {"repos.toml": (family.clone.path / "repos.toml").read_text()})
    family.synced()
    family.clone.git("reset", "-q", "--hard", old)
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    assert {repo["name"]: repo["state"] for repo in facts["repos"]} == {"main": "behind", "space": "in sync"}
    assert "space: a sync would change nothing\n" in family.run("diff", cwd=family.clone.path).out


def test_nobody_calls_a_source_reset_that_does_not_answer(family: Family) -> None:
    """The clone may merely lag."""
    behind(family)
    family.synced()
    family.clone.git("reset", "-q", "--hard", "HEAD^")
    family.origin.path.rename(family.folder / "away.git")
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    assert {repo["name"]: repo["state"] for repo in facts["repos"]} == {"main": "unreachable", "space": "unknown"}
    ((message, step),) = [(one["message"], one["next"]) for one in facts["problems"] if one["repo"] == "space"]
    assert message.endswith("main does not answer, so it is not known which of them is newer.")
    assert step == ""


@pytest.mark.parametrize("way", ["release", "sync", "keep", "keep in a fresh clone"])
def test_a_source_that_was_reset_takes_back_what_it_no_longer_has_unless_that_is_kept(family: Family, way: str) -> None:
    reset(family)
    if way == "keep in a fresh clone":
        family.clone = Clone.of(family.origin.url, family.folder / "fresh")
    if way.startswith("keep"):
        facts = family.run("status", "--json", cwd=family.clone.path).json()
        _, branch = next(problem["next"].splitlines() for problem in facts["problems"] if problem["repo"] == "space")
        paste(family, branch)
        family.clone.git("merge", "-q", "kept")
        family.push()
        assert "up to date" in family.synced().out
        assert family.space.read(THERE).decode() == text(l2="better")
    else:
        command = ["sync"] if way == "sync" else ["release", "1.0.0"]
        done = family.run(*command, "--yes", cwd=family.clone.path)
        assert (done.code, "note: The source was reset since space was synced from" in done.out) == (0, True)
        assert family.space.read(THERE).decode() == START[MODEL]


def test_a_clone_of_something_else_is_told_and_no_push_is_named(family: Family) -> None:
    something_else(family)
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    assert {repo["name"]: repo["state"] for repo in facts["repos"]}["main"] == "unrelated"
    (problem,) = [problem for problem in facts["problems"] if problem["repo"] == "main"]
    assert "this is no clone of" in problem["message"]
    assert "push" not in problem["next"]
    for command in (
        "sync --yes",
        "sync --yes --allow-unpushed",
        "adopt space --yes",
        "diff",
        "import space",
        "rollback space --to HEAD --yes",
        "release 1.0.0 --yes",
        "doctor",
    ):
        done = family.run(*command.split(), cwd=family.clone.path)
        assert done.code == (1 if command == "doctor" else 3), (command, done.out, done.err)
        assert "has no commit in common with this clone" in done.out + done.err
        assert "git push" not in done.out + done.err


@pytest.mark.parametrize("held", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_an_import_after_a_reset_would_bring_it_back_and_is_refused(family: Family, *, held: bool) -> None:
    if held:
        behind(family)
        family.synced()
        family.commit("Worse", {MODEL: text(l2="worse")})
        family.synced()
        assert family.run("rollback", "space", "--to", "HEAD^", "--yes", cwd=family.clone.path).code == 0
        family.clone.git("reset", "-q", "--hard", "HEAD~2")
        family.push()
    else:  # by another clone; this one still has it
        behind(family)
        family.synced()
        family.clone.git("fetch", "-q", "origin")
        family.origin.git("update-ref", "refs/heads/main", "main^")
    family.edit("Space edit", {THERE: text(l2="better", l20="space")})
    done = family.run("import", "space", cwd=family.clone.path)
    assert done.code == 3
    assert "an import would bring that back" in done.err
    *first, last = steps(done.err)
    assert last == ["openllm-repos", "import", "space"]
    paste(family, "\n".join(map(shlex.join, first)))
    assert family.run("import", "space", "--yes", cwd=family.clone.path).code == 0
    assert family.clone.read(MODEL, "import/space").decode() == text(l20="space")


@pytest.mark.parametrize("first", ["sync", "sync and nothing new", "import"])
def test_an_edit_that_a_changed_map_leaves_behind_is_told_until_the_source_has_it(family: Family, first: str) -> None:
    moved = (("core/src/*.py", "lib/"), ("configs/*.json", "configs/"))

    def map_to(*maps: tuple[str, str]) -> None:
        family.manifest(maps=maps)
        family.commit("Maps", {"repos.toml": (family.clone.path / "repos.toml").read_text()})

    edited(family)
    map_to(*moved)
    left = "No map of space writes training/ any more; 2 files there stay as they are."
    told = (
        "space has edited training/model.py, which no map writes any more. To take that along, put the old map back,"
        " run 'openllm-repos sync space' and 'openllm-repos import space', merge that, and change the map again; to"
        " leave it there, name it in owned."
    )
    assert {left, told.removeprefix("space ")} <= set(said_of(family))
    plan = family.run("sync", "--dry-run", cwd=family.clone.path).out
    assert left in plan
    assert told in plan
    assert "The maps of space have changed, so the source's history comes anew through them: 1 commit" in plan
    if first == "sync and nothing new":
        family.synced()
    if first == "sync":
        family.synced()
        family.commit("Go on", {MODEL: text(l2="better")})
        family.synced()
        assert said_of(family) == [told.removeprefix("space ")]
        family.manifest(maps=moved, owned=("app.py", "README.md", "training/*"))
        assert said_of(family) == []
    map_to(*MAPS)
    family.synced()
    assert family.run("import", "space", "--yes", cwd=family.clone.path).code == 0
    family.clone.git("merge", "-q", "--no-edit", "import/space")
    family.push()
    map_to(*moved)
    family.synced()
    assert family.space.read("lib/model.py").splitlines()[19] == b"space"
    assert said_of(family) == []


def said_of(family: Family) -> list[str]:
    """Return what status says of the Space."""
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    return [problem["message"] for problem in facts["problems"] if problem["repo"] == "space"]


def test_an_added_map_makes_no_drift_of_the_sources_own_commits(family: Family) -> None:
    synced(family)
    for number in range(3):
        family.commit(f"Step {number}", {MODEL: text(l2=f"step {number}"), "docs/a.txt": f"{number}\n"})
    family.synced()
    edit = family.edit("Space edit", {THERE: text(l2="step 2", l20="space")})
    family.manifest(
        maps=(("core/src/*.py", "training/"), ("configs/*.json", "configs/"), ("docs/*.txt", "text/")), never=()
    )
    family.commit("More", {"repos.toml": (family.clone.path / "repos.toml").read_text()})
    assert "comes anew through them: 3 commits" in family.sync().out
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    (space,) = [repo for repo in facts["repos"] if repo["name"] == "space"]
    assert (space["state"], space["drift"]["commits"]) == ("drift", [edit])
    brought = family.run("import", "space", cwd=family.clone.path).out
    assert "space: 1 commit for import/space" in brought
    assert "Sync from main" not in brought  # it joins what git joins by itself: nobody's change


def test_a_super_squash_does_not_end_a_hold(family: Family, run_cli: RunCli) -> None:
    def run(*args: str) -> Result:
        return run_cli(*args, cwd=family.clone.path)

    family.manifest()
    good = family.commit("Good")
    family.synced()
    family.commit("Bad", {"core/src/model.py": text(l2="bad")})
    family.synced()
    assert run("rollback", "space", "--to", good, "--yes").code == 0
    squashed = family.space.git("commit-tree", "main^{tree}", "-m", "Super-squash branch 'main'")
    family.space.git("update-ref", "refs/heads/main", squashed)

    told = (
        f"space was synced by this clone, and its history was rewritten since: it says nothing of that. It was held at"
        f" {good[:10]}, and an adoption holds it there again."
    )
    for command in (("sync", "--yes"), ("rollback", "space", "--lift", "--yes")):
        done = run(*command)
        assert done.code == 3
        assert told in done.out + done.err
    adopted = run("adopt", "space", "--yes")
    assert adopted.code == 0
    assert "next: openllm-repos rollback space --lift" in adopted.out
    assert "held at" in run("sync", "--yes").out
    assert family.space.read("training/model.py") == text().encode()

    assert run("rollback", "space", "--lift", "--yes").code == 0
    family.synced()
    assert family.space.read("training/model.py") == text(l2="bad").encode()
