"""Our advice under a remote's own words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openllm_repos.manifest.model import History, Kind, Repo, Role
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoId
from openllm_repos.preflight.advice import advice

SPACE = Repo(RepoName("space"), Kind.SPACE, RepoId("lemms/openllm").space_url(), RepoId("lemms/openllm"), Role.TARGET)


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ("remote: Your push was rejected because it contains binary files.", "keep them in LFS"),
        (
            "remote: Your push was rejected because it contains files larger than 10 MiB.",
            'history = "squash"',
        ),
        (
            "remote: Your push was rejected because an LFS pointer pointed to a file that does not exist.",
            "git lfs push --all https://huggingface.co/spaces/lemms/openllm main",
        ),
        ("remote: Sorry, your push was rejected during YAML metadata verification:", "at the top of README.md"),
        ("remote: You are not authorized to push to this repo.", "hf auth whoami"),
        ("remote: Invalid username or password.", "hf auth login --add-to-git-credential"),
        ("remote: Password authentication in git is no longer supported.", "hf auth login --add-to-git-credential"),
        ("remote: error: GH001: Large files detected.", "keep them in LFS"),
        ("remote: error: GH006: Protected branch update failed.", "protected"),
        ("remote: error: GH008: Your push referenced at least 1 unknown Git LFS object", "git lfs push --all"),
        ("remote: error: GH013: Repository rule violations found for refs/heads/main.", "Rules"),
        ("! [remote rejected] main -> main (shallow update not allowed)", "git fetch --unshallow"),
        ("remote: error: Private repository storage limit reached.", "The storage of space is full."),
        ("batch response: This repository is over its data quota.", "The storage of space is full."),
        ("remote: whatever else a hook may say", "its own words above"),
    ],
)
def test_known_words_get_advice_of_their_own(said: str, helps: str) -> None:
    assert helps in advice(said, SPACE, "")


def test_a_target_that_is_squashed_already_is_not_told_to_squash() -> None:
    said = "remote: Your push was rejected because it contains binary files."
    assert "squash" not in advice(said, replace(SPACE, history=History.SQUASH), "")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("remote: Private repository storage limit reached.", False),
        ("remote: Your push was rejected because it contains binary files.", False),
        ("remote: You are not authorized to push to this repo.", True),
        ("remote: whatever else a hook may say", True),
    ],
)
def test_the_token_is_named_where_it_may_be_the_reason(said: str, shown: bool) -> None:
    assert ("The token in HF_TOKEN was used." in advice(said, SPACE, "The token in HF_TOKEN was used.")) == shown
