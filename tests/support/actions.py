"""A step of a GitHub Actions job: its files, and the commands that the runner would see in the log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.process import Result

_LINES = re.compile(r"\r\n|\r|\n")
# What .NET's TrimStart takes off; Python's lstrip takes a few more, so no command is missed.
_KNOWN = {"add-mask", "add-matcher", "debug", "echo", "endgroup", "error", "group", "notice", "remove-matcher"}
_KNOWN |= {"add-path", "save-state", "set-env", "set-output", "stop-commands", "warning"}


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the runner reads it."""

    name: str
    properties: dict[str, str]
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the file that its summary goes to, and the one of its outputs."""

    summary_file: Path
    output_file: Path

    @classmethod
    def enter(cls, folder: Path, workspace: Path, patch: pytest.MonkeyPatch) -> Step:
        """Let everything that runs from now on be a step of a job that checked out `workspace`."""
        folder.mkdir(parents=True)
        step = cls(folder / "summary.md", folder / "output")
        for file in (step.summary_file, step.output_file):
            file.touch()
        patch.setenv("GITHUB_ACTIONS", "true")
        patch.setenv("GITHUB_STEP_SUMMARY", str(step.summary_file))
        patch.setenv("GITHUB_OUTPUT", str(step.output_file))
        patch.setenv("GITHUB_WORKSPACE", str(workspace))
        return step

    @property
    def summary(self) -> str:
        """The summary so far."""
        return self.summary_file.read_text(encoding="utf-8")

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs, read as the runner reads them: ``name<<end``, lines of the value, ``end``."""
        found = {}
        lines = iter(self.output_file.read_text(encoding="utf-8").split("\n")[:-1])
        for line in lines:
            name, mark, end = line.partition("<<")
            assert (mark, "=" in name) == ("<<", False), line
            value = []
            while (next_line := next(lines)) != end:
                value.append(next_line)
            found[name] = "\n".join(value)
        return found


def commands(done: Result) -> list[Command]:
    """Return the commands that the runner would find in what was printed, in the new form and in the old one."""
    found = []
    for line in _LINES.split(done.out + "\n" + done.err):
        new = re.match(r"\s*\ufeff?\s*::(?P<name>[^ :]+)(?: (?P<properties>.*?))?::(?P<message>.*)", line)
        old = re.search(r"##\[(?P<name>[^ \]]+)(?: (?P<properties>[^\]]*))?\](?P<message>.*)", line)
        for match in (new, old):
            if match and match["name"].lower() in _KNOWN:
                pairs = (pair.partition("=") for pair in (match["properties"] or "").split(",") if pair)
                properties = {key: _unescaped(value) for key, _, value in pairs}
                found.append(Command(match["name"], properties, _unescaped(match["message"])))
    return found


def _unescaped(text: str) -> str:
    for mark, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(mark, char)
    return text
