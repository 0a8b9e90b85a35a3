"""The frame of every command that changes something: it opens, settles, plans, shows, asks, applies and reports.

A command says what it plans and how that reads, as a :class:`Change`; when a person is asked is decided here alone.
"""

from __future__ import annotations

import contextlib
import json
import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, TypeVar

import click

from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.output import progress
from openllm_repos.cli.progress import transfer_line
from openllm_repos.cli.question import ask, can_ask
from openllm_repos.errors import ReposError, UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Outcome, Stopped

DIFFERS = 1

Plan = TypeVar("Plan")
Result = TypeVar("Result")
Tell = Callable[[str], None]
Outcomes = Sequence[Outcome | Stopped]


class Unconfirmed(UsageError):
    """Nobody agreed to what a command would do, and nobody said no either."""


class Change(ABC, Generic[Plan, Result]):
    """What one command plans and does; the frame calls these methods in the order in which they stand here.

    Attributes:
        name: what is being done, for whoever finds the clone's lock taken; without one no lock is taken.
        declined: what is said where the answer is no.
        asks: whether it leaves this machine or cannot be undone, so that somebody has to agree.
        settles: whether runs that were killed are looked after first.
        rehearses: whether it can be planned without leaving anything behind.
        shows_plan: whether the plan is shown before it is done; else only what came of it.
        resources: what a plan opens and its application needs; closed when the command ends.
    """

    name: str = ""
    declined: ClassVar[str] = "Nothing was pushed."
    asks: bool = True
    settles: ClassVar[bool] = True
    rehearses: ClassVar[bool] = True
    shows_plan: ClassVar[bool] = True
    resources: contextlib.ExitStack

    @abstractmethod
    def plan(self, repository: Repository) -> Plan:
        """Return what would be done; the repository keeps nothing of it in a dry run."""

    @abstractmethod
    def plan_lines(self, plan: Plan, *, every_file: bool) -> Iterable[str]:
        """Return the plan for people."""

    def require(self, plan: Plan) -> None:
        """Raise what stands against the plan as a whole."""

    def question(self, plan: Plan) -> str:
        """Return what the person is asked; an empty string where there is nothing to agree to."""
        return ""

    @abstractmethod
    def apply(self, plan: Plan, repository: Repository, tell: Tell) -> Result:
        """Do it."""

    @abstractmethod
    def result_lines(self, plan: Plan, result: Result) -> Iterable[str]:
        """Return for people what came of it."""

    def follow(self, plan: Plan, result: Result, frame: Frame) -> None:
        """Do what takes time and needs no lock, such as waiting for a build."""

    def facts(self, plan: Plan, result: Result | None) -> dict[str, Any]:
        """Return plan and result as the JSON that docs/json.md describes; nothing where a command prints none."""
        del plan, result
        return {}

    def failure_facts(self, plan: Plan, why: ReposError) -> dict[str, Any] | None:
        """Return the JSON of a run that ends in an error; None for none."""
        return None

    def report(self, plan: Plan, result: Result | None) -> None:
        """Tell GitHub Actions; without a result nothing was done."""

    def all_lines(self, plan: Plan, result: Result | None) -> Iterator[str]:
        """Yield all that there is to say to people, every file of it."""
        yield from self.plan_lines(plan, every_file=True)
        if result is not None:
            yield from self.result_lines(plan, result)

    def exit_code(self, plan: Plan, result: Result | None) -> int:
        """Return the exit code of a dry run (without a result), or of what was done."""
        return 0


@dataclass(frozen=True, slots=True)
class Frame:
    """How a command that changes something was called."""

    invocation: Invocation
    dry_run: bool = False
    yes: bool = False
    as_json: bool = False
    unwritten: list[OSError] = field(default_factory=list)

    def tell(self, line: str) -> None:
        """Print a line of progress, unless only results are wanted."""
        if not (self.as_json or self.invocation.quiet):
            self.unwritten.extend(filter(None, [progress(line)]))

    def run(self, change: Change[Plan, Result], manifest: Manifest | None, repository: Repository) -> int:
        """Plan, show, ask and apply; return the exit code.

        Raises:
            Unconfirmed: the plan needs somebody's consent, and there is nobody to ask. Nothing was changed.
        """
        show = transfer_line(self.invocation)
        repository = replace(repository, git=replace(repository.git, on_progress=show))
        if self.dry_run or (change.asks and change.rehearses and not (self.yes or can_ask())):
            with repository.quarantine() as quarantined, contextlib.ExitStack() as change.resources:
                plan = change.plan(quarantined)
                if self.dry_run or change.question(plan):
                    return self._rehearsed(change, plan)
        lock = exclusive(repository, change.name) if change.name else contextlib.nullcontext()
        with lock, contextlib.ExitStack() as change.resources:
            if change.settles and manifest is not None:
                from openllm_repos.sync.settle import settle

                settle(manifest, repository, self.tell)
            plan = change.plan(repository)
            with self._failures_as_json(change, plan):
                if change.shows_plan and not self.as_json:
                    self._show(change.plan_lines(plan, every_file=self.invocation.verbosity > 0))
                change.require(plan)
                if not self._agreed(change, plan):
                    click.echo(change.declined, err=self.as_json)
                    return DIFFERS
                result = change.apply(plan, repository, self.tell)
        if not self.as_json:
            self._show(change.result_lines(plan, result))
        change.report(plan, result)
        change.follow(plan, result, self)
        if self.as_json:
            self._show([json.dumps(change.facts(plan, result), indent=2)])
        code = change.exit_code(plan, result)
        if self.unwritten and code <= DIFFERS:
            raise self.unwritten[0]
        return code

    def _rehearsed(self, change: Change[Plan, Result], plan: Plan) -> int:
        """Show what would be done; where that was not all that was wanted, say how to do it."""
        if self.as_json:
            self._show([json.dumps(change.facts(plan, None), indent=2)])
        else:
            self._show(change.plan_lines(plan, every_file=self.invocation.verbosity > 0))
        change.report(plan, None)
        if not self.dry_run:
            change.require(plan)
            self._agreed(change, plan)
        return change.exit_code(plan, None)

    def _agreed(self, change: Change[Plan, Result], plan: Plan) -> bool:
        """Ask, where there is something to agree to and nobody has said --yes."""
        if self.yes or not (question := change.question(plan)):
            return True
        if self.as_json and can_ask():  # standard output is for programs: the person sees the plan beside the question
            for line in change.plan_lines(plan, every_file=self.invocation.verbosity > 0):
                click.echo(line, err=True)
        return agree(self.invocation, question, change.declined)

    @contextlib.contextmanager
    def _failures_as_json(self, change: Change[Plan, Result], plan: Plan) -> Iterator[None]:
        try:
            yield
        except ReposError as why:
            facts = change.failure_facts(plan, why) if self.as_json else None
            if facts is not None:
                self._show([json.dumps(facts, indent=2)])
            raise

    @staticmethod
    def _show(lines: Iterable[str]) -> None:
        for line in lines:
            click.echo(line)


def agree(invocation: Invocation, question: str, declined: str) -> bool:
    """Ask; return whether to go on.

    Raises:
        Unconfirmed: there is nobody to ask, or no answer.
    """
    answer = ask(question)
    if answer is None:
        why = "the question got no answer" if can_ask() else "standard input is no terminal to ask on"
        typed = list(invocation.arguments)
        typed.insert(typed.index("--") if "--" in typed else len(typed), "--yes")
        hint = f"openllm-repos {shlex.join(typed)}"
        raise Unconfirmed(f"{declined.rstrip('.')}: {why}, so it takes --yes.", hint=hint)
    return answer


def only(outcomes: Outcomes | None) -> Outcome | Stopped | None:
    """Return what came of the one target of a command; None where nothing was to be done."""
    return outcomes[0] if outcomes else None


def exit_code_of(*results: object) -> int:
    """Return the exit code of what came of targets: the highest of those that were stopped."""
    return max((result.exit_code for result in results if isinstance(result, Stopped)), default=0)


class ChangingCommand(click.Command):
    """A command that changes something, and does it in the frame."""


def changing(
    name: str, *, yes: str = "", short_help: str | None = None
) -> Callable[[Callable[..., int]], ChangingCommand]:
    """Make a command of a function that gets a :class:`Frame` and what was typed.

    Args:
        name: of the command.
        yes: what --yes says, for the help; without it nothing is ever asked.
        short_help: one line for the list of commands, where the first sentence is too long.
    """

    def decorated(function: Callable[..., int]) -> ChangingCommand:
        def called(*, dry_run: bool, as_json: bool, yes: bool = False, **typed: Any) -> int:  # noqa: ANN401 - click's
            invocation = click.get_current_context().obj
            return function(Frame(invocation, dry_run=dry_run, yes=yes, as_json=as_json), **typed)

        called.__doc__ = function.__doc__
        called.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined] # click's own
        command = click.command(name, cls=ChangingCommand, short_help=short_help)(called)
        first = [
            click.Option(["-n", "--dry-run"], is_flag=True, help="Print the plan and change nothing, here or there."),
            *([click.Option(["-y", "--yes"], is_flag=True, help=yes)] if yes else []),
        ]
        last = click.Option(["--json", "as_json"], is_flag=True, help="Print the plan and what came of it as JSON.")
        command.params = [*first, *command.params, last]
        return command

    return decorated
