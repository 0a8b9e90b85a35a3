"""A sync asks before the first push of a run on a terminal, and never otherwise."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.family import Family


def on_a_terminal(family: Family, answer: bytes, *args: str, name: str = "sync") -> tuple[int, str]:
    """Run a command whose input and output are a terminal; return its exit code and what the terminal showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "openllm_repos", name, *args]
    with subprocess.Popen(command, cwd=family.clone.path, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, answer)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # how Linux says that the other side of a terminal is closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return process.returncode, shown.decode()


@pytest.mark.parametrize(("answer", "code", "pushed"), [(b"n\n", 1, False), (b"\n", 1, False), (b"y\n", 0, True)])
def test_the_person_decides(family: Family, answer: bytes, code: int, pushed: bool) -> None:
    ended, shown = on_a_terminal(family, answer)
    assert "Push to 1 target? [y/N]" in shown
    assert (ended, bool(family.space.tips())) == (code, pushed)
    assert ("Nothing was pushed." in shown) is not pushed


def test_yes_is_an_answer_given_before(family: Family) -> None:
    ended, shown = on_a_terminal(family, b"", "--yes")
    assert (ended, "Push to" in shown) == (0, False)


def test_there_is_nothing_to_ask_when_nothing_would_be_pushed(family: Family) -> None:
    family.synced("--yes")
    ended, shown = on_a_terminal(family, b"")
    assert (ended, "Push to" in shown) == (0, False)


def test_without_a_terminal_nobody_is_asked(family: Family) -> None:
    done = family.sync()
    assert (done.code, "Push to" in done.out) == (0, False)
    assert family.space.tips()
