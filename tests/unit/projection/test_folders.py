"""Many folders are found by reading trees, few by asking git: the answers are the same."""

from __future__ import annotations

import random

import pytest

from openllm_repos.git.objects import FolderReader, MissingObject, ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.projection.folders import find_folders
from tests.support.history import Entry, Spec, gitlink, make_history, symlink
from tests.support.repositories import Clone

FOLDERS = (b"a", b"", b"a/b", b"a/b/c", b"d/e", b"f", b"never", b"a/never")
FILES = ("a/x", "a/b/x", "a/b/c/x", "a/b/c", "a/b", "a", "d/e/x", "d/e", "d/x", "f", "f/x", "x")


def _history(seed: int) -> list[Spec]:
    """Return commits in which folders come, go, and give way to files, links and other repositories."""
    source = random.Random(seed)
    contents: list[bytes | Entry] = [b"1\n", b"2\n", symlink(b"x"), gitlink("1" * 40)]
    commits: list[Spec] = []
    for number in range(60):
        files: dict[str | bytes, str | bytes | Entry | None] = {}
        for path in source.sample(FILES, source.randint(1, 6)):
            if not any(path.startswith(f"{one}/") or one.startswith(f"{path}/") for one in map(str, files)):
                files[path] = source.choice(contents)
        commits.append(Spec([number - 1] if number else [], files))
    return commits


@pytest.mark.parametrize("seed", range(3))
def test_many_folders_are_found_where_git_finds_each(clone: Clone, seed: int) -> None:
    make_history(clone, _history(seed))
    opened = Repository.open(clone.path)
    trees = [line.strip() for line in opened.git.stream("rev-list", "--no-commit-header", "--format=%T", "main")]
    with ObjectReader(opened.git) as reader, FolderReader(opened.git, opened.id_length) as asked:
        asked.ask(trees, FOLDERS)
        expected = list(zip(*[asked.answers(len(trees)) for _ in FOLDERS], strict=True))
        assert list(find_folders(reader, list(trees), [*range(1, len(trees)), None], FOLDERS, 20)) == expected
    assert len({found.count(None) for found in expected}) > 2


def test_a_tree_that_is_missing_is_named(clone: Clone) -> None:
    opened = Repository.open(clone.path)
    with ObjectReader(opened.git) as reader, pytest.raises(MissingObject, match="1" * 40):
        list(find_folders(reader, [b"1" * 40], [None], FOLDERS, 20))
