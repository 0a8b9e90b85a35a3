"""The story that goes wrong today: a source with a binary in `docs/` and a Space that people edit, synced in six ways.

    .venv/bin/python benchmarks/story.py [--markdown]

Every way gets a family of its own on the local sandbox, which refuses what the Hub refuses. It syncs, then somebody
edits the Space (its own `app.py`, and a file that came from the source) while the source goes on, and it syncs again,
and once more with nothing new. What the Space holds is read from its repository afterwards, not from what tools said.

The ways are those that are documented: the Hub's manual push, the same forced, the command of Hugging Face's own sync
action (`hf upload --delete "*"`), `git subtree push`, the same forced, and `openllm-repos sync`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openllm_repos.demo import content
from openllm_repos.demo.family import SPACE_ID, change_source, clone_space, edit_space, make_family
from openllm_repos.sandbox import Sandbox

URL = f"https://huggingface.co/spaces/{SPACE_ID}"
OWN = {
    "app.py": content.SPACE_APP_EDITED,
    "README.md": content.SPACE_CARD,
    "requirements.txt": content.SPACE_REQUIREMENTS,
}
FORCED = f'git push --force {URL} "$(git subtree split -q --prefix=core/src main):refs/heads/main"'
TOOL = [sys.executable, "-m", "openllm_repos"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to sync.

    Attributes:
        name: as the table shows it.
        command: what is run in the source's clone.
        folder: where the Space keeps what came from `core/src/` this way; empty for its root.
    """

    name: str
    command: Sequence[str]
    folder: str


WAYS = (
    Way("plain push", ["git", "push", URL, "main"], "core/src/"),
    Way("force push", ["git", "push", "--force", URL, "main"], "core/src/"),
    Way("hf upload --delete", ["hf", "upload", SPACE_ID, "core/src", ".", "--repo-type=space", "--delete=*"], ""),
    Way("git subtree push", ["git", "subtree", "push", "--prefix=core/src", URL, "main"], ""),
    Way("git subtree, forced", ["sh", "-c", FORCED], ""),
    Way("openllm-repos sync", [*TOOL, "sync", "--yes"], "training/"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one way, read from the Space's repository.

    Attributes:
        codes: the exit codes of the three syncs.
        own: how many of the Space's three own files are as their last editor left them.
        edit: whether the Space's edit of a mapped file is still there; None where that file never arrived.
        change: whether the source's newest change arrived.
        authors: how many of the source's two authors the history of the Space's code names.
        private: whether anything of `data/`, `docs/` or `exports/` can be reached from the Space's branch.
        commits: how many commits the branch has.
        idle: how many commits the third sync, with nothing new, added.
        lost: commits that the branch once had and that it no longer reaches.
        seconds: how long the first sync took.
    """

    codes: tuple[int, ...]
    own: int
    edit: bool | None
    change: bool
    authors: int
    private: bool
    commits: int
    idle: int
    lost: int
    seconds: float


def measure(way: Way, place: Path) -> Result:
    """Let one way sync a family of its own in the folder `place`."""
    with Sandbox(place / "remotes") as sandbox, sandbox.entered():
        family = make_family(place, sandbox)
        environment = sandbox.sealed(plain_git=True) | {"PATH": _path()}
        space = sandbox.hub.path("space", SPACE_ID)
        tips = [_tip(space)]

        def sync() -> int:
            done = subprocess.run(
                way.command, cwd=family.source.folder, env=environment, capture_output=True, check=False
            )
            tips.append(_tip(space))
            if done.returncode not in (0, 1):
                raise SystemExit(f"{way.name}: exit code {done.returncode}\n{done.stderr.decode()}")
            return done.returncode

        begin = time.perf_counter()
        first = sync()
        seconds = time.perf_counter() - begin
        editor = clone_space(place / "editor", sandbox)
        mapped = f"{way.folder}data_loader.py"
        arrived = (editor.folder / mapped).exists()
        edit_space(editor, mapped if arrived else None)
        tips.append(_tip(space))
        change_source(family)
        second = sync()
        before = _count(space)
        third = sync()
        result = _read(space, way, tips, (first, second, third), before, seconds)
        return result if arrived else replace(result, edit=None)


def _read(space: Path, way: Way, tips: Sequence[str], codes: tuple[int, ...], before: int, seconds: float) -> Result:
    tree = _git(space, "ls-tree", "-r", "-z", "--name-only", "main").split("\0")
    code = [path for path in tree if path.startswith(way.folder) and path.endswith(".py")]
    text = {path: _git(space, "cat-file", "blob", f"main:{path}") for path in {*code, *OWN} & set(tree)}
    authors = set(_git(space, "log", "--format=%an", "main", "--", f":(glob){way.folder}*.py").splitlines())
    everything = _git(space, "log", "--format=", "--name-only", "--diff-merges=separate", "main").splitlines()
    return Result(
        codes,
        own=sum(text.get(path) == wanted for path, wanted in OWN.items()),
        edit="a Space's tokens" in text.get(f"{way.folder}data_loader.py", ""),
        change="n_head=16" in text.get(f"{way.folder}model.py", ""),
        authors=len(authors & {"Louis Chua", "Ada Tester"}),
        private=any(path.startswith(("data/", "docs/", "exports/")) for path in everything),
        commits=_count(space),
        idle=_count(space) - before,
        lost=len(_git(space, "rev-list", *dict.fromkeys(tips), "^main").split()),
        seconds=seconds,
    )


def _path() -> str:
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, capture_output=True, check=True, text=True).stdout


def _tip(space: Path) -> str:
    return _git(space, "rev-parse", "main").strip()


def _count(space: Path) -> int:
    return int(_git(space, "rev-list", "--count", "main"))


COLUMNS: Mapping[str, Callable[[Result], str]] = {
    "three syncs": lambda found: ", ".join(dict.fromkeys("done" if code == 0 else "refused" for code in found.codes)),
    "its own files kept": lambda found: f"{found.own} of 3",
    "its edit of a mapped file": lambda found: (
        "never arrived" if found.edit is None else "kept" if found.edit else "lost"
    ),
    "the source's change": lambda found: "arrived" if found.change else "missing",
    "authors in its history": lambda found: f"{found.authors} of 2",
    "private folders there": lambda found: "yes" if found.private else "no",
    "commits lost": lambda found: str(found.lost),
    "commits for nothing new": lambda found: str(found.idle),
    "seconds": lambda found: f"{found.seconds:.1f}",
}


def main() -> int:
    """Measure every way and print the table; 1 where our own row is not what the README says of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    found: dict[str, Result] = {}
    for way in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            found[way.name] = measure(way, Path(folder) / "family")
    rows = [
        ["way", *COLUMNS],
        *([name, *(show(result) for show in COLUMNS.values())] for name, result in found.items()),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print(f"| {' | '.join(cells)} |" if options.markdown else "  ".join(cells).rstrip())
        if options.markdown and number == 0:
            print(f"| {' | '.join('-' * width for width in widths)} |")
    ours = found[WAYS[-1].name]
    good = ours.codes == (0, 0, 0) and ours.own == 3 and ours.edit and ours.change and ours.authors == 2
    return 0 if good and not (ours.private or ours.lost or ours.idle) else 1


if __name__ == "__main__":
    sys.exit(main())
