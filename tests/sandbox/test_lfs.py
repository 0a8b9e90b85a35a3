"""Large files: git-lfs and huggingface_hub put them into one store, and take them out of it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from openllm_repos.sandbox import Sandbox
from tests.support.hub import client, clone, push
from tests.support.repositories import Clone

WEIGHTS = bytes(range(256)) * 4096
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def model(git_lfs: None, sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of a model in which git-lfs is at work."""
    del git_lfs
    sandbox.hub.create("model", "lemms/x")
    made = clone(sandbox, "lemms/x", tmp_path / "clone")
    made.git("lfs", "install", "--local")
    return made


@pytest.mark.slow
def test_what_git_lfs_pushes_huggingface_hub_downloads(model: Clone, sandbox: Sandbox, tmp_path: Path) -> None:
    model.commit("weights", {"model.safetensors": WEIGHTS})
    assert push(model).code == 0
    assert model.git("cat-file", "blob", "HEAD:model.safetensors").splitlines()[1] == f"oid sha256:{DIGEST}"
    api = client(sandbox)
    found = api.hf_hub_download("lemms/x", "model.safetensors", cache_dir=tmp_path / "cache")
    assert Path(found).read_bytes() == WEIGHTS
    info = api.model_info("lemms/x", files_metadata=True)
    file = next(one for one in info.siblings or [] if one.rfilename == "model.safetensors")
    assert (file.size, file.lfs and file.lfs.sha256) == (len(WEIGHTS), DIGEST)


def test_what_huggingface_hub_uploads_git_lfs_pulls(model: Clone, sandbox: Sandbox) -> None:
    upload = client(sandbox).upload_file
    upload(path_or_fileobj=WEIGHTS, path_in_repo="model.safetensors", repo_id="lemms/x")
    model.git("pull", "-q", "origin", "main")
    assert (model.path / "model.safetensors").read_bytes() == WEIGHTS
    again = upload(path_or_fileobj=WEIGHTS, path_in_repo="model.safetensors", repo_id="lemms/x")
    assert again.oid == model.tip()  # nothing new: no commit


def test_a_file_that_no_rule_tracks_goes_through_lfs_if_it_is_binary(sandbox: Sandbox) -> None:
    path = sandbox.hub.create("model", "lemms/x")
    client(sandbox).upload_file(path_or_fileobj=b"\0" * 600, path_in_repo="picture.png", repo_id="lemms/x")
    assert len(list((path.parents[3] / "lfs").rglob("*/*/*"))) == 1


def test_a_large_upload_goes_in_parts(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("model", "lemms/x")
    sandbox.hub.part_size = 300_000
    api = client(sandbox)
    api.upload_file(path_or_fileobj=WEIGHTS, path_in_repo="m.bin", repo_id="lemms/x")
    assert sum(seen.method == "PUT" for seen in sandbox.hub.log) == 4
    found = api.hf_hub_download("lemms/x", "m.bin", cache_dir=tmp_path / "cache")
    assert Path(found).read_bytes() == WEIGHTS


@pytest.mark.slow
def test_an_object_that_is_not_there_is_an_error_for_git_lfs(model: Clone, sandbox: Sandbox) -> None:
    model.commit("weights", {"model.safetensors": WEIGHTS})
    push(model)
    shutil.rmtree(sandbox.hub.large_files)
    shutil.rmtree(model.path / ".git/lfs/objects")
    said = model.run("lfs", "pull", ok=(0, 2))
    assert "Object does not exist" in said.err


@pytest.mark.usefixtures("git_lfs")
def test_without_the_right_to_write_nothing_is_stored(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("model", "lemms/x")
    reader = clone(sandbox, "lemms/x", tmp_path / "reader", token="hf_read")
    reader.git("lfs", "install", "--local")
    reader.commit("weights", {"model.safetensors": WEIGHTS})
    assert "Authorization error: you need write access to this repository." in push(reader).err
    assert not sandbox.hub.large_files.exists()


def _put(url: str, data: bytes) -> int:
    try:
        with urlopen(Request(url, data=data, method="PUT")) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_content_that_is_not_what_its_name_says_is_refused(sandbox: Sandbox) -> None:
    signature = sandbox.hub.signature("upload", DIGEST)
    link = f"{sandbox.hub.url}/_lfs/upload/{DIGEST}/7"
    assert _put(f"{link}?signature={signature}", b"another") == 422
    assert _put(link, WEIGHTS) == 403
    assert _put(f"{link}?signature={signature}", WEIGHTS) == 200
    assert [path.name for path in sandbox.hub.large_files.rglob("*/*/*")] == [DIGEST]


def test_a_part_of_a_file_can_be_asked_for(sandbox: Sandbox) -> None:
    signature = sandbox.hub.signature("upload", DIGEST)
    assert _put(f"{sandbox.hub.url}/_lfs/upload/{DIGEST}/7?signature={signature}", WEIGHTS) == 200
    link = f"{sandbox.hub.url}/_lfs/download/{DIGEST}/7?signature={sandbox.hub.signature('download', DIGEST)}"
    with urlopen(Request(link, headers={"Range": "bytes=10-19"})) as answer:
        assert (answer.status, answer.read()) == (206, WEIGHTS[10:20])
        assert answer.headers["Content-Range"] == f"bytes 10-19/{len(WEIGHTS)}"


@pytest.mark.slow
@pytest.mark.usefixtures("git_lfs")
def test_github_has_large_files_too(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.github.create("louischua/openllm")
    url = sandbox.github.url.replace("://", "://x:gh_write@")
    source = Clone.of(f"{url}/louischua/openllm.git", tmp_path / "source")
    source.git("lfs", "install", "--local")
    source.commit("weights", {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "m.bin": WEIGHTS})
    assert push(source).code == 0
    other = Clone.of(f"{sandbox.github.url}/louischua/openllm", tmp_path / "other")
    assert (other.path / "m.bin").stat().st_size < 200
    other.git("lfs", "install", "--local")
    other.git("lfs", "pull")
    assert (other.path / "m.bin").read_bytes() == WEIGHTS
