"""What the tool tells people to type next is tried by the command line's own parser, in every test that runs it."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Sequence

import click

from tests.support.process import REAL_GIT, Result, run_git

_NEXT = re.compile(r"^ *(?:::\w+ [^:]*::)?next: (.*)$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"(?:^|[=/])(?:[A-Z]{2,}|owner/name)$")
_NAMES_IN_CAPITALS = {"HEAD", "LICENSE", "README"}
_GIT_OPTIONS_WITH_VALUE = ("-C", "-c")


def require_pasteable(result: Result) -> None:
    """Fail unless each `next:` line that was printed is one command that its program would take."""
    for line in _NEXT.findall(f"{result.err}\n{result.out}"):
        words = _words(line)
        assert words, f"nothing to type: {line!r}"
        if words[0] == "openllm-repos":
            _require_parsed(words[1:], line)
        elif words[0] == "git":
            assert _subcommand(words[1:]) in _git_commands(), f"git has no such command: {line!r}"


def _words(line: str) -> list[str]:
    """Split as a shell does; what it would read as more than one command is a fault of the line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>()")
    lexer.whitespace_split = True
    words = list(lexer)
    if words[-2:-1] == [">"]:  # into a file
        words = words[:-2]
    marks = [word for word in words if word and set(word) <= set(";&|<>()")]
    assert not marks, f"more than one command, or a placeholder that a shell misreads: {line!r}"
    assert "..." not in words, f"not to be pasted: {line!r}"
    assert not placeholders(words), f"something is to be filled in, so it is no command to paste: {line!r}"
    return words


def placeholders(words: Sequence[str]) -> list[str]:
    """Return the words of a command that only stand for others; a sentence may hold such a command, in quotes."""
    return [word for word in words if _PLACEHOLDER.search(word) and word not in _NAMES_IN_CAPITALS]


def _require_parsed(arguments: list[str], line: str) -> None:
    from openllm_repos.cli.app import PROGRAM, group

    try:
        context = group.make_context(PROGRAM, list(arguments), resilient_parsing=False)
        command: click.Command = group
        rest = [*context._protected_args, *context.args]
        while isinstance(command, click.Group) and rest:
            name, found, rest = command.resolve_command(context, rest)
            assert found is not None
            context = found.make_context(name, rest, parent=context)
            command, rest = found, [*context._protected_args, *context.args]
    except click.exceptions.Exit:
        return  # --help and --version
    except click.ClickException as error:
        message = f"openllm-repos does not take its own advice {line!r}: {error.format_message()}"
        raise AssertionError(message) from None


def _subcommand(arguments: list[str]) -> str:
    rest = iter(arguments)
    for word in rest:
        if word in _GIT_OPTIONS_WITH_VALUE:
            next(rest)
        elif not word.startswith("-"):
            return word
    return ""


@functools.cache
def _git_commands() -> frozenset[str]:
    listed = run_git("--list-cmds=main,others", cwd="/").out.split()
    assert listed, REAL_GIT
    return frozenset({*listed, "lfs", "subtree"})
