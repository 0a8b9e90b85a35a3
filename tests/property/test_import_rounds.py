"""Both sides edit, sync and import at random, for many rounds: nothing is lost, nothing comes twice, and it ends."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.family import text
from tests.support.process import run_git

if TYPE_CHECKING:
    from tests.support.family import Family
    from tests.support.process import Result

LINES = range(2, 20, 3)


class Rounds:
    """A family whose two sides are edited by chance."""

    def __init__(self, family: Family, history: str, seed: int) -> None:
        self.family = family
        self.chance = random.Random(seed)
        self.number = 0
        family.manifest(settings=f'history = "{history}"')
        family.commit("Files", {f"core/src/{name}.py": text() for name in ("train", "f1", "f2")})
        family.synced()

    def run(self, *args: str) -> Result:
        return self.family.run(*args, cwd=self.family.clone.path)

    def edited(self, content: str) -> str:
        """Return a file with one line changed, or now and then two."""
        lines = content.split("\n")
        for _ in range(self.chance.choice((1, 1, 2))):
            self.number += 1
            lines[self.chance.choice(LINES)] = f"edit {self.number}"
        return "\n".join(lines)

    def change(self, files: dict[str, bytes], folder: str) -> dict[str, str | bytes | None]:
        """Return an edit, a new file, or a deletion."""
        mine = sorted(path for path in files if path.startswith(folder) and path.endswith(".py"))
        kind = self.chance.choice(("edit", "edit", "edit", "edit", "new", "delete"))
        self.number += 1
        if kind == "new" or not mine:
            return {f"{folder}n{self.number}.py": text(l5=f"new {self.number}")}
        path = self.chance.choice(mine)
        return {path: None} if kind == "delete" and len(mine) > 2 else {path: self.edited(files[path].decode())}

    def edit_source(self) -> None:
        self.family.commit(f"Source {self.number}", self.change(self.family.clone.files(), "core/src/"))

    def edit_space(self) -> None:
        change = self.change(self.family.space.files(), "training/")
        self.number += 1
        if self.chance.random() < 0.3:
            change["app.py"] = f"print({self.number})\n"
        self.family.edit(f"Space {self.number}", change)

    def sync(self) -> None:
        """Sync; where both sides changed the same lines, settle it now and then."""
        done = self.run("sync", "--yes")
        assert done.code in {0, 3}
        if done.code and self.chance.random() < 0.5:
            self.settle()

    def settle(self) -> None:
        """Settle a conflict as a person does who takes one side."""
        done = self.run("sync", "space", "--resolve")
        work = Path(next(path for path in done.out.split() if "/openllm-repos-" in path).rstrip(":.,"))
        side = self.chance.choice(("--ours", "--theirs"))
        taken: list[str] = []
        for path in run_git("diff", "--name-only", "--diff-filter=U", cwd=work).out.split():
            if run_git("checkout", side, "--", path, cwd=work, ok=(0, 1)).code:  # that side has deleted it
                run_git("rm", "-q", "--cached", "--", path, cwd=work)
                (work / path).unlink(missing_ok=True)
            else:
                run_git("add", "--", path, cwd=work)
                taken += [side, path]  # it may be as the merge left it, which nobody has to mean
        done = self.run("sync", "space", "--continue", "--yes", *taken)
        assert done.code == 0, (done.out, done.err)

    def come_home(self) -> None:
        """Import, and merge the branch as a person does who takes one side where both changed a line."""
        done = self.run("import", "space")
        if done.code == 3:
            assert "does not go together" in done.err
            self.settle()
            done = self.run("import", "space")
        assert done.code == 0, (done.out, done.err)
        if "Nothing to import" in done.out:
            return
        clone = self.family.clone
        side = self.chance.choice(("ours", "theirs"))
        how = self.chance.choice(("merge", "merge", "squash", "rebase"))
        if how == "rebase":
            clone.git("switch", "-q", "import/space")
            if clone.run("rebase", "-q", f"-X{side}", "main", ok=(0, 1)).code:
                clone.git("rebase", "--abort")
                how = "merge"
            clone.git("switch", "-q", "main")
            if how == "rebase":
                clone.git("merge", "-q", "--ff-only", "import/space")
        if how == "squash":
            message = clone.git("log", "--reverse", "--format=%B", "main..import/space")
            self.merge("--squash", side)
            clone.run("commit", "-q", "--allow-empty", "-F", "-", data=f"Squashed\n\n{message}".encode())
        elif how == "merge":
            self.merge("--no-edit", side)
        clone.git("branch", "-q", "-D", "import/space")
        self.family.push()

    def merge(self, option: str, side: str) -> None:
        clone = self.family.clone
        done = clone.run("merge", "-q", option, f"-X{side}", "import/space", ok=(0, 1))
        if done.code:  # one side deleted what the other changed: it stays
            for line in clone.git("diff", "--name-only", "--diff-filter=U").splitlines():
                clone.git("add", "--", line)
            if option != "--squash":
                clone.git("commit", "-q", "--no-edit")

    def round(self) -> None:
        for _ in range(self.chance.randrange(1, 5)):
            self.chance.choice((self.edit_source, self.edit_space, self.edit_space, self.sync, self.come_home))()

    def quiet(self) -> None:
        """Import, sync; afterwards both have the same, and a round without edits makes no commit."""
        self.come_home()
        done = self.run("sync", "--yes")
        assert done.code == 0, (done.out, done.err)
        family = self.family
        mine = {path[9:]: data for path, data in family.clone.files().items() if path.startswith("core/src/")}
        theirs = {path[9:]: data for path, data in family.space.files().items() if path.startswith("training/")}
        assert mine == theirs
        before = family.clone.tips(), family.space.tips(), family.origin.tips()
        assert "Nothing to import" in self.run("import", "space").out
        assert self.run("sync", "--yes").code == 0
        assert self.run("status", "--check").code == 0
        keep = {ref: tip for ref, tip in family.clone.tips().items() if not ref.startswith("refs/openllm/")}
        assert (keep, family.space.tips(), family.origin.tips()) == (
            {ref: tip for ref, tip in before[0].items() if not ref.startswith("refs/openllm/")},
            before[1],
            before[2],
        )


@pytest.mark.parametrize("history", ["full", pytest.param("squash", marks=pytest.mark.slow)])
def test_a_few_rounds(family: Family, history: str) -> None:
    rounds = Rounds(family, history, 1)
    for _ in range(3):
        rounds.round()
    rounds.quiet()


@pytest.mark.slow
@pytest.mark.parametrize("history", ["full", "squash"])
def test_fifty_rounds(family: Family, history: str) -> None:
    rounds = Rounds(family, history, 2)
    for number in range(50):
        rounds.round()
        if number % 10 == 9:
            rounds.quiet()
    rounds.quiet()
