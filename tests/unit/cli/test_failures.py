"""How a run ends that a signal had asked to."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any

import pytest

from openllm_repos.cli.failures import guarded
from openllm_repos.errors import EnvironmentProblem
from openllm_repos.interrupts import handled


def _fail(how: BaseException) -> Any:
    raise how


@pytest.mark.parametrize(
    "end",
    [
        lambda: 30,
        lambda: _fail(EnvironmentProblem("space does not answer.", hint="")),
        lambda: _fail(OSError(5, "EIO")),
        lambda: guarded(lambda: 30),
    ],
    ids=["answer", "expected failure", "closed terminal", "told already"],
)
def test_what_fails_after_a_signal_fails_because_of_it(end: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> Any:
        with contextlib.suppress(KeyboardInterrupt):  # as where Python itself may drop it: in a callback, in `__del__`
            os.kill(os.getpid(), signal.SIGHUP)
        return end()

    with handled():
        assert guarded(work) == 129
    assert capsys.readouterr().err == "stopped: Ended by SIGHUP.\n"


def test_what_was_done_before_the_signal_came_is_done() -> None:
    def work() -> int:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGHUP)
        return 0

    with handled():
        assert guarded(work) == 0
