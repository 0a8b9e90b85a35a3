"""Whether the targets on the Hub can be written at all: asked before the first push, so that none fails at the end."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from openllm_repos.errors import RemoteRefused
from openllm_repos.family.access import FamilyAccess, hub_repo_of
from openllm_repos.git.remote import endpoints
from openllm_repos.git.repository import Repository
from openllm_repos.hub.client import CONNECTIONS, HubClient
from openllm_repos.hub.failures import HubError
from openllm_repos.hub.model import HubRepo
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Stopped, SyncPlan, TargetPlan
from openllm_repos.retry import NEVER

_MANY = 8  # repositories from which on one question about the token is asked before those about each
_DEADLINE = 5.0  # seconds; a Hub that is slower is not waited for: the push itself tells


def without_forbidden(plan: SyncPlan, manifest: Manifest, repository: Repository, access: FamilyAccess) -> SyncPlan:
    """Return the plan in which each target that the Hub does not let us write to is stopped.

    Only a clear "no" counts, and only where git will show the very token that the Hub is asked with: not over ssh, and
    not with git's own credential helpers. Trusted publishing has asked the Hub already.

    Args:
        plan: what is to be done.
        manifest: the manifest that it was made from.
        repository: the clone, whose remotes may lead elsewhere.
        access: the tokens.
    """
    if not access.stored_hub_token:
        return plan
    pushes = [step for step in plan.targets if isinstance(step, TargetPlan) and step.update is not None]
    asked = _over_http(pushes, manifest, repository)
    if not asked:
        return plan
    hub = access.hub(deadline=_DEADLINE, retry=NEVER)

    def stopped(pair: tuple[TargetPlan, HubRepo]) -> TargetPlan | Stopped:
        step, repo = pair
        try:
            may = hub.write_access(repo)
        except HubError:
            return step
        if may.allowed or not may.exists:
            return step
        return Stopped(step.target, may.why, may.hint, RemoteRefused.exit_code, drift=step.drift)

    unsure = _beyond_own(hub, asked) if len(asked) >= _MANY else asked
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = {result.target: result for result in pool.map(stopped, unsure)}
    return replace(plan, targets=tuple(found.get(step.target, step) for step in plan.targets))


def _beyond_own(hub: HubClient, asked: Sequence[tuple[TargetPlan, HubRepo]]) -> Sequence[tuple[TargetPlan, HubRepo]]:
    """Leave out the repositories of the token's own user, if it may write: a fleet would use up what the Hub allows."""
    try:
        account = hub.whoami()
    except HubError:
        return asked
    if account.role != "write":
        return asked
    return [(step, repo) for step, repo in asked if repo.id.partition("/")[0].lower() != account.name.lower()]


def _over_http(
    steps: Sequence[TargetPlan], manifest: Manifest, repository: Repository
) -> list[tuple[TargetPlan, HubRepo]]:
    """Return the steps that would push to a repository on the Hub with a token, each with that repository."""
    if not steps:
        return []
    targets = {step.target: manifest.target(step.target) for step in steps}
    reached = endpoints(repository, {target.name: target.url for target in targets.values()})
    return [
        (step, repo)
        for step in steps
        if (repo := hub_repo_of(target := targets[step.target])) is not None
        and reached[target.name].push_url.startswith(("https://", "http://"))
    ]
