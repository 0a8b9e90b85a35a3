"""The retry policy: which answers may pass, how long a host asks to wait, and when the patience has ended."""

from __future__ import annotations

import os
import re
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import openllm_repos
from openllm_repos import interrupts, retry
from openllm_repos.errors import EnvironmentProblem, Passing
from openllm_repos.retry import MOST_PATIENCE, RetryPolicy, next_step, passing_status
from tests.support.inprocess import RunCli

NOW = 1_800_000_000.0


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_a_host_cannot_do_now_may_pass(status: int) -> None:
    assert passing_status(status, {}) == Passing(f"HTTP {status}")


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 412, 501, 507])
def test_what_a_host_refuses_does_not_pass(status: int) -> None:
    assert passing_status(status, {}) is None


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"retry-after": "12"}, 12),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": "Fri, 15 Jan 2027 08:01:00 GMT"}, 60),
        ({"retry-after": "Fri, 15 Jan 2010 08:01:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "Fri, 15 Jan 99999 08:01:00 GMT"}, None),
        ({"retry-after": "٣"}, None),
        ({"ratelimit": '"api";r=0;t=55', "retry-after": "1"}, 55),
        ({"ratelimit": '"api";r=7;t=55'}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000030"}, 30),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "1800000030"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "never"}, None),
    ],
)
def test_a_host_says_how_long_to_wait_in_one_of_four_ways(headers: dict[str, str], after: float | None) -> None:
    assert passing_status(429, headers, now=NOW) == Passing("HTTP 429", after)


def test_a_rate_limit_of_github_is_a_403_that_passes() -> None:
    limited = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000030"}
    assert passing_status(403, limited, now=NOW) == Passing("HTTP 403", 30)
    assert passing_status(403, {"retry-after": "60"}) == Passing("HTTP 403", 60)


def _failing(*passing: Passing | None) -> tuple[list[str], RetryPolicy, list[Passing | None]]:
    said: list[str] = []
    return said, RetryPolicy(1.5, said.append), list(passing)


def test_work_is_done_again_until_it_succeeds_and_each_wait_is_shown() -> None:
    said, policy, failures = _failing(Passing("HTTP 503"), Passing("HTTP 429", 0.6))
    policy = replace(policy, patience=30)

    def work() -> str:
        if failures:
            raise EnvironmentProblem("no", passing=failures.pop(0))
        return "done"

    assert policy.run("hub.example.org", work) == "done"
    assert said == ["waiting 1 s: hub.example.org: HTTP 503", "waiting 1 s: hub.example.org asked for it (HTTP 429)"]


@pytest.mark.parametrize("passing", [None, Passing("HTTP 429", 3600), Passing("HTTP 503", tries=0)])
def test_what_does_not_pass_or_takes_too_long_is_told_at_once(passing: Passing | None) -> None:
    said, policy, _ = _failing()
    tries = []

    def work() -> None:
        tries.append(1)
        raise EnvironmentProblem("no", passing=passing)

    with pytest.raises(EnvironmentProblem, match="no"):
        policy.run("hub.example.org", work)
    assert (len(tries), said) == (1, [])


def test_a_host_that_always_asks_for_a_moment_is_given_up_when_the_patience_has_ended() -> None:
    said, policy, _ = _failing()

    def work() -> None:
        raise EnvironmentProblem("no", passing=Passing("HTTP 429", 0.0))

    with pytest.raises(EnvironmentProblem):
        policy.run("hub.example.org", work)
    assert 1 <= len(said) <= 3


@pytest.mark.parametrize("patience", [0, 120, 3600])
def test_a_host_that_says_no_time_is_asked_as_long_as_the_patience_lasts(
    monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("openllm_repos.retry.pause", waited.append)
    monkeypatch.setattr("openllm_repos.retry.time.monotonic", lambda: sum(waited))
    tries = retry.Tries(RetryPolicy(patience), "hub.example.org")
    while tries.wait(Passing("HTTP 503")):
        pass
    assert patience - 38 < sum(waited) <= patience  # the longest pause, and what spreads it


def test_an_interrupt_ends_the_waits_of_every_thread() -> None:
    ended = []

    def wait() -> None:
        try:
            retry.pause(3600)
        except KeyboardInterrupt:
            ended.append(1)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    with interrupts.handled():
        for thread in threads:
            thread.start()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        for thread in threads:
            thread.join(30)
    assert len(ended) == 3


def test_the_next_step_names_the_patience_that_would_be_enough() -> None:
    assert "asks to wait 300 s" in next_step("hub.example.org", Passing("HTTP 429", 300))
    assert "--patience 360" in next_step("hub.example.org", Passing("HTTP 429", 300))
    assert "in a minute" in next_step("hub.example.org", Passing("HTTP 503"))


def test_more_patience_than_the_command_line_takes_is_not_advised(run_cli: RunCli) -> None:
    assert [run_cli("manifest", "schema", "--patience", str(MOST_PATIENCE + more)).code for more in (0, 1)] == [0, 2]
    assert next_step("hub.example.org", Passing("HTTP 429", 86_400)).endswith("Run the same command again after that.")


@pytest.mark.parametrize(
    ("waited", "said"),
    [
        (600, "hub.example.org asks to wait longer than 600 s. Run the same command again later, or let it wait: "),
        (0, "hub.example.org asks to wait. Run the same command again later, or let it wait: --patience 120"),
    ],
)
def test_a_host_that_does_not_say_how_long_gets_more_patience_than_it_had(waited: float, said: str) -> None:
    step = next_step("hub.example.org", Passing("HTTP 429"), waited=waited)
    assert step.startswith(said)
    assert step.endswith(f"--patience {max(120, 2 * waited)}")


def test_how_long_to_be_patient_is_worked_out_in_one_place() -> None:
    """Any text that names a number of seconds to be patient for takes it from what is known."""
    package = Path(openllm_repos.__file__).parent
    named = [path.name for path in package.rglob("*.py") if re.search(r"--patience [{0-9]", path.read_text())]
    assert named == ["retry.py"]
