"""What a person decides about the workflow: written down, and read again."""

from __future__ import annotations

import pytest

from openllm_repos.errors import NameRefused
from openllm_repos.workflow.choices import Auth, Choices, Cron, Requirement, requirement_of

URL = "https://github.com/louischua/openllm-repos"
COMMIT = "0123456789" * 4
HASH = "0123456789abcdef" * 4
FROM_GIT = f"openllm-repos @ git+{URL}@{COMMIT}"
WHEEL = "https://example.com/openllm_repos-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    "choices",
    [
        Choices(),
        Choices(Auth.SECRET, matrix=True, private=True, wait=False, cron=None),
        Choices(cron=Cron("*/15 0-6 1,15 * 1"), install=Requirement(FROM_GIT)),
    ],
)
def test_choices_are_read_as_they_were_written(choices: Choices) -> None:
    assert Choices.parse(choices.words()) == choices


def test_choices_of_before_are_read_and_what_they_installed_by_name_alone_is_forgotten() -> None:
    before = "--auth secret --matrix --public --cron off"
    assert Choices.parse(before) == Choices(Auth.SECRET, matrix=True, cron=None)
    assert Choices.parse(f"{before} --install openllm-repos==0.1.0") == Choices(Auth.SECRET, matrix=True, cron=None)


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


@pytest.mark.parametrize(
    "text",
    [
        "openllm-repos",
        "openllm-repos==1.2",
        "openllm-repos>=1,<2",
        f"openllm-repos>=1 --hash=sha256:{HASH}",
        f"openllm-repos==1.* --hash=sha256:{HASH}",
        "openllm-repos==1 --hash=md5:0123",
        f"openllm-repos[dev]==1 --hash=sha256:{HASH}",
        f"openllm-repos @ git+{URL}",
        f"openllm-repos @ git+{URL}@main",
        f"openllm-repos @ git+{URL}@0123abc",
        f"openllm-repos @ git+ssh://git@github.com/a/b@{COMMIT}",
        f"openllm-repos @ git+http://github.com/a/b@{COMMIT}",
        f"openllm-repos @ {WHEEL}",
        f"openllm-repos @ http://example.com/a.whl#sha256={HASH}",
        f"openllm-repos @ {WHEEL}#md5={HASH}",
    ],
)
def test_what_somebody_could_change_afterwards_is_no_install(text: str) -> None:
    with pytest.raises(NameRefused, match="is not pinned, so somebody could change it; write it as in"):
        Requirement(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (FROM_GIT, FROM_GIT),
        (f"openllm_repos@git+{URL}@{COMMIT}#subdirectory=py", f"{FROM_GIT}#subdirectory=py"),
        (f"openllm-repos @ {WHEEL}#sha256={HASH}", f"openllm-repos @ {WHEEL}#sha256={HASH}"),
        (f"openllm-repos == 1.2rc1  --hash=sha256:{HASH}", f"openllm-repos==1.2rc1 --hash=sha256:{HASH}"),
        (
            f"openllm-repos==1 --hash=sha256:{HASH} --hash=sha256:{HASH}",
            f"openllm-repos==1 --hash=sha256:{HASH} --hash=sha256:{HASH}",
        ),
    ],
)
def test_what_a_job_may_install(text: str, kept: str) -> None:
    assert Requirement(text) == kept


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        (f'{{"url": "{URL}", "vcs_info": {{"vcs": "git", "commit_id": "{COMMIT}"}}}}', FROM_GIT),
        (
            f'{{"url": "{URL}", "vcs_info": {{"vcs": "git", "commit_id": "{COMMIT}"}}, "subdirectory": "py"}}',
            f"{FROM_GIT}#subdirectory=py",
        ),
        (f'{{"url": "{URL}", "vcs_info": {{"vcs": "hg", "commit_id": "{COMMIT}"}}}}', None),
        ('{"url": "https://me:ghp_0123456789@github.com/a/b", "vcs_info": {"vcs": "git", "commit_id": "0"}}', None),
        ('{"url": "ssh://git@github.com/a/b", "vcs_info": {"vcs": "git", "commit_id": "0"}}', None),
        ('{"url": "file:///home/a/openllm-repos", "dir_info": {"editable": true}}', None),
        (
            f'{{"url": "{WHEEL}", "archive_info": {{"hashes": {{"sha256": "{HASH}"}}}}}}',
            f"openllm-repos @ {WHEEL}#sha256={HASH}",
        ),
        (f'{{"url": "file:///a.whl", "archive_info": {{"hashes": {{"sha256": "{HASH}"}}}}}}', None),
        (f'{{"url": "{WHEEL}", "archive_info": {{}}}}', None),
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
        (f"openllm-repos @ {WHEEL}#sha256={HASH}", ""),
        (f"openllm-repos==1.2 --hash=sha256:{HASH}", ""),
    ],
)
def test_the_place_of_a_requirement_is_the_same_at_every_commit(text: str, place: str) -> None:
    assert Requirement(text).place == place
