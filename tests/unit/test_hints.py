"""Whatever the tool says of commands, in any of its texts: a person can paste it, or sees where it begins and ends."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import openllm_repos
from openllm_repos.cli.app import group
from openllm_repos.hint import command_line, hint_lines, note_lines
from tests.support.next_steps import placeholders, require_pasteable
from tests.support.process import Result

PACKAGE = Path(openllm_repos.__file__).parent
# The sandbox's hosts speak as the real ones do, and the workflow's lines are read by a runner.
TEXTS_OF_OTHERS = ("sandbox/", "workflow/template.py", "git/children.py", "git/credentials.py")
_GIT = "add|checkout|commit|config|diff|fetch|init|log|ls-remote|merge|mv|pack-refs|pull|push|rebase|remote|reset"
_GIT += "|restore|revert|rm|show|stash|status|submodule|switch|tag"
_OURS = "|".join(sorted(group.list_commands(click.Context(group)), key=len, reverse=True))
_COMMAND = re.compile(
    rf"(?<![\w'`/.>\"-])(?:openllm-repos (?:{_OURS})|git (?:{_GIT}|lfs \w+)|hf (?:auth|download|repos?|upload)"
    r"|gh (?:auth|repo|secret)|pip install)(?![\w-])"
)
_NOUNS = re.compile(r"\bgit remote(?: for|s)?\b(?! set-url| add)|openllm-repos lock -")
_FILLED = "x"


@functools.cache
def literals(path: Path) -> list[tuple[str, list[ast.expr]]]:
    """Return every text of a module that is no docstring, with what it is filled with."""
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    passed_over = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}  # docstrings
    passed_over |= {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    found: list[tuple[str, list[ast.expr]]] = []
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else _FILLED for part in node.values]
            filled = [one.value for one in node.values if isinstance(one, ast.FormattedValue)]
            found.append(("".join(map(str, parts)), filled))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed_over:
            found.append((node.value, []))
    return found


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(TEXTS_OF_OTHERS):
            yield name, path


def lines() -> Iterator[tuple[str, str, list[ast.expr]]]:
    for name, path in modules():
        for text, filled in literals(path):
            for line in text.splitlines():
                yield name, line, filled


def test_a_command_in_a_sentence_stands_in_quotes() -> None:
    found = []
    for name, line, _ in lines():
        said = _NOUNS.sub("", re.sub(r"^#? *", "", line))
        begins = _COMMAND.match(said) is not None
        rest = said.partition("  # ")[2] if begins else said
        if _COMMAND.search(rest):
            found.append(f"{name}: {line}")
    assert found == []


@pytest.mark.parametrize("mark", ["   then", "&& ", "; then:", "next: "])
def test_no_text_joins_commands_or_labels_them_by_hand(mark: str) -> None:
    """Labels are put on by hint.hint_lines alone, and each command is a line of its own."""
    assert [f"{name}: {line}" for name, line, _ in lines() if mark in line and name != "hint.py"] == []


def test_every_command_of_ours_that_begins_a_text_is_one_that_the_command_line_takes() -> None:
    found = [
        line
        for name, line, _ in lines()
        if re.match(rf"openllm-repos (?:{_OURS})\b", line) and not name.startswith("cli/actions_")  # titles of notes
    ]
    assert len(found) > 50
    require_pasteable(Result(0, b"", "".join(f"next: {line}\n" for line in found).encode()))


def test_no_command_of_any_program_is_to_be_filled_in_first() -> None:
    """A command with a placeholder is prose, in quotes: a person who pastes it would run it as it stands."""
    commands = [(name, line.partition("  # ")[0]) for name, line, _ in lines() if _COMMAND.match(line)]
    assert [f"{name}: {line}" for name, line in commands if placeholders(line.split())] == []


# Ids, and names whose letters are limited by names/ref.py and names/url.py to what a shell takes as it is.
_PLAIN = re.compile(
    r"(?:\b(?:name|names|target|version|tag|branch|repo|repo_id|example|NAME|commit|tip|kind)"
    r"|\[:10\]|\.operation|\.kind\.value)$"
)
_QUOTED_BEFORE = {"_shell(owned)", "paths", "named", "_SNIPPET", "place"}  # by shlex.quote, in the lines above
_OF_PLAIN = {"main", "one", "two", "abort", "' '.join(names)", "' '.join(targets)", "_on_hub(repo)", "_key(host)"}
_OF_PLAIN |= {"option", "page", "_AGAIN", "BranchName(branch)", "EXAMPLE"}


def test_what_a_command_is_filled_with_is_quoted_or_cannot_hold_what_a_shell_reads() -> None:
    found = []
    for name, path in modules():
        for text, filled in literals(path):
            if _COMMAND.match(text.lstrip()):
                found += [f"{name}: {ast.unparse(one)} in {text}" for one in filled if not _safe(ast.unparse(one))]
    assert found == []


def _safe(code: str) -> bool:
    quoted = code in _QUOTED_BEFORE or "shlex." in code or "command_line(" in code
    return quoted or code in _OF_PLAIN or _PLAIN.search(code) is not None


HOSTILE = ["a b", "it's", "$(touch x)", "a;b", "a&b", "*", "`id`", "#a", "~", "a\\b", 'say "x"', "<x>", "|", ""]


@pytest.mark.parametrize("word", HOSTILE)
def test_whatever_a_name_holds_the_command_stays_one_command(word: str, tmp_path: Path) -> None:
    (line,) = hint_lines(command_line("git", "fetch", word, remark="then push again"))
    assert line.startswith("next: git fetch ")
    git = 'git() { printf "%s\\n" "$@"; }'
    said = subprocess.run(["sh", "-c", f"{git}; {line[6:]}"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert said.stdout == f"fetch\n{word}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_note_carries_its_commands_below_it() -> None:
    assert list(note_lines("it is there as well\ngit rm -- x  # to have it once", "  ")) == [
        "  note: it is there as well",
        "    next: git rm -- x  # to have it once",
    ]
