"""The question that a person is asked before something leaves this machine or cannot be undone."""

from __future__ import annotations

import sys

import click


def can_ask() -> bool:
    """Whether there is a person who can answer."""
    return sys.stdin.isatty()


def ask(question: str) -> bool | None:
    """Ask on standard error, whatever standard output is; no is what Enter says.

    Returns:
        None where nobody can be asked, or the input ended without an answer.
    """
    if not can_ask():
        return None
    click.echo(f"{question} [y/N]: ", err=True, nl=False)
    answer = sys.stdin.readline()
    if not answer:
        click.echo(err=True)
        return None
    return answer.strip().lower() in {"y", "yes"}
