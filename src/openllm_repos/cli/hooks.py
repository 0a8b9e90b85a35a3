"""`openllm-repos hooks`: the pre-push gate installed, taken out, looked at, and run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.clone import open_clone
from openllm_repos.cli.frame import Change, Frame, Tell, changing
from openllm_repos.cli.invocation import Invocation
from openllm_repos.errors import UsageError
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.hint import hint_lines
from openllm_repos.manifest.model import DEFAULT_BRANCH, Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from openllm_repos.hooks.install import Installed
    from openllm_repos.hooks.lines import PushedRef
    from openllm_repos.hooks.standing import Standing

SCHEMA = 1
_DIFFERS = 1
_REFUSED = 3


@click.group("hooks")
def hooks() -> None:
    """Check what is pushed from this clone: a hook that git runs before each push.

    A release tag must be annotated, agree with the version files of its commit, and belong to a lock; then nobody moves
    or deletes it. Mapped files of a target are changed by a sync, not by hand. The rest passes in a few milliseconds.
    """


@changing("install")
@click.option("--hooks-path", is_flag=True, help="Write into the folder that core.hooksPath names.")
@click.option("--config", is_flag=True, help="Name the hook in git's configuration instead (git 2.54 and newer).")
def install_(frame: Frame, hooks_path: bool, config: bool) -> int:
    """Install the hook into this clone, or bring it up to date.

    A pre-push hook that is there already (yours, git-lfs, pre-commit) stays and runs too, with the same arguments and
    the same input; its exit code counts. Where husky or lefthook run the hooks, they call it: see hooks snippet.
    """
    if hooks_path and config:
        raise UsageError("--hooks-path and --config exclude each other.")
    from openllm_repos.hooks.install import install

    manifest, repository = open_clone(frame.invocation)
    change = _Hook(lambda: install(manifest, repository, hooks_path=hooks_path, config=config), config, frame)
    return frame.run(change, manifest, repository)


@changing("uninstall")
def uninstall_(frame: Frame) -> int:
    """Take the hook out, and put back what was there before."""
    from openllm_repos.hooks.install import uninstall

    repository = Repository.open(frame.invocation.directory)
    words = ("Would remove", "Removed", "There was nothing to remove")
    change = _Hook(lambda: uninstall(repository), config=False, frame=frame, words=words)
    return frame.run(change, None, repository)


hooks.add_command(install_)
hooks.add_command(uninstall_)


@dataclass
class _Hook(Change[Path, "Installed"]):
    """It changes this clone alone: what it installs it takes out again, and puts back what was there."""

    asks = settles = shows_plan = False

    work: Callable[[], Installed]
    config: bool
    frame: Frame
    words: tuple[str, str, str] = ("Would install", "Installed", "Already installed")

    def plan(self, repository: Repository) -> Path:
        from openllm_repos.hooks.place import config_place, find_place

        return (config_place if self.config else find_place)(repository).slot

    def plan_lines(self, plan: Path, *, every_file: bool) -> Iterator[str]:
        yield show(f"{self.words[0]}: {plan}.")

    def apply(self, plan: Path, repository: Repository, tell: Tell) -> Installed:
        return self.work()

    def result_lines(self, plan: Path, result: Installed) -> Iterator[str]:
        if not self.frame.invocation.quiet:
            kept = f" It runs {result.kept.name} after it." if result.kept else ""
            yield show(f"{self.words[1 if result.changed else 2]}: {result.path}.{kept}")

    def facts(self, plan: Path, result: Installed | None) -> dict[str, Any]:
        kept = result.kept if result else None
        return {
            "schema": SCHEMA,
            "hook": "pre-push",
            "path": str(result.path if result else plan),
            "changed": bool(result and result.changed),
            "kept": None if kept is None else str(kept),
        }


@hooks.command("snippet", short_help="Print the lines for a hook of your own, husky's or lefthook's.")
def snippet_() -> None:
    """Print the lines of sh that judge a push from a hook of your own.

    They go first in .husky/pre-push or in any other pre-push hook written in sh: what git tells a hook can be read
    only once, and they hand it to the lines below them. For lefthook they are a script of their own.
    """
    from openllm_repos.hooks.tools import snippet

    click.echo(snippet(), nl=False)


@hooks.command("status", short_help="Show whether the hook is there and would run.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def status(invocation: Invocation, as_json: bool) -> int:
    """Show whether the hook is installed, up to date, and would run; the exit code is 1 where it is not."""
    from openllm_repos.hooks.standing import standing

    found = standing(*open_clone(invocation))
    if as_json:
        import json

        click.echo(json.dumps(facts(found), indent=2))
    else:
        for line in _lines(found):
            click.echo(show(line))
    return _DIFFERS if found.faults else 0


@hooks.command("run", short_help="Judge a push, for CI and other hook managers.")
@click.argument("hook", type=click.Choice(["pre-push"]))
@click.argument("arguments", nargs=-1, metavar="[REMOTE URL]")
@click.option("--git-dir", metavar="DIR", help="The git folder of the clone that pushes, where git names it.")
@click.option(
    "--source",
    metavar="REF",
    default=DEFAULT_BRANCH.ref,
    show_default=True,
    help="Where the manifest is, while something else is checked out.",
)
@click.pass_obj
def run(invocation: Invocation, hook: str, arguments: tuple[str, ...], git_dir: str | None, source: str) -> int:
    """Judge a push whose lines stand on standard input, as git writes them; for CI and other hook managers.

    REMOTE and URL are the hook's own two arguments. All that is said goes to standard error; the exit code is 3 where
    the push must not be.
    """
    del hook
    from openllm_repos.hooks.facts import gather
    from openllm_repos.hooks.gate import judge
    from openllm_repos.hooks.lines import read_lines

    text, (remote, url) = _given(arguments)
    lines = read_lines(text)
    if not lines:
        # git itself says nothing where nothing is pushed, so this is no reason to stop.
        click.echo(
            "note: nothing is checked: no ref is pushed, or another hook has read standard input first.", err=True
        )
        return 0
    place = invocation.directory if git_dir is None else Path(os.path.abspath(invocation.directory / git_dir))
    repository = Repository.open(place)
    manifest = _family(invocation, repository, source, lines)
    if manifest is None:
        click.echo("openllm-repos: no repos.toml here, nor on the source's branch; nothing is checked.", err=True)
        return 0
    found = judge(lines, gather(repository, manifest, lines, remote, url), manifest)
    for finding in found:
        word = "stopped" if finding.stops else "note"
        click.echo(f"{word}: {_plain(finding.ref)}: {_plain(finding.reason)}", err=True)
        for line in hint_lines(finding.hint, "  "):
            click.echo(line, err=True)
    return _REFUSED if any(finding.stops for finding in found) else 0


def _given(arguments: Sequence[str]) -> tuple[str, tuple[str, str]]:
    """Return the lines and the two arguments, from git or from pre-commit."""
    from openllm_repos.hooks.lines import line_of_pre_commit

    if not arguments and (line := line_of_pre_commit(os.environ)) is not None:
        names = [os.environ.get(f"PRE_COMMIT_REMOTE_{what}", "") for what in ("NAME", "URL")]
        return line, (names[0], names[1])
    if len(arguments) != 2:
        raise UsageError(
            "The hook takes two arguments, as git gives them: the remote and its URL.",
            hint='openllm-repos hooks run pre-push "$@"',
        )
    if sys.stdin.isatty():
        raise UsageError("What is pushed is read from standard input, as git writes it to a hook; there is none.")
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    return text, (arguments[0], arguments[1])


def _family(invocation: Invocation, repository: Repository, source: str, lines: Sequence[PushedRef]) -> Manifest | None:
    """Return the manifest: of the work tree; else of the source's branch, of HEAD, or of what is pushed.

    Who pushes to a target by hand has mostly checked out that target's branch, which has no manifest.
    """
    path = invocation.manifest_path()
    if invocation.manifest is not None or os.path.lexists(path):
        return Manifest.load(path)
    from openllm_repos.git.refs import read_refs
    from openllm_repos.versions.commit import manifest_at

    remembered = read_refs(repository, f"refs/remotes/*/{source.removeprefix('refs/heads/')}").values()
    with ObjectReader(repository.git) as reader:
        for name in (source, *remembered, "HEAD", *(line.new for line in lines)):
            held = reader.find(f"{name}^{{commit}}".encode())
            found = None if held is None else manifest_at(reader, ObjectId(held[0].decode()))
            if found is not None:
                return found
    return None


def _lines(found: Standing) -> list[str]:
    if not found.installed:
        lines = [f"pre-push: not installed ({found.path})"]
    else:
        run = "would run" if found.would_run else "would not run"
        ways = {"config": ", from git's configuration", "file": "", "other": ", called by another hook"}
        way = ways.get(found.way, f", called by {found.way}")
        lines = [
            f"pre-push: installed by {found.version or 'an unknown version'}, {run}{way}",
            f"  file:   {found.path}",
        ]
        lines += [f"  python: {found.python}"] if found.python else []
        if found.kept is not None:
            tool = f" ({found.kept.tool})" if found.kept.tool else ""
            lines.append(
                f"  then:   {found.kept.path}{tool}" + ("" if found.kept.runs else ", not executable, left out")
            )
    if found.hooks_path:
        lines.append(f"  core.hooksPath: {found.hooks_path}")
    for fault in found.faults:
        lines += ["", fault.message, *hint_lines(fault.next, "  ")]
    return lines


def facts(found: Standing) -> dict[str, Any]:
    """Return how the hook stands as the JSON that docs/json.md describes."""
    kept = found.kept
    return {
        "schema": SCHEMA,
        "hook": "pre-push",
        "path": str(found.path),
        "installed": found.installed,
        "would_run": found.would_run,
        "way": found.way,
        "hooks_path": found.hooks_path or None,
        "version": found.version or None,
        "python": found.python or None,
        "kept": None if kept is None else {"path": str(kept.path), "tool": kept.tool or None, "runs": kept.runs},
        "problems": [
            {"message": show(fault.message), "next": show(fault.next), "stops": fault.stops} for fault in found.faults
        ],
    }


def _plain(text: str) -> str:
    return show(redact(text))
