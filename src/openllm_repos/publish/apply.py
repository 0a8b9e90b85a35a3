"""Does what a plan says: large files first, then one commit on the tip that was planned on; then asks what is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem, ReposError, UsageError
from openllm_repos.family.access import FamilyAccess, hub_repo_of
from openllm_repos.family.artifacts import Unpublishable, own_links
from openllm_repos.family.last_publish import has_published, remember_published
from openllm_repos.family.remotes import make_it, name_a_branch
from openllm_repos.git.repository import Repository
from openllm_repos.hub.content import HubContent
from openllm_repos.hub.failures import Cause, HubError, HubRefused, HubUnreachable
from openllm_repos.hub.large import LargeFiles
from openllm_repos.hub.session import host_of_url
from openllm_repos.journal.log import Move, MoveOutcome
from openllm_repos.journal.transaction import Transaction
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change
from openllm_repos.preflight.card import hub_validator
from openllm_repos.publish.hashes import Hashes
from openllm_repos.publish.model import NotPublished, Published, PublishPlan
from openllm_repos.publish.planning import Prepared, Work, plan_publish, prepare
from openllm_repos.publish.provenance import provenance_of
from openllm_repos.publish.record import PLACE
from openllm_repos.publish.refusals import ChangedMeanwhile, ChangedThere
from openllm_repos.retry import Tries

_ATTEMPTS = 3
HASHES = "publish/hashes.json"


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """How a publish is to be made.

    Attributes:
        tool: what publishes, with its version, as commits and cards name it.
        overwrite: whether files that somebody changed on the Hub are replaced.
        allowed: paths that look like secrets and are none.
        told: gets a line for people.
        read: gets the number of bytes that were read, again and again.
        sent: gets the number of bytes that were sent, again and again; negative where they must be sent once more.
    """

    tool: str
    overwrite: bool = False
    allowed: frozenset[str] = frozenset()
    told: Callable[[str], None] = lambda _: None
    read: Callable[[int], None] = lambda _: None
    sent: Callable[[int], None] = lambda _: None


class Publisher:
    """Publishes the artifacts of one clone.

    Args:
        manifest: what goes where.
        repository: the clone, with a work tree.
        access: the tokens.
        options: how it is to be made.

    Raises:
        UsageError: the clone is bare.
    """

    def __init__(
        self, manifest: Manifest, repository: Repository, access: FamilyAccess, options: PublishOptions
    ) -> None:
        if repository.top is None:
            raise UsageError("This clone is bare: it has no work tree with artifacts.", hint="Go to one that has.")
        self._manifest = manifest
        self._repository = repository
        self._access = access
        self._options = options
        self._top: Path = repository.top
        self._hub = access.hub()
        self._hashes = Hashes(repository.state_dir / HASHES, options.read)
        self._prepared: dict[str, Prepared] = {}
        self._agreed: dict[str, Mapping[str, str | None]] = {}
        self.transaction = Transaction(repository, "publish")

    def plan(self, repo: Repo) -> PublishPlan | NotPublished:
        """Say what a publish would do with a repo; what stops it is an answer, so that others go on."""
        try:
            links = own_links(self._repository, repo)
            self._prepared[repo.name] = prepare(self._top, repo, self._hashes, self._options.allowed, links)
            work = self._work(repo)
        except ReposError as why:
            return self._stopped(repo, why)
        self._agreed[repo.name] = work.before
        return self._with_warning(repo, work.plan)

    def _with_warning(self, repo: Repo, plan: PublishPlan) -> PublishPlan:
        """Add a note where files would be deleted by a clone that perhaps never had them."""
        count = sum(step.change is Change.DELETED for step in plan.steps)
        if not count or has_published(self._repository, repo):
            return plan
        some, they = ("1 file is", "it was") if count == 1 else (f"{count} files are", "they were")
        said = f"{some} deleted because {they} published from another clone and cannot be found in this one."
        return replace(plan, notes=(*plan.notes, said))

    def remember(self) -> None:
        """Keep what was read of the files, so that the next run does not read them again."""
        self._hashes.save()

    def apply(self, plan: PublishPlan) -> Published | NotPublished:
        """Do what was planned. Where the Hub moved meanwhile it is planned again, three times at the most.

        Whatever was sent need not be sent again: after a break the same command goes on from there.
        """
        repo = self._manifest.repo(plan.repo)
        try:
            done = self._publish(repo, plan)
        except ReposError as why:
            return self._stopped(repo, why)
        remember_published(self._repository, repo, self._prepared[repo.name].files.values())
        if done.committed:
            self._log(Move(repo.name, repo.url, repo.branch.ref, done.before, done.tip))
        return done

    def _log(self, move: Move) -> None:
        """Write a commit that was made into the log of operations; a log that cannot be written stops no other repo."""
        try:
            self.transaction.finish(MoveOutcome.MOVED, move)
        except EnvironmentProblem as why:
            self._options.told(f"{move.repo}: published, but not written into the log of operations. {why.message}")

    def _publish(self, repo: Repo, plan: PublishPlan) -> Published:
        content = self._content(repo)
        for attempt in range(1, _ATTEMPTS + 1):
            work = self._work(repo) if attempt > 1 or plan.steps else Work(plan)
            if work.commit is None:
                return Published(repo.name, work.plan.tip, work.plan.tip, committed=False, attempts=attempt - 1)
            sent = LargeFiles(content, self._options.sent).send(work.large)
            if sent < len(work.large):
                self._options.told(f"{repo.name}: {len(work.large) - sent} of {len(work.large)} large files were there")
            try:
                made = self._committed(repo, work, content)
            except HubRefused as why:
                if why.cause is not Cause.MOVED:
                    raise
                self._options.told(f"{repo.name}: somebody changed it meanwhile; planning again")
                continue
            return Published(repo.name, made, work.plan.tip, committed=True, attempts=attempt)
        raise EnvironmentProblem(
            f"{repo.name}: its branch {plan.branch} moves faster than it can be written.",
            hint="Run the same command again.",
        )

    def _committed(self, repo: Repo, work: Work, content: HubContent) -> ObjectId:
        """Make the commit. Where its answer was lost or may pass, ask whether it was made before it is tried again.

        Raises:
            HubRefused: the branch has another tip by now (cause `MOVED`), or the Hub does not take it.
            HubUnreachable: it was not made, or that cannot be told.
        """
        assert work.commit is not None  # the caller looks first
        tries = Tries(self._access.retry, host_of_url(content.endpoint))
        while True:
            try:
                return content.commit(work.commit)
            except HubUnreachable as why:
                tip = self._landed(repo, work, content, why)
                if tip is not None:
                    return tip
                if why.passing is None or not tries.wait(why.passing):
                    asked = why.passing is not None and why.passing.after
                    kept = f"openllm-repos publish {repo.name}  # goes on; what was sent is kept"
                    why.hint = f"What was sent is kept. {why.hint}" if asked else kept
                    raise

    def _landed(self, repo: Repo, work: Work, content: HubContent, why: HubUnreachable) -> ObjectId | None:
        """Return the tip that has a commit whose answer was lost, None where it was not made.

        Raises:
            HubUnreachable: that cannot be told.
        """
        try:
            tip = self._tip(repo)
            return tip if tip != work.plan.tip and content.read(tip, PLACE) == work.record else None
        except HubError:
            raise HubUnreachable(
                why.cause,
                f"{why.message} Whether {repo.name} has the commit is not known.",
                hint=f"openllm-repos publish {repo.name}  # it asks again, and goes on from there",
            ) from None

    def _work(self, repo: Repo) -> Work:
        return plan_publish(
            self._prepared[repo.name],
            self._content(repo),
            self._tip(repo),
            provenance_of(self._manifest, self._repository, repo, self._hub, self._options.tool),
            overwrite=self._options.overwrite,
            agreed=self._agreed.get(repo.name),
            validate=hub_validator(self._access),
        )

    def _tip(self, repo: Repo) -> ObjectId:
        place = hub_repo_of(repo)
        assert place is not None  # the manifest has publish only there
        branches = self._hub.refs(place).branches
        tip = branches.get(repo.branch)
        if tip is None:
            raise UsageError(
                f"{repo.name} has no branch {repo.branch} on the Hub.",
                hint=name_a_branch(repo, branches),
            )
        return tip

    def _content(self, repo: Repo) -> HubContent:
        place = hub_repo_of(repo)
        assert place is not None
        return self._access.content(place)

    def _stopped(self, repo: Repo, why: ReposError) -> NotPublished:
        """Return the answer for a repo that cannot be published to."""
        made = NotPublished(repo.name, why.message, why.hint, why.exit_code)
        if isinstance(why, ChangedThere | ChangedMeanwhile):
            return replace(made, clashes=why.clashes)
        if isinstance(why, Unpublishable):
            return replace(made, problems=why.problems)
        if not isinstance(why, HubError):
            return made
        if why.cause is Cause.NOT_FOUND:
            return replace(made, hint=f"{why.hint}\n{make_it(repo)}")
        if why.cause in {Cause.NO_TOKEN, Cause.BAD_TOKEN}:
            made = replace(made, hint=self._access.login(str(repo.url))[1] or why.hint)
            failure = self._access.exchange_failure(str(repo.url))
            return made if failure is None else replace(made, reason=failure.message)
        if why.cause is Cause.NOT_ALLOWED:
            return self._not_allowed(repo, why, made)
        return made

    def _not_allowed(self, repo: Repo, why: HubError, made: NotPublished) -> NotPublished:
        """Say whose fault a refusal is: who may write there and is refused all the same has met another limit."""
        place = hub_repo_of(repo)
        assert place is not None
        try:
            may = self._hub.write_access(place)
        except HubError:
            return made
        if not may.allowed:
            return replace(made, reason=may.why, hint=may.hint)
        owner = place.id.partition("/")[0]
        words = f": {why.said}" if why.said else ""
        return replace(
            made,
            reason=f"The token may write to the {place}, and the Hub takes no more there{words}.",
            hint=f"Free storage of {owner}, or get more: https://huggingface.co/docs/hub/storage-limits",
        )
