"""`openllm-repos release`: one version of the whole family, and what there is to know of releases that were made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click
from click.shell_completion import CompletionItem

from openllm_repos.cli.actions_reports import report_release
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import GROUP, VERSION
from openllm_repos.cli.frame import Change, Frame, Tell, changing
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.release_compare import diff_releases, release_notes
from openllm_repos.cli.release_text import (
    obstacle_lines,
    release_json,
    release_lines,
    tagged_lines,
    unfinished_json,
    unfinished_lines,
)
from openllm_repos.cli.releases import abort_release, list_releases, show_release, verify_release
from openllm_repos.errors import ReposError, UsageError
from openllm_repos.family.access import FamilyAccess, hub_repo_of
from openllm_repos.git.repository import Repository
from openllm_repos.journal.releases import end_release
from openllm_repos.manifest.model import Manifest
from openllm_repos.manifest.nearest import few
from openllm_repos.manifest.selection import of_groups
from openllm_repos.release.carry import Mended, Unfinished, carry_out, find_unfinished, mend
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import ReleasePlan
from openllm_repos.release.planning import ReleaseOptions, plan_release
from openllm_repos.release.run import make_release, require_possible
from openllm_repos.versions.order import require_version

_MAKE = "make"


class VersionOrCommand(click.Group):
    """A group whose default command takes a version; no version is called like a command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Run the default command where the arguments name none."""
        return super().resolve_command(ctx, args if args[0] in self.commands else [_MAKE, *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the versions beside the commands."""
        return [*super().shell_complete(ctx, incomplete), *VERSION.shell_complete(ctx, self.params[0], incomplete)]

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
@click.argument("version", type=VERSION)
@click.option("--group", "groups", metavar="NAME", multiple=True, type=GROUP, help="Only this group; repeatable.")
@click.option("--resume", is_flag=True, help="Only go on with a release that was begun; begin none.")
@click.option("--allow-drift", is_flag=True, help="Release targets with changes that the source does not have.")
@click.option("--allow-broken", is_flag=True, help="Release though a Space does not run.")
def make(
    frame: Frame, version: str, groups: tuple[str, ...], resume: bool, allow_drift: bool, allow_broken: bool
) -> int:
    """Release VERSION."""
    manifest, repository, access = open_family(frame.invocation)
    require_version(version)
    manifest.project.tag.tag_for(version)
    options = ReleaseOptions(version, allow_drift, allow_broken, _manifest_path(frame.invocation, repository), groups)
    return frame.run(_Release(of_groups(manifest, groups), access, options, resume=resume), manifest, repository)


make.hidden = True
make.get_help = lambda ctx: release.get_help(ctx.parent or ctx)  # type: ignore[method-assign] # its options stand there
for _command in (make, list_releases, show_release, verify_release, diff_releases, release_notes, abort_release):
    release.add_command(_command)


@dataclass
class _Release(Change[ReleasePlan | Unfinished, Mended]):
    """A release from the start, or from where one that was begun, or is out and lacks something, has come to."""

    declined = "Nothing was changed."

    manifest: Manifest
    access: FamilyAccess
    options: ReleaseOptions
    resume: bool

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"release {self.options.version}"

    def plan(self, repository: Repository) -> ReleasePlan | Unfinished:
        self.desk = self.resources.enter_context(Desk(repository))
        found = find_unfinished(self.manifest, self.desk, self.options.version)
        if found is None and self.resume:
            raise UsageError(
                f"The release {self.options.version} was not begun, so there is nothing to go on with.",
                hint=f"openllm-repos release {self.options.version}  # starts it",
            )
        if found is not None and self.options.groups:
            _require_released(self.manifest, found)
        return found or self._planned()

    def _planned(self) -> ReleasePlan:
        """Plan it; the Hub is asked about rights where there is a token, and about Spaces in any case."""
        held = [repo for repo in self.manifest.released if hub_repo_of(repo) is not None]
        hub = self.access.hub() if held else None
        known = any(self.access.credential(repo.url) is not None for repo in held)
        return plan_release(self.manifest, self.desk, self.options, hub if known else None, hub)

    def plan_lines(self, plan: ReleasePlan | Unfinished, *, every_file: bool) -> Iterator[str]:
        if isinstance(plan, Unfinished):
            yield from unfinished_lines(plan)
            return
        yield from release_lines(plan, every_file=every_file)
        if self.desk.repository.quarantined:
            yield from obstacle_lines(plan.obstacles)

    def require(self, plan: ReleasePlan | Unfinished) -> None:
        if isinstance(plan, ReleasePlan):
            require_possible(plan)

    def question(self, plan: ReleasePlan | Unfinished) -> str:
        if isinstance(plan, ReleasePlan):
            return f"Release {plan.version} to {len(plan.repos)} repos?"
        version = plan.record.version
        if plan.out:
            return f"Make the tag of {version} anew in {', '.join(plan.due)}?" if plan.due else ""
        return f"Finish the release {version} in {', '.join(plan.due)}?"

    def apply(self, plan: ReleasePlan | Unfinished, repository: Repository, tell: Tell) -> Mended:
        if isinstance(plan, ReleasePlan):
            end_release(repository)  # one that was begun here, and is out or was given up since
            return Mended(make_release(self.manifest, self.desk, plan, tell))
        if plan.out:
            return mend(self.desk, plan, tell)
        tell(f"The release {plan.record.tag} was begun before; going on from what the remotes say.")
        return Mended(carry_out(self.desk, plan.record, tell))

    def result_lines(self, plan: ReleasePlan | Unfinished, result: Mended) -> Iterator[str]:
        yield from tagged_lines(self.options.version, result)

    def facts(self, plan: ReleasePlan | Unfinished, result: Mended | None) -> dict[str, Any]:
        tagged = () if result is None else result.tagged
        if isinstance(plan, ReleasePlan):
            return release_json(plan, tagged)
        return unfinished_json(plan, tagged, () if result is None else result.left)

    def failure_facts(self, plan: ReleasePlan | Unfinished, why: ReposError) -> dict[str, Any]:
        """Return how each repo was last seen to hold its tag."""
        facts = self.facts(plan, None)
        if isinstance(plan, ReleasePlan) and plan.obstacles:
            return facts
        states = self.desk.states
        facts["repos"] = [one | {"state": str(states.get(one["name"], one["state"]))} for one in facts["repos"]]
        return facts | {"stopped": {"message": why.message, "next": why.hint or None, "exit_code": why.exit_code}}

    def report(self, plan: ReleasePlan | Unfinished, result: Mended | None) -> None:
        if result is not None or isinstance(plan, ReleasePlan):
            report_release(self.manifest, plan, result)

    def exit_code(self, plan: ReleasePlan | Unfinished, result: Mended | None) -> int:
        if result is not None:
            return min((one.exit_code for one in result.left), default=0)
        return 0 if isinstance(plan, Unfinished) else min((one.exit_code for one in plan.obstacles), default=0)


def _require_released(manifest: Manifest, found: Unfinished) -> None:
    lacking = {repo.name for repo in manifest.released} - {row.repo for row in found.record.rows}
    if lacking:
        raise UsageError(
            f"The release {found.record.version} is one of other repos; its lock lacks {few(sorted(lacking))}.",
            hint="Take another version for these.",
        )


def _manifest_path(invocation: Invocation, repository: Repository) -> str:
    """Return where the manifest stands in the source: its path from the top of the work tree."""
    path = invocation.manifest_path()
    if repository.top is None:
        return path.name
    return os.path.relpath(os.path.realpath(path), os.path.realpath(repository.top)).replace(os.sep, "/")
