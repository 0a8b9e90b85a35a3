"""The two parts of the workflow that are made, between their marks; every line outside belongs to people.

The first part says in comments what the choices were, which version of this package wrote it, and the digest of both
parts as they were written, and of the file beside the workflow: so an edit to them is seen, and not written over
without a word.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from openllm_repos.errors import NameRefused, ReposError
from openllm_repos.names.plain import quoted
from openllm_repos.workflow.choices import Choices

TRIGGERS = "triggers"
JOBS = "jobs"

_NAMES = (TRIGGERS, JOBS)
_MARK = re.compile(r"^# (?P<side>>>>|<<<) openllm-repos (?P<name>[a-z]+)[ \t]*\r?\n?", re.MULTILINE)
_HEADER = re.compile(
    r"# Written by openllm-repos (?P<version>[0-9][A-Za-z0-9.+!-]*) from [^\n]*\n(?:# [^\n]*\n)*?"
    r"# choices: (?P<choices>[^\n]*)\n# digest: (?P<digest>[0-9a-f]{64})\n"
)
_PLACEHOLDER = "0" * 64


class PartsBroken(ReposError):
    """The marks of a workflow are not the four that belong there, in their order."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """What the tool writes, each line ended by a newline alone: the two parts of the workflow without their marks.

    Attributes:
        triggers: the first, header and all.
        jobs: the second.
        requirements: the file beside the workflow that says what the jobs install; empty where there is none.
    """

    triggers: str
    jobs: str
    requirements: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) of all of it, whatever digest the header holds."""
        blank = re.sub(r"(?m)^# digest: [0-9a-f]{64}$", f"# digest: {_PLACEHOLDER}", self.triggers, count=1)
        beside = f"\0{self.requirements}" if self.requirements else ""
        return hashlib.sha256(f"{blank}\0{self.jobs}{beside}".encode()).hexdigest()

    def sealed(self) -> Parts:
        """Return them with their digest in the header."""
        return replace(
            self, triggers=self.triggers.replace(f"# digest: {_PLACEHOLDER}\n", f"# digest: {self.digest}\n", 1)
        )

    @property
    def header(self) -> Header | None:
        """What the header says, None where it cannot be read any more."""
        found = _HEADER.match(self.triggers)
        if found is None:
            return None
        try:
            choices = Choices.parse(found["choices"])
        except NameRefused:
            choices = None
        return Header(found["version"], choices, found["digest"])

    @property
    def as_written(self) -> bool:
        """Whether they are what was written, to the last character."""
        header = self.header
        return header is not None and header.choices is not None and header.digest == self.digest


@dataclass(frozen=True, slots=True)
class Header:
    """What the first part says of itself.

    Attributes:
        version: the version of this package that wrote it.
        choices: what a person decided, None where it says what this version cannot read.
        digest: that of both parts as they were written.
    """

    version: str
    choices: Choices | None
    digest: str


def header_text(version: str, manifest_name: str, choices: Choices) -> str:
    """Return the comments that the first part begins with, their digest still to be filled in."""
    lines = (
        f"Written by openllm-repos {version} from {manifest_name}.",
        "`openllm-repos ci` writes what stands between the marks anew, and keeps all that you add outside of them.",
        f"choices: {choices.words()}",
        f"digest: {_PLACEHOLDER}",
    )
    return "".join(f"# {line}\n" for line in lines)


def find_parts(text: str, requirements: str = "") -> Parts | None:
    """Return the parts of a workflow, or None where it has no mark at all.

    Args:
        text: the workflow.
        requirements: the file beside it.

    Raises:
        PartsBroken: it has marks, but not all of them, or in another order.
    """
    found = _places(text)
    if found is None:
        return None
    (_, first, first_end, _), (_, second, second_end, _) = found
    found_parts = (text[first:first_end], text[second:second_end], requirements)
    return Parts(*(part.replace("\r\n", "\n") for part in found_parts))


def with_parts(text: str | None, parts: Parts) -> str:
    """Return a workflow with these parts in it.

    Args:
        text: the workflow as it is, with its parts; None for a new one.
        parts: what to put between the marks.

    Raises:
        PartsBroken: as :func:`find_parts`.
    """
    found = None if text is None else _places(text)
    if text is None or found is None:
        return _new(parts)
    newline = "\r\n" if text[found[0][0] : found[0][1]].endswith("\r\n") else "\n"
    made = text
    for (_, start, end, _), part in reversed(list(zip(found, (parts.triggers, parts.jobs), strict=True))):
        made = made[:start] + part.replace("\n", newline) + made[end:]
    return made


def _places(text: str) -> list[tuple[int, int, int, int]] | None:
    """Return for each part where its first mark begins and ends, and where its last one does."""
    marks = list(_MARK.finditer(text))
    if not marks:
        return None
    wanted = [(side, name) for name in _NAMES for side in (">>>", "<<<")]
    if [(mark["side"], mark["name"]) for mark in marks] != wanted:
        there = ", ".join(quoted(f"# {mark['side']} openllm-repos {mark['name']}") for mark in marks)
        raise PartsBroken(
            f"The marks of the workflow are not the four that belong there; there is {there}.",
            hint="openllm-repos ci --print  # shows the marks, to put them back\n"
            "openllm-repos ci --overwrite  # or writes the file anew",
        )
    return [(a.start(), a.end(), b.start(), b.end()) for a, b in zip(marks[::2], marks[1::2], strict=True)]


def _new(parts: Parts) -> str:
    return "\n".join(
        (
            "# Yours: the name, and all that you add outside of the marks.",
            "name: openllm-repos",
            "",
            f"# >>> openllm-repos {TRIGGERS}",
            parts.triggers + f"# <<< openllm-repos {TRIGGERS}",
            "# Further triggers may stand here, indented as those above; below them env: or defaults:",
            "",
            f"# >>> openllm-repos {JOBS}",
            parts.jobs + f"# <<< openllm-repos {JOBS}",
            "# Further jobs may stand here, indented as those above.",
            "",
        )
    )
