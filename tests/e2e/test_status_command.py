"""`openllm-repos status`: how each repo stands, and what to type next."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from openllm_repos.journal.log import Move
from openllm_repos.names.objectid import ObjectId
from tests.support.family import START, Family
from tests.support.logged import write_operation
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.process import Result


def status(family: Family, *args: str) -> Result:
    return family.run("status", *args, cwd=family.clone.path)


def states(family: Family, *args: str) -> dict[str, str]:
    """Return repo -> state, as the table has it."""
    table = status(family, *args).out.partition("\n\n")[0].splitlines()
    start, end = table[0].index("state"), table[0].index("release")
    return {line.split()[0]: line[start:end].strip() for line in table[1:]}


def nexts(family: Family, *args: str) -> list[str]:
    """Return the next steps that are printed."""
    lines = status(family, *args).out.splitlines()
    return [line.removeprefix("  next: ") for line in lines if line.startswith("  next: ")]


def test_an_empty_target_is_to_be_synced(family: Family) -> None:
    assert status(family).out.splitlines() == [
        "repo   kind  branch  state  release",
        "main   git   main    ok     -",
        "space  git   main    empty  -",
        "",
        "space: has nothing of the source yet (1 commit to bring).",
        "  next: openllm-repos sync space",
    ]


def test_after_a_sync_all_is_well(family: Family) -> None:
    family.synced()
    done = status(family, "--check")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "repo   kind  branch  state    release",
        "main   git   main    ok       -",
        "space  git   main    in sync  -",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("history", ["full", "squash"])
def test_new_commits_of_the_source_put_a_target_behind(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    family.synced()
    family.commit("One", {"core/src/train.py": "1\n"})
    family.commit("Not mapped", {"docs/guide.md": "new\n"})
    family.commit("Two", {"configs/small.json": "[]\n"})
    assert states(family) == {"main": "ok", "space": "behind 2"}
    assert nexts(family) == ["openllm-repos sync space"]
    family.synced()
    assert states(family) == {"main": "ok", "space": "in sync"}


@pytest.mark.slow
def test_commits_that_a_target_has_of_its_own_at_mapped_paths_are_drift(family: Family) -> None:
    family.synced()
    family.edit("Owned files do not count", {"app.py": "app\n"})
    assert states(family)["space"] == "in sync"
    family.edit("Fix there", {"training/train.py": "fixed\n"})
    family.edit("New there", {"training/extra.py": "extra\n", "configs/small.json": "[1]\n"})
    done = status(family)
    assert states(family)["space"] == "drift 2"
    assert "space: changed 3 mapped files by itself (2 commits).\n" in done.out
    assert "  next: openllm-repos diff space\n  next: openllm-repos import space\n" in done.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "following"),
    [
        ("", ["openllm-repos diff space", "openllm-repos sync space"]),
        ('drift = "refuse"', ["openllm-repos diff space", "openllm-repos import space"]),
    ],
)
def test_changes_on_both_sides_have_diverged(family: Family, settings: str, following: list[str]) -> None:
    """Where the manifest refuses drift, a sync would refuse too, and is not advised."""
    family.manifest(settings=settings)
    family.synced()
    family.edit("Fix there", {"training/train.py": "fixed\n"})
    family.commit("Fix here", {"core/src/model.py": "fixed\n"})
    assert states(family) == {"main": "ok", "space": "diverged"}
    assert "lacks 1 commit of the source, and changed 1 mapped file by itself (1" in status(family).out
    assert nexts(family) == following


def test_a_target_that_was_filled_by_copying_is_not_adopted(family: Family) -> None:
    family.edit("Copied by hand", {"training/model.py": START["core/src/model.py"]})
    done = status(family)
    assert states(family)["space"] == "not adopted"
    assert "space: already has 1 file at mapped paths, but no sync put them there." in done.out
    assert "next: openllm-repos adopt space" in done.out


def test_a_target_whose_maps_never_matched_is_unknown(family: Family) -> None:
    """The typo is named in a sentence, and the rest of the family is shown all the same."""
    family.manifest(maps=[("cor/src/*.py", "training/")])
    done = status(family)
    assert states(family) == {"main": "ok", "space": "unknown"}
    assert "cor/src/*.py" in done.out
    assert status(family, "--check").code == 1


def test_a_map_that_matches_nothing_now_is_said(family: Family) -> None:
    family.manifest(maps=[("core/src/*.py", "training/"), ("config/*.json", "configs/")])
    done = status(family)
    assert "space: repos.toml: repos.space.map[1].from: config/*.json matches no file" in " ".join(done.out.split())
    assert "git ls-tree -r --name-only HEAD" in nexts(family)[-1]


def test_an_unreachable_remote_is_a_row_with_its_reason(family: Family) -> None:
    family.synced()
    shutil.move(family.space.path, family.folder / "moved")
    done = status(family)
    assert done.code == 0
    assert states(family) == {"main": "ok", "space": "unreachable"}
    said = " ".join(done.out.split())
    assert f"space: is unreachable: '{family.space.path}' does not appear to be a git repository. hint: " in said
    assert status(family, "--check").code == 1


def test_without_the_source_s_remote_the_targets_are_held_against_the_clone(family: Family) -> None:
    family.synced()
    shutil.move(family.origin.path, family.folder / "moved")
    assert states(family) == {"main": "unreachable", "space": "in sync"}


def test_commits_that_are_not_pushed_put_the_source_ahead(family: Family) -> None:
    family.synced()
    family.clone.commit("Not pushed", {"docs/guide.md": "new\n"})
    family.clone.commit("Not pushed either", {"docs/guide.md": "newer\n"})
    assert states(family) == {"main": "ahead 2", "space": "in sync"}
    assert nexts(family) == ["git push origin main"]


def test_commits_that_others_pushed_put_the_source_behind(family: Family) -> None:
    """What the others pushed is fetched for the answer, and forgotten again."""
    colleague = Clone.of(family.origin.url, family.folder / "colleague")
    colleague.now = family.clone.now
    theirs = colleague.commit("From a colleague", {"docs/guide.md": "theirs\n"})
    colleague.push("origin")
    assert states(family) == {"main": "behind 1", "space": "empty"}
    assert nexts(family)[0] == "git pull --ff-only origin main"
    family.clone.commit("Mine", {"docs/guide.md": "mine\n"})
    assert states(family)["main"] == "diverged"
    assert nexts(family)[:2] == ["git pull --rebase origin main", "git push origin main"]
    assert family.clone.run("cat-file", "-e", theirs, ok=(0, 1, 128)).code != 0


def test_a_source_that_was_never_pushed_is_empty(family: Family) -> None:
    family.origin.git("update-ref", "-d", "refs/heads/main")
    assert states(family) == {"main": "empty", "space": "empty"}
    assert "git push origin main" in nexts(family)


def test_a_clone_without_the_source_s_branch_says_so(family: Family) -> None:
    """The manifest says main, the person's branch is called trunk and nothing of main was ever fetched."""
    family.clone.git("branch", "-m", "main", "trunk")
    family.clone.git("update-ref", "-d", "refs/remotes/origin/main")
    done = status(family)
    assert states(family) == {"main": "unknown", "space": "unknown"}
    assert "main: This clone has no branch main" in " ".join(done.out.split())
    assert done.code == 0


def test_in_a_detached_checkout_the_remembered_branch_counts(family: Family, tmp_path: Path) -> None:
    """A CI job has no branch of its own, only what it fetched; targets wait until the source has answered."""
    family.clone.commit("Manifest", {})
    family.push()
    family.synced()
    job = Clone.of(family.origin.url, tmp_path / "job")
    job.git("checkout", "-q", "--detach")
    job.git("branch", "-q", "-D", "main")
    shown = family.run("status", "--json", cwd=job.path).json()
    assert shown["source"]["commit"] == family.clone.tip()
    assert {repo["name"]: repo["state"] for repo in shown["repos"]} == {"main": "ok", "space": "in sync"}


def member(family: Family, name: str) -> Bare:
    """Add a member to the manifest and return its repository, which is empty."""
    made = Bare.init(family.folder / f"{name}.git")
    family.manifest(more=f'[repos.{name}]\nurl = "{made.url}"\nbranch = "main"\n')
    return made


def test_a_member_is_ok_or_empty(family: Family) -> None:
    family.synced()
    model = member(family, "small-7k")
    assert states(family)["small-7k"] == "empty"
    assert nexts(family) == []
    family.work.git("push", "-q", model.url, "HEAD:refs/heads/main")
    assert states(family)["small-7k"] == "ok"


def test_a_branch_of_another_name_is_named(family: Family) -> None:
    model = member(family, "small-7k")
    family.clone.git("push", "-q", model.url, "main:refs/heads/master")
    done = status(family)
    assert states(family)["small-7k"] == "empty"
    assert "small-7k: has no branch main; the remote has master." in done.out
    assert nexts(family)[-1] == "openllm-repos manifest set repos.small-7k.branch master"


def test_a_branch_that_a_shell_would_misread_is_in_no_command(family: Family) -> None:
    model = member(family, "small-7k")
    family.clone.git("push", "-q", model.url, "main:refs/heads/a;reboot", "main:refs/heads/b$(reboot)")
    assert "the remote has a;reboot, b$(reboot)." in status(family).out
    assert not [line for line in nexts(family) if "reboot" in line]


def test_the_last_release_is_the_highest_version_of_the_remote(family: Family) -> None:
    """Ordered as versions, not as text; tags of another form do not count."""
    family.synced()
    for tag in ("v1.9.0", "v1.10.0", "v1.10.0rc1", "2.0.0", "nightly"):
        family.clone.git("push", "-q", family.space.url, f"{family.space.tip('main')}:refs/tags/{tag}", ok=(0, 1, 128))
        family.space.git("tag", "-f", tag, "main")
    line = next(line for line in status(family).out.splitlines() if line.startswith("space"))
    assert line.split() == ["space", "git", "main", "in", "sync", "v1.10.0"]


def test_a_fresh_clone_on_another_machine_answers_the_same(family: Family, tmp_path: Path) -> None:
    family.commit("Manifest")
    family.synced()
    family.edit("Fix there", {"training/train.py": "fixed\n"})
    family.commit("Fix here", {"core/src/model.py": "fixed\n"})
    fresh = Clone.of(family.origin.url, tmp_path / "fresh")
    here = status(family, "--json").json()
    there = family.run("status", "--json", cwd=fresh.path).json()
    assert here["repos"][1]["state"] == "diverged"
    assert there == here


def test_a_sync_that_did_not_end_is_said_and_left_for_the_next_sync(family: Family) -> None:
    family.synced()
    tip = ObjectId(family.clone.tip())
    pushed = Move("space", family.space.url, "refs/heads/main", ObjectId("0" * 40), tip)
    name = write_operation(family.clone.path, "sync", pushed, outcome=None)
    said = " ".join(status(family).out.split())
    assert f"space: sync began to push {tip[:10]} and has not ended" in said
    assert nexts(family) == ["openllm-repos sync space"]
    assert family.unfinished() == [name]


def test_offline_answers_from_what_was_fetched(family: Family) -> None:
    """Nobody is asked: the remotes may be gone. A repo that was never fetched is unknown."""
    family.synced()
    family.clone.git("fetch", "-q", "origin")
    member(family, "small-7k")
    shutil.rmtree(family.origin.path)
    shutil.rmtree(family.space.path)
    family.clone.commit("New", {"core/src/train.py": "new\n"})
    assert states(family, "--offline") == {"main": "ahead 1", "space": "behind 1", "small-7k": "unknown"}
    done = status(family, "--offline")
    assert "Nobody was asked" in done.out
    assert "small-7k: never fetched by this clone.\n  next: openllm-repos status\n" in done.out


@pytest.mark.slow
def test_a_status_changes_nothing_anywhere(family: Family) -> None:
    """Also where it has to fetch and to project, and in a clone that cannot be written."""
    family.synced()
    family.edit("Fix there", {"training/train.py": "fixed\n"})
    family.clone.commit("Fix here", {"core/src/model.py": "fixed\n"})
    places = [place for place in (family.clone.path, *family.clone.path.rglob("*")) if not place.is_symlink()]
    modes = {place: place.stat().st_mode for place in places}
    for place in places:
        place.chmod(modes[place] & 0o555)
    before = family.everything()
    try:
        assert states(family) == {"main": "ahead 1", "space": "diverged"}
        assert status(family, "--offline").code == 0
        after = family.everything()
    finally:
        for place in places:
            place.chmod(modes[place])
    assert after == before


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--json", "--markdown"], "--json, --markdown and --html exclude each other."),
        (["--deadline", "0"], "0.0 is not in the range"),
        (["--deadline", "soon"], "'soon' is not a valid float"),
    ],
)
def test_options_that_make_no_sense(family: Family, args: list[str], said: str) -> None:
    done = status(family, *args)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_without_a_manifest_or_a_clone_the_next_step_is_named(run_cli: RunCli, tmp_path: Path, clone: Clone) -> None:
    done = run_cli("status", cwd=clone.path)
    assert done.code == 2
    assert "repos.toml" in done.err
    (tmp_path / "repos.toml").write_text(
        'schema = 1\n[project]\nname = "x"\n[repos.main]\ngithub = "a/b"\nrole = "source"\n'
    )
    done = run_cli("status")
    assert done.code == 2
    assert "is not inside a git clone" in done.err


def test_a_shallow_clone_is_refused_with_the_command_that_mends_it(family: Family, tmp_path: Path) -> None:
    family.commit("Manifest")
    shallow = Clone.of(family.origin.url, tmp_path / "shallow", "--depth=1")
    done = family.run("status", cwd=shallow.path)
    assert done.code == 30
    assert "git fetch --unshallow" in done.err


def test_only_the_repos_that_are_named_are_asked_and_shown(family: Family) -> None:
    family.synced()
    family.commit("More", {"core/src/model.py": "more\n"})
    done = family.run("status", "space", cwd=family.clone.path)
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()[:2]] == ["repo", "space"]
    assert "space: lacks 1 commit of the source." in done.out
    assert "main" not in [line.split()[0] for line in done.out.splitlines() if line]
    assert family.run("status", "--check", "space", cwd=family.clone.path).code == 1
    assert family.run("status", "--check", "main", cwd=family.clone.path).code == 0
    unknown = family.run("status", "spcae", cwd=family.clone.path)
    assert unknown.code == 2
    assert "did you mean 'space'?" in unknown.err
