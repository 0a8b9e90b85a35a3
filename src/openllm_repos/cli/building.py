"""`openllm-repos sync --wait`: the builds that a sync set off, followed until each Space runs or has failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openllm_repos.errors import EnvironmentProblem, RemoteRefused, ReposError
from openllm_repos.family.access import hub_repo_of
from openllm_repos.hint import hint_lines
from openllm_repos.hub.model import HubType, Stage
from openllm_repos.hub.space import Followed, follow
from openllm_repos.manifest.model import DEFAULT_BRANCH, Manifest
from openllm_repos.plan import Outcome, Stopped
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from openllm_repos.family.access import FamilyAccess

WAIT = 600.0  # seconds
_STEPS = {
    Stage.BUILD_ERROR: "Mend what its log says, push it to the source, then sync again; all of it: {}?logs=build",
    Stage.RUNTIME_ERROR: "Mend what its log says, push it to the source, then sync again; all of it: {}?logs=container",
    Stage.CONFIG_ERROR: "Mend the front matter of its README.md: {}",
    Stage.NO_APP_FILE: "Give it the file that app_file in its README.md names (app.py by default): {}",
}

Waited = Followed | ReposError
"""What became of a Space, or why the Hub does not say."""


def wait_for_spaces(
    manifest: Manifest,
    access: FamilyAccess,
    outcomes: Sequence[Outcome | Stopped],
    seconds: float,
    told: Callable[[str], None],
) -> dict[str, Waited]:
    """Follow the Spaces that a sync pushed to, or found up to date, until each is settled.

    Args:
        manifest: says which targets are Spaces.
        access: the tokens.
        outcomes: what came of the sync.
        seconds: how long to wait for all of them together.
        told: gets a line at each change of stage.

    Returns:
        For each Space by the target's name what became of it.
    """
    waited: dict[str, Waited] = {}
    end = time.monotonic() + seconds
    hub = access.hub(retry=replace(access.retry, patience=min(access.retry.patience, seconds)))
    for outcome in outcomes:
        target = manifest.target(outcome.target)
        space = hub_repo_of(target)
        if isinstance(outcome, Stopped) or space is None or space.type is not HubType.SPACE:
            continue
        if target.branch != DEFAULT_BRANCH:
            told(f"{target.name}: the Hub builds the branch {DEFAULT_BRANCH} only, not {target.branch}")
            continue

        def tell(stage: str, name: str = outcome.target) -> None:
            told(f"{name}: {stage}")

        try:
            waited[target.name] = follow(hub, space, outcome.tip, tell, limit=max(0.0, end - time.monotonic()))
        except ReposError as why:
            waited[target.name] = why
    return waited


def wait_lines(manifest: Manifest, waited: Mapping[str, Waited]) -> Iterator[str]:
    """Yield what became of each Space, for people: the last words of a failed one, and the next step."""
    for name, one in waited.items():
        url = manifest.target(name).url
        if isinstance(one, ReposError):
            yield f"{name}: it is not known whether the Space runs: {one.message}"
            yield from hint_lines(one.hint, "  ")
            continue
        said = one.runtime.said if one.runtime else "nothing"
        if one.late:
            yield f"{name}: the time is up, and the Hub says {said}"
            yield f"  hint: Look at {url}?logs=build, or wait longer with --wait-for SECONDS."
        elif one.runtime is not None and one.failed:
            why = "" if one.log else " ".join(one.runtime.message.split())  # which is the end of its log
            yield f"{name}: the Space does not run: {said}" + (f": {show(redact(why))[:300]}" if why else "")
            yield from (f"  | {show(redact(line))}" for line in one.log)
            yield from hint_lines(_STEPS[one.runtime.stage].format(url), "  ")
        else:
            yield f"{name}: the Space is {said}: {url}"


def wait_exit_code(waited: Mapping[str, Waited]) -> int:
    """Return what a sync exits with: 3 where a Space failed, 30 where it is not known."""
    codes = [0]
    for one in waited.values():
        if isinstance(one, ReposError):
            codes.append(one.exit_code)
        elif one.late:
            codes.append(EnvironmentProblem.exit_code)
        elif one.failed:
            codes.append(RemoteRefused.exit_code)
    return max(codes)


def wait_json(one: Waited) -> dict[str, Any]:
    """Return what became of a Space as the JSON that docs/json.md describes."""
    if isinstance(one, ReposError):
        return {"stage": None, "commit": None, "failed": False, "late": False, "log": [], "reason": one.message}
    return {
        "stage": one.runtime.said if one.runtime else None,
        "commit": one.runtime.commit if one.runtime else None,
        "failed": one.failed,
        "late": one.late,
        "log": [redact(line) for line in one.log],
        "reason": redact(one.runtime.message) if one.runtime else "",
    }
