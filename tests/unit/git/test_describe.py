"""What people read of commits is the same with every git."""

from __future__ import annotations

import pytest

from openllm_repos.git.describe import describe, iso_date
from openllm_repos.git.repository import Repository
from tests.support.history import Spec, make_history
from tests.support.repositories import Clone

DATES = {
    "1700000000 +0000": "2023-11-14T22:13:20+00:00",
    "1700000000 -0000": "2023-11-14T22:13:20-00:00",
    "1700000000 +0530": "2023-11-15T03:43:20+05:30",
    "1700000000 -0800": "2023-11-14T14:13:20-08:00",
    "0 +0000": "1970-01-01T00:00:00+00:00",
    "99999999999999999999 +0100": "1970-01-01T00:00:00+00:00",
    "253402300800 +0000": "10000-01-01T00:00:00+00:00",
}


@pytest.mark.parametrize(("raw", "expected"), DATES.items(), ids=DATES)
def test_a_date_is_written_by_us_and_not_as_this_git_likes(raw: str, expected: str) -> None:
    assert iso_date(raw) == expected


def test_dates_of_commits_keep_the_zone_of_their_author(clone: Clone) -> None:
    people = [b"Ada <ada@example.org> 1700000000 %b" % zone for zone in (b"+0000", b"+0530", b"-0800")]
    ids = make_history(clone, [Spec([], {"a": "1\n"}, author=person) for person in people])
    opened = Repository.open(clone.path)
    found = [one.date for one in describe(opened, [opened.resolve(commit) for commit in ids])]
    assert found == ["2023-11-14T22:13:20+00:00", "2023-11-15T03:43:20+05:30", "2023-11-14T14:13:20-08:00"]


def test_a_commit_that_is_asked_for_twice_is_described_twice(clone: Clone) -> None:
    first, second = (clone.commit(name, {"a": name}) for name in ("first", "second"))
    opened = Repository.open(clone.path)
    found = describe(opened, [opened.resolve(commit) for commit in (second, first, second)])
    assert [one.subject for one in found] == ["second", "first", "second"]
