"""What a sync asks the hosts: each request is time, and counts towards a limit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.support.repositories import Clone
from tests.support.writing import write_commit

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.hub_family import HubFamily

ASK = FETCH = Counter({("GET", "upload-pack"): 1, ("POST", "upload-pack"): 1})


def asked(site: Sandbox, start: int) -> Counter[tuple[str, str]]:
    """Return how often a Space was asked what, since so many requests; a refusal that makes git log in aside."""
    rows = [row for row in site.hub.log[start:] if "/api/" not in row.path and row.status != 401]
    return Counter((row.method, row.path.rpartition("git-")[2]) for row in rows)


def test_no_host_is_offered_commits_that_it_cannot_have(hub_family: HubFamily, sandbox: Sandbox) -> None:
    """git would name all of the source's history to a Space, 16 commits in the first request, 32 in the next, ..."""
    family = hub_family
    for number in range(40):
        write_commit(family.clone, f"Not carried {number}", {"README.md": str(number)}, at=family.clone.now + number)
    family.push()
    start = len(sandbox.hub.log)
    assert family.sync().code == 0
    push = Counter({("GET", "receive-pack"): 1, ("POST", "receive-pack"): 1})
    unknown = Counter({("POST", "upload-pack"): 1})
    assert asked(sandbox, start) == ASK + FETCH + unknown + push + ASK  # the Space knows nothing of the projection
    fresh = Clone.of(family.origin.url, family.folder / "fresh")
    start = len(sandbox.hub.log)
    done = family.run("sync", "--yes", cwd=fresh.path)
    assert "space: up to date" in done.out
    assert asked(sandbox, start) == ASK + FETCH
