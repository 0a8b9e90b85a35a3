"""The facts that the gate decides on: from the clone's objects, the log, and one parallel round of questions."""

from __future__ import annotations

from collections.abc import Sequence

from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.hooks.destination import Addresses
from openllm_repos.hooks.gate import Facts, release_version
from openllm_repos.hooks.lines import PushedRef
from openllm_repos.hooks.reach import reach_of
from openllm_repos.hooks.tags import TagFinder
from openllm_repos.journal.log import begun
from openllm_repos.manifest.model import Manifest, Repo, Role

# The connection of the push stands idle meanwhile, and hosts close one that is idle for long.
DEADLINE = 5.0


def gather(
    repository: Repository,
    manifest: Manifest,
    lines: Sequence[PushedRef],
    remote: str,
    url: str,
    *,
    deadline: float = DEADLINE,
) -> Facts:
    """Gather what the gate needs to know of a push.

    Args:
        repository: the clone that pushes.
        manifest: the family.
        lines: what is pushed.
        remote: the hook's first argument.
        url: the hook's second argument.
        deadline: seconds that other repos have to answer, all of them at once.
    """
    addresses = Addresses.read(repository)
    repos = addresses.find(manifest, remote, url)
    ours = _ours(repository, addresses, repos, lines)
    with ObjectReader(repository.git) as reader:
        asking = TagFinder(repository, manifest, reader, repos, lines, deadline)
        tags = {
            line.ref: asking.facts(line, version)
            for line in lines
            if (version := release_version(manifest, repos, line)) is not None
        }
        targets = [repo for repo in repos if repo.role is Role.TARGET]
        reach = {
            line.ref: reach_of(repository, reader, manifest, targets, line)
            for line in lines
            if targets and line.ref not in ours and not line.new.is_zero
        }
    return Facts(repos, ours, asking.asked(tags), reach)


def _ours(
    repository: Repository, addresses: Addresses, repos: Sequence[Repo], lines: Sequence[PushedRef]
) -> frozenset[str]:
    """Return the refs that an operation of our own is about to move: it wrote so into the log, to the last digit.

    Whoever can write a false log can also leave the hook out. What a killed run left behind names a commit that had
    passed every check.
    """
    keys = {addresses.key(repo.url) for repo in repos}
    moves = [move for operation in begun(repository) for move in operation.begun]
    updates = {move.update for move in moves if addresses.key(move.url) in keys}
    return frozenset(line.ref for line in lines if line.update in updates)
