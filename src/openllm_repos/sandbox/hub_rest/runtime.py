"""Spaces at work: their stage, their logs, and the buttons."""

from __future__ import annotations

import json

from openllm_repos.sandbox.exchange import Answer, Refused, say
from openllm_repos.sandbox.hub_rest.call import Call
from openllm_repos.sandbox.repository import Kind, now
from openllm_repos.sandbox.spaces import ask, start


def runtime(call: Call) -> Answer:
    """Answer the stage of a Space.

    Raises:
        Refused: it is no Space (404).
    """
    _space(call)
    with call.hub.lock:
        return say(ask(call.repo))


def logs(call: Call) -> Answer:
    """Answer the lines of the build's log (``logs/build``), or of the running app's, as events.

    Raises:
        Refused: it is no Space, or there is no such log (404); the caller may not see it (401, 403).
    """
    _space(call)
    call.writer()
    what = call.rest.partition("/")[2]
    if what not in {"build", "run"}:
        raise Refused(404, f"There is no log {what!r}.")
    state = call.repo.facts().runtime
    lines = state.get("log", []) if what == "build" or state.get("stage") in {"RUNNING", "RUNTIME_ERROR"} else []
    events = "".join(f"data: {json.dumps({'data': line + chr(10), 'timestamp': now()})}\n\n" for line in lines)
    return Answer(200, events.encode(), {"Content-Type": "text/event-stream"})


def press(call: Call) -> Answer:
    """Restart or pause a Space.

    Raises:
        Refused: it is no Space (404), or the caller may not (401, 403).
    """
    _space(call)
    call.writer()
    with call.hub.lock:
        facts = call.repo.facts()
        commit = call.repo.find_revision("main")
        if call.rest == "restart" and commit is not None:
            start(call.repo, facts, commit)
        elif call.rest == "pause":
            facts.runtime = {"log": [], **facts.runtime, "stage": "PAUSED", "asks": 0}
            call.repo.save(facts)
        return say(ask(call.repo))


def _space(call: Call) -> None:
    if call.repo.kind is not Kind.SPACE:
        raise Refused(404, "Repository not found", "RepoNotFound")
