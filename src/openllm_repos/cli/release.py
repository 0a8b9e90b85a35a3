"""`openllm-repos release`: one version of the whole family, and what there is to know of releases that were made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.actions_reports import report_release
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.frame import Change, Frame, Tell, changing
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.release_compare import diff_releases, release_notes
from openllm_repos.cli.release_text import obstacle_lines, release_json, release_lines, resumed_json, tagged_lines
from openllm_repos.cli.releases import abort_release, list_releases, show_release, verify_release
from openllm_repos.errors import ReposError, UsageError
from openllm_repos.family.access import FamilyAccess, hub_repo_of
from openllm_repos.git.repository import Repository
from openllm_repos.journal.releases import ReleaseRecord, end_release, read_release
from openllm_repos.manifest.model import Manifest
from openllm_repos.release.begun import find_begun
from openllm_repos.release.carry import carry_out, tags_due
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import ReleasePlan, Tagged
from openllm_repos.release.planning import ReleaseOptions, plan_release
from openllm_repos.release.run import make_release, require_possible
from openllm_repos.versions.order import require_version

if TYPE_CHECKING:
    from openllm_repos.hub.client import HubClient

_MAKE = "make"


class VersionOrCommand(click.Group):
    """A group whose default command takes a version; no version is called like a command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Run the default command where the arguments name none."""
        return super().resolve_command(ctx, args if args[0] in self.commands else [_MAKE, *args])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Say in the usage that a version may stand in place of a command."""
        del ctx
        return ["VERSION|COMMAND", "[ARGS]..."]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of a release before the table of commands."""
        made = self.commands[_MAKE]
        options = [param for param in made.get_params(ctx) if isinstance(param, click.Option)]
        rows = [row for option in options if (row := option.get_help_record(ctx)) is not None]
        with formatter.section("Options"):
            formatter.write_dl(rows)
        self.format_commands(ctx, formatter)


# What the group does not know is for the default command.
@click.group("release", cls=VersionOrCommand, context_settings={"ignore_unknown_options": True})
def release() -> None:
    """Release VERSION: check everything, sync the targets, write the lock, tag every repo, verify.

    The source gets its tag last, so the release exists for others only when all of it does. Stopped anywhere, the same
    command goes on from what the remotes say.
    """


@changing(_MAKE, yes="Do not ask before the first push.")
@click.argument("version")
@click.option("--resume", is_flag=True, help="Only go on with a release that was begun; begin none.")
@click.option("--allow-drift", is_flag=True, help="Release targets with changes that the source does not have.")
def make(frame: Frame, version: str, resume: bool, allow_drift: bool) -> int:
    """Release VERSION."""
    manifest, repository, access = open_family(frame.invocation)
    require_version(version)
    manifest.project.tag.tag_for(version)
    options = ReleaseOptions(version, allow_drift, _manifest_path(frame.invocation, repository))
    return frame.run(_Release(manifest, access, options, resume=resume), manifest, repository)


make.hidden = True
make.get_help = lambda ctx: release.get_help(ctx.parent or ctx)  # type: ignore[method-assign] # its options stand there
for _command in (make, list_releases, show_release, verify_release, diff_releases, release_notes, abort_release):
    release.add_command(_command)


@dataclass
class _Release(Change[ReleasePlan | ReleaseRecord, tuple[Tagged, ...]]):
    """A release, from the start, or (where the plan is a record) from where one that was begun has come to."""

    declined = "Nothing was changed."

    manifest: Manifest
    access: FamilyAccess
    options: ReleaseOptions
    resume: bool

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"release {self.options.version}"

    def plan(self, repository: Repository) -> ReleasePlan | ReleaseRecord:
        begun = find_begun(self.manifest, repository, self.options.version)
        if begun is None and self.resume:
            raise UsageError(
                f"The release {self.options.version} was not begun, so there is nothing to go on with.",
                hint=f"openllm-repos release {self.options.version}  # starts it",
            )
        self.desk = self.resources.enter_context(Desk(repository))
        return begun or plan_release(self.manifest, self.desk, self.options, self._hub())

    def _hub(self) -> HubClient | None:
        """Return the Hub, where there is something of the family on it and a token to ask with."""
        held = [repo for repo in self.manifest.released if hub_repo_of(repo) is not None]
        asks = any(self.access.credential(repo.url) is not None for repo in held)
        return self.access.hub() if asks else None

    def plan_lines(self, plan: ReleasePlan | ReleaseRecord, *, every_file: bool) -> Iterator[str]:
        if isinstance(plan, ReleasePlan):
            yield from release_lines(plan, every_file=every_file)
            if self.desk.repository.quarantined:
                yield from obstacle_lines(plan.obstacles)
        else:
            yield f"The release {plan.tag} was begun before, or is done. This makes sure of:"
            for row in plan.rows:
                yield f"tag  {row.repo}: {row.tag} at {row.commit[:10]}"

    def require(self, plan: ReleasePlan | ReleaseRecord) -> None:
        if isinstance(plan, ReleasePlan):
            require_possible(plan)

    def question(self, plan: ReleasePlan | ReleaseRecord) -> str:
        if isinstance(plan, ReleasePlan):
            return f"Release {plan.version} to {len(plan.repos)} repos?"
        due = tags_due(self.desk, plan)
        return f"Finish the release {plan.version} in {', '.join(due)}?" if due else ""

    def apply(self, plan: ReleasePlan | ReleaseRecord, repository: Repository, tell: Tell) -> tuple[Tagged, ...]:
        if isinstance(plan, ReleasePlan):
            end_release(repository)  # one that was begun here, but given up elsewhere since
            return make_release(self.manifest, self.desk, plan, tell)
        tell(f"The release {plan.tag} was begun before; going on from what the remotes say.")
        return carry_out(self.desk, plan, tell)

    def result_lines(self, plan: ReleasePlan | ReleaseRecord, result: tuple[Tagged, ...]) -> Iterable[str]:
        return tagged_lines(plan.version, result)

    def facts(self, plan: ReleasePlan | ReleaseRecord, result: tuple[Tagged, ...] | None) -> dict[str, Any]:
        if isinstance(plan, ReleasePlan):
            return release_json(plan, result or ())
        return resumed_json(plan, result or ())

    def failure_facts(self, plan: ReleasePlan | ReleaseRecord, why: ReposError) -> dict[str, Any]:
        """Return how far each repo has come."""
        facts = self.facts(plan, None)
        if isinstance(plan, ReleasePlan) and plan.obstacles:
            return facts
        record = read_release(self.desk.repository)
        if record is not None:
            come = {str(row.repo): str(row.state) for row in record.rows}
            facts["repos"] = [one | {"state": come.get(one["name"], one["state"])} for one in facts["repos"]]
        return facts | {"stopped": {"message": why.message, "next": why.hint or None, "exit_code": why.exit_code}}

    def report(self, plan: ReleasePlan | ReleaseRecord, result: tuple[Tagged, ...] | None) -> None:
        if result is not None or isinstance(plan, ReleasePlan):
            report_release(self.manifest, plan, result)

    def exit_code(self, plan: ReleasePlan | ReleaseRecord, result: tuple[Tagged, ...] | None) -> int:
        if result is not None or isinstance(plan, ReleaseRecord):
            return 0
        return min((one.exit_code for one in plan.obstacles), default=0)


def _manifest_path(invocation: Invocation, repository: Repository) -> str:
    """Return where the manifest stands in the source: its path from the top of the work tree."""
    path = invocation.manifest_path()
    if repository.top is None:
        return path.name
    return os.path.relpath(os.path.realpath(path), os.path.realpath(repository.top)).replace(os.sep, "/")
