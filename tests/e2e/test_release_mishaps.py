"""What others do while a release is made, and remotes that fall silent: it is noticed, told, and gone on from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.inprocess import RunCli
from tests.support.logged import unfinished
from tests.support.process import RunTool
from tests.support.releases import ORDER, Releases
from tests.support.repositories import Bare, Clone

ON_TOP = """\
new=$(GIT_AUTHOR_NAME=G GIT_AUTHOR_EMAIL=g@example.org GIT_COMMITTER_NAME=G GIT_COMMITTER_EMAIL=g@example.org \
  git commit-tree -p main -m 'On top' 'main^{tree}')
git update-ref refs/heads/main "$new"
"""


@pytest.fixture
def releases(tmp_path: Path, run_cli: RunCli) -> Releases:
    """Return a family that is ready for its first release."""
    return Releases.make(tmp_path / "family", run_cli)


def after_a_push(bare: Bare, ref: str, script: str) -> None:
    """Let a remote do something once, right after it took a push to refs that start with `ref`."""
    hook = bare.path / "hooks/post-receive"
    hook.parent.mkdir(exist_ok=True)
    once = f'read -r _ _ ref\ncase $ref in {ref}*) ;; *) exit 0;; esac\n[ -e "$0.ran" ] && exit 0\n: > "$0.ran"\n'
    hook.write_text(f"#!/bin/sh\n{once}{script}")
    hook.chmod(0o755)


def before_a_push(releases: Releases, ref: str, script: str) -> None:
    """Let something happen once, when the clone is about to push to refs that start with `ref`."""
    hook = releases.clone.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    once = f'read -r _ _ ref _\ncase $ref in {ref}*) ;; *) exit 0;; esac\n[ -e "$0.ran" ] && exit 0\n: > "$0.ran"\n'
    hook.write_text(f"#!/bin/sh\n{once}{script}")
    hook.chmod(0o755)


@pytest.mark.slow
@pytest.mark.parametrize("at", ["tip", "synced"])
def test_somebody_pushes_to_the_space_right_after_its_sync(releases: Releases, at: str) -> None:
    releases.manifest(space=f'at = "{at}"')
    releases.commit("Say which commit")
    after_a_push(releases.remotes["space"], "refs/heads/", ON_TOP)
    releases.released("1.0.0")
    space = releases.remotes["space"]
    assert space.log("main")[0] == "On top"
    assert space.tip("v1.0.0") == space.tip("main" if at == "tip" else "main~1")


@pytest.mark.slow
def test_a_commit_on_top_that_says_another_version_stops_it(releases: Releases) -> None:
    releases.run("sync", "--yes", cwd=releases.clone.path)
    work = Clone.of(releases.remotes["space"].url, releases.folder / "space-work")
    work.now = releases.clone.now
    work.commit("Version", {"VERSION": "1.0.0\n"})
    work.git("push", "-q", "origin", "HEAD:main")
    releases.manifest(space='version = "VERSION"')
    releases.commit("More", {"core/src/more.py": "more\n"})
    other = ON_TOP.replace(
        "'main^{tree}'",
        "\"$(echo 9.9.9 | git hash-object -w --stdin | xargs printf '100644 blob %s\\tVERSION\\n' | git mktree)\"",
    )
    after_a_push(releases.remotes["space"], "refs/heads/", other)
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "space has moved while it was synced:\n  space: VERSION says 9.9.9, not 1.0.0" in done.err
    assert set(releases.tags("v1.0.0").values()) == {None}


@pytest.mark.slow
def test_a_target_that_takes_no_sync_gets_no_tag_and_nor_does_anybody(releases: Releases) -> None:
    hook = releases.remotes["space"].refuse("frozen")
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "Not every target could be synced, so nothing was tagged (synced by this run: none):" in done.err
    assert "frozen" in done.err
    assert set(releases.tags("v1.0.0").values()) == {None}
    hook.unlink()
    releases.released("1.0.0")


@pytest.mark.slow
def test_somebody_pushes_to_the_source_right_after_the_lock(releases: Releases) -> None:
    after_a_push(releases.remotes["main"], "refs/heads/", ON_TOP)
    releases.released("1.0.0")
    main = releases.remotes["main"]
    assert main.log("main") == ["On top", "Release openllm 1.0.0", "Start"]
    assert main.tip("v1.0.0") == main.tip("main~1") == releases.clone.tip("main")


@pytest.mark.slow
def test_files_that_are_changed_meanwhile_are_left_alone(releases: Releases) -> None:
    before = releases.clone.tip("main")
    before_a_push(releases, "refs/heads/main", f"echo mine >> '{releases.clone.path}/docs/guide.md'\n")
    releases.run("sync", "--yes", cwd=releases.clone.path)  # the hook lets this one by: its ref is the Space's main
    (releases.clone.path / ".git/hooks/pre-push.ran").unlink()
    releases.clone.git("checkout", "-q", "--", "docs/guide.md")
    releases.released("1.0.0")
    assert releases.clone.tip("main") == before
    assert (releases.clone.path / "docs/guide.md").read_text() == "guide\nmine\n"


@pytest.mark.slow
def test_a_remote_that_falls_silent_after_the_tag_was_sent(releases: Releases) -> None:
    place, away = releases.remotes["small-7k"].path, releases.folder / "away"
    after_a_push(releases.remotes["small-7k"], "refs/tags/", f"mv '{place}' '{away}'\n")
    done = releases.release("1.0.0")
    assert done.code == 30
    assert "small-7k: the tag was sent, then the remote fell silent" in done.err
    assert "It may be there." in done.err
    again = releases.release("1.0.0")
    assert again.code == 30
    assert "Not every repo answers:\n  small-7k: is unreachable:" in again.err
    away.rename(place)
    releases.released("1.0.0")


@pytest.mark.slow
def test_a_source_that_shows_no_branch_any_more_is_not_taken_for_one_that_has_moved(releases: Releases) -> None:
    main, had = releases.remotes["main"], releases.folder / "had"
    after_a_push(main, "refs/heads/", f"git rev-parse main > '{had}'\ngit update-ref -d refs/heads/main\n")
    for _ in range(2):
        done = releases.release("1.0.0")
        assert done.code == 30
        assert "main does not say where its branch is (it shows no refs/heads/main any more)." in done.err
        assert "next: openllm-repos release 1.0.0" in done.err
    main.git("update-ref", "refs/heads/main", had.read_text().strip())
    releases.released("1.0.0")


@pytest.mark.slow
def test_a_source_that_falls_silent_while_it_gets_the_lock(releases: Releases) -> None:
    releases.run("sync", "--yes", cwd=releases.clone.path)
    place, away = releases.remotes["main"].path, releases.folder / "away"
    before_a_push(releases, "refs/heads/main", f"mv '{place}' '{away}'\n")
    done = releases.release("1.0.0")
    assert done.code == 30
    assert "main does not say where its branch is" in done.err
    unreachable = releases.release("1.0.0")
    assert unreachable.code == 30
    away.rename(place)
    assert "was begun before; going on" in releases.released("1.0.0").err
    assert releases.remotes["main"].log("main") == ["Release openllm 1.0.0", "Start"]


@pytest.mark.slow
def test_somebody_puts_the_tag_elsewhere_in_the_very_moment(releases: Releases) -> None:
    space = releases.remotes["space"]
    as_who = "-c user.name=G -c user.email=g@example.org"
    before_a_push(releases, "refs/tags/", f"git --git-dir='{space.path}' {as_who} tag -a -m theirs v1.0.0 main~1\n")
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "space: somebody else has just put the tag v1.0.0 elsewhere." in done.err
    assert f"Not tagged yet: {', '.join(ORDER)}." in done.err
    assert releases.release("abort", "1.0.0").code == 0
    assert space.tip("v1.0.0") == space.tip("main~1"), "theirs stays"


@pytest.mark.slow
def test_somebody_makes_the_same_tag_in_the_very_moment(releases: Releases) -> None:
    space = releases.remotes["space"]
    as_who = "-c user.name=G -c user.email=g@example.org"
    before_a_push(releases, "refs/tags/", f"git --git-dir='{space.path}' {as_who} tag -a -m theirs v1.0.0 main\n")
    done = releases.release("1.0.0")
    assert done.code == 0, done.err
    assert "space: somebody else has just made the tag v1.0.0, at the same commit" in done.err
    assert space.git("cat-file", "tag", "v1.0.0").endswith("theirs")


@pytest.mark.slow
def test_somebody_releases_the_same_in_the_very_moment(releases: Releases) -> None:
    releases.manifest(project='lock = "tag"\n')
    releases.commit("Protect the branch")
    theirs = Clone.of(releases.remotes["main"].url, releases.folder / "theirs")
    main = releases.remotes["main"]
    refuse = main.refuse()
    assert releases.release("1.0.0").code == 3, "all but the source have their tag"
    refuse.unlink()
    tag = releases.clone.git("cat-file", "tag", _made(releases)).replace("Test User", "Grace Hopper")
    (releases.folder / "tag").write_text(f"{tag}\n")
    git = f"git --git-dir='{main.path}'"
    made = f"{git} hash-object -t tag -w '{releases.folder}/tag'"
    before_a_push(releases, "refs/tags/", f"{git} update-ref refs/tags/v1.0.0 $({made})\n")
    done = releases.release("1.0.0")
    assert (done.code, done.err.splitlines()[-2:]) == (
        3,
        [
            "error: main: somebody else has just released v1.0.0, at the same commit.",
            "next: openllm-repos release verify v1.0.0  # says whether it is complete",
        ],
    )
    assert releases.clone.run("rev-parse", "-q", "--verify", "refs/tags/v1.0.0", ok=(1,)).code == 1
    assert releases.release("verify").code == 0
    assert "by Grace Hopper" in releases.run("release", "show", "1.0.0", cwd=theirs.path).out
    assert "Nothing to do" in releases.released("1.0.0").out


def _made(releases: Releases) -> str:
    """Return the id of the tag that the clone has made for the source."""
    (operation,) = unfinished(releases.clone.path)
    assert operation.release is not None
    return str(operation.release["rows"][-1]["object"])


@pytest.mark.slow
def test_a_tag_that_is_gone_again_at_the_end_is_noticed(releases: Releases) -> None:
    space = releases.remotes["space"].path
    after_a_push(releases.remotes["main"], "refs/tags/", f"git --git-dir='{space}' update-ref -d refs/tags/v1.0.0\n")
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "space: its tag v1.0.0 was there, and now it is missing." in done.err
    releases.released("1.0.0")


@pytest.mark.slow
def test_a_clone_and_a_remote_that_have_both_gone_on(releases: Releases) -> None:
    other = Clone.of(releases.remotes["main"].url, releases.folder / "other")
    other.now = releases.clone.now
    other.commit("Theirs", {"README.md": "hi\n"})
    other.git("push", "-q", "origin", "HEAD:main")
    releases.clone.commit("Mine", {"NOTES.md": "mine\n"})
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "main: this clone and the remote have both gone on (1 here, 1 there)." in done.err


@pytest.mark.slow
def test_another_manifest_than_the_committed_one_is_told(releases: Releases, tmp_path: Path) -> None:
    text = (releases.clone.path / "repos.toml").read_text()
    releases.commit("Not a manifest", {"repos.toml": "schema = 9\n"})
    done = releases.release("1.0.0")
    assert done.code == 2
    releases.clone.write({"repos.toml": text})
    done = releases.release("1.0.0")
    assert "main: repos.toml says something else at" in done.err
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(text)
    done = releases.run("--manifest", elsewhere, "release", "1.0.0", cwd=releases.clone.path)
    assert done.code == 3
    assert "is not in the commit" in done.err


@pytest.mark.slow
def test_a_family_of_sha256_repositories_is_released_alike(tmp_path: Path, run_cli: RunCli) -> None:
    made = Releases.make(tmp_path / "sha256", run_cli, object_format="sha256")
    made.released("1.0.0")
    assert len(str(made.tags("v1.0.0")["main"])) == 64
    assert made.release("verify").code == 0


@pytest.mark.slow
def test_a_bare_clone_can_release(releases: Releases) -> None:
    bare = Clone.of(releases.remotes["main"].url, releases.folder / "bare", "--bare")
    bare.git("config", "core.bare", "true")
    done = releases.run("release", "--yes", "1.0.0", cwd=bare.path)
    assert done.code == 0, done.err
    assert "note: This clone is bare: its own branch stays where it is when the lock is committed." in done.out
    assert None not in releases.tags("v1.0.0").values()


@pytest.mark.slow
def test_a_bare_clone_that_is_behind_is_told_what_works_there(releases: Releases) -> None:
    bare = Clone.of(releases.remotes["main"].url, releases.folder / "bare", "--bare")
    bare.git("config", "core.bare", "true")
    releases.commit("Go on", {"core/src/model.py": "more\n"})
    done = releases.run("release", "--yes", "1.0.0", cwd=bare.path)
    hint = next(line for line in done.err.splitlines() if "git fetch" in line)
    assert done.code == 3
    bare.git(*hint.partition("git ")[2].split())
    assert releases.run("release", "--yes", "1.0.0", cwd=bare.path).code == 0


@pytest.mark.slow
def test_a_tag_that_only_the_persons_clone_has_is_told_and_left(releases: Releases) -> None:
    releases.clone.git("tag", "-a", "-m", "mine", "v1.0.0")
    mine = releases.clone.git("rev-parse", "v1.0.0")
    said = "note: This clone has a tag v1.0.0 of its own, which the release is not made with."
    note = f"{said}\n  next: git tag -d v1.0.0\n"
    assert note in releases.release("1.0.0", "--dry-run").out
    assert note in releases.released("1.0.0").out
    assert releases.clone.git("rev-parse", "v1.0.0") == mine


def test_the_help_names_options_and_commands(run_cli: RunCli) -> None:
    done = run_cli("release", "--help")
    assert done.code == 0
    for word in ("VERSION|COMMAND", "--dry-run", "--resume", "verify", "abort", "list", "notes"):
        assert word in done.out
    assert run_cli("release", "1.0.0", "--help").out == done.out
    assert "--signed" in run_cli("release", "verify", "--help").out
    assert run_cli("release", "--yes").code in {0, 2}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.0.0", "1.0.0rc1", "1.0.0-rc.1"])
def test_two_people_who_release_at_the_same_time_make_one_release(
    releases: Releases, run_tool: RunTool, version: str
) -> None:
    releases.run("version", "set", version, cwd=releases.clone.path)
    releases.commit("Say the version")
    theirs = Clone.of(releases.remotes["main"].url, releases.folder / "theirs")
    theirs.git("config", "user.name", "Grace Hopper")
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(run_tool, "release", "--yes", version, cwd=clone.path) for clone in (releases.clone, theirs)
        ]
        codes = sorted(run.result().code for run in both)
    assert codes[0] == 0, [run.result().err for run in both]
    assert codes[1] in {0, 3}
    for clone in (releases.clone, theirs):
        again = run_tool("release", "--yes", version, cwd=clone.path)
        assert again.code == 0, again.err
        assert "Nothing to do" in again.out
    releases.check(f"v{version}")
    subjects = releases.remotes["main"].log("main")
    assert subjects.count(f"Release openllm {version}") == 1
