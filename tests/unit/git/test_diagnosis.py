"""A git that fails for what is wrong on this machine: said as that, and not as a fault of the network."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.files import remedy
from openllm_repos.git.process import Completed, Git, GitFailed
from openllm_repos.git.remote import Unreachable, fetch, list_refs, push
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate
from tests.support.family import Family
from tests.support.repositories import Bare, Clone
from tests.support.sealed import SealedHome

ROOT = os.geteuid() == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of six megabytes; skip where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    if not ROOT or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def _grown(bare: Bare, tmp_path: Path) -> None:
    """Put a commit with eight megabytes into a repository."""
    Clone.init(tmp_path / "other").commit("large", {"a": os.urandom(8_000_000)})
    bare.git("fetch", "-q", str(tmp_path / "other"), "main:main")


def test_a_full_disk_is_said_as_such_and_not_as_an_url_to_check(bare: Bare, tmp_path: Path, small_disk: Path) -> None:
    _grown(bare, tmp_path)
    opened = Repository.open(Clone.init(small_disk / "clone").path)
    (small_disk / "ballast").write_bytes(bytes(3_000_000))
    with pytest.raises(EnvironmentProblem) as failed:
        fetch(opened, bare.url, "refs/heads/main")
    assert not isinstance(failed.value, Unreachable)
    assert "objects" in failed.value.message
    assert "Free some space" in failed.value.hint


@pytest.mark.skipif(not ROOT, reason="only root may mount a disk read-only")
def test_a_disk_that_is_read_only_is_said_as_such(bare: Bare, tmp_path: Path, small_disk: Path) -> None:
    Clone.init(tmp_path / "other").commit("c", {"a": "1\n"})
    bare.git("fetch", "-q", str(tmp_path / "other"), "main:main")
    opened = Repository.open(Clone.init(small_disk / "clone").path)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(EnvironmentProblem, match="Read-only file system") as failed:
        fetch(opened, bare.url, "refs/heads/main")
    assert "mount it writable" in failed.value.hint


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_a_clone_that_may_not_be_written_is_said_as_such(bare: Bare, clone: Clone) -> None:
    opened = Repository.open(clone.path)
    opened.objects_dir.chmod(0o500)
    try:
        with pytest.raises(EnvironmentProblem, match="Permission denied") as failed:
            fetch(opened, bare.url, "refs/heads/main")
        assert "ls -ld" in failed.value.hint
    finally:
        opened.objects_dir.chmod(0o700)


BAD = [
    ("fetch", "core.bigFileThreshold", "many"),
    ("fetch", "core.compression", "much"),
    ("fetch", "fetch.parallel", "some"),
    ("push", "push.default", "somehow"),
    ("ls-remote", "http.postBuffer", "large"),
    ("fetch", "http.sslVerify", "perhaps"),
]


@pytest.mark.parametrize(("verb", "key", "value"), BAD, ids=[key for _, key, _ in BAD])
@pytest.mark.parametrize("place", ["global", "clone"])
def test_a_bad_value_in_the_configuration_is_named_by_its_key(
    clone: Clone, home: SealedHome, place: str, verb: str, key: str, value: str
) -> None:
    opened = Repository.open(clone.path)
    if place == "global":
        home.set(key, value)
    else:
        clone.git("config", key, value)
    problem = opened.git.failure(verb, Completed(128, b"", b"fatal: whatever"))
    assert "git cannot work with its configuration" in problem.message
    assert key.lower() in problem.message.lower()
    assert "git config --list --show-origin" in problem.hint


def test_a_sync_with_a_bad_value_in_the_configuration_does_not_blame_the_url(family: Family, home: SealedHome) -> None:
    home.set("core.compression", "much")
    done = family.sync("--dry-run")
    assert (done.code, "core.compression" in done.err.lower(), "URL" in done.err) == (30, True, False)


def test_a_broken_line_in_the_configuration_is_named_with_its_file(clone: Clone, home: SealedHome) -> None:
    home.config.write_text("[user\n", encoding="ascii")
    with pytest.raises(EnvironmentProblem, match=r"git cannot work with its configuration: .*bad config line 1") as why:
        Repository.open(clone.path)
    assert str(home.config) in why.value.message


@pytest.mark.skipif(not ROOT, reason="only root may give a folder away")
def test_a_clone_of_somebody_else_names_the_setting_that_trusts_it(clone: Clone) -> None:
    for place in (clone.path, clone.path / ".git"):
        os.chown(place, 12345, -1)
    with pytest.raises(EnvironmentProblem, match="git does not open the clone") as refused:
        Repository.open(clone.path)
    assert refused.value.hint.startswith(f"git config --global --add safe.directory {clone.path}")


def test_a_push_with_a_bad_value_in_the_configuration_says_so(clone: Clone, bare: Bare, home: SealedHome) -> None:
    tip = ObjectId(clone.commit("c", {"a": "1\n"}))
    opened = Repository.open(clone.path)
    home.set("push.default", "somehow")
    pushed = push(opened, bare.url, [RefUpdate("refs/heads/main", opened.zero, tip)])
    assert "push.default" in pushed.said
    assert "git config --list" in pushed.advice


def test_a_failure_with_nothing_wrong_here_stays_what_it_was(clone: Clone) -> None:
    opened = Repository.open(clone.path)
    with pytest.raises(GitFailed, match="fatal"):
        opened.git.run("commit-tree", "nothing", stdin=b"")
    with pytest.raises(Unreachable, match="does not appear"):
        list_refs(opened, f"file://{clone.path}/nowhere", deadline=60)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "ls -ld"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENFILE, "too many files"),
        (errno.EAGAIN, "ulimit -u"),
        (errno.EIO, "dmesg"),
        (errno.EBUSY, "Mend that"),
    ],
)
def test_each_word_of_the_system_has_its_own_next_step(number: int, words: str) -> None:
    assert words in remedy(OSError(number, os.strerror(number), "/clone/.git"))


def test_too_many_open_files_are_said_as_such(clone: Clone) -> None:
    git = Git(clone.path / ".git", clone.path / ".git", {})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with pytest.raises(OSError, match="Too many open files") as failed:  # noqa: PT012
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
                git.run("version")
    finally:
        for handle in held:
            os.close(handle)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "ulimit -n" in remedy(failed.value)
