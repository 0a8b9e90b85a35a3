"""`openllm-repos adopt TARGET`: where a target's files came from, how sure that is, the question, and the record."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from openllm_repos.cli.actions_reports import report_adoption
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import TARGET
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.plan_text import SCHEMA, change_json, file_lines, outcome_json, step_json, stopped_lines
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Adoption, FileChange, Match, Outcome, Stopped, TargetPlan, Trace
from openllm_repos.preflight.card import hub_validator
from openllm_repos.sync.adopt import AdoptOptions, plan_adoption
from openllm_repos.sync.adopt import adopt as carry_out
from openllm_repos.sync.apply import settle
from openllm_repos.text import show

_DIFFERS = 1
_FOUND = {
    Trace.LIKENESS: "",
    Trace.NAMED: ", as you say",
    Trace.MIRROR: ", a commit of the source that is in its history",
    Trace.SUBTREE: ", whose split by git subtree it has",
    Trace.COPYBARA: ", which copybara names there",
}


@click.command("adopt")
@click.argument("target", metavar="TARGET", type=TARGET)
@click.option("-n", "--dry-run", is_flag=True, help="Print what was found and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Record it without asking.")
@click.option("--at", metavar="COMMIT", help="It was filled from this commit of the source; do not look for it.")
@click.option("--allow-unpushed", is_flag=True, help="Look at commits too that the source's own remote lacks.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def adopt(
    invocation: Invocation,
    target: str,
    at: str | None,
    dry_run: bool,
    yes: bool,
    allow_unpushed: bool,
    as_json: bool,
) -> int:
    """Join a TARGET that was filled by copying: find the source commit its files came from, and record it there.

    The record is one commit that changes no file. From then on what was edited in the target is drift, and syncs merge
    it. Without --yes it asks on a terminal; elsewhere it only prints what it found.
    """
    manifest, repository, access = open_family(invocation)
    options = AdoptOptions(at, allow_unpushed, hub_validator(access))
    if dry_run or not (yes or _asks(as_json=as_json)):
        with repository.quarantine() as quarantined:
            adoption = plan_adoption(manifest, quarantined, target, options)
        _show(adoption, None, invocation, as_json=as_json)
        report_adoption(manifest, adoption, None, adoption_lines(adoption))
        if isinstance(adoption.step, TargetPlan) and not dry_run:
            click.echo(f"Nothing was recorded. To do so: openllm-repos adopt {adoption.target} --yes", err=True)
            return _DIFFERS
        return _exit_code(adoption.step)
    with exclusive(repository, f"adopt {target}"):
        settle(manifest, repository, _tell)
        adoption = plan_adoption(manifest, repository, target, options)
        if not as_json:
            _show(adoption, None, invocation, as_json=False)
        step = adoption.step
        if isinstance(step, TargetPlan) and not (yes or click.confirm("Record this?", default=False)):
            click.echo("Nothing was recorded.")
            return _DIFFERS
        outcome = None
        if isinstance(step, TargetPlan):
            silent = invocation.quiet or as_json
            outcome = carry_out(adoption, manifest, repository, (lambda _: None) if silent else _tell, options.validate)
    if as_json:
        _show(adoption, outcome, invocation, as_json=True)
    else:
        for line in _outcome_lines(manifest, outcome):
            click.echo(line)
    report_adoption(manifest, adoption, outcome, adoption_lines(adoption))
    return _exit_code(outcome or adoption.step)


def _asks(*, as_json: bool) -> bool:
    return not as_json and sys.stdin.isatty() and sys.stdout.isatty()


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _exit_code(result: Outcome | Stopped | TargetPlan | None) -> int:
    return result.exit_code if isinstance(result, Stopped) else 0


def _show(adoption: Adoption, outcome: Outcome | Stopped | None, invocation: Invocation, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(adopt_json(adoption, outcome), indent=2))
        return
    for line in adoption_lines(adoption, every_file=invocation.verbosity > 0):
        click.echo(line)


def adoption_lines(adoption: Adoption, *, every_file: bool = True) -> Iterator[str]:
    """Yield what was found and what would be done."""
    yield f"{adoption.source} at {adoption.source_commit[:10]}"
    for note in adoption.notes:
        yield f"note: {show(note)}"
    if isinstance(adoption.step, Stopped):
        yield from stopped_lines(adoption.step)
    if adoption.said:
        yield show(adoption.said)
    if adoption.match is not None:
        yield from _match_lines(adoption, adoption.match, every_file=every_file)
    if isinstance(adoption.step, TargetPlan) and adoption.step.update is not None:
        branch, history = adoption.step.update.ref.removeprefix("refs/heads/"), adoption.step.commits - 1
        along = f" and brings {_count(history, 'commit')} of history along" if history else ""
        yield f"to do: one commit on {branch} of {show(adoption.step.url)} that changes no file{along}"


def _match_lines(adoption: Adoption, match: Match, *, every_file: bool) -> Iterator[str]:
    name, source = adoption.target, adoption.source
    groups: list[tuple[tuple[FileChange, ...], str]] = [
        (match.differing, "differ" if len(match.differing) != 1 else "differs"),
        (match.modes, "executable on one side only"),
        (match.only_target, f"only in {name}"),
        (match.only_source, f"only in {source}"),
    ]
    told = [f"{len(files)} {what}" for files, what in groups if files] or ["none differs"]
    as_of = f"{match.source_commit[:10]}, {match.date[:10]}{_FOUND[match.trace]}"
    yield f"{name}: {match.alike} of {_count(match.files, 'file')} as of {as_of}; {', '.join(told)}"
    yield f"  ({show(match.subject)})"
    for files, _ in groups:
        yield from file_lines(files, every_file=every_file)


def _outcome_lines(manifest: Manifest, outcome: Outcome | Stopped | None) -> Iterator[str]:
    """Yield what came of it, and the next step."""
    if isinstance(outcome, Stopped):
        yield from stopped_lines(outcome)
    elif outcome is not None:
        name = outcome.target
        if outcome.pushed:
            yield f"{name}: adopted, now at {outcome.tip[:10]}: {manifest.target(name).url}"
        else:
            yield f"{name}: somebody else was quicker; there is nothing to adopt any more"
        yield f"  next: openllm-repos sync {name}"


def adopt_json(adoption: Adoption, outcome: Outcome | Stopped | None) -> dict[str, Any]:
    """Return an adoption and what came of it as the JSON that docs/json.md describes."""
    step, match = adoption.step, adoption.match
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "source": {"name": adoption.source, "commit": adoption.source_commit},
        "notes": list(adoption.notes),
        "target": adoption.target,
        "action": "nothing" if step is None else "stopped" if isinstance(step, Stopped) else step.action.value,
        "match": None if match is None else _match_json(match),
    }
    if step is None:
        facts["reason"] = adoption.said
    elif isinstance(step, Stopped):
        facts |= {key: value for key, value in step_json(step).items() if key != "name"}
    elif step.update is not None:
        facts |= {
            "url": step.url,
            "update": {"ref": step.update.ref, "old": step.update.old, "new": step.update.new},
            "commits": step.commits,
        }
    return {**facts, "outcome": outcome_json(outcome)}


def _match_json(match: Match) -> dict[str, Any]:
    return {
        "source_commit": match.source_commit,
        "projected": match.projected,
        "date": match.date,
        "subject": match.subject,
        "found_by": match.trace.value,
        "files": match.files,
        "alike": match.alike,
        "others": match.others,
        "differ": [change_json(change)["path"] for change in match.differing],
        "modes": [change_json(change)["path"] for change in match.modes],
        "only_target": [change_json(change)["path"] for change in match.only_target],
        "only_source": [change_json(change)["path"] for change in match.only_source],
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
