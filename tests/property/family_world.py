"""A family on the sandbox and the people around it: what they do, and what must be true after each of their steps."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from openllm_repos.git.process import program
from openllm_repos.sandbox import Sandbox
from tests.support.family import MAPS, text
from tests.support.hub_family import HubFamily
from tests.support.inprocess import run_in_process
from tests.support.process import REAL_GIT, Result
from tests.support.repositories import ADA, GRACE, MINUTE, Bare, Person
from tests.support.sealed import lead_to
from tests.support.shim import Fault, GitShim
from tests.support.writing import branch_tip, write_commit
from tests.support.zygote import Zygote

Files = Mapping[str, str | bytes | None]

SOURCE_FILES = ("core/src/model.py", "core/src/train.py", "core/src/new.py", "configs/small.json", "configs/big.json")
UNMAPPED_FILES = ("README.md", "core/notes.md")
PRIVATE_FILES = ("data/secret.txt", "data/other.txt", "docs/guide.md")
OWN_FILES = ("app.py", "icon.svg", "training/notes.txt")
MODEL = "lemms/small-7k"
SECRET = b"never leaves the source: "
DONE, DIFFERS, USAGE, REFUSED = 0, 1, 2, 3
KILLED = -9


def in_the_space(path: str) -> str:
    """Return where the maps carry a file of the source."""
    return path.replace("core/src/", "training/")


def changed(files: dict[str, bytes], path: str, line: int, word: str, *, gone: bool) -> str | None:
    """Return new content for a file: one line of it changed, or None where it is to go and is there."""
    if gone and path in files:
        return None
    lines = files.get(path, text().encode()).decode().splitlines()
    lines[min(line, len(lines)) - 1] = word
    return "\n".join(lines) + "\n"


class World:
    """A source on GitHub, a Space and a model on the Hub, one clone; and all that was ever true of them.

    Attributes:
        family: the clone and the two repositories that a sync is about.
        own: what the Space's own files hold, as their last editor left them.
        held: whether the Space was rolled back and not let go since.
        first: the Space's tip when it was first in step with the source.
        copied_at: the source's first commit, which the Space's files were copied at where they were.
        synced: the source commits that the Space ever got.
        clean: whether only the source has changed mapped files since both sides were last the same.
        released: tag -> repo -> the object that it names.
    """

    def __init__(self, history: str, zygote: Zygote) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self._patch = pytest.MonkeyPatch()
        self._running = contextlib.ExitStack()
        self._zygote = zygote
        self.sandbox = self._running.enter_context(Sandbox(self.folder / "sandbox", git=REAL_GIT))
        lead_to(self.sandbox, self._patch)
        self.family = HubFamily.on(self.sandbox, self.folder / "family", self.run)
        self.model = Bare(self.sandbox.hub.create("model", MODEL))
        self.remotes = {"main": self.family.origin, "space": self.family.space, "small-7k": self.model}
        self.shim = GitShim(self.folder / "shim")
        self.own: dict[str, bytes] = {"app.py": b"print()\n"}
        self.clean = True
        self.held = False
        self.first = ""
        self.copied_at = branch_tip(self.family.origin)
        self.synced: list[str] = []
        self.released: dict[str, dict[str, str]] = {}
        self._now = self.family.clone.now
        self._ever: dict[str, set[str]] = {name: set() for name in self.remotes}
        self._seen: dict[str, str] = {}
        self._branches = 0
        self.commits_since_release = 0
        self.family.manifest(settings=f'history = "{history}"', more=f'[repos.small-7k]\nmodel = "{MODEL}"')
        self.family.commit("Settings")

    def close(self) -> None:
        """Stop the hosts and remove everything."""
        self._running.close()
        self._patch.undo()
        program.cache_clear()
        assert self.sandbox.mishaps == []
        shutil.rmtree(self.folder)

    def run(self, *args: str | Path, cwd: Path | None = None, data: bytes = b"") -> Result:
        """Run the command line in this process."""
        return run_in_process(*args, cwd=cwd or self.folder, data=data)

    def tool(self, *args: str, codes: tuple[int, ...] = (DONE,)) -> Result:
        """Run a command in the clone; its exit code must be one of `codes`."""
        done = self.run(*meant(*args), cwd=self.family.clone.path)
        assert done.code in codes, (args, done.code, done.out, done.err)
        return done

    def killed(self, *args: str, call: int, fault: Fault) -> Result:
        """Run a command in a process of its own that is killed at its `call`-th call of git, if it gets so far."""
        self.shim.arm(call, fault)
        path = self.shim.path(os.environ["PATH"])
        done = self._zygote.run(*meant(*args), cwd=self.family.clone.path, env={"PATH": path})
        self.shim.disarm()
        return done

    # ---- what people do ----------------------------------------------------------------------------------------------

    @property
    def clock(self) -> int:
        """The time, one minute on."""
        self._now += MINUTE
        self.commits_since_release += 1
        return self._now

    def source_files(self) -> dict[str, bytes]:
        """Return the files of the source that maps carry."""
        return _files(self.family.origin, SOURCE_FILES)

    def mapped(self, rev: str = "main") -> dict[str, bytes]:
        """Return the files that maps write, of the Space now or of a commit of it."""
        return _files(self.family.space, [in_the_space(path) for path in SOURCE_FILES], rev)

    def projection(self, rev: str = "main") -> dict[str, bytes]:
        """Return what the maps make of the source now, or of a commit of it."""
        files = _files(self.family.origin, SOURCE_FILES, rev)
        return {in_the_space(path): data for path, data in files.items()}

    def commit(self, message: str, files: Files, *, author: Person = ADA) -> None:
        """Commit to the source on GitHub; the person whose clone this is gets it."""
        write_commit(self.family.origin, message, files, at=self.clock, author=author)
        self.pull()

    def merge_a_branch(self, files: Files, meanwhile: Files) -> None:
        """Merge a branch of the source on GitHub that began before `meanwhile` was committed."""
        origin = self.family.origin
        self._branches += 1
        name = f"side{self._branches}"
        side = write_commit(origin, "Side", files, at=self.clock, branch=name, start=branch_tip(origin))
        write_commit(origin, "Main goes on", meanwhile, at=self.clock)
        write_commit(origin, f"Merge {name}", files, at=self.clock, merged=[side])
        origin.git("update-ref", "-d", f"refs/heads/{name}")
        self.pull()

    def pull(self) -> None:
        """Bring the clone's branch to what GitHub has."""
        clone = self.family.clone
        clone.git("fetch", "-q", "--update-head-ok", self.family.origin.url, "+main:main")

    def edit(self, message: str, files: Files) -> None:
        """Commit to the Space on its website."""
        write_commit(self.family.space, message, files, at=self.clock, author=GRACE)
        for path, content in files.items():
            if path in OWN_FILES:
                assert content is not None
                self.own[path] = content.encode() if isinstance(content, str) else content
            else:
                self.clean = False

    def merge_in_the_space(self, path: str, mine: str, theirs: str) -> None:
        """Merge a branch of the Space there: one side edits an own file, the other a mapped one."""
        space = self.family.space
        start = branch_tip(space)
        side = write_commit(space, "Branch", {path: theirs}, at=self.clock, branch="pr", start=start, author=GRACE)
        self.edit("Meanwhile", {"icon.svg": mine})
        write_commit(space, "Merge pr", {path: theirs}, at=self.clock, merged=[side], author=GRACE)
        space.git("update-ref", "-d", "refs/heads/pr")
        self.clean = False

    def bring_home(self) -> Result:
        """Import what the Space changed, merge the branch into the source's as a person would, and push that.

        Where both sides changed the same lines, the Space's are taken.
        """
        clone = self.family.clone
        done = self.tool("import", "space", codes=(DONE, REFUSED))
        if "refs/heads/import/space" not in clone.tips():
            return done
        clone.now = self.clock
        clone.git("reset", "-q", "--hard")
        options = ("-q", "--no-ff", "--no-commit", "-s", "ort", "-X", "theirs")
        if clone.run("merge", *options, "import/space", ok=(0, 1)).code:
            for path in clone.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0")[:-1]:
                staged = clone.git("ls-files", "-u", "--", path).splitlines()
                theirs = any(row.partition("\t")[0].endswith(" 3") for row in staged)
                if theirs:
                    clone.git("checkout", "-q", "--theirs", "--", path)
                    clone.git("add", "--", path)
                else:
                    clone.git("rm", "-q", "--", path)
        clone.git("commit", "-q", "--allow-empty", "-m", "Merge what the Space changed")
        self.family.push()
        clone.git("branch", "-q", "-D", "import/space")
        return done

    def look_again(self) -> None:
        """Learn from status whether the Space is held; what it changed by itself is anybody's guess.

        Who took the adoption back adopts it again, once the Space has a file as it was copied.
        """
        said = self.space_status()
        if said["state"] == "not adopted":
            if self.tool("adopt", "space", "--at", self.copied_at, "--yes", codes=(DONE, REFUSED)).code == REFUSED:
                self.edit("Copy again", dict(self.projection(self.copied_at)))
                self.tool("adopt", "space", "--at", self.copied_at, "--yes")
            said = self.space_status()
        self.held, self.clean = said["held"] is not None, False

    def space_status(self) -> dict[str, Any]:
        """Return what status says of the Space."""
        repos: list[dict[str, Any]] = self.tool("status", "--json").json()["repos"]
        return next(repo for repo in repos if repo["name"] == "space")

    def release(self) -> None:
        """Release the next version; the person's work tree is brought to their branch first."""
        self.family.clone.git("reset", "-q", "--hard")
        version = f"0.{len(self.released) + 1}.0"
        done = self.tool("release", version, "--allow-drift", "--yes", codes=(DONE, REFUSED))
        self.commits_since_release = 0
        tags = {name: bare.tips().get(f"refs/tags/v{version}", "") for name, bare in self.remotes.items()}
        if done.code == REFUSED:
            assert not tags["main"], "a release that was refused is there"
            return
        assert all(tags.values()), (tags, done.out)
        self.released[version] = tags

    # ---- what must be true -------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Check all remotes that have moved since the last check."""
        for name, bare in self.remotes.items():
            tip = branch_tip(bare)
            if self._seen.get(name) == tip:
                continue
            self._check_history(name, bare, tip)
            if name == "space":
                self._check_space(tip)
            self._seen[name] = tip

    def _check_history(self, name: str, bare: Bare, tip: str) -> None:
        reachable = set(bare.git("rev-list", tip).split())
        lost = self._ever[name] - reachable
        if lost:
            kept = self.family.clone.git("rev-list", "--glob=refs/openllm/keep/*").split()
            lost -= set(kept)
        assert not lost, f"commits of {name} were lost: {lost}"
        self._ever[name] |= reachable

    def _check_space(self, tip: str) -> None:
        held = _blobs(self.family.space, tip)
        own = {path: _blob_id(data) for path, data in self.own.items()}
        assert {path: held.get(path) for path in own} == own, "an own file is not as its editor left it"
        allowed = {in_the_space(path) for path in SOURCE_FILES} | {*OWN_FILES, "README.md", ".gitattributes"}
        assert held.keys() <= allowed, f"files came that no map carries: {held.keys() - allowed}"

    def check_whole_history(self) -> None:
        """Check every commit that the Space ever had: no file that no map carries, no commit of the source."""
        space = self.family.space
        listed = space.git("log", "-m", "--root", "--name-only", "--format=", "main").split("\n")
        allowed = {in_the_space(path) for path in SOURCE_FILES} | {*OWN_FILES, "README.md", ".gitattributes", ""}
        assert set(listed) <= allowed, "a file came that no map carries"
        source = set(self.family.origin.git("rev-list", "main").split())
        assert not source & set(space.git("rev-list", "--all").split()), "a commit of the source came"
        objects = space.run("cat-file", "--batch-all-objects", "--batch", "--buffer").out_bytes
        assert SECRET not in objects, "a private file came"
        for bare in self.remotes.values():
            bare.fsck()


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _blobs(repository: Bare, rev: str) -> dict[str, str]:
    rows = repository.git("ls-tree", "-r", "-z", rev).split("\0")[:-1]
    return {row.partition("\t")[2]: row.split()[2] for row in rows}


def _files(repository: Bare, paths: Iterable[str], rev: str = "main") -> dict[str, bytes]:
    """Return those of `paths` that are there, by one process."""
    wanted = list(paths)
    asked = "".join(f"{rev}:{path}\n" for path in wanted).encode()
    out = repository.run("cat-file", "--batch", data=asked).out_bytes
    found, at = {}, 0
    for path in wanted:
        head, _, _ = out[at:].partition(b"\n")
        at += len(head) + 1
        if head.endswith(b" missing"):
            continue
        size = int(head.split()[2])
        found[path] = out[at : at + size]
        at += size + 1
    return found


def meant(*args: str) -> tuple[str, ...]:
    """Return a command for people who mean it where they delete all files of a map."""
    if args[0] != "sync" and not (args[0] == "rollback" and "--to" in args):
        return args
    return (*args, *(word for source, _ in MAPS for word in ("--allow-empty", source)))
