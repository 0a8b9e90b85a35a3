"""The projection of trees against a plain one: list every file, match a regular expression, write an index."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from openllm_repos.errors import ConflictError
from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.project import project
from tests.property.projection_histories import Files
from tests.support.examples import examples
from tests.support.history import Entry, Spec, executable, gitlink, make_history, symlink
from tests.support.repositories import Clone

PATHS = [
    "a.py",
    "b.txt",
    "c/a.py",
    "c/b.py",
    "c/d/a.py",
    "c/d/e/a.json",
    "c/d/e/b.py",
    "c.d/a.py",
    "f/a.json",
    "f/g/a.py",
]
CONTENTS: list[bytes | Entry] = [b"1\n", b"2\n", executable(b"1\n"), symlink(b"a"), gitlink("1" * 40)]
FROM = [
    *(
        "*.py",
        "*",
        "?.py",
        "[ab].*",
        "[!a]*",
        "a.py",
        "**/*.py",
        "**/a.*",
        "**/d/**",
        "*/a.py",
        "*/*/a.py",
        "c/",
        "c/d/",
    ),
    *(
        "c/*.py",
        "c/*",
        "c/**/*.py",
        "c/**/e/*",
        "c/*/*.py",
        "c/d/**/a.*",
        "c*/*.py",
        "f/*.json",
        "f/a.json",
        "c/d/e/b.py",
    ),
    *("c/d/e/", "f/g/", "nowhere/", "c/nowhere/*.py", "c.d/", "**/e/", "f/**", "c/[!b]/*.py", "*/[d]/"),
]
TO = [".", "t/", "c/", "t/u/", "c/d/"]


@dataclass(frozen=True, slots=True)
class Ground:
    """One clone for all examples of the module."""

    clone: Clone
    opened: Repository
    index: Path
    numbers: itertools.count[int]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("ground")
    clone = Clone.init(folder / "clone")
    return Ground(clone, Repository.open(clone.path), folder / "index", itertools.count())


@st.composite
def trees(draw: st.DrawFn) -> Files:
    return draw(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(CONTENTS), min_size=1))


@st.composite
def maps(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Draw one to three maps as people write them; single files are renamed at times."""
    drawn: list[tuple[str, str]] = []
    for source in draw(st.lists(st.sampled_from(FROM), min_size=1, max_size=3, unique=True)):
        to = draw(st.sampled_from(TO))
        if not set("*?[") & set(source) and not source.endswith("/") and draw(st.booleans()):
            to = ("" if to == "." else to) + "renamed"
        drawn.append((source, to))
    return drawn


def _expression(pattern: str) -> re.Pattern[str]:
    """Translate a pattern: `**` any folders, `*` and `?` within a name, sets as they are."""
    text = pattern + "**" if pattern.endswith("/") else pattern
    out = ""
    for piece in re.findall(r"\*\*/|\*\*|\*|\?|\[[^]]*\]|.", text):
        known = {"**/": "(?:[^/]+/)*", "**": ".+", "*": "[^/]*", "?": "[^/]"}
        out += known.get(piece) or (piece.replace("[!", "[^") if piece[0] == "[" else re.escape(piece))
    return re.compile(out)


def _place(source: str, to: str, path: str) -> str:
    """Say where a path goes: below `to`, without the part of the pattern that has no wildcard."""
    name = to.rpartition("/")[2]
    if name not in ("", "."):
        return to
    names = (source + "**" if source.endswith("/") else source).split("/")
    fixed = next((at for at, part in enumerate(names) if set("*?[") & set(part)), len(names) - 1)
    return ("" if to == "." else to) + "/".join(path.split("/")[fixed:])


def plain_projection(ground: Ground, commit: str, wanted: Sequence[tuple[str, str]]) -> tuple[str, bool]:
    """Return the id of the projected tree and whether two maps want one path for different things."""
    chosen: dict[str, set[tuple[str, str]]] = {}
    for row in ground.clone.git("ls-tree", "-r", "-z", commit).split("\0")[:-1]:
        what, _, path = row.partition("\t")
        mode, _, blob = what.split()
        for source, to in wanted:
            whole_folder = source.endswith(("/", "**"))
            if _expression(source).fullmatch(path) and (mode != "160000" or whole_folder):
                chosen.setdefault(_place(source, to, path), set()).add((mode, blob))
    clash = any(len(things) > 1 for things in chosen.values())
    clash = clash or any(one.startswith(other + "/") for one in chosen for other in chosen)
    ground.index.unlink(missing_ok=True)
    env = {"GIT_INDEX_FILE": str(ground.index)}
    lines = "".join(f"{mode} {blob}\t{path}\0" for path, things in chosen.items() for mode, blob in [min(things)])
    if not clash:
        ground.clone.git("update-index", "-z", "--index-info", data=lines.encode(), env=env)
    return ground.clone.git("write-tree", "--missing-ok", env=env), clash


def _write(ground: Ground, *changes: Files) -> list[str]:
    specs = [Spec([at - 1] if at else [], change) for at, change in enumerate(changes)]
    return make_history(ground.clone, specs, refs={f"refs/heads/t{next(ground.numbers)}": len(specs) - 1})


@examples(100)
@given(tree=trees(), wanted=maps())
def test_the_tree_is_the_one_that_a_plain_listing_gives(
    ground: Ground, tree: Files, wanted: list[tuple[str, str]]
) -> None:
    (commit,) = _write(ground, tree)
    expected, clash = plain_projection(ground, commit, wanted)
    with ground.opened.quarantine() as opened:
        parsed = [Map.of(source, to) for source, to in wanted]
        if clash:
            with pytest.raises(ConflictError, match="Two maps put different content at"):
                project(opened, ObjectId(commit), parsed)
            return
        head = project(opened, ObjectId(commit), parsed).commit
        found = None if head is None else opened.git.text("rev-parse", f"{head}^{{tree}}")
    assert (found or ground.clone.git("mktree", data=b"")) == expected


@examples(40)
@given(tree=trees(), wanted=maps(), dropped=st.lists(st.sampled_from(PATHS), max_size=3))
def test_no_path_outside_the_maps_is_in_any_projected_commit(
    ground: Ground,
    tree: Files,
    wanted: list[tuple[str, str]],
    dropped: list[str],
) -> None:
    """Over a small history; and the target's paths are the ones that `target_path` names."""
    changes: list[Files] = [{path: None} for path in dropped]
    ids = _write(ground, tree, *changes)
    parsed = [Map.of(source, to) for source, to in wanted]
    paths = ground.clone.paths(ids[0])
    allowed = {place for path in paths for one in parsed if (place := one.target_path(path.encode())) is not None}
    with ground.opened.quarantine() as opened:
        try:
            head = project(opened, ObjectId(ids[-1]), parsed).commit
        except ConflictError:
            assume(False)  # the maps contradict each other: nothing is projected
        commits = opened.git.text("rev-list", head).split() if head else []
        listed = [opened.git.run("ls-tree", "-r", "-z", "--name-only", one).stdout.split(b"\0")[:-1] for one in commits]
    assert {path for names in listed for path in names} <= allowed


def test_a_pattern_at_the_top_of_a_source_that_holds_nothing_else_changes_nothing(clone: Clone) -> None:
    """Then the projection is the source itself: it holds no more than what the maps take."""
    ids = [clone.commit(f"c{number}", {f"{number}.py": "1\n"}) for number in range(3)]
    head = project(Repository.open(clone.path), ObjectId(ids[-1]), [Map.of("*.py", ".")]).commit
    assert head == ids[-1]
    clone.commit("private", {"secret.txt": "1\n"})
    tip = clone.commit("c4", {"4.py": "1\n"})
    head = project(Repository.open(clone.path), ObjectId(tip), [Map.of("*.py", ".")]).commit
    assert clone.log(str(head)) == ["c4", "c2", "c1", "c0"]
    assert head != tip
