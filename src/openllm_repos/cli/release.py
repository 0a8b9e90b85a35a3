"""`openllm-repos release`: one version of the whole family, and what there is to know of releases that were made."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.actions_reports import report_release
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.question import confirmed
from openllm_repos.cli.release_compare import diff_releases, release_notes
from openllm_repos.cli.releases import abort_release, list_releases, show_release, verify_release
from openllm_repos.errors import ReposError, UsageError

if TYPE_CHECKING:
    from openllm_repos.family.access import FamilyAccess
    from openllm_repos.git.repository import Repository
    from openllm_repos.hub.client import HubClient
    from openllm_repos.journal.releases import ReleaseRecord
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.release.planning import ReleaseOptions

_DIFFERS = 1
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


class _Make(click.Command):
    """The default command, whose help is the group's."""

    def get_help(self, ctx: click.Context) -> str:
        """Return the help of the group."""
        assert ctx.parent is not None
        return ctx.parent.get_help()


# What the group does not know is for the default command.
@click.group("release", cls=VersionOrCommand, context_settings={"ignore_unknown_options": True})
def release() -> None:
    """Release VERSION: check everything, sync the targets, write the lock, tag every repo, verify.

    The source gets its tag last, so the release exists for others only when all of it does. Stopped anywhere, the same
    command goes on from what the remotes say.
    """


@release.command(_MAKE, cls=_Make, hidden=True)
@click.argument("version")
@click.option("-n", "--dry-run", is_flag=True, help="Print the plan and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the first push.")
@click.option("--resume", is_flag=True, help="Only go on with a release that was begun; begin none.")
@click.option("--allow-drift", is_flag=True, help="Release targets with changes that the source does not have.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan and what came of it as JSON.")
@click.pass_obj
def make(
    invocation: Invocation, version: str, dry_run: bool, yes: bool, resume: bool, allow_drift: bool, as_json: bool
) -> int:
    """Release VERSION."""
    from openllm_repos.journal.lock import exclusive
    from openllm_repos.journal.releases import end_release
    from openllm_repos.release.begun import find_begun
    from openllm_repos.release.planning import ReleaseOptions
    from openllm_repos.versions.order import require_version

    manifest, repository, access = open_family(invocation)
    require_version(version)
    manifest.project.tag.tag_for(version)
    options = ReleaseOptions(version, allow_drift, _manifest_path(invocation, repository))
    run = _Run(invocation, manifest, access, options, yes=yes, as_json=as_json)
    if dry_run:
        with repository.quarantine() as quarantined:
            begun = find_begun(manifest, quarantined, version)
            return run.show_begun(begun) if begun is not None else run.dry(quarantined)
    with exclusive(repository, f"release {version}"):
        from openllm_repos.sync.apply import settle

        settle(manifest, repository, run.tell)
        begun = find_begun(manifest, repository, version)
        if begun is not None:
            return run.go_on(repository, begun)
        if resume:
            raise UsageError(
                f"The release {version} was not begun, so there is nothing to go on with.",
                hint=f"Begin it: openllm-repos release {version}",
            )
        end_release(repository)  # one that was begun here, but given up elsewhere since
        return run.begin(repository)


for _command in (list_releases, show_release, verify_release, diff_releases, release_notes, abort_release):
    release.add_command(_command)


class _Run:
    """One `release VERSION`, with what was asked for."""

    def __init__(
        self,
        invocation: Invocation,
        manifest: Manifest,
        access: FamilyAccess,
        options: ReleaseOptions,
        *,
        yes: bool,
        as_json: bool,
    ) -> None:
        self._invocation = invocation
        self._manifest = manifest
        self._options = options
        self._access = access
        self._yes = yes or as_json
        self._as_json = as_json

    def tell(self, line: str) -> None:
        """Say what is being done, unless only results are wanted."""
        if not self._as_json and not self._invocation.quiet:
            click.echo(line, err=True)

    def _hub(self) -> HubClient | None:
        """Return the Hub, where there is something of the family on it and a token to ask with."""
        from openllm_repos.family.access import hub_repo_of

        held = [repo for repo in self._manifest.released if hub_repo_of(repo) is not None]
        asks = any(self._access.credential(repo.url) is not None for repo in held)
        return self._access.hub() if asks else None

    def dry(self, quarantined: Repository) -> int:
        """Show what a release would do."""
        from openllm_repos.cli.release_text import obstacle_lines, release_json, release_lines
        from openllm_repos.release.desk import Desk
        from openllm_repos.release.planning import plan_release

        with Desk(quarantined) as desk:
            plan = plan_release(self._manifest, desk, self._options, self._hub())
        if self._as_json:
            click.echo(json.dumps(release_json(plan, ()), indent=2))
        else:
            lines = [*release_lines(plan, every_file=self._invocation.verbosity > 0), *obstacle_lines(plan.obstacles)]
            click.echo("\n".join(lines))
        report_release(self._manifest, plan, None)
        return min((one.exit_code for one in plan.obstacles), default=0)

    def begin(self, repository: Repository) -> int:
        """Plan, ask, and make the release."""
        from openllm_repos.cli.release_text import release_json, release_lines, tagged_lines
        from openllm_repos.release.desk import Desk
        from openllm_repos.release.planning import plan_release
        from openllm_repos.release.run import make_release, require_possible

        with Desk(repository) as desk:
            plan = plan_release(self._manifest, desk, self._options, self._hub())
            if not self._as_json:
                for line in release_lines(plan, every_file=self._invocation.verbosity > 0):
                    click.echo(line)
            elif plan.obstacles:
                click.echo(json.dumps(release_json(plan, ()), indent=2))
            require_possible(plan)
            if not confirmed(f"Release {plan.version} to {len(plan.repos)} repos?", yes=self._yes):
                click.echo("Nothing was changed.")
                return _DIFFERS
            try:
                tagged = make_release(self._manifest, desk, plan, self.tell)
            except ReposError as why:
                self._tell_stopped(repository, release_json(plan, ()), why)
                raise
        if self._as_json:
            click.echo(json.dumps(release_json(plan, tagged), indent=2))
        else:
            click.echo("\n".join(tagged_lines(plan.version, tagged)))
        report_release(self._manifest, plan, tagged)
        return 0

    def go_on(self, repository: Repository, begun: ReleaseRecord) -> int:
        """Finish a release that was begun."""
        from openllm_repos.cli.release_text import resumed_json, tagged_lines
        from openllm_repos.release.carry import carry_out
        from openllm_repos.release.desk import Desk

        self.tell(f"The release {begun.tag} was begun before; going on from what the remotes say.")
        with Desk(repository) as desk:
            try:
                tagged = carry_out(desk, begun, self.tell)
            except ReposError as why:
                self._tell_stopped(repository, resumed_json(begun, ()), why)
                raise
        if self._as_json:
            click.echo(json.dumps(resumed_json(begun, tagged), indent=2))
        else:
            click.echo("\n".join(tagged_lines(begun.version, tagged)))
        report_release(self._manifest, begun, tagged)
        return 0

    def _tell_stopped(self, repository: Repository, facts: dict[str, Any], why: ReposError) -> None:
        """Print what is known of a release that was stopped, where JSON is wanted: how far each repo has come."""
        from openllm_repos.journal.releases import read_release

        if not self._as_json:
            return
        record = read_release(repository)
        if record is not None:
            come = {str(row.repo): str(row.state) for row in record.rows}
            facts["repos"] = [one | {"state": come.get(one["name"], one["state"])} for one in facts["repos"]]
        facts["stopped"] = {"message": why.message, "next": why.hint or None, "exit_code": why.exit_code}
        click.echo(json.dumps(facts, indent=2))

    def show_begun(self, begun: ReleaseRecord) -> int:
        """Show a release that was begun, without doing anything."""
        from openllm_repos.cli.release_text import resumed_json

        if self._as_json:
            click.echo(json.dumps(resumed_json(begun, ()), indent=2))
            return 0
        click.echo(f"The release {begun.tag} was begun before, or is done. This would make sure of:")
        for row in begun.rows:
            click.echo(f"tag  {row.repo}: {row.tag} at {row.commit[:10]}")
        return 0


def _manifest_path(invocation: Invocation, repository: Repository) -> str:
    """Return where the manifest stands in the source: its path from the top of the work tree."""
    path = invocation.manifest_path()
    if repository.top is None:
        return path.name
    return os.path.relpath(os.path.realpath(path), os.path.realpath(repository.top)).replace(os.sep, "/")
