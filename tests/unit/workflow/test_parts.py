"""The marked parts of a workflow: found, replaced, and all else as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.workflow.choices import Choices, Requirement
from openllm_repos.workflow.parts import JOBS, TRIGGERS, Parts, PartsBroken, find_parts, header_text, with_parts

OLD = Parts(header_text("1.0", "repos.toml", Choices()) + "on: push\n", "jobs:\n  sync: {}\n").sealed()
NEW = Parts(header_text("1.1", "repos.toml", Choices(matrix=True)) + "on: [push]\n", "jobs:\n  all: {}\n").sealed()

# Lines of a person's, whatever is in them but a mark.
LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=9)).map(
    lambda lines: "".join(
        f"{line}\n" for line in lines if not line.startswith("# >>>") and not line.startswith("# <<<")
    )
)


def around(parts: Parts, before: str, between: str, after: str) -> str:
    """Return a workflow with a person's lines around the parts."""
    first = f"# >>> openllm-repos {TRIGGERS}\n{parts.triggers}# <<< openllm-repos {TRIGGERS}\n"
    second = f"# >>> openllm-repos {JOBS}\n{parts.jobs}# <<< openllm-repos {JOBS}\n"
    return before + first + between + second + after


@given(LINES, LINES, LINES, st.booleans())
def test_only_the_parts_change(before: str, between: str, after: str, windows: bool) -> None:
    was, wanted = (around(parts, before, between, after) for parts in (OLD, NEW))
    if windows:
        was, wanted = was.replace("\n", "\r\n"), wanted.replace("\n", "\r\n")
    assert find_parts(was) == OLD
    made = with_parts(was, NEW)
    assert made == wanted
    assert with_parts(made, OLD) == was


def test_parts_know_whether_they_are_as_they_were_written() -> None:
    assert OLD.as_written
    assert not Parts(OLD.triggers, OLD.jobs + "# more\n").as_written
    assert not Parts(OLD.triggers.replace("push", "pull"), OLD.jobs).as_written
    assert OLD.header is not None
    assert OLD.header.version == "1.0"


def test_a_hash_that_looks_like_the_blank_digest_stays() -> None:
    install = Requirement(f"openllm-repos==1 --hash=sha256:{'0' * 64}")
    parts = Parts(header_text("1.0", "repos.toml", Choices(install=install)), "jobs: {}\n").sealed()
    assert parts.as_written
    assert parts.header is not None
    assert parts.header.choices == Choices(install=install)


def test_choices_that_only_a_newer_version_knows_hide_neither_its_number_nor_an_edit() -> None:
    newer = Parts(OLD.triggers.replace("--single", "--fleet"), OLD.jobs)
    assert newer.header is not None
    assert (newer.header.version, newer.header.choices, newer.as_written) == ("1.0", None, False)


def test_a_new_workflow_has_both_parts() -> None:
    assert find_parts(with_parts(None, OLD)) == OLD
    assert find_parts("on: push\n") is None


@pytest.mark.parametrize("lost", range(4))
def test_a_mark_that_is_lost_is_missed(lost: int) -> None:
    lines = around(OLD, "", "", "").splitlines(keepends=True)
    marks = [at for at, line in enumerate(lines) if line.startswith(("# >>>", "# <<<"))]
    del lines[marks[lost]]
    with pytest.raises(PartsBroken, match="are not the four that belong there"):
        find_parts("".join(lines))
