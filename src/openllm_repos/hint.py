"""What to do next, as people read it: `next:` is one command that can be pasted, `hint:` a sentence."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import TYPE_CHECKING, TypeVar

from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")

# A line of a hint that begins with one of these is a command; in a sentence a command stands in quotes.
_PROGRAMS = frozenset(
    {"cd", "chmod", "cp", "export", "gh", "git", "hf", "mkdir", "mv", "openllm-repos", "pip", "pre-commit", "rm"}
)
_REMARK = "  # "


@dataclass(frozen=True, slots=True)
class NextStep:
    """One line of a hint.

    Attributes:
        text: the command, or the sentence.
        is_command: whether it can be pasted into a shell.
        remark: what stands behind a command as a comment.
    """

    text: str
    is_command: bool
    remark: str = ""

    def __str__(self) -> str:
        """Return the line with its label."""
        if not self.is_command:
            return f"hint: {self.text}"
        return f"next: {self.text}{_REMARK}{self.remark}" if self.remark else f"next: {self.text}"


_OF_SEVERAL = {"is": "are", "was": "were", "has": "have", "does": "do", "lacks": "lack"}


def command_line(*words: object, remark: str = "") -> str:
    """Return a command as one line of a hint: each word is quoted, where a shell would read anything else in it."""
    line = shlex.join(map(str, words))
    return f"{line}{_REMARK}{remark}" if remark else line


def gathered(found: Iterable[_T], name: str, text: str) -> Iterator[_T]:
    """Yield what was found, as one what reads the same of several repos: one trouble is told once, with all its names.

    Args:
        found: frozen values.
        name: of the field that has the repo's name, or an empty string.
        text: of the field that says what it is, with the name in front or without; values that lack it stay alone.
    """
    same: dict[object, list[_T]] = {}
    for one in found:
        repo, said = getattr(one, name), getattr(one, text, None)
        nameless = None if said is None else replace(one, **{name: "", text: said.removeprefix(f"{repo} ")})
        same.setdefault((bool(repo), nameless or id(one)), []).append(one)
    for one, *others in same.values():
        names = [getattr(each, name) for each in (one, *others)]
        if others:
            verb, _, rest = getattr(one, text).removeprefix(f"{names[0]} ").partition(" ")
            said = f"{_OF_SEVERAL.get(verb, verb)} {rest}"
            yield replace(one, **{name: ", ".join(filter(None, names)), text: said})
        else:
            yield one


def note_lines(note: str, indent: str = "") -> Iterator[str]:
    """Yield a note, and as a hint what stands in the lines after its first."""
    said, _, hint = note.partition("\n")
    yield f"{indent}note: {show(redact(said))}"
    yield from hint_lines(hint, f"{indent}  ")


def next_steps(hint: str) -> Iterator[NextStep]:
    """Yield the steps of a hint: each command, with its remark behind ``  # ``, and the prose between commands."""
    prose: list[str] = []
    for line in show(redact(hint)).splitlines():
        command, _, remark = line.partition(_REMARK)
        if command.partition(" ")[0] not in _PROGRAMS:
            prose.append(line)
            continue
        yield from _sentences(prose)
        prose.clear()
        yield NextStep(command, is_command=True, remark=remark)
    yield from _sentences(prose)


def _sentences(prose: list[str]) -> Iterator[NextStep]:
    text = "\n".join(prose).strip("\n")
    if text:
        yield NextStep(text, is_command=False)


def hint_lines(hint: str, indent: str = "", *, columns: int = 0) -> Iterator[str]:
    """Yield the lines of a hint with their labels, for a terminal; prose is wrapped where `columns` says at what."""
    for step in next_steps(hint):
        for line in str(step).splitlines():
            if step.is_command or not columns:  # a command stays in one piece, to be copied
                yield indent + line
            else:
                yield from wrap(line, columns, initial_indent=indent, subsequent_indent=f"{indent}  ")
