"""`openllm-repos sandbox`: a GitHub and a Hub on this machine, until Ctrl-C. What it prints can be read by a shell."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import click

from openllm_repos.cli.invocation import Invocation
from openllm_repos.sandbox import Sandbox
from openllm_repos.sandbox.environment import SEALED_NAMES, SEALED_PREFIXES, unset_command

SCHEMA = 1
_TOKENS = {
    "hf_write": "user lemms, may write",
    "hf_read": "user lemms, may read",
    "hf_other": "another user",
    "hf_fine": "user lemms, may write to spaces/lemms/openllm only",
    "gh_write": "GitHub, may write",
    "gh_read": "GitHub, may read",
}


@click.command("sandbox")
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the repositories in DIR, and go on with those that are there (a temporary folder by default).",
)
@click.option("--hub-port", default=0, metavar="PORT", type=click.IntRange(0, 65535), help="Port of the Hub (any).")
@click.option("--github-port", default=0, metavar="PORT", type=click.IntRange(0, 65535), help="Port of GitHub (any).")
@click.option("--seed", type=click.Choice(["openllm"]), help="Fill it with the family of the demo.")
@click.option("--json", "as_json", is_flag=True, help="Print URLs, tokens and environment as one JSON object.")
@click.pass_obj
def sandbox(
    invocation: Invocation, root: Path | None, hub_port: int, github_port: int, seed: str | None, as_json: bool
) -> None:
    """Serve a local GitHub and a local Hugging Face Hub until Ctrl-C.

    Real git over HTTP, LFS, and the Hub's REST calls, with the Hub's own refusals; nothing leaves this machine, and
    the tokens open nothing else. In another terminal, type the lines that are printed: git, huggingface_hub and
    openllm-repos then find the sandbox behind the real URLs (https://huggingface.co/..., https://github.com/...).
    That terminal is sealed: of your git configuration it has your name alone, and other hosts are refused.

    With --root DIR the same repositories are there the next time.
    """
    named = None if root is None else Path(os.path.abspath(invocation.directory / root))
    with _folder(named) as place, Sandbox(place, ports=(hub_port, github_port)) as running:
        if seed:
            from openllm_repos.demo.seed import seed as fill

            fill(running)
        running.copy_identity()
        with contextlib.suppress(KeyboardInterrupt):
            # Both are said outright: a script's background commands start with Ctrl-C ignored, and `kill` ends them.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.default_int_handler)
            click.echo(_as_json(running) if as_json else _as_text(running))
            threading.Event().wait()


@contextlib.contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="openllm-repos-sandbox-") as place:
        yield Path(os.path.realpath(place))


def _as_json(running: Sandbox) -> str:
    facts = {
        "schema": SCHEMA,
        "hub": running.hub.url,
        "github": running.github.url,
        "root": str(running.root),
        "tokens": _TOKENS,
        "environment": running.environment(plain_git=True),
        "unset": [*(f"{prefix}*" for prefix in SEALED_PREFIXES), *SEALED_NAMES],
    }
    return json.dumps(facts, indent=2)


def _as_text(running: Sandbox) -> str:
    lines = [
        f"# The Hub     {running.hub.url}",
        f"# GitHub      {running.github.url}",
        f"# in          {running.root}",
        "# Tokens (they open nothing but this sandbox):",
        *(f"#   {token:<9} {meaning}" for token, meaning in _TOKENS.items()),
        "# Type this in another terminal; git, huggingface_hub and openllm-repos then come here, and nothing that is",
        "# started there leaves this machine. Your name is taken along, and nothing else of your git configuration:",
        unset_command(),
        *(f"export {name}={shlex.quote(value)}" for name, value in running.environment(plain_git=True).items()),
        "# Then make repositories, here a Space and one on GitHub:",
        "#   hf repos create lemms/my-space --type space --space-sdk gradio",
        f'#   curl -d \'{{"id": "lemms/my-code"}}\' {running.github.url}/_sandbox/repo',
        "# Stop with Ctrl-C.",
    ]
    return "\n".join(lines)
