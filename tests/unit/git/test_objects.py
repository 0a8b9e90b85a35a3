"""Reading objects in bulk: single ones, many, folders in trees, and what happens when git goes away."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.objects import CHUNK_BYTES, FolderReader, MissingObject, ObjectReader
from openllm_repos.git.repository import Repository
from tests.support.history import Spec, gitlink, make_history, symlink
from tests.support.repositories import Clone


@pytest.fixture
def reader(clone: Clone) -> Iterator[ObjectReader]:
    with ObjectReader(Repository.open(clone.path).git) as made:
        yield made


@pytest.fixture
def folders(clone: Clone) -> Iterator[FolderReader]:
    opened = Repository.open(clone.path)
    with FolderReader(opened.git, opened.id_length) as made:
        yield made


def test_one_object(clone: Clone, reader: ObjectReader) -> None:
    tip = clone.commit("c0", {"a": "hello\n"}).encode()
    blob = clone.git("rev-parse", "main:a").encode()
    found = reader.read(b"main:a")
    assert (found.id, found.type, found.data) == (blob, b"blob", b"hello\n")
    assert reader.find(b"main") == (tip, b"commit")
    assert reader.find(b"main:nothing") is None
    assert reader.find(b"1" * 40) is None


def test_an_object_without_content(clone: Clone, reader: ObjectReader) -> None:
    clone.commit("c0", {"a": ""})
    assert reader.read(b"main:a").data == b""


def test_many_objects_in_their_order(clone: Clone, reader: ObjectReader) -> None:
    """More than fit into one block of questions, small and large ones, some twice."""
    sizes = [number * 20 for number in range(900)]
    blobs = [b"%d:" % size + os.urandom(size) for size in sizes]
    stream = b"".join(b"blob\nmark :%d\ndata %d\n%b\n" % (at + 1, len(data), data) for at, data in enumerate(blobs))
    marks = b"".join(b"get-mark :%d\n" % (at + 1) for at in range(len(blobs)))
    ids = clone.run("fast-import", "--quiet", "--done", data=stream + marks + b"done\n").out.encode().split()
    assert 45 * len(ids) > 2 * CHUNK_BYTES
    order = [*range(0, 900, 2), *range(899, 0, -1), 5, 5]
    assert [found.data for found in reader.read_many(ids[at] for at in order)] == [blobs[at] for at in order]
    assert list(reader.read_many([])) == []


@pytest.mark.parametrize("wanted", [b"main:nothing", b"1" * 40, b"nothing", b"two words"])
def test_a_missing_object_is_named(clone: Clone, reader: ObjectReader, wanted: bytes) -> None:
    clone.commit("c0", {"a": "1\n"})
    with pytest.raises(MissingObject, match=f"The object {wanted.decode()} is missing from this clone"):
        reader.read(wanted)


def test_a_missing_object_among_many_is_named(clone: Clone, reader: ObjectReader) -> None:
    clone.commit("c0", {"a": "1\n"})
    answers = reader.read_many([b"main:a", b"main:b", b"main"])
    assert next(answers).data == b"1\n"
    with pytest.raises(MissingObject, match="main:b"):
        next(answers)


def test_a_name_that_ends_in_a_number_is_missing_all_the_same(clone: Clone, reader: ObjectReader) -> None:
    """git's answer then looks almost like one of an object with a size."""
    clone.commit("c0", {"a": "1\n"})
    assert reader.find(b"main:a blob 12") is None


def test_folders_in_trees(clone: Clone, folders: FolderReader) -> None:
    """Only folders count: no file, no symlink, no submodule in their place."""
    specs = [
        Spec([], {"d/e/a": "1\n"}),
        Spec([], {"d": "a file\n"}),
        Spec([], {"d": symlink(b"e")}),
        Spec([], {"d": gitlink("1" * 40)}),
        Spec([], {"x": "1\n"}),
    ]
    ids = make_history(clone, specs, refs={f"refs/heads/b{at}": at for at in range(len(specs))})
    roots = [clone.git("rev-parse", f"{commit}^{{tree}}").encode() for commit in ids]
    for folder in ("d", "d/e"):
        folders.ask(roots, [folder.encode()])
        expected = clone.git("rev-parse", f"{ids[0]}:{folder}").encode()
        assert folders.answers(len(roots)) == [expected, None, None, None, None]
    folders.ask(roots, [b""])
    assert folders.answers(len(roots)) == roots


def _kill(reader: ObjectReader | FolderReader) -> None:
    assert reader._child is not None
    reader._child.process.send_signal(signal.SIGKILL)
    reader._child.process.wait()


def test_a_git_that_dies_is_said_and_the_next_question_starts_another(clone: Clone, reader: ObjectReader) -> None:
    clone.commit("c0", {"a": "1\n"})
    reader.read(b"main")
    for question in (
        lambda: reader.read(b"main"),
        lambda: reader.find(b"main"),
        lambda: list(reader.read_many([b"main"])),
    ):
        _kill(reader)
        with pytest.raises(EnvironmentProblem, match="git cat-file ended before it had answered") as failed:
            question()
        assert "git fsck" in failed.value.hint
        assert reader.read(b"main:a").data == b"1\n"


def test_a_git_that_dies_while_folders_are_asked(clone: Clone, folders: FolderReader) -> None:
    clone.commit("c0", {"a": "1\n"})
    folders.ask([b"1" * 40], [b"d"])
    assert folders.answers(1) == [None]
    _kill(folders)
    folders.ask([b"1" * 40], [b"d"])
    with pytest.raises(EnvironmentProblem, match="git cat-file ended"):
        folders.answers(1)


def test_an_answer_that_breaks_off_in_the_middle_is_no_answer(clone: Clone, reader: ObjectReader) -> None:
    clone.commit("c0", {"a": os.urandom(3_000_000)})
    reader.ask([b"contents main:a"])
    reader._answers.peek(1)  # git has begun to answer, and waits for us to read
    _kill(reader)
    with pytest.raises(EnvironmentProblem, match="git cat-file ended"):
        next(reader._drain([b"contents main:a"]))
