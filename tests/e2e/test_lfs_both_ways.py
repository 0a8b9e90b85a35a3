"""Files that one side keeps in LFS and the other does not: no pointer comes home as text, no text goes out unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.served import LFS_LINE, pointer

if TYPE_CHECKING:
    from tests.support.family import Family

WHOLE = [("core/src/", "training/")]


@pytest.fixture
def vocab(family: Family) -> Family:
    """A family in step, whose Space then got attributes of the Hub's kind: `*.bin` is in LFS there."""
    family.manifest(maps=WHOLE)
    family.commit("Vocabulary", {"core/src/vocab.bin": "a\nb\n"})
    family.synced()
    family.edit("Attributes", {".gitattributes": LFS_LINE})
    return family


def test_a_pointer_does_not_come_home_to_a_source_that_would_keep_it_as_text(vocab: Family) -> None:
    """The Hub's editor made the file a pointer. The line is named; with it in the source, the pointer comes."""
    vocab.edit("Edited on the Hub", {"training/vocab.bin": pointer(b"a\nb\nc\n")})
    done = vocab.run("import", "space", cwd=vocab.clone.path)
    assert done.code == 3
    assert "space: core/src/vocab.bin is an LFS pointer there, and would be text in main" in done.err
    assert "next: git lfs track '*.bin'  # then commit .gitattributes\n" in done.err
    assert LFS_LINE.strip() in done.err
    assert "refs/heads/import/space" not in vocab.clone.tips()
    vocab.commit("Track", {".gitattributes": LFS_LINE})
    assert vocab.run("import", "space", cwd=vocab.clone.path).code == 0
    assert vocab.clone.read("core/src/vocab.bin", "import/space") == pointer(b"a\nb\nc\n").encode()


@pytest.mark.slow
def test_a_pointer_that_was_replaced_since_is_no_matter(vocab: Family) -> None:
    vocab.edit("Edited on the Hub", {"training/vocab.bin": pointer(b"c\n")})
    vocab.edit("As text again", {"training/vocab.bin": "c\n"})
    assert vocab.run("import", "space", cwd=vocab.clone.path).code == 0


def test_a_plain_file_on_a_path_that_the_space_keeps_in_lfs_is_told_before_the_push(vocab: Family) -> None:
    vocab.commit("More", {"core/src/vocab.bin": "a\nb\nd\n", "core/src/train.py": "on\n"})
    done = vocab.run("sync", "--dry-run", cwd=vocab.clone.path)
    said = ".gitattributes of space gives training/vocab.bin to LFS, but the source does not: edited there, it becomes"
    assert f"note: {said} a pointer. In the source, 'git lfs track \"*.bin\"' makes it one." in done.out
    vocab.synced()
    vocab.commit("Code", {"core/src/train.py": "on and on\n"})
    assert "to LFS" not in vocab.synced().out
