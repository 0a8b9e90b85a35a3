"""The command `openllm-repos`: the table of commands, and the options that may stand before a command and after it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from openllm_repos import __version__
from openllm_repos.cli import failures
from openllm_repos.cli.invocation import Invocation
from openllm_repos.interrupts import handled

PROGRAM = "openllm-repos"
ARGUMENTS = "openllm_repos.arguments"  # keys of what click keeps for all contexts of one command line
COMPLETE = "_OPENLLM_REPOS_COMPLETE"  # what click's completion scripts set
GIVEN = "openllm_repos.given"


@dataclass(frozen=True, slots=True)
class Listed:
    """A command that is imported when it is used: `module:attribute`, and what the help says of it in one line."""

    target: str
    help: str


COMMANDS: Mapping[str, Listed] = {
    "init": Listed("openllm_repos.cli.init:init", "Write repos.toml for this clone, and add the git remotes."),
    "status": Listed("openllm_repos.cli.status:status", "Show every repo: in sync, behind, drifted, unreachable."),
    "graph": Listed("openllm_repos.cli.graph:graph", "Draw the family for a README: as SVG, or for Mermaid."),
    "diff": Listed("openllm_repos.cli.diff:diff", "Show what a sync would change in a target, and what drifted."),
    "sync": Listed("openllm_repos.cli.sync:sync", "Carry the mapped folders, with their history, to the targets."),
    "adopt": Listed("openllm_repos.cli.adopt:adopt", "Find out what a target was copied from, and sync it from there."),
    "import": Listed(
        "openllm_repos.cli.importing:import_", "Bring home what a target changed, as commits on a branch of the source."
    ),
    "rollback": Listed("openllm_repos.cli.rollback:rollback", "Take a target back to a release, and hold it there."),
    "publish": Listed(
        "openllm_repos.cli.publish:publish", "Bring artifacts that git does not track to models and datasets."
    ),
    "split": Listed("openllm_repos.cli.split:split", "Print the commit that holds one folder's history alone."),
    "release": Listed(
        "openllm_repos.cli.release:release", "Release one version of the whole family, and look at releases."
    ),
    "log": Listed("openllm_repos.cli.log:log", "Show which refs were moved when, here and on remotes."),
    "undo": Listed("openllm_repos.cli.undo:undo", "Take back the last operation, or another one, without force."),
    "gc": Listed("openllm_repos.cli.gc:gc", "Let go of what old operations replaced, and of leftovers."),
    "pin": Listed("openllm_repos.cli.pin:pin", "Pin a commit of a repo in the source, as a submodule."),
    "checkout": Listed("openllm_repos.cli.release_compare:checkout", "Say how to get every repo as a release has it."),
    "version": Listed("openllm_repos.cli.version:version", "Show the version at each place, set it, raise it."),
    "hooks": Listed("openllm_repos.cli.hooks:hooks", "Check what you push: release tags, and targets pushed by hand."),
    "manifest": Listed("openllm_repos.cli.manifest:manifest", "Show, check and edit repos.toml."),
    "targets": Listed("openllm_repos.cli.targets:targets", "Show what receives maps; share it out over CI jobs."),
    "remotes": Listed("openllm_repos.cli.remotes:remotes", "Show the clone's git remotes; make them equal to it."),
    "ci": Listed("openllm_repos.cli.ci:ci", "Write the GitHub Actions workflow that keeps the family in step."),
    "doctor": Listed("openllm_repos.cli.doctor:doctor", "Say what is missing, and the command that mends it."),
    "sandbox": Listed(
        "openllm_repos.cli.sandbox:sandbox", "Serve a GitHub and a Hub on this machine to try things on."
    ),
    "demo": Listed("openllm_repos.cli.demo:demo", "Try it all in a folder of its own, without any account."),
}


class LazyGroup(click.Group):
    """A group that knows its commands from a table, and imports one only when it is run or asked for its own help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the whole command line for whoever has to say how to repeat it."""
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None where the table does not have it."""
        del ctx
        listed = COMMANDS.get(cmd_name)
        if listed is None:
            return None
        module, _, attribute = listed.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        _take_program_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to run; an unknown one is answered with its nearest neighbour."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"There is no command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands into the help."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.help) for name, listed in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name from the table, or an option."""
        names = [CompletionItem(name, help=COMMANDS[name].help) for name in COMMANDS if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> int:
        """Run the chosen command and return the exit code; failures are told here, where it is known what was typed."""
        return failures.guarded(lambda: super(LazyGroup, self).invoke(ctx))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"{PROGRAM} {__version__}")
        ctx.exit()


_NOTHING_GIVEN: dict[str, Any] = {"manifest": None, "patience": None, "quiet": 0, "verbose": 0}


def _take(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401 - as click has it
    """Add what one context was given of the program's options to what those above it were given."""
    given = ctx.meta.setdefault(GIVEN, dict(_NOTHING_GIVEN, directory=Path.cwd()))
    if param.name == "directory" and value is not None:
        typed, value = value, Path(os.path.abspath(given["directory"] / value))
        if not value.is_dir():
            raise click.BadParameter(f"Directory {typed!r} does not exist.", ctx, param)
    if value is not None:
        given[param.name] = given[param.name] + value if isinstance(value, int) else value
    directory, manifest = given["directory"], given["manifest"]
    ctx.meta[failures.VERBOSITY] = max(-1, min(2, given["verbose"] - given["quiet"]))
    ctx.obj = Invocation(
        directory,
        None if manifest is None else Path(os.path.abspath(directory / manifest)),
        ctx.meta[failures.VERBOSITY],
        ctx.meta[ARGUMENTS],
        given["patience"],
    )


def _program_options(*, hidden: bool) -> list[click.Option]:
    """Return the options that may stand before a command and after it."""
    return [
        click.Option(
            ["-C", "directory"],
            metavar="DIR",
            shell_complete=click.Path(file_okay=False).shell_complete,
            expose_value=False,
            callback=_take,
            hidden=hidden,
            help="Work as if started in DIR.",
        ),
        click.Option(
            ["--manifest"],
            metavar="FILE",
            type=click.Path(dir_okay=False),
            expose_value=False,
            callback=_take,
            hidden=hidden,
            help="Read FILE instead of the nearest repos.toml.",
        ),
        click.Option(
            ["--patience"],
            metavar="SECONDS",
            type=click.FloatRange(min=0, max=86_400),
            expose_value=False,
            callback=_take,
            hidden=hidden,
            help="Ask a host that fails again for so long (120; where nothing is changed 10).",
        ),
        click.Option(
            ["-q", "--quiet"],
            count=True,
            expose_value=False,
            callback=_take,
            hidden=hidden,
            help="Say only results and errors.",
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            expose_value=False,
            callback=_take,
            hidden=hidden,
            help="Say more; twice, still more.",
        ),
    ]


_AFTER_A_COMMAND = _program_options(hidden=True)


def _take_program_options(command: click.Command) -> None:
    """Let the program's options stand after a command, too, and after those below it."""
    if _AFTER_A_COMMAND[0] in command.params:  # it was run before in this process
        return
    command.params = [*command.params, *_AFTER_A_COMMAND]
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _take_program_options(below)


@click.group(
    cls=LazyGroup,
    params=_program_options(hidden=False),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="The options may stand after the command, too.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def group() -> None:
    """Keep a family of git repositories in step, from one file: repos.toml."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code; see `openllm_repos.cli.main`."""
    with handled():
        return failures.guarded(lambda: _dispatch(list(arguments)))


def _dispatch(arguments: list[str]) -> Any:  # noqa: ANN401 - what the command returned
    """Complete for a shell, or run. click's own `main` would end with 1, "differs", where nobody reads the output."""
    if asked := os.environ.get(COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(group, {}, PROGRAM, COMPLETE, asked)
    with group.make_context(PROGRAM, arguments) as context:
        return group.invoke(context)
