"""`openllm-repos adopt TARGET`: where a target's files came from, how sure that is, the question, and the record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from openllm_repos.cli.actions_reports import report_adoption
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import TAG, TARGET
from openllm_repos.cli.frame import Change, Frame, Outcomes, Tell, changing, exit_code_of, only
from openllm_repos.cli.plan_text import SCHEMA, change_json, file_lines, outcome_json, step_json, stopped_lines
from openllm_repos.git.repository import Repository
from openllm_repos.hint import hint_lines, note_lines
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Adoption, FileChange, Match, Outcome, Stopped, TargetPlan, Trace
from openllm_repos.preflight.card import hub_validator
from openllm_repos.sync.adopt import AdoptOptions, plan_adoption
from openllm_repos.sync.adopt import adopt as carry_out
from openllm_repos.text import show

_FOUND = {
    Trace.LIKENESS: "",
    Trace.NAMED: ", as you say",
    Trace.MIRROR: ", a commit of the source that is in its history",
    Trace.SUBTREE: ", whose split by git subtree it has",
    Trace.COPYBARA: ", which copybara names there",
}


@changing("adopt", yes="Record it without asking.")
@click.argument("target", metavar="TARGET", type=TARGET)
@click.option(
    "--at", metavar="COMMIT", type=TAG, help="It was filled from this commit of the source; do not look for it."
)
@click.option("--allow-unpushed", is_flag=True, help="Look at commits too that the source's own remote lacks.")
def adopt(frame: Frame, target: str, at: str | None, allow_unpushed: bool) -> int:
    """Join a TARGET that was filled by copying: find the source commit its files came from, and record it there.

    The record is one commit that changes no file. From then on what was edited in the target is drift, and syncs merge
    it.
    """
    manifest, repository, access = open_family(frame.invocation)
    options = AdoptOptions(at, allow_unpushed, hub_validator(access))
    return frame.run(_Adopt(manifest, target, options), manifest, repository)


def adoption_before_sync(manifest: Manifest, target: str, options: AdoptOptions) -> Change[Adoption, Outcomes]:
    """Return the change that adopts a target which is synced right afterwards."""
    return _Adopt(manifest, target, options, sync_follows=True)


@dataclass
class _Adopt(Change[Adoption, Outcomes]):
    declined = "Nothing was recorded."

    manifest: Manifest
    target: str
    options: AdoptOptions
    sync_follows: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"adopt {self.target}"

    def plan(self, repository: Repository) -> Adoption:
        return plan_adoption(self.manifest, repository, self.target, self.options)

    def plan_lines(self, plan: Adoption, *, every_file: bool) -> Iterable[str]:
        return adoption_lines(plan, every_file=every_file)

    def question(self, plan: Adoption) -> str:
        return "Record this?" if isinstance(plan.step, TargetPlan) else ""

    def apply(self, plan: Adoption, repository: Repository, tell: Tell) -> Outcomes:
        if not isinstance(plan.step, TargetPlan):
            return ()
        return (carry_out(plan, self.manifest, repository, tell, self.options.validate),)

    def result_lines(self, plan: Adoption, result: Outcomes) -> Iterable[str]:
        return _outcome_lines(self.manifest, plan, only(result), sync_follows=self.sync_follows)

    def facts(self, plan: Adoption, result: Outcomes | None) -> dict[str, Any]:
        return adopt_json(plan, only(result))

    def report(self, plan: Adoption, result: Outcomes | None) -> None:
        report_adoption(self.manifest, plan, only(result), adoption_lines(plan))

    def exit_code(self, plan: Adoption, result: Outcomes | None) -> int:
        return exit_code_of(plan.step, *(result or ()))


def adoption_lines(adoption: Adoption, *, every_file: bool = True) -> Iterator[str]:
    """Yield what was found and what would be done."""
    yield f"{adoption.source} at {adoption.source_commit[:10]}"
    for note in adoption.notes:
        yield from note_lines(note)
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
    counts = [(len(files), what) for files, what in groups]
    counts += [(match.older, "as of another commit"), (len(match.to_come), "to come with the next sync")]
    told = [f"{number} {what}" for number, what in counts if number] or ["none differs"]
    as_of = f"{match.source_commit[:10]}, {match.date[:10]}{_FOUND[match.trace]}"
    yield f"{name}: {match.alike} of {_count(match.files, 'file')} as of {as_of}; {', '.join(told)}"
    yield f"  ({show(match.subject)})"
    for files, _ in groups:
        yield from file_lines(files, every_file=every_file)


def _outcome_lines(
    manifest: Manifest, adoption: Adoption, outcome: Outcome | Stopped | None, *, sync_follows: bool
) -> Iterator[str]:
    """Yield what came of it, and the next step where nobody is about to take it."""
    if isinstance(outcome, Stopped):
        yield from stopped_lines(outcome)
    elif outcome is not None:
        name = outcome.target
        if outcome.pushed:
            yield f"{name}: adopted, now at {outcome.tip[:10]}: {manifest.target(name).url}"
        else:
            yield f"{name}: somebody else was quicker; there is nothing to adopt any more"
        if adoption.held:
            yield from hint_lines(f"openllm-repos rollback {name} --lift  # once the source is good again", "  ")
        elif not sync_follows:
            yield from hint_lines(f"openllm-repos sync {name}", "  ")


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
        "older": match.older,
        "others": match.others,
        "differ": [change_json(change)["path"] for change in match.differing],
        "modes": [change_json(change)["path"] for change in match.modes],
        "only_target": [change_json(change)["path"] for change in match.only_target],
        "only_source": [change_json(change)["path"] for change in match.only_source],
        "to_come": [change_json(change)["path"] for change in match.to_come],
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
