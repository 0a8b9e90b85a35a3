"""What a person decides about the workflow: written down, and read again."""

from __future__ import annotations

import pytest

from openllm_repos.errors import NameRefused
from openllm_repos.workflow.choices import Auth, Choices, Cron, Requirement, requirement_of

FROM_GIT = "openllm-repos @ git+https://github.com/louischua/openllm-repos@0123abc"


@pytest.mark.parametrize(
    "choices",
    [
        Choices(),
        Choices(Auth.SECRET, matrix=True, private=True, cron=None),
        Choices(cron=Cron("*/15 0-6 1,15 * 1"), install=Requirement(FROM_GIT)),
    ],
)
def test_choices_are_read_as_they_were_written(choices: Choices) -> None:
    assert Choices.parse(choices.words()) == choices


@pytest.mark.parametrize("words", ["", "--auth", "--auth none", Choices().words() + " --cron off", "'", "a b c"])
def test_what_was_not_written_by_the_tool_is_no_choice(words: str) -> None:
    with pytest.raises(NameRefused, match="are no choices"):
        Choices.parse(words)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@daily", "is no schedule; write five fields"),
        ("60 * * * *", "'60' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 0 * *", "'0' is no day"),
        ("0 0 * * 7", "'7' is no weekday"),
        ("0 0 * JAN *", "'JAN' is no month"),
        ("5-1 * * * *", "'5-1' is no minute"),
        ("*/0 * * * *", "'\\*/0' is no minute"),
        ("* * * * *", "oftener than every 5 minutes"),
        ("*/3 * * * *", "oftener than every 5 minutes"),
    ],
)
def test_a_schedule_that_github_would_not_keep(text: str, said: str) -> None:
    with pytest.raises(NameRefused, match=said):
        Cron(text)


def test_a_schedule_has_one_spelling() -> None:
    assert Cron(" 0,5  10/2 * *   1-5 ") == "0,5 10/2 * * 1-5"
    assert Cron("7/10 * * * *") == "7/10 * * * *"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("requests==2", "installs requests"),
        ("--upgrade openllm-repos", "starts with '-'"),
        ("openllm-repos; rm -rf /", "is nothing that pip installs"),
        ("openllm-repos==1\n--pre", "control or invisible"),
        ("openllm-repos @ git+https://user:ghp_0123456789@github.com/a/b", "holds a credential"),
        ("openllm-repos @ file:///home/a/openllm-repos", "is on this machine alone"),
        ("openllm-repos @ git+file:///home/a/openllm-repos", "is on this machine alone"),
        ("openllm-repos @ ./openllm-repos", "is on this machine alone"),
        ("openllm-repos @ https://example.com/${{secrets.HF_TOKEN}}", "which GitHub would read"),
    ],
)
def test_what_a_job_may_not_install(text: str, said: str) -> None:
    with pytest.raises(NameRefused, match=said):
        Requirement(text)


def test_what_a_job_may_install() -> None:
    assert Requirement.pinned("1.2.3rc1") == "openllm-repos==1.2.3rc1"
    for text in ("openllm_repos>=1,<2", FROM_GIT):
        assert Requirement(text) == text


URL = "https://github.com/louischua/openllm-repos"


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        (f'{{"url": "{URL}", "vcs_info": {{"vcs": "git", "commit_id": "0123abc"}}}}', FROM_GIT),
        (
            f'{{"url": "{URL}", "vcs_info": {{"vcs": "git", "commit_id": "0123abc"}}, "subdirectory": "py"}}',
            f"{FROM_GIT}#subdirectory=py",
        ),
        (f'{{"url": "{URL}", "vcs_info": {{"vcs": "hg", "commit_id": "0123abc"}}}}', None),
        ('{"url": "https://me:ghp_0123456789@github.com/a/b", "vcs_info": {"vcs": "git", "commit_id": "0"}}', None),
        ('{"url": "ssh://git@github.com/a/b", "vcs_info": {"vcs": "git", "commit_id": "0"}}', None),
        ('{"url": "file:///home/a/openllm-repos", "dir_info": {"editable": true}}', None),
        (None, None),
        ("", None),
        ("[]", None),
    ],
)
def test_what_installs_the_same_as_here_on_a_runner(origin: str | None, requirement: str | None) -> None:
    assert requirement_of(origin) == requirement


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (FROM_GIT, f"openllm-repos @ git+{URL}"),
        (f"{FROM_GIT}#subdirectory=py", f"openllm-repos @ git+{URL}"),
        (f"openllm-repos @ git+{URL}", f"openllm-repos @ git+{URL}"),
        ("openllm-repos==1.2", ""),
    ],
)
def test_the_place_of_a_requirement_is_the_same_at_every_commit(text: str, place: str) -> None:
    assert Requirement(text).place == place
