"""Files are read once: what tells their content is remembered, unless they may have changed since."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.family.artifacts import FileChanged, LocalFile, Stamp
from openllm_repos.publish import hashes as module
from openllm_repos.publish.hashes import Hashes, blob_id
from openllm_repos.secrets.search import Searched
from tests.support.process import run_git


def local(path: Path) -> LocalFile:
    return LocalFile(path, path.name, path.name, Stamp.of(path.stat()))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalFile:
    monkeypatch.setattr(module, "_SETTLED", -1)
    path = tmp_path / "weights.bin"
    path.write_bytes(b"weights\n")
    return local(path)


def test_the_ids_are_those_of_git_and_lfs(file: LocalFile, tmp_path: Path) -> None:
    contents, searched = Hashes(tmp_path / "state").of([file])
    one = contents["weights.bin"]
    assert one.sha256 == hashlib.sha256(b"weights\n").hexdigest()
    assert one.blob == run_git("hash-object", file.path, cwd=tmp_path).out.strip() == blob_id(b"weights\n")
    assert searched == {"weights.bin": Searched()}


def test_a_file_is_not_read_again_while_its_stamp_is_the_same(file: LocalFile, tmp_path: Path) -> None:
    first = Hashes(tmp_path / "state")
    known, _ = first.of([file])
    first.save()
    rows = json.loads((tmp_path / "state").read_bytes())
    rows["files"][str(file.path)][1] = "f" * 64  # so that it is seen where the answer comes from
    (tmp_path / "state").write_text(json.dumps(rows))
    again, _ = Hashes(tmp_path / "state").of([file])
    assert again["weights.bin"].sha256 == "f" * 64
    file.path.write_bytes(b"Weights\n")
    third, _ = Hashes(tmp_path / "state").of([local(file.path)])
    assert third["weights.bin"].sha256 == hashlib.sha256(b"Weights\n").hexdigest()
    assert known["weights.bin"].sha256 != third["weights.bin"].sha256


def test_a_file_that_was_written_a_moment_ago_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "fresh.bin"
    path.write_bytes(b"x")
    held = Hashes(tmp_path / "state")
    held.of([local(path)])
    held.save()
    assert not (tmp_path / "state").exists()


def test_what_holds_a_secret_is_searched_every_time(file: LocalFile, tmp_path: Path) -> None:
    file.path.write_bytes(b"AKIA" + b"A2" * 8)
    same = local(file.path)
    for _ in range(2):
        held = Hashes(tmp_path / "state")
        _, searched = held.of([same])
        held.save()
        assert [one.place for one in searched["weights.bin"].found] == ["weights.bin:1"]


def test_what_may_be_a_secret_and_what_was_not_searched_is_told_again_without_reading(
    file: LocalFile, tmp_path: Path
) -> None:
    file.path.write_bytes(b"\x1f\x8b\x08 packed\nMY_API_KEY='k3y9x8w7v6u5'\n")
    same = local(file.path)
    first = Hashes(tmp_path / "state")
    _, searched = first.of([same])
    first.save()
    [one] = searched["weights.bin"].found
    assert (one.place, one.sure, searched["weights.bin"].packed) == ("weights.bin:2", False, "gzip")
    rows = json.loads((tmp_path / "state").read_bytes())
    rows["files"][str(file.path)][1] = "f" * 64  # so that it is seen where the answer comes from
    (tmp_path / "state").write_text(json.dumps(rows))
    contents, again = Hashes(tmp_path / "state").of([same])
    assert (contents["weights.bin"].sha256, again) == ("f" * 64, searched)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"rules": 1}', '{"rules": 1, "files": {"a": [1]}}', '{"rules": 0, "files": {}}']
)
def test_a_damaged_memory_is_forgotten(file: LocalFile, tmp_path: Path, text: str) -> None:
    (tmp_path / "state").write_text(text)
    contents, _ = Hashes(tmp_path / "state").of([file])
    assert contents["weights.bin"].sha256 == hashlib.sha256(b"weights\n").hexdigest()


def test_a_row_of_another_form_is_forgotten(file: LocalFile, tmp_path: Path) -> None:
    row = [list(range(5)), "a", "b", "no hex"]
    (tmp_path / "state").write_text(json.dumps({"rules": 1, "files": {str(file.path): row}}))
    contents, _ = Hashes(tmp_path / "state").of([file])
    assert len(contents["weights.bin"].sha256) == 64


def test_what_is_gone_is_forgotten(file: LocalFile, tmp_path: Path) -> None:
    held = Hashes(tmp_path / "state")
    held.of([file])
    file.path.unlink()
    held.save()
    assert json.loads((tmp_path / "state").read_bytes())["files"] == {}


def test_a_memory_that_cannot_be_written_is_no_matter(file: LocalFile, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("")
    held = Hashes(tmp_path / "blocked" / "state")
    held.of([file])
    held.save()
    assert (tmp_path / "blocked").read_text() == ""


def test_a_file_that_grows_while_it_is_read_is_told(file: LocalFile, tmp_path: Path) -> None:
    file.path.write_bytes(b"longer than before\n")
    with pytest.raises(FileChanged, match="changes while"):
        Hashes(tmp_path / "state").of([file])


def test_a_file_that_shrinks_between_two_pieces_is_told(tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(3 << 20))
    pieces = local(path).pieces(0, 3 << 20)
    next(pieces)
    os.truncate(path, 1 << 20)
    with pytest.raises(FileChanged):
        list(pieces)


def test_a_file_that_is_gone_is_told(file: LocalFile) -> None:
    file.path.unlink()
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        list(file.pieces(0, 1))


def test_where_one_file_fails_a_large_one_is_not_read_to_its_end_and_the_next_repo_is(
    file: LocalFile, tmp_path: Path
) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as sparse:
        sparse.truncate(64 << 20)
    gone = tmp_path / "gone.bin"
    gone.write_bytes(b"x")
    files = [local(gone), local(large)]
    gone.unlink()
    told: list[int] = []

    def tell(count: int) -> None:
        told.append(count)
        time.sleep(0.02)

    hashes = Hashes(tmp_path / "state", tell)
    with pytest.raises(EnvironmentProblem, match=r"gone\.bin"):
        hashes.of(files)
    assert sum(told) < 64 << 20
    assert hashes.of([file])[1] == {"weights.bin": Searched()}
