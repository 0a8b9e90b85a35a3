"""What the Hub and GitHub say to a push that they refuse, word for word, as git shows it to a person."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from openllm_repos.sandbox import Sandbox
from tests.support.hub import clone, push, remote_lines, with_token
from tests.support.repositories import Clone

BAR = "-" * 73
REFUSED = "! [remote rejected] HEAD -> main (pre-receive hook declined)"


@pytest.fixture
def model(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of a model repository; LFS is not in its way."""
    sandbox.hub.create("model", "lemms/x", empty=True)
    return clone(sandbox, "lemms/x", tmp_path / "clone")


def test_a_binary_is_refused_though_a_later_commit_removed_it(model: Clone, sandbox: Sandbox) -> None:
    model.commit("a picture", {"docs/logo.png": b"\x89PNG\0\0", "a.txt": "a\n"})
    model.commit("no picture", {"docs/logo.png": None})
    said = push(model)
    assert said.code == 1
    assert remote_lines(said) == [
        BAR,
        "Your push was rejected because it contains binary files.",
        "Please use https://huggingface.co/docs/hub/xet to store binary files.",
        "See also: https://huggingface.co/docs/hub/xet/using-xet-storage#git",
        "",
        "Offending files:",
        "  - docs/logo.png (ref: refs/heads/main)",
        BAR,
    ]
    assert REFUSED in said.err
    assert not (sandbox.hub.path("model", "lemms/x") / "refs/heads/main").exists()


@pytest.mark.slow
def test_a_file_over_10_mib_is_refused(model: Clone) -> None:
    model.commit("exactly the limit", {"fits.txt": "a" * (10 << 20)})
    assert push(model).code == 0
    model.commit("one byte more", {"big.txt": "a" * ((10 << 20) + 1), "small.txt": "a"})
    assert remote_lines(push(model)) == [
        BAR,
        "Your push was rejected because it contains files larger than 10 MiB.",
        "Please use https://git-lfs.github.com/ to store large files.",
        "See also: https://hf.co/docs/hub/repositories-getting-started#terminal",
        "",
        "Offending files:",
        "  - big.txt (ref: refs/heads/main)",
        BAR,
    ]


def test_an_lfs_pointer_without_its_object_is_refused(model: Clone) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 7\n"
    model.commit("a pointer", {"model.safetensors": pointer})
    assert remote_lines(push(model)) == [
        BAR,
        "Your push was rejected because an LFS pointer pointed to a file that does not exist.",
        "For instance, this can happen if you used git push --no-verify to push your changes.",
        "Offending file:",
        "- model.safetensors",
        BAR,
    ]


def test_a_space_with_a_bad_card_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    space = clone(sandbox, "spaces/lemms/openllm", tmp_path / "space")
    card = f"---\nsdk: gradio\ncolorFrom: mauve\nshort_description: {'x' * 61}\nemoji: A\n---\n"
    space.commit("a card", {"README.md": card})
    assert remote_lines(push(space)) == [
        BAR,
        "Sorry, your push was rejected during YAML metadata verification:",
        '- Error: "short_description" length must be less than or equal to 60 characters long',
        '- Error: "colorFrom" must be one of [red, yellow, green, blue, indigo, purple, pink, gray]',
        '- Error: "emoji" must be an emoji',
        BAR,
        BAR,
        "Please find the documentation at:",
        "https://huggingface.co/docs/hub/spaces-config-reference",
        "",
        BAR,
    ]


def test_only_the_tip_of_a_branch_needs_a_good_card(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    space = clone(sandbox, "spaces/lemms/openllm", tmp_path / "space")
    space.commit("a bad card", {"README.md": "---\nsdk: cobol\n---\n"})
    space.commit("a good card", {"README.md": "---\nsdk: static\n---\n"})
    assert push(space).code == 0


def test_a_token_that_may_only_read_is_told_so(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("model", "lemms/x")
    reader = clone(sandbox, "lemms/x", tmp_path / "reader", token="hf_read")
    reader.commit("mine", {"a.txt": "a\n"})
    assert remote_lines(push(reader)) == [
        BAR,
        "You are not authorized to push to this repo.",
        "Make sure that you are properly logged in.",
        BAR,
    ]


def test_a_token_that_the_hub_does_not_know_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("model", "lemms/x")
    reader = clone(sandbox, "lemms/x", tmp_path / "reader")
    said = reader.run("push", with_token(f"{sandbox.hub.url}/lemms/x", "hf_wrong"), "HEAD:main", ok=(128,))
    assert remote_lines(said) == ["Invalid username or password."]
    assert "Authentication failed" in said.err


@pytest.mark.slow
def test_the_main_branch_of_the_hub_cannot_be_deleted(model: Clone) -> None:
    model.commit("first", {"a.txt": "a\n"})
    assert push(model, "HEAD:refs/heads/main", "HEAD:refs/heads/other").code == 0
    said = push(model, ":refs/heads/main")
    assert "Cannot delete refs/heads/main" in remote_lines(said)
    assert push(model, ":refs/heads/other").code == 0


def test_the_same_blob_in_two_refs_is_listed_once(model: Clone) -> None:
    model.commit("binary", {"a.bin": b"\0"})
    said = push(model, "HEAD:refs/heads/main", "HEAD:refs/heads/other")
    assert [line for line in remote_lines(said) if "a.bin" in line] == ["  - a.bin (ref: refs/heads/main)"]


# ---- GitHub ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def source(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of a repository on GitHub with one pushed commit and the pushed tag v1."""
    sandbox.github.create("louischua/openllm")
    made = Clone.of(with_token(f"{sandbox.github.url}/louischua/openllm", "gh_write"), tmp_path / "source")
    made.commit("first", {"a.txt": "a\n"})
    made.git("tag", "v1")
    assert push(made, "HEAD:refs/heads/main", "v1").code == 0
    return made


@pytest.mark.slow
def test_a_protected_tag_cannot_be_moved_or_deleted(source: Clone, sandbox: Sandbox) -> None:
    sandbox.github.protect("louischua/openllm")
    first = source.tip()
    source.commit("second")
    moved = push(source, "+HEAD:refs/tags/v1")
    assert remote_lines(moved) == [
        "error: GH013: Repository rule violations found for refs/tags/v1.",
        "",
        "- Cannot update this protected ref.",
        "",
    ]
    deleted = push(source, ":refs/tags/v1")
    assert "- Cannot delete this tag" in remote_lines(deleted)
    assert push(source, "HEAD:refs/tags/v2", "HEAD:refs/tags/nightly").code == 0
    assert push(source, ":refs/tags/nightly").code == 0
    assert source.git("ls-remote", "origin", "refs/tags/v1").split()[0] == first


@pytest.mark.slow
def test_a_protected_branch_takes_no_force_push(source: Clone, sandbox: Sandbox) -> None:
    sandbox.github.protect("louischua/openllm", "refs/heads/main", ["non_fast_forward", "creation"])
    source.commit("second")
    assert push(source).code == 0
    source.git("reset", "-q", "--hard", "HEAD~1")
    source.commit("another second")
    assert "- Cannot force-push to this branch" in remote_lines(push(source, "+HEAD:refs/heads/main"))


def test_a_file_over_the_limit_is_refused_by_github(source: Clone, sandbox: Sandbox) -> None:
    assert sandbox.github.file_limit == 100 << 20
    sandbox.github.file_limit = 1 << 20  # the same sentence, sooner
    source.commit("large", {"big.bin": b"\0" * ((1 << 20) + 1), "a.bin": b"\0" * (1 << 20)})
    said = remote_lines(push(source))
    assert "error: File big.bin is 1.00 MB; this exceeds GitHub's file size limit of 100.00 MB" in said
    assert said[-1].startswith("error: GH001: Large files detected.")


def test_github_tells_a_reader_that_permission_is_denied(source: Clone, sandbox: Sandbox) -> None:
    source.commit("second")
    url = with_token(f"{sandbox.github.url}/louischua/openllm", "gh_read")
    said = source.run("push", url, "HEAD:main", ok=(128,))
    assert remote_lines(said) == ["Permission to louischua/openllm.git denied to louischua."]
    assert "403" in said.err
