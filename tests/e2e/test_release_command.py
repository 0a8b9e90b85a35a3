"""`openllm-repos release VERSION`: what happens where, and what a person reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fingerprint import listing
from tests.support.inprocess import RunCli
from tests.support.logged import unfinished
from tests.support.releases import FILES, MEMBERS, ORDER, Releases
from tests.support.repositories import Bare, Clone


@pytest.fixture
def releases(tmp_path: Path, run_cli: RunCli) -> Releases:
    """Return a family that is ready for its first release."""
    return Releases.make(tmp_path / "family", run_cli)


def refuse(bare: Bare, ref: str, words: str = "not today") -> None:
    """Let a remote refuse every push to refs that start with `ref`."""
    bare.refuse(words, refs=f"{ref}*")


def allow(bare: Bare) -> None:
    """Take the refusal away."""
    (bare.path / "hooks/update").unlink()


def test_one_command_releases_the_whole_family(releases: Releases) -> None:
    released = releases.clone.tip()
    done = releases.released("1.0.0")
    assert done.out.splitlines()[-1] == "Released: 1.0.0"
    assert [line.split()[0] for line in done.out.splitlines()[-6:-1]] == list(ORDER)
    tags = releases.tags("v1.0.0")
    assert {name: tags[name] for name in (*MEMBERS, "space")} == {
        name: releases.remotes[name].tip("main") for name in (*MEMBERS, "space")
    }
    assert sorted(releases.remotes["space"].paths()) == ["training/model.py", "training/train.py"]

    main = releases.remotes["main"]
    assert (tags["main"], main.parents("v1.0.0")) == (main.tip("main"), [released])
    assert main.log("main") == ["Release openllm 1.0.0", "Start"]
    assert main.git("diff", "--name-only", released, "v1.0.0") == "manifest/releases/v1.0.0.toml"
    lock = main.read("manifest/releases/v1.0.0.toml", "v1.0.0").decode()
    assert f'commit = "{tags["space"]}"' in lock
    assert f'source = "{released}"' in lock


@pytest.mark.slow
def test_the_source_gets_its_tag_last(releases: Releases) -> None:
    said = [line for line in releases.released("1.0.0").err.splitlines() if "tagging" in line]
    assert [line.split(":")[0] for line in said] == list(ORDER)


@pytest.mark.slow
def test_the_persons_branch_moves_on_and_their_clone_knows_the_tag(releases: Releases) -> None:
    releases.released("1.0.0")
    clone = releases.clone
    assert clone.tip("main") == releases.remotes["main"].tip("main") == clone.tip("refs/remotes/origin/main")
    assert clone.git("status", "--porcelain") == ""
    assert (clone.path / "manifest/releases/v1.0.0.toml").exists()
    assert clone.git("describe") == "v1.0.0"


@pytest.mark.slow
def test_a_branch_that_is_not_checked_out_stays_where_it_is(releases: Releases) -> None:
    releases.clone.git("checkout", "-q", "-b", "other")
    before = releases.clone.tip("main")
    releases.released("1.0.0")
    assert releases.clone.tip("main") == before
    assert not (releases.clone.path / "manifest/releases").exists()


@pytest.mark.slow
def test_models_are_tagged_without_their_history_or_files(releases: Releases) -> None:
    releases.released("1.0.0")
    for name in MEMBERS:
        commit = releases.remotes[name].tip("main")
        assert releases.clone.run("cat-file", "-e", commit, ok=(0, 1, 128)).code != 0
    releases.clone.fsck()


@pytest.mark.slow
def test_a_dry_run_says_it_all_and_changes_nothing(releases: Releases) -> None:
    before = listing(releases.folder)
    done = releases.release("1.0.0", "--dry-run")
    assert done.code == 0
    assert done.out.splitlines()[0] == f"openllm 1.0.0, from main at {releases.clone.tip()[:10]}"
    assert "lock main: manifest/releases/v1.0.0.toml, in a commit on main" in done.out
    assert "tag  space: v1.0.0 at the sync's commit" in done.out
    assert done.out.splitlines()[-1] == "tag  main: v1.0.0 at the lock's commit, last"
    assert listing(releases.folder) == before
    facts = releases.release("1.0.0", "-n", "--json").json()
    assert [repo["name"] for repo in facts["repos"]] == list(ORDER)
    assert {repo["state"] for repo in facts["repos"]} == {"missing"}
    assert listing(releases.folder) == before


@pytest.mark.slow
def test_the_second_time_there_is_nothing_to_do(releases: Releases) -> None:
    first = releases.released("1.0.0").out.splitlines()[-6:-1]
    tips = {name: bare.tips() for name, bare in releases.remotes.items()}
    again = releases.released("1.0.0")
    assert again.out.splitlines()[-len(first) - 1 :] == [
        *first,
        "Nothing to do: it is released, and every tag is there: 1.0.0",
    ]
    assert {name: bare.tips() for name, bare in releases.remotes.items()} == tips
    facts = releases.release("1.0.0", "--json").json()
    assert (facts["resumed"], facts["repos"][0]["outcome"]["pushed"]) == (True, False)
    assert releases.release("1.0.0", "-n").out.startswith("The release v1.0.0 is out. This makes sure of:")
    assert releases.release("1.0.0", "-n", "--json").json()["tag"] == "v1.0.0"


@pytest.mark.slow
def test_the_next_release_needs_no_sync_where_nothing_changed(releases: Releases) -> None:
    releases.released("1.0.0")
    releases.run("version", "bump", "minor", cwd=releases.clone.path)
    releases.commit("Raise the version")
    done = releases.released("1.1.0", "--yes")
    assert "sync space: up to date" in done.out
    tags, before = releases.tags("v1.1.0"), releases.tags("v1.0.0")
    assert (tags["space"], tags["small-7k"]) == (before["space"], before["small-7k"])
    assert tags["main"] != before["main"]


@pytest.mark.slow
def test_json_tells_plan_and_outcome(releases: Releases) -> None:
    facts = releases.release("1.0.0", "--json").json()
    tags = releases.tags("v1.0.0")
    assert (facts["version"], facts["tag"], facts["obstacles"]) == ("1.0.0", "v1.0.0", [])
    assert facts["lock"] == {"in": "commit", "path": "manifest/releases/v1.0.0.toml"}
    assert {repo["name"]: repo["outcome"]["commit"] for repo in facts["repos"]} == tags
    assert all(repo["outcome"]["pushed"] for repo in facts["repos"])


@pytest.mark.slow
def test_each_repo_says_how_it_takes_part(releases: Releases) -> None:
    releases.manifest(space='at = "synced"', model='tag = "code-v{version}"\nversion = "VERSION"')
    text = (releases.clone.path / "repos.toml").read_text()
    url = f'url = "{releases.urls["training-data"]}"\n'
    releases.clone.write({"repos.toml": text.replace(url, url + "release = false\n")})
    releases.commit("Say how")
    releases.run("sync", "--yes", cwd=releases.clone.path)
    synced = releases.remotes["space"].tip("main")
    work = Clone.of(releases.remotes["space"].url, releases.folder / "space-work")
    work.now = releases.clone.now
    work.commit("My own page", {"app.py": "app\n"})
    work.git("push", "-q", "origin", "HEAD:main")

    done = releases.release("1.0.0")
    assert done.code == 0, done.err
    tags = releases.tags("v1.0.0")
    assert tags["space"] == synced != releases.remotes["space"].tip("main")
    assert (tags["training-data"], tags["small-7k"]) == (None, None)
    model = releases.remotes["small-7k"]
    assert model.tip("code-v1.0.0") == model.tip("main")


def test_everything_that_stands_against_a_release_is_told_at_once(releases: Releases) -> None:
    releases.run("sync", "--yes", cwd=releases.clone.path)
    work = Clone.of(releases.remotes["space"].url, releases.folder / "space-work")
    work.commit("Drift", {"training/model.py": "other\n"})
    work.git("push", "-q", "origin", "HEAD:main")
    for name in ("small-7k", "small-8k"):
        work.git("fetch", "-q", releases.remotes[name].url, "main")
    releases.member("small-7k", "Newer", {"config.json": "{}"})
    releases.remotes["small-7k"].git("tag", "-a", "-m", "x", "v2.0.0", "main~1")
    releases.remotes["small-8k"].git("tag", "v2.0.0", "main")
    releases.remotes["training-data"].git("update-ref", "-d", "refs/heads/main")
    releases.manifest(model='version = "VERSION"')
    releases.clone.commit("Not pushed")
    releases.clone.write({"core/src/model.py": "dirty\n"})
    before = {name: bare.tips() for name, bare in releases.remotes.items()}

    done = releases.release("2.0.0")
    assert done.code == 3
    told = done.err.splitlines()
    assert told[0] == "error: 8 things stand against the release v2.0.0; nothing was changed:"
    small = releases.remotes["small-7k"].tip("main")[:10]
    here = releases.clone.tip()[:10]
    assert told[1:] == [
        "  main: has 1 commit that is not pushed.",
        "    next: git push origin main",
        "  main: has 1 file changed but not committed.",
        "    next: git stash  # or commit them",
        f"  main: pyproject.toml says 1.0.0, not 2.0.0 (at {here}).",
        "    next: openllm-repos version set 2.0.0  # then commit and push",
        "  space: has drifted: 1 mapped file changed there, which the source does not have.",
        "    next: openllm-repos diff space",
        "    next: openllm-repos import space  # or pass --allow-drift",
        f"  small-7k: VERSION says 1.0.0, not 2.0.0 (at {small}).",
        "    hint: Change it there, commit and push.",
        f"  small-7k: its tag v2.0.0 is at {releases.remotes['small-7k'].tip('main~1')[:10]}, not at {small}.",
        f"    next: git push {releases.urls['small-7k']} :refs/tags/v2.0.0  # if it was pushed by mistake",
        "    hint: Else take the next version: a tag that others may have is never moved.",
        "  small-8k: its tag v2.0.0 is at the right commit, but lightweight, and a release has annotated ones.",
        f"    next: git push {releases.urls['small-8k']} :refs/tags/v2.0.0  # if it was pushed by mistake",
        "  training-data: has no commit on main yet, so there is nothing to tag.",
        "    hint: Push to it first, or give its entry: release = false",
        "next: openllm-repos version set 2.0.1  # is free in every repo; commit, push and release that",
    ]
    assert {name: bare.tips() for name, bare in releases.remotes.items()} == before


@pytest.mark.slow
def test_drift_may_be_released_on_purpose(releases: Releases) -> None:
    releases.run("sync", "--yes", cwd=releases.clone.path)
    work = Clone.of(releases.remotes["space"].url, releases.folder / "space-work")
    work.commit("Drift", {"training/model.py": "other\n"})
    work.git("push", "-q", "origin", "HEAD:main")
    assert releases.release("1.0.0").code == 3
    releases.released("1.0.0", "--allow-drift")
    assert releases.remotes["space"].read("training/model.py", "v1.0.0") == b"other\n"


def test_a_repo_that_does_not_answer_stops_a_release_with_30(releases: Releases) -> None:
    releases.remotes["small-8k"].path.rename(releases.folder / "away")
    done = releases.release("1.0.0", "--allow-drift")
    assert done.code == 30
    assert "small-8k: is unreachable:" in done.err
    assert done.err.endswith("next: openllm-repos release 1.0.0 --allow-drift  # once that is done\n")
    assert releases.tags("v1.0.0").pop("main") is None if (releases.folder / "small-8k.git").exists() else True
    assert not [ref for ref in releases.remotes["space"].tips() if ref.startswith("refs/tags/")]


def test_a_commit_that_only_this_clone_has_behind_its_remote_is_told(releases: Releases) -> None:
    other = Clone.of(releases.remotes["main"].url, releases.folder / "other")
    other.now = releases.clone.now
    other.commit("Theirs", {"README.md": "hi\n"})
    other.git("push", "-q", "origin", "HEAD:main")
    done = releases.release("1.0.0")
    assert done.code == 3
    assert (
        "main: has 1 commit on its remote that this clone lacks.\n    next: git pull --ff-only origin main" in done.err
    )


def test_a_manifest_that_is_not_committed_is_told(releases: Releases) -> None:
    releases.clone.git("rm", "-q", "--cached", "repos.toml")
    releases.clone.git("commit", "-q", "-m", "Lose the manifest")
    releases.clone.git("push", "-q", "origin", "main")
    done = releases.release("1.0.0")
    assert "main: repos.toml is not in the commit" in done.err
    assert "next: git add -- repos.toml" in done.err


def test_what_is_no_version_is_refused_before_anything_starts(releases: Releases) -> None:
    for word in ("v1.0.0", "latest", "1.0.0 "):
        done = releases.release(word)
        assert (done.code, done.out) == (2, "")
        assert "is not a version" in done.err
    assert "'v1.0.0' is not a version but a tag; write 1.0.0" in releases.release("v1.0.0").err
    done = releases.release("3.0.0", "--resume")
    assert done.code == 2
    assert "The release 3.0.0 was not begun" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("name", ORDER)
def test_refused_by_any_repo_it_is_finished_later(releases: Releases, name: str) -> None:
    refuse(releases.remotes[name], "refs/tags/", "frozen: your storage quota is used up")
    done = releases.release("1.0.0")
    assert done.code == 3
    assert f"hint: The storage of {name} is full. Free some there" in done.err
    assert f"next: openllm-repos release 1.0.0  # once that is settled with {name}" in done.err
    assert f"error: {name} did not take the tag v1.0.0:" in done.err
    assert "frozen" in done.err
    tagged = [repo for repo in ORDER if releases.tags("v1.0.0")[repo] is not None]
    assert tagged == list(ORDER[: ORDER.index(name)]), "in order, and never the source before the others"
    missing = ", ".join(ORDER[ORDER.index(name) :])
    assert f"Not tagged yet: {missing}. The release is not out before main has its tag." in done.err
    half = {repo: releases.remotes[repo].tips()["refs/tags/v1.0.0"] for repo in tagged}
    status = releases.run("status", cwd=releases.clone.path)
    assert "openllm-repos release 1.0.0" in status.out

    allow(releases.remotes[name])
    again = releases.released("1.0.0", "--resume")
    assert [line.split(":")[0] for line in again.err.splitlines() if "tagging" in line] == missing.split(", ")
    assert {repo: releases.remotes[repo].tips()["refs/tags/v1.0.0"] for repo in tagged} == half


@pytest.mark.slow
def test_json_tells_how_far_a_release_came_that_was_stopped(releases: Releases) -> None:
    refuse(releases.remotes["small-8k"], "refs/tags/", "frozen")
    for _ in range(2):  # begun, and gone on with
        done = releases.release("1.0.0", "--json")
        said = done.json()
        assert done.code == 3
        assert {repo["name"]: (repo["state"], repo["outcome"]) for repo in said["repos"]} == {
            "space": ("good", None),
            "small-7k": ("good", None),
            "small-8k": ("missing", None),
            "training-data": ("missing", None),
            "main": ("missing", None),
        }
        assert said["stopped"]["exit_code"] == 3
        assert "frozen" in said["stopped"]["message"]
        assert "openllm-repos release 1.0.0" in said["stopped"]["next"]
    allow(releases.remotes["small-8k"])
    assert "stopped" not in releases.release("1.0.0", "--json").json()


@pytest.mark.slow
def test_another_machine_finishes_with_the_very_same_tags(releases: Releases) -> None:
    refuse(releases.remotes["small-8k"], "refs/tags/")
    assert releases.release("1.0.0").code == 3
    allow(releases.remotes["small-8k"])
    theirs = Clone.of(releases.remotes["main"].url, releases.folder / "theirs")
    theirs.git("config", "user.name", "Grace Hopper")
    done = releases.run("release", "--yes", "1.0.0", cwd=theirs.path)
    assert done.code == 0, done.err
    assert releases.tags("v1.0.0")["main"] == releases.remotes["main"].tip("main")
    tags = {name: bare.tips()["refs/tags/v1.0.0"] for name, bare in releases.remotes.items()}

    begun = (releases.clone.path / ".git/openllm-repos/operations.jsonl").read_text()
    assert all(f'"{tag}"' in begun for tag in tags.values()), "made anew from the lock, they are the same objects"
    assert "Nothing to do" in releases.released("1.0.0").out


@pytest.mark.slow
def test_another_version_waits_until_the_one_that_was_begun_is_settled(releases: Releases) -> None:
    refuse(releases.remotes["space"], "refs/tags/")
    assert releases.release("1.0.0").code == 3
    done = releases.release("1.1.0")
    assert done.code == 3
    assert "The release v1.0.0 was begun in this clone and has not ended." in done.err
    assert "next: openllm-repos release 1.0.0  # finishes it\nnext: openllm-repos release abort 1.0.0  #" in done.err


@pytest.mark.slow
def test_a_protected_branch_is_told_to_let_the_tag_carry_the_lock(releases: Releases) -> None:
    refuse(releases.remotes["main"], "refs/heads/", "storage limit reached")
    assert "hint: The storage of main is full." in releases.release("1.0.0").err
    refuse(releases.remotes["main"], "refs/heads/", "protected branch")
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "main did not take the lock's commit on main, and nothing was changed there" in done.err
    assert "openllm-repos manifest set project.lock tag" in done.err
    assert set(releases.tags("v1.0.0").values()) == {None}
    assert not unfinished(releases.clone.path)

    allow(releases.remotes["main"])
    releases.manifest(project='lock = "tag"')
    tip = releases.commit("Let the tag carry the lock")
    refuse(releases.remotes["main"], "refs/heads/", "protected branch")
    done = releases.released("1.0.0")
    assert "lock main: in the message of v1.0.0" in done.out
    assert releases.tags("v1.0.0")["main"] == tip == releases.remotes["main"].tip("main")
    assert '[repos."' not in releases.remotes["main"].git("cat-file", "tag", "v1.0.0")
    assert "[repos.space]" in releases.remotes["main"].git("cat-file", "tag", "v1.0.0")
    assert "Nothing to do" in releases.released("1.0.0").out
    assert releases.release("verify").out.splitlines()[0] == "v1.0.0: complete, 5 repos"
    fresh = Clone.of(releases.remotes["main"].url, releases.folder / "fresh", "--no-tags")
    assert releases.run("release", "show", "1.0.0", "--json", cwd=fresh.path).json()["lock"] == "tag"


def during_the_lock_push(releases: Releases, command: str) -> None:
    """Let a command run once, at the moment when the lock's commit is being pushed."""
    hook = releases.clone.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\nread -r _ _ ref _\n"
        f'case $ref in refs/heads/main) [ -e "$0.ran" ] || {{ : > "$0.ran"; {command}; }};; esac\n'
    )
    hook.chmod(0o755)


def test_of_two_people_who_release_at_once_one_wins_and_the_other_is_told(releases: Releases) -> None:
    import shlex
    import sys

    releases.run("sync", "--yes", cwd=releases.clone.path)
    theirs = Clone.of(releases.remotes["main"].url, releases.folder / "theirs")
    theirs.git("config", "user.name", "Grace Hopper")
    tool = f"cd {shlex.quote(str(theirs.path))} && {shlex.quote(sys.executable)} -m openllm_repos release 1.0.0 -y >&2"
    during_the_lock_push(releases, tool)
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "Grace Hopper has begun the release v1.0.0 meanwhile" in done.err
    assert "nothing of yours was pushed" in done.err
    assert releases.remotes["main"].log("main", form="%an") == ["Grace Hopper", "Test User"]
    assert "Nothing to do" in releases.released("1.0.0").out


@pytest.mark.slow
def test_a_source_that_moves_meanwhile_gets_no_release(releases: Releases) -> None:
    releases.run("sync", "--yes", cwd=releases.clone.path)
    theirs = Clone.of(releases.remotes["main"].url, releases.folder / "theirs")
    theirs.now = releases.clone.now
    theirs.commit("Theirs", {"README.md": "hi\n"})
    during_the_lock_push(releases, f"git -C '{theirs.path}' push -q origin HEAD:main")
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "main has moved to" in done.err
    assert set(releases.tags("v1.0.0").values()) == {None}
    releases.clone.git("pull", "-q", "--ff-only", "origin", "main")
    releases.released("1.0.0")


@pytest.mark.slow
def test_a_tag_that_somebody_puts_elsewhere_meanwhile_is_a_conflict(releases: Releases) -> None:
    refuse(releases.remotes["small-8k"], "refs/tags/")
    assert releases.release("1.0.0").code == 3
    allow(releases.remotes["small-8k"])
    releases.member("small-8k", "Newer", {"config.json": "{}"})
    releases.remotes["small-8k"].git("tag", "-a", "-m", "mine", "v1.0.0", "main")
    tips = {name: bare.tips() for name, bare in releases.remotes.items()}
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "small-8k: has its tag v1.0.0 at" in done.err
    assert ", and the release has" in done.err
    assert "openllm-repos release abort 1.0.0" in done.err
    assert {name: bare.tips() for name, bare in releases.remotes.items()} == tips


@pytest.mark.slow
def test_a_tag_that_was_set_by_hand_at_the_right_commit_is_fine(releases: Releases) -> None:
    releases.remotes["small-7k"].git("tag", "-a", "-m", "by hand", "v1.0.0", "main")
    mine = releases.remotes["small-7k"].tips()["refs/tags/v1.0.0"]
    done = releases.released("1.0.0")
    assert "tag  small-7k: v1.0.0 is at" in done.out
    assert releases.remotes["small-7k"].tips()["refs/tags/v1.0.0"] == mine


@pytest.mark.slow
def test_a_source_tag_that_no_release_made_is_never_taken_for_one(releases: Releases) -> None:
    releases.remotes["main"].git("tag", "-a", "-m", "by hand", "v1.0.0", "main")
    for lock in ("", 'lock = "tag"'):
        releases.manifest(project=lock)
        releases.commit("Lock")
        done = releases.release("1.0.0")
        assert done.code == 3
        assert "main: its tag v1.0.0 is at" in done.err


def test_a_map_that_would_carry_the_locks_is_told(releases: Releases) -> None:
    text = (releases.clone.path / "repos.toml").read_text()
    more = '\n[[repos.space.map]]\nfrom = "manifest/"\nto = "manifest/"\n'
    releases.commit("Carry too much", {"repos.toml": text + more})
    done = releases.release("1.0.0")
    assert done.code == 3
    assert "space: its map of manifest/ carries the locks as well, so it would lack one at once." in done.err


@pytest.mark.slow
def test_a_version_file_that_is_not_named_is_noted(releases: Releases) -> None:
    text = (releases.clone.path / "repos.toml").read_text()
    releases.commit("Name none", {"repos.toml": text.replace('version = "pyproject.toml"\n', "")})
    done = releases.released("4.5.6")
    assert "note: repos.toml names no version file, so nothing says that 4.5.6 is right." in done.out


def test_the_family_of_one_repo_can_be_released(tmp_path: Path, run_cli: RunCli) -> None:
    bare, clone = Bare.init(tmp_path / "main.git"), Clone.init(tmp_path / "clone")
    manifest = f'schema = 1\n[project]\nname = "x"\n[repos.main]\nurl = "{bare.url}"\nrole = "source"\n'
    clone.commit("Start", {**FILES, "repos.toml": manifest})
    clone.git("push", "-q", bare.url, "main")
    done = run_cli("release", "--yes", "1.0.0", cwd=clone.path)
    assert done.code == 0, done.err
    assert bare.git("describe", "main") == "v1.0.0"


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), [("1.0.0", "1.0"), ("1.0.0rc1", "1.0.0-rc.1")])
def test_a_version_is_not_released_again_in_another_spelling(releases: Releases, first: str, second: str) -> None:
    releases.run("version", "set", first, cwd=releases.clone.path)
    for name in MEMBERS:
        releases.member(name, "Raise the version", {"VERSION": f"{first}\n"})
    if releases.clone.git("status", "--porcelain"):
        releases.commit("Raise the version")
    releases.released(first)
    before = {name: bare.tips() for name, bare in releases.remotes.items()}
    done = releases.release(second)
    assert done.code == 3
    assert f"main: {second} is another spelling of {first}, which has the tag v{first} already." in done.err
    assert {name: bare.tips() for name, bare in releases.remotes.items()} == before
