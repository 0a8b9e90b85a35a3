"""The record that a publish leaves in a repo is read by the next one, on any machine, or refused."""

from __future__ import annotations

import pytest

from openllm_repos.errors import ConflictError
from openllm_repos.names.url import RepoUrl
from openllm_repos.publish.record import Record, read_record

PARENT = "a" * 40
URL = "https://github.com/louischua/openllm"


def test_a_record_is_read_as_it_was_written() -> None:
    record = Record(URL, "b" * 40, PARENT, {"b": "git:" + "1" * 40, "a": "lfs:" + "2" * 64})
    text = record.text("openllm-repos 1.0")
    assert read_record(text, "small") == record
    assert record.text("openllm-repos 1.0") == text
    assert record.other_than(RepoUrl(URL)) == ""
    assert record.other_than(RepoUrl("https://github.com/somebody/else")) == URL


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not as a publish leaves it"),
        ("[]", "is not as a publish leaves it"),
        ('{"schema": 1, "files": []}', "is not as a publish leaves it"),
        ('{"schema": 1, "files": {}, "source": {"url": "", "commit": ""}, "parent": 5}', "is not as a publish"),
        (
            f'{{"schema": 1, "files": {{"a": 1}}, "source": {{"url": "", "commit": ""}}, "parent": "{PARENT}"}}',
            "is not as",
        ),
        ('{"schema": 2}', "is of another openllm-repos"),
    ],
)
def test_what_is_no_record_of_ours_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConflictError, match=says):
        read_record(text.encode(), "small")
