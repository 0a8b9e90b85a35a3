"""Lines of standard input, and what pre-commit says in their place."""

from __future__ import annotations

import pytest

from openllm_repos.errors import UsageError
from openllm_repos.hooks.lines import line_of_pre_commit, read_lines

ONE, TWO, ZERO = "1" * 40, "2" * 40, "0" * 40


def test_a_line_is_read_from_its_end() -> None:
    [line] = read_lines(f"main@{{0 seconds ago}} {ONE} refs/heads/main {ZERO}\n")
    assert (line.source, line.new, line.ref, line.old) == ("main@{0 seconds ago}", ONE, "refs/heads/main", ZERO)
    assert line.tag is None


def test_ids_may_have_64_digits_and_a_deletion_has_none_here() -> None:
    [line] = read_lines(f"(delete) {'0' * 64} refs/tags/v1 {'a' * 64}\n")
    assert (line.new.is_zero, line.tag) == (True, "v1")


def test_no_line_is_no_line() -> None:
    assert read_lines("") == ()


@pytest.mark.parametrize("text", ["main", f"main {ONE} refs/heads/main", f"main {ONE} refs/heads/main not-an-id"])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a line of a pre-push hook"):
        read_lines(text)


def test_pre_commit_says_one_line_in_variables() -> None:
    told = {"LOCAL_BRANCH": "refs/heads/a b", "TO_REF": ONE, "REMOTE_BRANCH": "refs/heads/main", "FROM_REF": TWO}
    environ = {f"PRE_COMMIT_{name}": value for name, value in told.items()}
    assert line_of_pre_commit(environ) == f"refs/heads/a b {ONE} refs/heads/main {TWO}"
    environ["PRE_COMMIT_FROM_REF"] = "v1~2"
    assert line_of_pre_commit(environ) == f"refs/heads/a b {ONE} refs/heads/main {ZERO}"
    assert line_of_pre_commit({}) is None
