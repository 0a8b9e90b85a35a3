"""Files of a clone: written whole, never out of it by a link, and read only where they are files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from openllm_repos.files import LeadsOut, atomic_write, read_file, within_clone


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "clone/.git").mkdir(parents=True)
    return tmp_path / "clone"


def test_a_file_is_replaced_whole_and_keeps_its_mode(top: Path) -> None:
    place = top / "a"
    place.write_bytes(b"old")
    place.chmod(0o640)
    before = place.stat().st_ino
    atomic_write(place, b"new", durable=True)
    assert (place.read_bytes(), stat.S_IMODE(place.stat().st_mode)) == (b"new", 0o640)
    assert place.stat().st_ino != before
    atomic_write(place, b"run me", mode=0o755)
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    with pytest.raises(IsADirectoryError):
        atomic_write(top, b"")
    assert sorted(path.name for path in top.iterdir()) == [".git", "a"]


def test_where_it_cannot_be_written_all_is_as_before(top: Path) -> None:
    (top / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        atomic_write(top / "folder", b"new")
    assert list((top / "folder").iterdir()) == []


@pytest.mark.parametrize("link", ["out.txt", "folder/file.txt", "round/out.txt"])
def test_a_link_that_leads_out_of_the_clone_is_refused(top: Path, link: str) -> None:
    outside = top.parent / "outside"
    outside.mkdir()
    (outside / "out.txt").write_text("mine")
    (top / "out.txt").symlink_to(outside / "out.txt")
    (top / "folder").symlink_to(outside)
    (outside / ".git").mkdir()  # a clone too, and another one
    (top / "round").symlink_to("../clone")
    with pytest.raises(LeadsOut, match="out of the clone by a symbolic link"):
        within_clone(top / link)


def test_links_within_the_clone_and_places_outside_of_any_are_followed(top: Path) -> None:
    (top / "real").write_text("x")
    (top / "link").symlink_to("real")
    assert within_clone(top / "link") == (top / "real").resolve()
    (top.parent / "report").symlink_to("elsewhere")
    assert within_clone(top.parent / "report") == (top.parent / "elsewhere").resolve()
    assert within_clone(top / "../report") == (top.parent / "elsewhere").resolve()
    (top / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="symbolic links"):
        within_clone(top / "circle")


def test_what_is_no_file_is_not_read(top: Path) -> None:
    os.mkfifo(top / "pipe")
    with pytest.raises(OSError, match="it is a named pipe, not a file"):
        read_file(top / "pipe", 10)
    with pytest.raises(OSError, match="it is a device, not a file"):
        read_file(Path("/dev/zero"), 10)
    with pytest.raises(IsADirectoryError):
        read_file(top, 10)
    (top / "long").write_bytes(b"x" * 100)
    assert read_file(top / "long", 10) == b"x" * 11
