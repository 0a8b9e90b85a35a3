"""A clone may bring links to anywhere, and names may stand for pipes: neither is written through nor waited for."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.family import Family

if TYPE_CHECKING:
    from tests.support.inprocess import RunCli

WRITES = {
    "status": ("status", "--offline", "--html", "link"),
    "graph": ("graph", "--svg", "--output", "link"),
    "manifest set": ("manifest", "set", "project.name", "other"),
    "manifest add": ("manifest", "add", "small", "--model", "lemms/small"),
}


@pytest.mark.parametrize("command", WRITES)
def test_a_tracked_link_out_of_the_clone_is_not_written_through(family: Family, run_cli: RunCli, command: str) -> None:
    clone, outside = family.clone.path, family.folder / "mine.txt"
    manifest = (clone / "repos.toml").read_text()
    outside.write_text(manifest)
    (clone / "link").symlink_to(outside)
    if command.startswith("manifest"):
        (clone / "repos.toml").unlink()
        (clone / "repos.toml").symlink_to(outside)
    family.clone.git("add", "--all")
    family.clone.git("commit", "-q", "-m", "Links")
    done = run_cli(*WRITES[command], cwd=clone)
    assert done.code in {2, 30}
    assert "out of the clone by a symbolic link" in done.err
    assert outside.read_text() == manifest


def test_a_manifest_that_is_a_pipe_or_a_device_is_refused_at_once(family: Family, run_cli: RunCli) -> None:
    (family.clone.path / "repos.toml").unlink()
    os.mkfifo(family.clone.path / "repos.toml")
    for words in (("status",), ("manifest", "check"), ("manifest", "set", "project.name", "other")):
        done = run_cli(*words, cwd=family.clone.path)
        assert done.code == 2
        assert "it is a named pipe, not a file" in done.err
    done = run_cli("--manifest", "/dev/zero", "status", cwd=family.clone.path)
    assert (done.code, "it is a device, not a file" in done.err) == (2, True)


@pytest.mark.parametrize("path", ["VERSION", ".github/workflows/openllm-repos.yml", ".gitmodules", "exports/a.bin"])
def test_no_pipe_in_the_work_tree_is_waited_for(family: Family, run_cli: RunCli, path: str) -> None:
    small = '[repos.small]\nmodel = "lemms/small"\nsubmodule = "models/small"\n'
    more = small + '[[repos.small.publish]]\nfrom = "exports/"\nto = "."'
    family.manifest(project='version = ["VERSION"]', more=more)
    place = family.clone.path / path
    place.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(place)
    for words in (("version",), ("ci", "--check"), ("doctor", "--offline"), ("status", "--offline"), ("publish", "-n")):
        assert run_cli(*words, cwd=family.clone.path).code in {0, 1, 2, 3, 30}, words


def test_a_page_goes_into_a_pipe_that_somebody_reads(family: Family, run_cli: RunCli) -> None:
    pipe = family.folder / "pipe"
    os.mkfifo(pipe)
    done = run_cli("graph", "--svg", "--output", pipe, cwd=family.clone.path)
    assert (done.code, "Nobody reads from that pipe" in done.err) == (30, True)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(Path(pipe).read_bytes()))
    reader.start()
    while run_cli("graph", "--svg", "--output", pipe, cwd=family.clone.path).code:
        pass
    reader.join()
    assert read[0].startswith(b"<svg")
