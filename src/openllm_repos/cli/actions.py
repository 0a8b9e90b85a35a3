"""In GitHub Actions: the summary of the job, annotations, and outputs for later steps. Anywhere else nothing at all.

Commands hand their frozen results over, and failures their sentence. Nothing that goes wrong here fails a command: it
has done its work by then. Outputs are made of names, commits and tags, whose form was checked, never of foreign text.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from openllm_repos.cli.actions_log import command
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from openllm_repos.cli.markdown import Part
    from openllm_repos.errors import ReposError
    from openllm_repos.journal.releases import ReleaseRecord
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.plan import Adoption, Outcome, Stopped, SyncPlan
    from openllm_repos.release.model import ReleasePlan, Tagged
    from openllm_repos.release.verify import VerifiedRelease
    from openllm_repos.status.family import FamilyStatus

_LARGEST = 1 << 20  # bytes of one step's summary
_ANNOTATIONS = 10  # of each kind in a step; GitHub drops what is beyond


@dataclass(frozen=True, slots=True)
class Note:
    """An annotation.

    Attributes:
        level: ``error``, ``warning`` or ``notice``.
        message: what it says; foreign text in it is escaped when it is written.
        title: its headline.
        file: a path from the top of the repository, or an empty string.
        line: of that file, counted from 1; 0 where it is not known.
    """

    level: str
    message: str
    title: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What a step of a job says of itself."""

    parts: Sequence[Part]
    notes: Sequence[Note] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)


def in_actions() -> bool:
    """Whether this is a step of a GitHub Actions job."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def report_status(family: FamilyStatus) -> None:
    """Tell how every repo stands."""
    if in_actions():
        from openllm_repos.cli.actions_reports import of_status

        _write(of_status(family))


def report_sync(manifest: Manifest, plan: SyncPlan, outcomes: Sequence[Outcome | Stopped] | None) -> None:
    """Tell what a sync did, or of a dry run (`outcomes` is None) what it would do."""
    if in_actions():
        from openllm_repos.cli.actions_reports import of_sync

        _write(of_sync(manifest, plan, outcomes))


def report_adoption(manifest: Manifest, adoption: Adoption, outcome: Outcome | Stopped | None) -> None:
    """Tell what an adoption found and did."""
    if in_actions():
        from openllm_repos.cli.actions_reports import of_adoption

        _write(of_adoption(manifest, adoption, outcome))


def report_release(manifest: Manifest, plan: ReleasePlan | ReleaseRecord, tagged: Sequence[Tagged] | None) -> None:
    """Tell what a release did, or of a dry run (`tagged` is None) what it would do."""
    if in_actions():
        from openllm_repos.cli.actions_reports import of_release

        _write(of_release(manifest, plan, tagged))


def report_verified(found: Sequence[VerifiedRelease]) -> None:
    """Tell what the remotes say of releases."""
    if in_actions():
        from openllm_repos.cli.actions_reports import of_verified

        _write(of_verified(found))


def report_failure(message: str, hint: str, error: ReposError | None = None, *, command_name: str = "") -> None:
    """Tell why a command ended early; of a manifest each fault at its line."""
    if in_actions():
        from openllm_repos.cli.actions_reports import of_failure

        _write(of_failure(message, hint, error, command_name))


def _write(report: Report) -> None:
    """Write a report. What cannot be written is said in the log, once, and fails nothing."""
    for level in ("error", "warning", "notice"):
        _annotate(level, [note for note in report.notes if note.level == level])
    try:
        _summarise(report.parts)
        _give(report.outputs)
    except OSError as why:
        command("warning", f"The summary or the outputs of this step could not be written: {why.strerror}.", {})


def _annotate(level: str, notes: Sequence[Note]) -> None:
    shown = notes if len(notes) <= _ANNOTATIONS else notes[: _ANNOTATIONS - 1]
    for note in shown:
        place = {"file": note.file, "line": str(note.line) if note.line and note.file else "", "title": note.title}
        properties = {key: show(redact(value)) for key, value in place.items() if value}
        command(level, show(redact(note.message)), properties)
    if len(shown) < len(notes):
        command(level, f"There are {len(notes) - len(shown)} more of these; see the log and the summary.", {})


def _summarise(parts: Sequence[Part]) -> None:
    """Add to the step's summary; several commands may write to the same one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not path or not parts:
        return
    from openllm_repos.cli.markdown import fitted

    with contextlib.suppress(FileNotFoundError):
        room = _LARGEST - Path(path).stat().st_size
        text = fitted(parts, room).encode("utf-8", "replace")
        if len(text) <= room:
            with Path(path).open("ab") as file:
                file.write(text)


def _give(outputs: Mapping[str, str]) -> None:
    """Set the step's outputs; where a step runs several commands, the last one that gives an output counts."""
    path = os.environ.get("GITHUB_OUTPUT", "")
    if not path or not outputs:
        return
    lines = []
    for name, value in outputs.items():
        end = f"end_{secrets.token_hex(16)}"  # nobody can know it before, so no value can end itself and add another
        lines += [f"{name}<<{end}", value, end]
    with Path(path).open("a", encoding="utf-8", newline="\n") as file:
        file.write("".join(f"{line}\n" for line in lines))
