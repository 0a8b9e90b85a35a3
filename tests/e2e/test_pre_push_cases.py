"""What a pre-push gate has to handle, one case a row, each with a real `git push` and the installed hook.

The numbers are those of a study of pre-push hooks; some cases show what no hook can see, so that nobody thinks so.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.fingerprint import listing
from tests.support.gated import Gated
from tests.support.needs import need_config_hooks
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from tests.support.inprocess import RunCli
    from tests.support.process import Result
    from tests.support.sealed import SealedHome
    from tests.support.server import GitServer

Run = Callable[[Gated], None]


@dataclass(frozen=True, slots=True)
class Case:
    """A row: its number, what it shows, and how."""

    number: int
    title: str
    run: Run


CASES: list[Case] = []


def case(number: int, title: str) -> Callable[[Run], Run]:
    """Add a row to the table."""

    def add(run: Run) -> Run:
        CASES.append(Case(number, title, run))
        return run

    return add


def passed(done: Result) -> str:
    """Check that a push went through, and return what was said."""
    assert done.code == 0, done.err
    assert "stopped: " not in done.err
    return done.err


def stopped(done: Result, *reasons: str) -> str:
    """Check that the gate stopped a push for these reasons, and return what was said."""
    assert done.code == 1, (done.out, done.err)
    assert done.err.count("stopped: ") == max(1, len(reasons)), done.err
    for reason in reasons:
        assert reason in done.err
    return done.err


@case(1, "a push of nothing runs the hook without a line, and sh lets it through")
def nothing(gated: Gated) -> None:
    gated.without_python()
    assert passed(gated.push("origin", "main")) == "Everything up-to-date\n"


@case(2, "of many refs every one is judged, and for one that is wrong nothing is pushed")
def many(gated: Gated) -> None:
    gated.git("branch", "topic")
    gated.tag("v9.9.9")
    stopped(
        gated.push("origin", "topic", "main", "v1.0.0", "v9.9.9"),
        "refs/tags/v9.9.9: It stands for 9.9.9, but VERSION of its commit",
        "refs/tags/v9.9.9: Neither its commit",
    )
    assert set(gated.family.origin.tips()) == {"refs/heads/main"}


@case(2, "tags that git adds by itself (--follow-tags) are judged too")
def followed(gated: Gated) -> None:
    gated.family.clone.commit("more", {"VERSION": "1.1.0\n"})
    gated.tag("v1.1.0")
    stopped(gated.push("--follow-tags", "origin", "main"), "refs/tags/v1.1.0: Neither its commit")


@case(3, "a tag of a release is not deleted; other tags and branches are")
def deleted(gated: Gated) -> None:
    passed(gated.push("origin", "v1.0.0", "main:refs/heads/old", "main:refs/tags/old"))
    stopped(gated.push("origin", ":refs/tags/v1.0.0"), "refs/tags/v1.0.0: A tag of a release is not deleted")
    gated.without_python()
    passed(gated.push("origin", ":refs/heads/old", ":refs/tags/old"))
    assert set(gated.family.origin.tips()) == {"refs/heads/main", "refs/tags/v1.0.0"}


@case(3, "a tag that has the form of a release, but that no release made, is deleted again")
def deleted_by_hand(gated: Gated) -> None:
    gated.family.clone.commit("later", {"later": "later\n"})
    gated.tag("v2.0.0")  # annotated, without a lock
    gated.tag("v1.0.0")  # at another commit than the release, which has a lock
    gated.git("tag", "v3.0.0")
    gated.git("push", "-q", "--no-verify", "origin", "main", "v1.0.0", "v2.0.0", "v3.0.0")
    passed(gated.push("origin", ":refs/tags/v1.0.0", ":refs/tags/v2.0.0", ":refs/tags/v3.0.0"))
    assert set(gated.family.origin.tips()) == {"refs/heads/main"}


@case(3, "a tag that this clone has never seen is fetched before it is deleted")
def deleted_unseen(gated: Gated) -> None:
    other = Clone.of(gated.family.origin.url, gated.family.folder / "other")
    other.git("tag", "-a", "-m", "by hand", "v2.0.0")
    other.git("push", "-q", "origin", "v2.0.0")
    said = stopped(gated.push("origin", ":refs/tags/v2.0.0"), "Whether it belongs to a release cannot be told")
    command = said.partition("next: ")[2].partition("  #")[0]
    gated.git(*command.split()[1:])
    passed(gated.push("origin", ":refs/tags/v2.0.0"))


@case(3, "in another repo of the family a tag stays where the source's lock has it, and any other goes")
def deleted_elsewhere(gated: Gated) -> None:
    made = gated.model.git("commit-tree", "-m", "other", gated.model.git("mktree", data=b""))
    for name, commit in (("v1.0.0", gated.models_commit), ("v2.0.0", made)):
        gated.model.git("tag", "-a", "-m", "tag", name, commit)
    passed(gated.push(gated.model.url, ":refs/tags/v2.0.0"))
    stopped(gated.push(gated.model.url, ":refs/tags/v1.0.0"), "cannot be told")
    gated.git("fetch", "-q", gated.model.url, "refs/tags/v1.0.0")
    stopped(gated.push(gated.model.url, ":refs/tags/v1.0.0"), "A tag of a release is not deleted")
    gated.model.git("tag", "-f", "-a", "-m", "moved", "v1.0.0", made)
    gated.git("fetch", "-q", gated.model.url, "refs/tags/v1.0.0")
    passed(gated.push(gated.model.url, ":refs/tags/v1.0.0"))


@case(5, "what is pushed may be named with blanks; the remote's ref and the id are what counts")
def blanks(gated: Gated) -> None:
    passed(gated.push("origin", "main@{0 seconds ago}:refs/heads/topic"))
    stopped(gated.push("origin", "main@{0 seconds ago}:refs/tags/v1.0.0"), "refs/tags/v1.0.0: It is a lightweight tag")


@case(6, "a tag pushed under another name than its own is stopped")
def renamed(gated: Gated) -> None:
    gated.release("9.0.0", tag="v9.0.0")
    gated.tag("other")
    stopped(gated.push("origin", "other:refs/tags/v9.0.0"), "The tag's own name is other")


@case(7, "a tag of a tag is peeled; a tag of a file names no commit; a branch that is called v2.0.0 is no release")
def peeled(gated: Gated) -> None:
    gated.release("2.0.0")
    gated.git("tag", "-f", "-a", "-m", "twice", "v2.0.0", "v2.0.0")
    passed(gated.push("origin", "v2.0.0"))
    gated.git("tag", "-a", "-m", "a file", "v3.0.0", "HEAD:VERSION")
    stopped(gated.push("origin", "v3.0.0"), "refs/tags/v3.0.0: It does not name a commit in the end")
    stopped(gated.push("origin", "HEAD:VERSION:refs/tags/v4.0.0", "HEAD^{tree}:refs/tags/v5.0.0"), "a blob", "a tree")
    gated.without_python()
    passed(gated.push("origin", "main:refs/heads/v2.0.0"))


@case(8, "the version is read from the pushed commit, whatever the work tree says")
def from_the_commit(gated: Gated) -> None:
    gated.family.clone.write({"VERSION": "7.0.0\n"})
    passed(gated.push("origin", "v1.0.0"))
    gated.release("2.0.0", says="1.9.0")
    gated.family.clone.write({"VERSION": "2.0.0\n"})
    stopped(gated.push("origin", "v2.0.0"), "says 1.9.0")


@case(9, "a release tag is not moved, forced or not")
def moved(gated: Gated) -> None:
    passed(gated.push("origin", "v1.0.0"))
    before = gated.family.origin.tips()
    gated.tag("v1.0.0", message="again")
    for force in ((), ("--force",)):
        stopped(gated.push(*force, "origin", "v1.0.0"), "A release tag is not moved")
    assert gated.family.origin.tips() == before


@case(10, "where git is about to reject the branch, the tag on it does not go alone")
def orphan(gated: Gated) -> None:
    other = Clone.of(gated.family.origin.url, gated.family.folder / "other")
    other.now = gated.family.clone.now + 600
    other.commit("somebody was quicker", {"new": "new\n"})
    other.git("push", "-q", "origin", "main")
    gated.git("fetch", "-q", "origin")
    gated.release("2.0.0", push=False)
    done = gated.push("origin", "main", "v2.0.0")
    assert "is on no branch of the remote, nor on one that this push brings there" in done.err
    assert "refs/tags/v2.0.0" not in gated.family.origin.tips()


@case(11, "a dry run is judged like any push, and the hook changes nothing")
def dry(gated: Gated) -> None:
    gated.tag("v9.9.9")
    before = listing(gated.path)
    stopped(gated.push("--dry-run", "origin", "v9.9.9"), "It stands for 9.9.9", "Neither its commit")
    passed(gated.push("--dry-run", "--atomic", "origin", "main", "v1.0.0"))
    assert listing(gated.path) == before


@case(12, "git tells no hook of what --mirror deletes: only rules on the server can hold that")
def mirror(gated: Gated) -> None:
    passed(gated.push("origin", "v1.0.0"))
    gated.git("tag", "-d", "v1.0.0")
    gated.git("remote", "add", "--mirror=push", "mirror", gated.family.origin.url)
    gated.push("mirror")
    assert "refs/tags/v1.0.0" not in gated.family.origin.tips()


@case(12, "what --prune deletes, git does tell")
def pruned(gated: Gated) -> None:
    passed(gated.push("origin", "v1.0.0"))
    gated.git("tag", "-d", "v1.0.0")
    stopped(gated.push("--prune", "origin", "refs/tags/*"), "A tag of a release is not deleted")


@case(13, "of several URLs for pushes each is judged for itself")
def several(gated: Gated) -> None:
    for url in (gated.family.origin.url, gated.family.space.url):
        gated.git("remote", "set-url", "--add", "--push", "origin", url)
    gated.family.clone.commit("both", {"data/secret.txt": "more\n"})
    said = stopped(gated.push("origin", "main"), "which may never leave the source")
    assert "data/secret.txt" in said
    assert gated.family.origin.tip("main") == gated.family.clone.tip()
    assert gated.family.space.tips() == {}


@case(14, "in a linked work tree the hook finds its own clone, and no other by GIT_DIR")
def linked(gated: Gated) -> None:
    tree = gated.family.folder / "linked"
    gated.git("worktree", "add", "-q", str(tree), "-b", "topic")
    gated.tag("v9.9.9")
    stopped(gated.push("origin", "v9.9.9", cwd=tree), "It stands for 9.9.9", "Neither its commit")
    passed(gated.push("origin", "v1.0.0", cwd=tree))
    gated.without_python()
    passed(gated.push("origin", "topic", cwd=tree))


@case(14, "with --git-dir, and with settings for one command")
def given_git_dir(gated: Gated) -> None:
    gated.tag("v9.9.9")
    options = (f"--git-dir={gated.path}/.git", f"--work-tree={gated.path}", "-c", "core.quotePath=false")
    away = gated.family.folder
    done = gated.family.clone.run("-C", away, *options, "push", "origin", "v9.9.9", ok=(0, 1))
    stopped(done, "It stands for 9.9.9", "Neither its commit")
    passed(gated.family.clone.run("-C", away, *options, "push", "origin", "v1.0.0", ok=(0, 1)))


@case(14, "in a bare clone the manifest is that of HEAD")
def bare(gated: Gated) -> None:
    place = gated.family.folder / "bare-clone.git"
    gated.git("clone", "-q", "--bare", str(gated.path), str(place))
    made = Bare(place)
    made.git("remote", "set-url", "origin", gated.family.origin.url)
    assert gated.family.run("hooks", "install", cwd=place).code == 0
    made.git("tag", "-a", "-m", "wrong", "v9.9.9")
    stopped(made.run("push", "origin", "v9.9.9", ok=(0, 1)), "It stands for 9.9.9", "Neither its commit")
    passed(made.run("push", "origin", "v1.0.0", ok=(0, 1)))


@case(15, "wherever in the clone the person stands")
def below(gated: Gated) -> None:
    stopped(gated.push("origin", "main:refs/tags/v1.0.0", cwd=gated.path / "core/src"), "It is a lightweight tag")
    passed(gated.push("origin", "v1.0.0", cwd=gated.path / "core/src"))


@case(16, "all is said on standard error: --porcelain stays what programs can read")
def porcelain(gated: Gated) -> None:
    gated.tag("v9.9.9")
    done = gated.push("--porcelain", "origin", "v9.9.9")
    stopped(done, "It stands for 9.9.9", "Neither its commit")
    assert done.out == ""
    done = gated.push("--porcelain", "origin", "v1.0.0")
    assert done.out.splitlines()[1:] == ["*\trefs/tags/v1.0.0:refs/tags/v1.0.0\t[new tag]", "Done"]
    assert "model does not have v1.0.0 yet" in done.err


@case(17, "thousands of refs are read whole and handed on whole, to a hook that does not read them too")
def thousands(gated: Gated) -> None:
    tip = gated.family.clone.tip()
    lines = "".join(f"create refs/heads/topic/{number:04} {tip}\n" for number in range(2000))
    gated.family.clone.git("update-ref", "--stdin", data=lines.encode())
    gated.git("push", "-q", "--no-verify", "origin", "main")
    heard = gated.family.folder / "heard"
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    for text, lines_heard in ((f'#!/bin/bash\ncat > "{heard}"\n', 2000), ("#!/bin/bash\nexit 0\n", 0)):
        heard.write_text("")
        gated.family.run("hooks", "uninstall", cwd=gated.path)
        gated.hook(text)
        gated.install()
        gated.without_python()
        said = passed(gated.push("--dry-run", "-q", "origin", "refs/heads/topic/*"))
        assert said == ""
        assert len(heard.read_text().splitlines()) == lines_heard
    done = gated.push("--dry-run", "-q", "origin", "refs/heads/topic/*", "main:refs/tags/v2.0.0")
    assert "/gone" in done.err


@case(18, "git-lfs, there first: after our refusal nothing is uploaded, after our consent the objects are there")
def lfs_first(gated: Gated) -> None:
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    gated.git("lfs", "install", "--local")
    gated.install()
    _push_a_large_file(gated)


@case(18, "git-lfs, later: it keeps away from a pre-push that is not its own, so ours calls it")
def lfs_later(gated: Gated) -> None:
    assert gated.family.clone.run("lfs", "install", "--local", ok=(0, 2)).code == 2
    _push_a_large_file(gated)


def _push_a_large_file(gated: Gated) -> None:
    gated.git("lfs", "track", "*.bin")
    gated.release("2.0.0", push=False)
    gated.family.clone.commit("A large file", {"weights.bin": "large\n" * 1000})
    gated.tag("v3.0.0")
    stored = gated.family.origin.path / "lfs/objects"
    stopped(gated.push("origin", "main", "v3.0.0"), "It stands for 3.0.0", "Neither its commit")
    assert not stored.exists()
    passed(gated.push("origin", "main", "v2.0.0"))
    assert [path.read_text() for path in stored.rglob("*") if path.is_file()] == ["large\n" * 1000]


@case(19, "a sync's own push runs the hook, and is known by its journal")
def own_push(gated: Gated) -> None:
    assert passed(gated.family.synced("--yes"))
    assert gated.family.space.paths() != []
    tip = gated.family.space.tip("main")
    gated.family.clone.commit("next", {"core/src/new.py": "new\n"})
    gated.family.push()
    assert passed(gated.family.synced("--yes"))
    assert gated.family.space.parents("main")[0] == tip


@case(20, "a hook that pushes elsewhere comes to an end, and its own push is judged")
def nested(gated: Gated) -> None:
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    gated.hook(f"#!/bin/bash\ncat >/dev/null\nexec git push -q {gated.family.space.url} main:main\n")
    gated.install()
    stopped(gated.push("origin", "main:refs/heads/topic"), "which may never leave the source")
    assert "refs/heads/topic" not in gated.family.origin.tips()


@case(21, "a target is known by its URL, whatever the remote is called, and by whatever spelling")
def by_url(gated: Gated) -> None:
    tip = gated.family.clone.tip()
    space = gated.family.space
    gated.git("remote", "add", "hf", space.url)
    gated.git("config", "--add", "url.file://.insteadOf", "stand-in:")
    for place in (
        "space",
        "hf",
        space.url,
        str(space.path),
        str(space.path).removesuffix(".git"),
        f"{space.url}/",
        os.path.relpath(space.path, gated.path),
        f"{space.path.parent}/../{space.path.parent.name}/{space.path.name}",
        f"stand-in:{space.path}",
    ):
        assert "which may never leave the source" in gated.push(place, f"{tip}:refs/heads/main").err, place
    assert space.tips() == {}


@case(23, "a repo that does not answer holds nothing up: what that means, the manifest says")
def unreachable(gated: Gated) -> None:
    shutil.move(gated.model.path, f"{gated.model.path}.away")
    said = stopped(gated.push("origin", "v1.0.0"), "model does not say whether it has v1.0.0")
    assert 'repos.toml: [hooks] offline = "refuse" stops the push until then' in said
    gated.manifest(hooks='[hooks]\noffline = "allow"')
    said = passed(gated.push("origin", "v1.0.0"))
    assert "note: refs/tags/v1.0.0: model does not say whether it has v1.0.0" in said
    assert '[hooks] offline = "allow" lets it through' in said


@case(24, "where the interpreter is gone, the hook says so and what to do; other pushes do not need it")
def interpreter_gone(gated: Gated) -> None:
    gated.without_python()
    done = gated.push("origin", "v1.0.0")
    assert (done.code, done.out) == (1, "")
    assert "the Python that does it is gone: /gone" in done.err
    assert "openllm-repos hooks install" in done.err
    passed(gated.push("origin", "main:refs/heads/topic"))
    problems = gated.status().json()["problems"]
    assert [problem["message"] for problem in problems] == ["The Python that judges is gone: /gone"]


@case(24, "a hook that may not be executed is left out by git, and status says so")
def not_executable(gated: Gated) -> None:
    (gated.hooks / "pre-push").chmod(0o644)
    passed(gated.push("origin", "main:refs/tags/v2.0.0"))
    found = gated.status().json()
    assert (found["installed"], found["would_run"]) == (True, False)
    assert "may not be executed" in found["problems"][0]["message"]


@case(25, "in a shallow clone: what can be told is told, and what cannot is as the manifest says")
def shallow(gated: Gated) -> None:
    gated.release("2.0.0")
    gated.family.commit("later", {"later": "later\n"})
    place = gated.family.folder / "shallow"
    made = Clone.of(gated.family.origin.url, place, "--depth=1")
    made.now = gated.family.clone.now
    assert gated.family.run("hooks", "install", cwd=place).code == 0
    made.git("fetch", "-q", "--depth=1", str(gated.path), "refs/tags/v2.0.0:refs/tags/v2.0.0")
    said = stopped(made.run("push", "origin", "v2.0.0", ok=(0, 1)), "on a branch of the remote cannot be told here")
    assert 'offline = "refuse"' in said
    made.git("fetch", "-q", "--unshallow")
    passed(made.run("push", "origin", "v2.0.0", ok=(0, 1)))


@case(25, "in a partial clone the version file is fetched where it is needed")
def partial(gated: Gated) -> None:
    place = gated.family.folder / "partial"
    made = Clone.of(gated.family.origin.url, place, "--filter=blob:none", "--no-checkout")
    made.git("checkout", "-q", "main", "--", "repos.toml")
    assert gated.family.run("hooks", "install", cwd=place).code == 0
    made.git("fetch", "-q", str(gated.path), "refs/tags/v1.0.0:refs/tags/v1.0.0")
    passed(made.run("push", "origin", "v1.0.0", ok=(0, 1)))


@case(26, "--no-verify, and programs that run no hooks, go round it")
def unverified(gated: Gated) -> None:
    gated.tag("v9.9.9")
    passed(gated.push("--no-verify", "origin", "v9.9.9"))
    assert "refs/tags/v9.9.9" in gated.family.origin.tips()


@case(27, "in git's configuration the hook judges too; where it is installed twice it runs twice, and status tells")
def in_configuration(gated: Gated) -> None:
    need_config_hooks()
    gated.tag("v9.9.9")
    gated.install("--config")
    done = gated.push("origin", "v9.9.9")
    assert done.err.count("It stands for 9.9.9") == 2
    assert "installed twice" in gated.status().json()["problems"][0]["message"]
    assert gated.family.run("hooks", "uninstall", cwd=gated.path).code == 0
    assert not (gated.hooks / "pre-push").exists()
    gated.install("--config")
    stopped(gated.push("origin", "v9.9.9"), "It stands for 9.9.9", "Neither its commit")
    passed(gated.push("origin", "v1.0.0"))
    found = gated.status().json()
    assert (found["way"], found["would_run"], found["problems"]) == ("config", True, [])
    assert gated.install("--config").out.startswith("Already installed")


@case(28, "core.hooksPath: nothing is written there unasked, and what to do is said")
def hooks_path(gated: Gated) -> None:
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    gated.git("config", "core.hooksPath", "tracked-hooks")
    done = gated.family.run("hooks", "install", cwd=gated.path)
    assert done.code == 2
    assert "core.hooksPath is 'tracked-hooks' (in" in done.err
    assert "openllm-repos hooks install --hooks-path" in done.err
    assert not (gated.path / "tracked-hooks").exists()
    gated.install("--hooks-path")
    gated.tag("v9.9.9")
    for place in (None, gated.path / "core/src"):
        stopped(gated.push("origin", "v9.9.9", cwd=place), "It stands for 9.9.9", "Neither its commit")
    assert gated.family.run("hooks", "uninstall", cwd=gated.path).code == 0
    assert not (gated.path / "tracked-hooks").exists()


@case(29, "installed from a linked work tree, it is there for all of them")
def shared_by_work_trees(gated: Gated) -> None:
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    tree = gated.family.folder / "linked"
    gated.git("worktree", "add", "-q", str(tree), "-b", "topic")
    assert gated.family.run("hooks", "install", cwd=tree).code == 0
    stopped(gated.push("origin", "main:refs/tags/v2.0.0"), "It is a lightweight tag")
    stopped(gated.push("origin", "main:refs/tags/v2.0.0", cwd=tree), "It is a lightweight tag")


@case(30, "line ends are those of Unix, and the interpreter's path may hold blanks")
def portable(gated: Gated) -> None:
    assert b"\r" not in (gated.hooks / "pre-push").read_bytes()
    python = gated.family.folder / "my own python/python 3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    facts = gated.hooks / "pre-push.openllm-repos"
    facts.write_text(facts.read_text().replace(f"python {sys.executable}", f"python {python}"))
    stopped(gated.push("origin", "main:refs/tags/v2.0.0"), "It is a lightweight tag")


@case(31, "1.0.0-rc.1 and 1.0.0rc1 are one version; a tag may have folders in its name")
def spelt(gated: Gated) -> None:
    gated.manifest(project='version = "VERSION"\ntag = "core/v{version}"')
    gated.install()
    gated.release("2.0.0-rc.1", says="2.0.0rc1", tag="core/v2.0.0-rc.1")
    passed(gated.push("origin", "core/v2.0.0-rc.1"))
    gated.release("2.0.0", says="2.0.0rc1", tag="core/v2.0.0")
    stopped(gated.push("origin", "core/v2.0.0"), "says 2.0.0rc1")
    gated.without_python()
    passed(gated.push("origin", "main:refs/tags/v3.0.0", "main:refs/tags/core/very-new"))


@case(32, "a release that is half out: the rest may follow, and nothing else")
def half_out(gated: Gated) -> None:
    assert "note: refs/tags/v1.0.0: model does not have v1.0.0 yet" in passed(gated.push("origin", "v1.0.0"))
    gated.git("fetch", "-q", gated.model.url, "main:refs/heads/weights")
    gated.git("remote", "add", "model", gated.model.url)
    said = stopped(gated.push("model", "v1.0.0"), f"but the lock says {gated.models_commit[:10]} for model")
    assert "openllm-repos release 1.0.0 --resume" in said
    gated.tag("v1.0.0", "weights")
    passed(gated.push("model", "v1.0.0"))


@case(32, "where another repo has the tag elsewhere, the source does not get it")
def elsewhere(gated: Gated) -> None:
    other = gated.model.git("commit-tree", "-m", "other", gated.model.git("mktree", data=b""))
    gated.model.git("tag", "-a", "-m", "by hand", "v1.0.0", other)
    stopped(
        gated.push("origin", "v1.0.0"),
        f"model has v1.0.0 at {other[:10]}, but the lock says {gated.models_commit[:10]}",
    )


@case(33, "git has no hook for making a tag: a wrong one may be made, and does not get out")
def made_here(gated: Gated) -> None:
    ours = {path.name for path in gated.hooks.iterdir() if not path.name.endswith(".sample")}
    assert ours == {"pre-push", "pre-push.openllm-repos"}
    gated.git("tag", "v2.0.0")
    stopped(gated.push("origin", "v2.0.0"), "It is a lightweight tag")


@case(34, "who pushes the same tag between our look and git's is stopped by the remote, not by the hook")
def raced(gated: Gated) -> None:
    gated.family.run("hooks", "uninstall", cwd=gated.path)
    race = f"git -C {gated.family.origin.path} update-ref refs/tags/v1.0.0 refs/heads/main"
    gated.hook(f"#!/bin/bash\ncat >/dev/null\nunset GIT_DIR\n{race}\n")
    gated.install()
    done = gated.push("origin", "v1.0.0")
    assert done.code == 1
    assert "stopped: " not in done.err
    assert "remote rejected" in done.err


LARGE = {18}  # these need git-lfs
# Every third where time is short.
SOME = [
    pytest.param(row, marks=pytest.mark.slow) if at % 3 else pytest.param(row)
    for at, row in enumerate(CASES)
    if row.number not in LARGE
]


@pytest.mark.parametrize("row", SOME, ids=lambda row: f"{row.number}-{row.run.__name__}")
def test_a_push_is_judged(row: Case, tmp_path: Path, run_cli: RunCli) -> None:
    row.run(Gated.make(tmp_path / "gated", run_cli))


@pytest.mark.slow
@pytest.mark.usefixtures("git_lfs")
@pytest.mark.parametrize("row", [row for row in CASES if row.number in LARGE], ids=lambda row: row.run.__name__)
def test_a_push_is_judged_beside_git_lfs(row: Case, tmp_path: Path, run_cli: RunCli) -> None:
    row.run(Gated.make(tmp_path / "gated", run_cli))


def test_every_case_of_the_study_has_a_row() -> None:
    # 4 and 22 need a family of their own; they stand below.
    assert {row.number for row in CASES} == set(range(1, 35)) - {4, 22}


@pytest.mark.slow
def test_4_new_refs_have_a_zero_id_of_64_digits_where_ids_have(tmp_path: Path, run_cli: RunCli) -> None:
    gated = Gated.make(tmp_path / "gated", run_cli, object_format="sha256")
    stopped(gated.push("origin", "main:refs/tags/v2.0.0"), "It is a lightweight tag")
    passed(gated.push("origin", "v1.0.0"))
    stopped(gated.push("origin", ":refs/tags/v1.0.0"), "A tag of a release is not deleted")
    gated.without_python()
    passed(gated.push("origin", "main:refs/heads/new"))
    gated.family.clone.commit("mapped", {"core/src/new.py": "new\n"})
    assert "This push changes files that are mapped to targets" in passed(gated.push("origin", "main"))


@pytest.mark.slow
def test_22_credentials_in_a_url_are_never_shown_nor_handed_on(
    tmp_path: Path, run_cli: RunCli, server: GitServer, home: SealedHome
) -> None:
    gated = Gated.make(tmp_path / "gated", run_cli)
    server.create("lemms/openllm.git")
    server.on("lemms/openllm.git", account=("lemms", "hf_SecretSecret"))
    typed = "https://lemms:hf_SecretSecret@huggingface.co/"
    home.set(f"url.{server.url('')}.insteadOf", "https://huggingface.co/")
    home.set(f"url.{server.url('').replace('://', '://lemms:hf_SecretSecret@')}.insteadOf", typed)
    gated.family.urls["space"] = "https://huggingface.co/lemms/openllm"
    gated.manifest()
    gated.install()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/seen\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    facts = gated.hooks / "pre-push.openllm-repos"
    facts.write_text(facts.read_text().replace(f"python {sys.executable}", f"python {python}"))
    done = gated.push(f"{typed}lemms/openllm", "main")
    ours = "".join(line for line in done.err.splitlines(keepends=True) if not line.startswith("error: failed to push"))
    assert "stopped: refs/heads/main: It brings data/secret.txt, docs/guide.md to space" in ours
    assert "Secret" not in ours
    arguments = (tmp_path / "seen").read_text().split()
    assert arguments[-2:] == ["https://huggingface.co/lemms/openllm", server.url("lemms/openllm")]
    assert server.pushes() == []
