"""`openllm-repos release list | show | verify | abort`: releases that were made or begun."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.actions_reports import report_verified
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import BEGUN, REPO, TAG
from openllm_repos.cli.frame import Change, Frame, Tell, changing
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.release_text import said_of, state_said
from openllm_repos.cli.table import Column, Row, prose_lines, table_lines, terminal_columns
from openllm_repos.errors import UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.hint import hint_lines
from openllm_repos.manifest.model import Manifest
from openllm_repos.release.abort import Aborted, AbortPlan, abort, plan_abort
from openllm_repos.release.desk import Desk
from openllm_repos.text import show

if TYPE_CHECKING:
    from openllm_repos.family.releases import FoundLock
    from openllm_repos.family.tags import ReleaseTags

SCHEMA = 1
_LISTED = (Column(), Column(least=10, yields=2, optional=True), Column(yields=1, wraps=True))
_BELONGING = (Column(), Column(yields=1), Column(yields=2), Column(yields=3))
_VERIFIED = (Column(), Column(yields=1, wraps=True))
_DIFFERS = 1
_UNREACHABLE = 30


@click.command("list", short_help="List the releases, newest first.")
@click.option("-n", "most", type=click.IntRange(min=0), default=20, metavar="NUMBER", help="How many (20); 0 is all.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def list_releases(invocation: Invocation, most: int, as_json: bool) -> int:
    """List the newest releases, newest first, and whether every repo has its tag."""
    from openllm_repos.family.releases import known_tags
    from openllm_repos.release.begun import source_state
    from openllm_repos.release.verify import verify

    manifest, repository, _ = open_family(invocation)
    with repository.quarantine() as clone:
        source = source_state(manifest, clone)
        known = known_tags(manifest, clone, source)
        found = verify(clone, known[: most or None], source)
    older = len(known) - len(found)
    if as_json:
        facts = {"schema": SCHEMA, "releases": [_release_facts(one) for one in found], "older": older}
        click.echo(json.dumps(facts, indent=2))
        return 0
    if not found:
        click.echo("There is no release yet.")
        return 0
    rows = [Row([one.tag, _when(one.found), said_of(one)]) for one in found]
    _print(table_lines(_LISTED, rows, width=terminal_columns()))
    if older:
        _print([f"… and {older} older", *hint_lines("openllm-repos release list -n 0  # lists all")])
    return 0


@click.command("show", short_help="Show what belongs to a release.")
@click.argument("tag", type=TAG)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def show_release(invocation: Invocation, tag: str, as_json: bool) -> None:
    """Show what belongs to the release TAG (or version): the commit of every repo."""
    from openllm_repos.release.verify import read_release_lock

    manifest, repository, _ = open_family(invocation)
    with repository.quarantine() as clone:
        found = read_release_lock(manifest, clone, tag)
    if as_json:
        click.echo(json.dumps(_lock_facts(found), indent=2))
        return
    lock = found.lock
    heading = f"{lock.project} {lock.version}, {lock.tag}, {_when(found)} by {found.tagger.partition(' <')[0]}"
    _print(prose_lines(show(heading), terminal_columns()))
    commits = {repo.name: found.commit if repo is lock.source else repo.commit for repo in lock.repos}
    rows = [Row([repo.name, repo.tag, commits[repo.name], repo.url]) for repo in lock.repos]
    _print(table_lines(_BELONGING, rows, width=terminal_columns()))


@click.command("verify", short_help="Hold a release against the remotes.")
@click.argument("tag", type=TAG, required=False)
@click.option("--all", "every", is_flag=True, help="Every release.")
@click.option("--signed", is_flag=True, help="A tag without a signature is a fault, whatever your git is set to.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def verify_release(invocation: Invocation, tag: str | None, every: bool, signed: bool, as_json: bool) -> int:
    """Hold the release TAG (or version; the newest by default) against the remotes.

    Exit code 1 where a tag is missing, moved, lightweight, or not signed though your git is set to sign tags.
    """
    from openllm_repos.family.releases import known_tags
    from openllm_repos.family.tags import TagState
    from openllm_repos.git.tags import signing_wanted
    from openllm_repos.release.begun import source_state
    from openllm_repos.release.verify import tag_named, verify

    if tag is not None and every:
        raise UsageError("Name one release, or --all of them.")
    manifest, repository, _ = open_family(invocation)
    with repository.quarantine() as clone:
        source = source_state(manifest, clone)
        tags = known_tags(manifest, clone, source)
        if not tags:
            raise UsageError("There is no release yet.", hint="Make one: 'openllm-repos release VERSION'.")
        if not every:
            tags = tags[:1] if tag is None else [tag_named(manifest, clone, source, tag)]
        found = verify(clone, tags, source, signed=signed or signing_wanted(repository))
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "releases": [_release_facts(one) for one in found]}, indent=2))
    else:
        for one in found:
            _show_verified(one)
    report_verified(found)
    states = {repo.state for one in found for repo in one.repos if not repo.state.settled}
    if states - {TagState.UNKNOWN} or any(one.found is None for one in found):
        return _DIFFERS
    return _UNREACHABLE if states else 0


@changing("abort", yes="Do not ask.", short_help="Give a release up before it is out.")
@click.argument("version", type=BEGUN)
@click.option(
    "--leave",
    metavar="REPO",
    multiple=True,
    type=REPO,
    help="Leave this repo alone: it is gone, or keeps its tags; repeatable.",
)
def abort_release(frame: Frame, version: str, leave: tuple[str, ...]) -> int:
    """Give VERSION up before it is out: take back the tags that its release made, and its lock."""
    manifest, repository, _ = open_family(frame.invocation)
    return frame.run(_Abort(manifest, version, leave), manifest, repository)


@dataclass
class _Abort(Change[AbortPlan, Aborted]):
    declined = "Nothing was changed."
    settles = shows_plan = False

    manifest: Manifest
    version: str
    leave: tuple[str, ...]

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"release abort {self.version}"

    def plan(self, repository: Repository) -> AbortPlan:
        self.desk = self.resources.enter_context(Desk(repository))
        return plan_abort(self.manifest, self.desk, self.version, leave=self.leave)

    def plan_lines(self, plan: AbortPlan, *, every_file: bool) -> Iterator[str]:
        yield f"Would give up {plan.record.tag}: {_repos(plan)} would have its tag taken back."
        yield from self._stays(plan)
        if plan.unlocked:
            yield f"The lock would be taken off {self.manifest.source.branch}."

    def question(self, plan: AbortPlan) -> str:
        return f"Give the release {self.version} up and take its tags back ({_repos(plan)})?"

    def apply(self, plan: AbortPlan, repository: Repository, tell: Tell) -> Aborted:
        return abort(self.manifest, self.desk, plan, tell)

    def result_lines(self, plan: AbortPlan, result: Aborted) -> Iterator[str]:
        yield f"Gave up {result.tag}: {_repos(plan)} had its tag taken back."
        yield from self._stays(plan)
        if result.unlocked:
            yield f"The lock is off {self.manifest.source.branch}."
            yield from hint_lines("git pull  # takes that over")

    def _stays(self, plan: AbortPlan) -> Iterator[str]:
        if plan.kept:
            yield f"Kept: the tag on {', '.join(plan.kept)}, which this release did not make, or cannot prove that."
        if plan.left:
            yield f"Left alone: {', '.join(plan.left)}."

    def facts(self, plan: AbortPlan, result: Aborted | None) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": plan.record.version,
            "tag": plan.record.tag,
            "removed": [row.repo for row, _ in plan.removed],
            "kept": list(plan.kept),
            "left": list(plan.left),
            "unlocked": plan.unlocked if result is None else result.unlocked,
            "done": result is not None,
        }


def _repos(plan: AbortPlan) -> str:
    return ", ".join(row.repo for row, _ in plan.removed) or "no repo"


def _show_verified(one: ReleaseTags) -> None:
    click.echo(show(f"{one.tag}: {said_of(one)}"))
    rows = [Row([repo.repo.name, state_said(repo)]) for repo in one.repos]
    _print(table_lines(_VERIFIED, rows, width=terminal_columns(), indent=2))


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _when(found: FoundLock | None) -> str:
    """Return the day of a release, as its own zone has it."""
    from datetime import UTC, datetime, timedelta

    if found is None:
        return ""
    *_, seconds, zone = found.tagger.split(" ")
    away = timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    return (datetime.fromtimestamp(int(seconds), UTC) + away).date().isoformat()


def _release_facts(one: ReleaseTags) -> dict[str, Any]:
    return {
        "tag": one.tag,
        "version": None if one.found is None else one.found.lock.version,
        "date": _when(one.found) or None,
        "complete": one.good,
        "out": one.out,
        "problem": one.fault or (None if one.found is not None else "no lock"),
        "repos": [
            {
                "name": repo.repo.name,
                "url": repo.repo.url,
                "tag": repo.repo.tag,
                "commit": repo.commit,
                "held": repo.held,
                "state": str(repo.state),
                "problem": repo.problem or None,
            }
            for repo in one.repos
        ],
    }


def _lock_facts(found: FoundLock) -> dict[str, Any]:
    lock = found.lock
    return {
        "schema": SCHEMA,
        "project": lock.project,
        "version": lock.version,
        "tag": lock.tag,
        "date": _when(found),
        "by": found.tagger.partition(" <")[0],
        "lock": "tag" if found.in_tag else "commit",
        "manifest": lock.manifest,
        "repos": [
            {
                "name": repo.name,
                "role": repo.role,
                "kind": repo.kind,
                "id": repo.repo_id,
                "url": repo.url,
                "branch": repo.branch,
                "tag": repo.tag,
                "commit": found.commit if repo is lock.source else repo.commit,
                "tree": repo.tree,
                "source": repo.source,
                "submodule": repo.submodule,
            }
            for repo in lock.repos
        ],
    }
