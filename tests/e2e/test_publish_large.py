"""A publish of gigabytes in small: killed on the way and taken up again, and never whole in memory."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.published import Publishing

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli

MIB = 1 << 20
# Runs a command and says how much memory it took at its most, in KiB. Not `getrusage`: a child inherits its parent's.
MEASURE = """\
import pathlib, re, sys
from openllm_repos.cli import main
code = main(sys.argv[1:])
print("peak", re.search("VmHWM:\\s*([0-9]+)", pathlib.Path("/proc/self/status").read_text())[1], file=sys.stderr)
sys.exit(code)
"""


def started(publishing: Publishing, *args: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", MEASURE, "publish", "--yes", *args]
    return subprocess.Popen(command, cwd=publishing.top, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> int:
    """Wait until it has done its work; return its peak of memory in bytes."""
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return 1024 * int(err.decode().rpartition("peak ")[2])


@pytest.mark.slow
@pytest.mark.parametrize(("repo", "folder"), [("small-7k", "exports/small"), ("training-data", "data/clean")])
def test_two_hundred_files_and_300_mb_are_killed_and_taken_up_again(
    sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, repo: str, folder: str
) -> None:
    publishing = Publishing.on(sandbox, tmp_path / "family", run_cli)
    shutil.rmtree(publishing.top / folder)
    sandbox.hub.part_size = 40 * MIB
    chance = random.Random(7)
    sizes = {f"shard-{number}.safetensors": 24 * MIB for number in range(10)}
    sizes |= {"whole.safetensors": 64 * MIB}
    sizes |= {f"blob-{number:03}.bin": chance.randrange(1000, 9000) for number in range(60)}
    for name, size in sizes.items():
        block = chance.randbytes(MIB)
        whole = (block * (size // MIB + 1))[: size - 8] + chance.randbytes(8)
        publishing.write({f"{folder}/{name}": whole})
    publishing.write({f"{folder}/text-{number:03}.txt": b"%d\n" % number for number in range(130)})
    total = sum(sizes.values())
    assert total > 300 * MIB

    process = started(publishing, repo)
    deadline = time.monotonic() + 60
    while sum(size for _, size in publishing.uploads()) < 100 * MIB:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    remote = publishing.model if repo == "small-7k" else publishing.dataset
    assert len(remote.log()) == 1
    first = publishing.uploads()

    peak = finish(started(publishing, repo))
    second = publishing.uploads()[len(first) :]
    saved = sum(size for _, size in set(first) - set(second))
    assert saved >= 100 * MIB - 64 * MIB
    in_parts = {entry for entry in first if entry[1] == 64 * MIB}  # of that file some parts may have arrived, not all
    assert not (set(first) - in_parts) & set(second)
    assert {size for _, size in {*first, *second}} == set(sizes.values())
    assert len(remote.log()) == 2
    assert len(remote.paths()) == len(sizes) + 130 + 3
    assert peak < 150 * MIB

    finish(started(publishing, repo))
    assert len(publishing.uploads()) == len(first) + len(second)
    assert len(remote.log()) == 2
