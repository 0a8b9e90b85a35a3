"""A projection of many folders, many patterns and many commits ends, however little a pipe holds."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from pathlib import Path

import pytest

from openllm_repos.git import process, watch
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.projection.project import project
from tests.support.history import Spec, make_history
from tests.support.process import run_git
from tests.support.repositories import Clone

COMMITS = 3000
FOLDERS = 100
HUNDRED_FOLDERS = tuple(Map.of(f"f{at:02}/", f"to/f{at:02}/") for at in range(FOLDERS))
SIXTY_PATTERNS = tuple(Map.of(f"f{at:02}/*.py", f"to/f{at:02}/") for at in range(60))


@pytest.fixture(scope="module")
def source(_sealed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone whose commits change one folder after another."""
    made = Clone.init(tmp_path_factory.mktemp("many") / "clone")
    first = Spec([], {f"f{at:02}/a.py": "0\n" for at in range(FOLDERS)})
    make_history(made, [first, *(Spec([at - 1], {f"f{at % FOLDERS:02}/a.py": f"{at}\n"}) for at in range(1, COMMITS))])
    return made.path


_SLOW = pytest.mark.slow


@pytest.fixture(params=[pytest.param("wide", marks=_SLOW), pytest.param("refused", marks=_SLOW), "one page"])
def _pipes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pipes hold a megabyte; or what they hold by themselves, as on macOS and in containers; or one page."""
    monkeypatch.setattr(watch, "STALLED_AFTER", 60.0)  # what stands still fails, and does not hang the tests
    if request.param == "refused":
        monkeypatch.delattr(fcntl, "F_SETPIPE_SZ", raising=False)
    if request.param == "one page":
        monkeypatch.setattr(process, "PIPE_BYTES", 4096)


@pytest.mark.slow
@pytest.mark.usefixtures("_pipes")
@pytest.mark.parametrize(
    ("maps", "kept"),
    [(HUNDRED_FOLDERS, COMMITS), (SIXTY_PATTERNS, COMMITS * 60 // FOLDERS)],
    ids=["100 folders", "60 patterns"],
)
def test_a_projection_with_many_maps_ends(source: Path, maps: Sequence[Map], kept: int) -> None:
    opened = Repository.open(source)
    head = project(opened, opened.resolve("main"), maps, use_cache=False).commit
    assert head is not None
    assert run_git("rev-list", "--count", head, cwd=source).out == f"{kept}\n"
    theirs, ours = (run_git("ls-tree", tree, cwd=source).out.splitlines() for tree in (f"{head}:to", "main"))
    assert theirs == ours[: len(maps)]


@pytest.mark.usefixtures("_pipes")
def test_thousands_of_objects_are_read_and_measured_however_little_a_pipe_holds(source: Path) -> None:
    opened = Repository.open(source)
    commits = [line.strip() for line in opened.git.stream("rev-list", "main")]
    with ObjectReader(opened.git) as reader:
        found = list(reader.read_many(commits))
        assert [one.id for one in found] == commits
        assert list(reader.sizes(commits)) == [(one.id, len(one.data)) for one in found]
        reader.ask([b"contents " + commit for commit in commits])  # a hundred kilobytes of questions at once
        assert [one.id for one in reader._drain([b"contents " + commit for commit in commits])] == commits
