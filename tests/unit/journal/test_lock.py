"""One operation at a time in a clone."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import exclusive
from tests.support.repositories import Clone


@pytest.fixture
def repository(clone: Clone) -> Repository:
    return Repository.open(clone.path)


def test_the_lock_is_free_again_afterwards_even_after_a_failure(repository: Repository) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="work"), exclusive(repository, "sync"):
            raise ValueError("work")
    with exclusive(repository, "sync"):
        pass
    assert (repository.state_dir / "lock").read_bytes() == b""


def test_who_finds_it_taken_is_told_by_whom(repository: Repository) -> None:
    with (
        exclusive(repository, "release"),
        pytest.raises(EnvironmentProblem, match=rf"process {os.getpid()}, release, for \d+ s\.") as refused,
        exclusive(repository, "sync"),
    ):
        pass
    assert refused.value.hint == "Wait until it has finished."
    assert refused.value.exit_code == 30


@pytest.mark.parametrize("note", [b"", b"not json", b"[]", b'{"pid": 1}'])
def test_a_holder_that_has_not_said_who_it_is_has_just_started(repository: Repository, note: bytes) -> None:
    place = repository.state_dir / "lock"
    place.parent.mkdir()
    place.write_bytes(note)
    with place.open("r+b") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        with pytest.raises(EnvironmentProblem, match="it has just started"), exclusive(repository, "sync"):
            pass
    with exclusive(repository, "sync"):
        assert json.loads(place.read_bytes())["operation"] == "sync"


def test_a_disk_that_is_full_is_told_by_the_place_to_free(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", refuse)
    place = repository.state_dir
    with pytest.raises(EnvironmentProblem, match=f"Cannot write {place}/lock: No space") as refused:
        exclusive(repository, "sync").__enter__()
    assert f"on the disk of {place}, then" in refused.value.hint


def test_linked_work_trees_share_one_lock(clone: Clone, tmp_path: Path) -> None:
    clone.commit("one", {"f": "1"})
    clone.git("worktree", "add", "-q", "-b", "side", tmp_path / "linked")
    with (
        exclusive(Repository.open(clone.path), "sync"),
        pytest.raises(EnvironmentProblem, match="Another openllm-repos works in this clone"),
        exclusive(Repository.open(tmp_path / "linked"), "sync"),
    ):
        pass


def test_a_holder_that_was_killed_holds_nothing(repository: Repository) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from openllm_repos.git.repository import Repository\nfrom openllm_repos.journal.lock import exclusive\n"
        "with exclusive(Repository.open(Path(sys.argv[1])), 'sync'):\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(repository.top)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(EnvironmentProblem, match=f"process {holder.pid}, sync"), exclusive(repository, "sync"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with exclusive(repository, "sync"):
        pass


def test_a_lock_that_cannot_be_written_is_a_clear_failure(repository: Repository) -> None:
    repository.state_dir.write_text("a file in the place of the folder")
    with (
        pytest.raises(EnvironmentProblem, match=r"Cannot write .*/openllm-repos/lock: "),
        exclusive(repository, "sync"),
    ):
        pass


def test_a_lock_is_no_way_to_write_elsewhere(repository: Repository, tmp_path: Path) -> None:
    repository.state_dir.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (repository.state_dir / "lock").symlink_to(victim)
    with pytest.raises(EnvironmentProblem, match="Cannot write"), exclusive(repository, "sync"):
        pass
    assert victim.read_text() == "precious"
