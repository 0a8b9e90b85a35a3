"""Hosts that cannot do it now: asked again for a stated time; the waits show, and the host has the last word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.hub_family import HubFamily


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ("GET */info/refs", {"status": 503}),
        ("POST */git-upload-pack", {"status": 502}),
        ("POST */git-receive-pack", {"status": 429, "headers": {"Retry-After": "1"}}),
        pytest.param("POST */git-receive-pack", {"status": 503}, marks=pytest.mark.slow),
        pytest.param("POST */git-receive-pack", {"reset": True}, marks=pytest.mark.slow),
        pytest.param("POST */git-receive-pack", {"cut": True}, marks=pytest.mark.slow),
        pytest.param("POST */git-upload-pack", {"truncate": 9}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_one_bad_answer_of_the_hub_does_not_end_a_sync(
    hub_family: HubFamily, sandbox: Sandbox, asked: str, fault: dict[str, Any]
) -> None:
    sandbox.hub.fault(asked, **fault)
    done = hub_family.synced("--yes")
    assert "space: synced, now at" in done.out
    assert "waiting 1 s: " in done.err or "reset" in fault  # curl itself asks again on another connection


def test_a_host_that_asks_to_wait_longer_than_the_patience_is_told_in_its_own_words(
    hub_family: HubFamily, sandbox: Sandbox
) -> None:
    before = hub_family.space.tip("main")
    sandbox.hub.fault(
        "POST */git-receive-pack", status=429, headers={"Retry-After": "300"}, message="128 pushes an hour"
    )
    done = hub_family.sync("--yes")
    assert (done.code, hub_family.space.tip("main")) == (30, before)
    assert "returned error: 429" in done.out or "HTTP 429" in done.out
    assert "asks to wait 300 s. Run the same command again after that, or let it wait: --patience 360" in done.out
    assert "waiting" not in done.err


@pytest.mark.slow
def test_without_patience_the_first_bad_answer_counts(hub_family: HubFamily, sandbox: Sandbox) -> None:
    sandbox.hub.fault("POST */git-receive-pack", status=503, count=None)
    done = hub_family.run("--patience", "0", "sync", "--yes", cwd=hub_family.clone.path)
    assert (done.code, "waiting" in done.err) == (30, False)
    assert "It may pass" in done.out
    sandbox.hub.faults.clear()
    hub_family.synced("--yes")


@pytest.mark.slow
def test_ctrl_c_ends_a_wait_at_once(hub_family: HubFamily, sandbox: Sandbox) -> None:
    sandbox.hub.fault("GET */info/refs", status=429, headers={"Retry-After": "100"}, count=None)
    process = subprocess.Popen(
        [sys.executable, "-m", "openllm_repos", "sync", "--yes"],
        cwd=hub_family.clone.path,
        env={**os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    assert process.stderr is not None
    assert b"asked for it (HTTP 429)" in process.stderr.readline()
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[-1]) == (130, b"stopped: Interrupted.")
