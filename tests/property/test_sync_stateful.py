"""Whatever people do to source and Space, in any order, with syncs in between: what must stay true."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.support.family import Family, text
from tests.support.inprocess import run_in_process
from tests.support.process import Result

SOURCE_FILES = ("core/src/model.py", "core/src/train.py", "core/src/new.py", "configs/small.json", "configs/big.json")
UNMAPPED_FILES = ("README.md", "core/notes.md")
PRIVATE_FILES = ("data/secret.txt", "data/other.txt", "docs/guide.md")
OWN_FILES = ("app.py", "README.md", "icon.svg", "training/notes.txt")
LINES = st.integers(1, 20)
WORDS = st.text("abc", min_size=1, max_size=3)


def _in_the_space(path: str) -> str:
    return path.replace("core/src/", "training/")


class SyncMachine(RuleBasedStateMachine):
    """One source and one Space; `history` says how the Space is filled."""

    history = "full"

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.family = Family.make(self.folder / "family", self.run)
        self.own: dict[str, bytes] = {}
        self.ever: set[str] = set()
        self.clean = True
        self.settled = False
        self.replaced: list[dict[str, bytes]] = []
        self.branches = 0

    def run(self, *args: str | Path, cwd: Path | None = None, data: bytes = b"") -> Result:
        return run_in_process(*args, cwd=cwd or self.folder, data=data)

    def teardown(self) -> None:
        self.sync()
        shutil.rmtree(self.folder)

    @initialize()
    def first_sync(self) -> None:
        self.family.manifest(settings=f'history = "{self.history}"')
        self.family.commit("Settings")
        self.family.edit("My Space", {"app.py": "app\n"})
        self.own["app.py"] = b"app\n"
        self.sync()

    def _change(self, files: dict[str, bytes], path: str, line: int, word: str, *, gone: bool) -> str | None:
        """Return new content for a file: a line of it changed, or None where it is to go and is there."""
        if gone and path in files:
            return None
        lines = files.get(path, text().encode()).decode().splitlines()
        lines[min(line, len(lines)) - 1] = word
        return "\n".join(lines) + "\n"

    @rule(path=st.sampled_from(SOURCE_FILES), line=LINES, word=WORDS, gone=st.booleans())
    def change_a_mapped_file(self, path: str, line: int, word: str, gone: bool) -> None:
        files = self.family.clone.files("HEAD")
        self.family.commit(f"Source {path}", {path: self._change(files, path, line, word, gone=gone)})

    @rule(path=st.sampled_from(UNMAPPED_FILES + PRIVATE_FILES), word=WORDS)
    def change_a_file_that_is_not_carried(self, path: str, word: str) -> None:
        self.family.commit(f"Not carried {path}", {path: word})

    @rule(path=st.sampled_from(SOURCE_FILES), private=st.sampled_from(PRIVATE_FILES), word=WORDS, line=LINES)
    def merge_a_branch(self, path: str, private: str, word: str, line: int) -> None:
        clone = self.family.clone
        self.branches += 1
        clone.switch(f"side{self.branches}", at="main")
        files = clone.files("HEAD")
        clone.commit("Side", {path: self._change(files, path, line, word, gone=False), private: word})
        clone.switch("main")
        clone.commit("Main goes on", {"core/notes.md": word + word})
        clone.merge(f"side{self.branches}")
        self.family.push()

    @rule(path=st.sampled_from(SOURCE_FILES), line=LINES, word=WORDS, gone=st.booleans())
    def edit_a_mapped_file_in_the_space(self, path: str, line: int, word: str, gone: bool) -> None:
        there = _in_the_space(path)
        files = self.family.space.files()
        self.ever.add(self.family.edit(f"Edit {there}", {there: self._change(files, there, line, word, gone=gone)}))
        self.clean = False

    @rule(path=st.sampled_from(OWN_FILES), word=WORDS)
    def edit_an_own_file_in_the_space(self, path: str, word: str) -> None:
        self.ever.add(self.family.edit(f"Own {path}", {path: word}))
        self.own[path] = word.encode()

    @rule()
    def sync(self) -> None:
        before, mapped = self.family.space.tip("main"), self._mapped()
        done = self.family.sync()
        assert done.code in {0, 3}, (done.out, done.err)
        after = self.family.space.tip("main")
        self.ever |= {before, after}
        if after != before:
            self.replaced.append(mapped)
        if done.code == 3:
            assert after == before
            assert not self.clean, f"a conflict, though only the source changed anything: {done.out}"
            assert "changed" in done.out
            self._take_the_sources_side()
            self.check()
            return
        assert ("up to date" in done.out) == (after == before)
        if self.clean:
            assert self._mapped() == self._projection()
        again = self.family.sync()
        assert "space: up to date" in again.out
        assert self.family.space.tip("main") == after
        self.check()

    @rule()
    def undo(self) -> None:
        """Take the newest sync back that stands; the syncs that follow bring it again, whatever else happens."""
        before = self.family.space.tip("main")
        done = self.family.run("undo", "--yes", cwd=self.family.clone.path)
        after = self.family.space.tip("main")
        self.ever.add(after)
        if not self.replaced:
            assert (done.code, after) == (2, before), (done.out, done.err)
            return
        if done.code == 3:
            assert after == before
            assert not self.clean or self.settled, f"a conflict, though only the source changed anything: {done.out}"
            return
        assert done.code == 0, (done.out, done.err)
        replaced = self.replaced.pop()
        if self.settled:
            self.clean = False  # the person's settlement stays in the files, and is the Space's own edit again
        if self.clean:
            assert self._mapped() == replaced
        self.check()

    def _take_the_sources_side(self) -> None:
        """Settle a conflict in the Space: give its mapped files the content that the source has, and sync again."""
        wanted = self._projection()
        gone: dict[str, bytes | None] = dict.fromkeys(self._mapped().keys() - wanted.keys())
        self.ever.add(self.family.edit("Settle", {**gone, **wanted}))
        mapped, before = self._mapped(), self.family.space.tip("main")
        done = self.family.sync()
        assert done.code == 0, (done.out, done.err)
        assert self._mapped() == wanted
        if self.family.space.tip("main") != before:
            self.replaced.append(mapped)
        self.clean, self.settled = True, True

    def _mapped(self) -> dict[str, bytes]:
        return {path: data for path, data in self.family.mapped().items() if path not in OWN_FILES}

    def _projection(self) -> dict[str, bytes]:
        files = self.family.clone.files("HEAD")
        return {_in_the_space(path): data for path, data in files.items() if path in SOURCE_FILES}

    def check(self) -> None:
        """Check what must be true after every sync."""
        space = self.family.space
        reachable = set(space.git("rev-list", "main").split())
        assert self.ever <= reachable, "a commit was lost"
        files = space.files()
        assert {path: files[path] for path in self.own} == self.own
        listed = space.git("log", "-m", "--root", "--name-only", "--format=", "main").split("\n")
        allowed = {_in_the_space(path) for path in SOURCE_FILES} | set(OWN_FILES) | {""}
        assert set(listed) <= allowed, "a file came that no map carries"
        source = set(self.family.clone.git("rev-list", "--branches").split())
        assert not reachable & source, "a commit of the source came"


class SquashMachine(SyncMachine):
    """The same with one commit per sync."""

    history = "squash"


# No shrinking: each step is dozens of git calls, and what failed is printed step by step.
SHORT = settings(
    max_examples=5, stateful_step_count=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
TestFull = SyncMachine.TestCase
TestFull.settings = SHORT
TestSquash = SquashMachine.TestCase
TestSquash.settings = SHORT
