"""A family and the people around it: what they do, and what must be true after each of their steps."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from openllm_repos.git.process import program
from openllm_repos.sandbox import Sandbox
from tests.support.family import Family, text
from tests.support.history import Spec, make_history
from tests.support.hub_family import HubFamily
from tests.support.inprocess import run_in_process
from tests.support.next_steps import require_pasteable
from tests.support.process import REAL_GIT, Result
from tests.support.repositories import ADA, GRACE, MINUTE, Bare, Clone, Person
from tests.support.sealed import lead_to
from tests.support.shim import Fault, GitShim
from tests.support.writing import branch_tip, write_commit
from tests.support.zygote import Zygote

Files = Mapping[str, str | bytes | None]
Hosts = Literal["hub", "folders"]
Way = Literal["merge", "squash", "bare squash", "rebase", "pick"]

SOURCE_FILES = ("core/src/model.py", "core/src/train.py", "core/src/new.py", "configs/small.json", "configs/big.json")
UNMAPPED_FILES = ("README.md", "core/notes.md")
PRIVATE_FILES = ("data/secret.txt", "data/other.txt", "docs/guide.md")
OWN_FILES = ("app.py", "icon.svg", "training/notes.txt")
PLACES = {"core/src/*.py": ("training/", "app/"), "configs/*.json": ("configs/", "settings/")}
"""Where a map ever writes."""
MODEL = "lemms/small-7k"
SECRET = b"never leaves the source: "
PAGE = {"Content-Type": "text/html"}
DONE, DIFFERS, USAGE, REFUSED, NO_ANSWER = 0, 1, 2, 3, 30
ANSWERS = (DONE, DIFFERS, USAGE, REFUSED)
KILLED = -9
IMPORT = "import/space"

_MAP = re.compile(r'from = "(.*)"\nto = "(.*)"')


def changed(files: dict[str, bytes], path: str, line: int, word: str, *, gone: bool) -> str | None:
    """Return new content for a file: one line of it changed, or None where it is to go and is there."""
    if gone and path in files:
        return None
    lines = files.get(path, text().encode()).decode().splitlines()
    lines[min(line, len(lines)) - 1] = word
    return "\n".join(lines) + "\n"


class World:
    """A source, a Space and a model, two clones; and all that was ever true of them.

    Attributes:
        family: the clone and the two repositories that a sync is about.
        behind: a second clone, which gets what the source has by `fetch` alone.
        hub: whether the repos are on the hosts, in the sandbox; else they are folders.
        own: what the Space's own files hold, as their last editor left them.
        held: whether the Space was rolled back and not let go since.
        first: the Space's tip when it was first in step with the source.
        begun: the source's commit with the manifest; nobody goes back behind it.
        synced: the source commits that the Space ever got.
        clean: whether only the source has changed mapped files since both sides were last the same.
        edited: the places of mapped files that people edited in the Space since both sides were last the same there: a
            map that comes later, or comes again, meets what they made.
        unsure: whether somebody took back what both sides had, or brought it without a word, since then.
        released: tag -> repo -> the object that it names.
    """

    def __init__(self, history: str, hosts: Hosts, zygote: Zygote) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.hub = hosts == "hub"
        self._patch = pytest.MonkeyPatch()
        self._running = contextlib.ExitStack()
        self._zygote = zygote
        self.family, self.model, model = self._served() if self.hub else self._folders()
        self.remotes = {"main": self.family.origin, "space": self.family.space, "small-7k": self.model}
        self.shim = GitShim(self.folder / "shim")
        self.own: dict[str, bytes] = {"app.py": b"print()\n"}
        self.clean, self.held, self.unsure = True, False, False
        self.edited: set[str] = set()
        self.first = ""
        self.synced: list[str] = []
        self.released: dict[str, dict[str, str]] = {}
        self.commits_since_release = 0
        self._settings: Any = {"settings": f'history = "{history}"', "more": f"[repos.small-7k]\n{model}"}
        self._maps: dict[str, dict[str, str]] = {}
        self._now = self.family.clone.now
        self._ever: dict[str, set[str]] = {name: set() for name in self.remotes}
        self._seen: dict[str, str] = {}
        self._branches = 0
        self.family.manifest(**self._settings)
        self.begun = self.family.commit("Settings")
        self.behind = Clone(self.folder / "behind")
        shutil.copytree(self.family.clone.path, self.behind.path)

    def _served(self) -> tuple[Family, Bare, str]:
        self.sandbox = self._running.enter_context(Sandbox(self.folder / "sandbox", git=REAL_GIT))
        lead_to(self.sandbox, self._patch)
        model = Bare(self.sandbox.hub.create("model", MODEL))
        return HubFamily.on(self.sandbox, self.folder / "family", self.run), model, f'model = "{MODEL}"'

    def _folders(self) -> tuple[Family, Bare, str]:
        model = Bare.init(self.folder / "model.git")
        make_history(model, [Spec(changes={"README.md": "# Model\n"})])
        family = Family.make(self.folder / "family", self.run)
        made: dict[Any, Any] = {
            "README.md": "# Space\n",
            ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        }
        make_history(family.space, [Spec(changes=made), Spec([0], {"app.py": "print()\n"})])
        return family, model, f'url = "{model.url}"'

    def close(self) -> None:
        """Stop the hosts and remove everything."""
        self._running.close()
        self._patch.undo()
        program.cache_clear()
        assert not self.hub or self.sandbox.mishaps == []
        shutil.rmtree(self.folder)

    def run(self, *args: str | Path, cwd: Path | None = None, data: bytes = b"") -> Result:
        """Run the command line in this process."""
        return run_in_process(*args, cwd=cwd or self.folder, data=data)

    def tool(self, *args: str, codes: tuple[int, ...] = (DONE,), clone: Clone | None = None) -> Result:
        """Run a command in the clone; its exit code must be one of `codes`."""
        clone = clone or self.family.clone
        done = self.run(*meant(clone, *args), cwd=clone.path)
        assert done.code in codes, (args, done.code, done.out, done.err)
        return done

    def killed(self, *args: str, call: int, fault: Fault) -> None:
        """Run a command in a process of its own that is killed at its `call`-th call of git, if it gets so far."""
        self.shim.arm(call, fault)
        path = self.shim.path(os.environ["PATH"])
        done = self._zygote.run(*meant(self.family.clone, *args), cwd=self.family.clone.path, env={"PATH": path})
        self.shim.disarm()
        require_pasteable(done)
        assert done.code in {*ANSWERS, KILLED}, (args, done.code, done.out, done.err)
        self.check()

    @contextlib.contextmanager
    def away(self, name: str) -> Iterator[None]:
        """Let a portal answer for the host of a repo, or its folder be away."""
        place = self.remotes[name].path
        if self.hub:
            host = self.sandbox.github if name == "main" else self.sandbox.hub
            host.fault("*", 200, count=None, headers=PAGE, body="<html>Please log in</html>")
            yield
            host.faults.clear()
        else:
            place.rename(place.with_suffix(".away"))
            yield
            place.with_suffix(".away").rename(place)

    # ---- what people do ----------------------------------------------------------------------------------------------

    @property
    def clock(self) -> int:
        """The time, one minute on."""
        self._now += MINUTE
        self.commits_since_release += 1
        return self._now

    @property
    def maps(self) -> dict[str, str]:
        """The maps of the source as it is now: pattern -> folder."""
        tip = branch_tip(self.family.origin)
        if tip not in self._maps:
            manifest = _files(self.family.origin, ["repos.toml"], tip)["repos.toml"].decode()
            self._maps[tip] = dict(_MAP.findall(manifest))
        return self._maps[tip]

    def in_the_space(self, path: str) -> str:
        """Return where the maps carry a file of the source, or would if they did."""
        folder = path.rpartition("/")[0] + "/"
        pattern = next(one for one in PLACES if one.startswith(folder))
        return path.replace(folder, self.maps.get(pattern, PLACES[pattern][0]))

    def source_files(self) -> dict[str, bytes]:
        """Return the files of the source that people edit."""
        return _files(self.family.origin, SOURCE_FILES)

    def _carried(self) -> list[str]:
        return [path for path in SOURCE_FILES if any(path.startswith(one.partition("*")[0]) for one in self.maps)]

    def mapped(self, rev: str = "main") -> dict[str, bytes]:
        """Return the files that the maps of now write, of the Space now or of a commit of it."""
        return _files(self.family.space, [self.in_the_space(path) for path in self._carried()], rev)

    def projection(self, rev: str = "main") -> dict[str, bytes]:
        """Return what the maps of now make of the source, or of a commit of it."""
        files = _files(self.family.origin, self._carried(), rev)
        return {self.in_the_space(path): data for path, data in files.items()}

    def stated(self) -> str:
        """Return the source commit that the Space was synced from last, undone syncs aside, as its history says."""
        said = ("--topo-order", "--format=%(trailers:key=Source-Commit,valueonly)", "--grep=^Source-Commit: ")
        return self.family.space.git("log", "-1", *said, "main").strip()

    def commit(self, message: str, files: Files, *, author: Person = ADA, merged: Iterable[str] = ()) -> None:
        """Commit to the source on GitHub; the person whose clone this is gets it."""
        now = self.clock
        for place in (self.family.origin, self.family.clone):
            write_commit(place, message, files, at=now, author=author, merged=[*merged])

    def merge_a_branch(self, files: Files, meanwhile: Files) -> None:
        """Merge a branch of the source on GitHub that began before `meanwhile` was committed."""
        self._branches += 1
        name, now = f"side{self._branches}", self.clock
        side = ""
        for place in (self.family.origin, self.family.clone):
            side = write_commit(place, "Side", files, at=now, branch=name, start=branch_tip(place))
            place.git("update-ref", "-d", f"refs/heads/{name}")
        self.commit("Main goes on", meanwhile)
        self.commit(f"Merge {name}", files, merged=[side])

    def _places(self) -> set[str]:
        return {self.in_the_space(path) for path in self._carried()}

    def is_clean(self) -> None:
        """Take it that both sides are the same now, as far as maps write."""
        self.clean = True
        self.edited -= self._places()

    def _meet_edits(self) -> None:
        """Take it that both sides differ, where maps have changed and write what people had edited elsewhere."""
        self.clean = self.clean and self.edited.isdisjoint(self._places())

    def remap(self, pattern: str, to: str | None) -> None:
        """Let a map write to another folder, or take it away."""
        maps = {**self.maps, pattern: to}
        self.family.manifest(maps=[(one, there) for one, there in maps.items() if there], **self._settings)
        self.commit("Maps", {"repos.toml": (self.family.clone.path / "repos.toml").read_bytes()})
        self._meet_edits()

    def rewind(self, to: str) -> None:
        """Force the source to another commit."""
        clone = self.family.clone
        clone.git("reset", "-q", "--hard", to)
        self._drop_import()
        self.family.push()
        self._ever["main"].clear()
        self.clean, self.unsure = False, True

    def amend(self) -> None:
        """Force the source to its last commit under another id."""
        tip = branch_tip(self.family.origin)
        if tip != self.begun and len(self.family.clone.parents(tip)) == 1:
            clone = self.family.clone
            clone.now = self.clock
            self.rewind(clone.git("commit-tree", f"{tip}^{{tree}}", "-p", f"{tip}^", "-m", "Said better"))

    def line(self) -> list[str]:
        """Return the commits of the source's first-parent line since the manifest, newest first."""
        return self.family.origin.git("rev-list", "--first-parent", f"{self.begun}..main").split()

    def revert(self, commit: str) -> None:
        """Take back one commit of the source, as far as that can be."""
        clone = self.family.clone
        clone.now = self.clock
        clone.git("reset", "-q", "--hard")
        merge = ("-m", "1") if len(clone.parents(commit)) > 1 else ()
        if clone.run("revert", "--no-edit", *merge, commit, ok=(0, 1)).code:
            clone.git("reset", "-q", "--hard")
        else:
            self.family.push()
            self._meet_edits()

    def fetch(self) -> None:
        """Let the second clone have what the source has."""
        self.behind.git("fetch", "-q", self.family.origin.url, "+main:refs/remotes/origin/main")
        self.behind.git("reset", "-q", "--hard", "origin/main")

    def edit(self, message: str, files: Files) -> None:
        """Commit to the Space on its website."""
        write_commit(self.family.space, message, files, at=self.clock, author=GRACE)
        self._edited(files)

    def _edited(self, files: Files) -> None:
        for path, content in files.items():
            if path in OWN_FILES:
                assert content is not None
                self.own[path] = content.encode() if isinstance(content, str) else content
            else:
                self.clean = False
                self.edited.add(path)

    def merge_in_the_space(self, path: str, mine: str, theirs: str) -> None:
        """Merge a branch of the Space there: one side edits an own file, the other a mapped one."""
        space = self.family.space
        start = branch_tip(space)
        side = write_commit(space, "Branch", {path: theirs}, at=self.clock, branch="pr", start=start, author=GRACE)
        self.edit("Meanwhile", {"icon.svg": mine})
        write_commit(space, "Merge pr", {path: theirs}, at=self.clock, merged=[side], author=GRACE)
        space.git("update-ref", "-d", "refs/heads/pr")
        self.clean = False
        self.edited.add(path)

    def pull_in_the_space(self, fork: str, files: Files) -> None:
        """Commit to what one stayed at, pull (a merge whose first parent is the own commit), and push."""
        space = self.family.space
        mine = write_commit(space, "Stayed", files, at=self.clock, branch="stayed", start=fork, author=GRACE)
        space.git("update-ref", "-d", "refs/heads/stayed")
        merged = space.run("merge-tree", "--write-tree", mine, "main", ok=(0, 1))
        if merged.code == 0:
            tree = merged.out.strip()
            made = space.git("commit-tree", tree, "-p", mine, "-p", "main", "-m", "Merge branch 'main'")
            space.git("update-ref", "refs/heads/main", made)
            self._edited(files)

    # ---- what comes home ---------------------------------------------------------------------------------------------

    def bring_home(self) -> Result:
        """Import what the Space changed, merge the branch into the source's as a person would, and push that."""
        done = self.tool("import", "space", codes=(DONE, REFUSED))
        self.land("merge")
        return done

    def land(self, way: Way, *, carriage_returns: bool = False) -> None:
        """Bring the branch of an import to the source.

        Where both sides changed the same lines, the Space's are taken.
        """
        clone = self.family.clone
        if f"refs/heads/{IMPORT}" not in clone.tips():
            return
        clone.now = self.clock
        clone.git("reset", "-q", "--hard")
        commits = clone.git("rev-list", "--reverse", "--no-merges", f"main..{IMPORT}").split()
        if commits and (way not in {"rebase", "pick"} or not self._pick(commits if way == "rebase" else commits[:1])):
            self._join(way, carriage_returns=carriage_returns)
        self.family.push()
        self._drop_import()
        self.clean = False

    def _pick(self, commits: list[str]) -> bool:
        clone = self.family.clone
        options = ("--allow-empty", "--keep-redundant-commits", "-X", "theirs")
        if clone.run("cherry-pick", *options, *commits, ok=(0, 1)).code == 0:
            return True
        clone.git("cherry-pick", "--abort")
        return False

    def _join(self, way: Way, *, carriage_returns: bool) -> None:
        clone = self.family.clone
        squashed = "squash" in way
        how = "--squash" if squashed else "--no-ff"
        if clone.run("merge", "-q", how, "--no-commit", "-s", "ort", "-X", "theirs", IMPORT, ok=(0, 1)).code:
            for path in clone.git("diff", "--name-only", "--diff-filter=U", "-z").split("\0")[:-1]:
                staged = clone.git("ls-files", "-u", "--", path).splitlines()
                theirs = any(row.partition("\t")[0].endswith(" 3") for row in staged)
                if theirs:
                    clone.git("checkout", "-q", "--theirs", "--", path)
                    clone.git("add", "--", path)
                else:
                    clone.git("rm", "-q", "--", path)
        message = "Merge what the Space changed"
        if way == "squash":
            message += "\n\n" + clone.git("log", "--reverse", "--format=* %s%n%n%b", f"main..{IMPORT}")
        if carriage_returns:
            message = message.replace("\n", "\r\n")
        clone.git("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F", "-", data=message.encode())
        self.unsure |= way == "bare squash"

    def _drop_import(self) -> None:
        self.family.clone.git("update-ref", "-d", f"refs/heads/{IMPORT}")

    # ---- the tool, and what it says ----------------------------------------------------------------------------------

    def look_again(self) -> None:
        """Learn from status whether the Space is held; what it changed by itself is anybody's guess.

        Who took the adoption back adopts it again, once the Space has a file as it was copied.
        """
        said = self.space_status()
        if said["state"] == "not adopted":
            if self.tool("adopt", "space", "--at", self.begun, "--yes", codes=(DONE, REFUSED)).code == REFUSED:
                self.edit("Copy again", dict(self.projection(self.begun)))
                self.tool("adopt", "space", "--at", self.begun, "--yes")
            said = self.space_status()
        self.held, self.clean = said["held"] is not None, False

    def space_status(self, clone: Clone | None = None) -> dict[str, Any]:
        """Return what status says of the Space; the word has to agree with the files."""
        repos: list[dict[str, Any]] = self.tool("status", "--json", clone=clone).json()["repos"]
        said = next(repo for repo in repos if repo["name"] == "space")
        alike = clone is None and self.mapped() == self.projection()
        assert clone or alike or said["state"] != "in sync", said
        assert not alike or said["state"] != "drift", said
        return said

    def release(self, *kill: tuple[int, Fault]) -> None:
        """Release the next version; the person's work tree is brought to their branch first."""
        self.family.clone.git("reset", "-q", "--hard")
        version = f"0.{len(self.released) + 1}.0"
        for call, fault in kill:
            self.killed("release", version, "--allow-drift", "--yes", call=call, fault=fault)
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
        assert held.keys() <= _allowed(), f"files came that no map carries: {held.keys() - _allowed()}"

    def check_whole_history(self) -> None:
        """Check every commit that the Space ever had: no file that no map carries, no commit of the source."""
        space = self.family.space
        listed = space.git("log", "-m", "--root", "--name-only", "--format=", "main").split("\n")
        assert set(listed) <= {*_allowed(), ""}, "a file came that no map carries"
        source = set(self.family.origin.git("rev-list", "main").split())
        assert not source & set(space.git("rev-list", "--all").split()), "a commit of the source came"
        objects = space.run("cat-file", "--batch-all-objects", "--batch", "--buffer").out_bytes
        assert SECRET not in objects, "a private file came"
        for bare in self.remotes.values():
            bare.fsck()


@functools.cache
def _allowed() -> frozenset[str]:
    """Return what may ever be in the Space."""
    moved = (
        path.replace(pattern.partition("*")[0], to)
        for path, (pattern, places) in itertools.product(SOURCE_FILES, PLACES.items())
        if path.startswith(pattern.partition("*")[0])
        for to in places
    )
    return frozenset({*moved, *OWN_FILES, "README.md", ".gitattributes"})


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


def meant(clone: Clone, *args: str) -> tuple[str, ...]:
    """Return a command for people who mean it where they delete all files of a map."""
    if args[0] != "sync" and not (args[0] == "rollback" and "--to" in args):
        return args
    maps = _MAP.findall((clone.path / "repos.toml").read_text())
    return (*args, *(word for source, _ in maps for word in ("--allow-empty", source)))
