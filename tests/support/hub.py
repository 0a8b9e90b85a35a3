"""A person's clones of repositories on the sandbox's Hub and GitHub, and huggingface_hub as they would call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.repositories import Clone

if TYPE_CHECKING:
    from pathlib import Path

    from huggingface_hub import HfApi

    from openllm_repos.sandbox import Sandbox
    from tests.support.process import Result


def client(sandbox: Sandbox, token: str = "hf_write") -> HfApi:
    """Return huggingface_hub's client with one of the sandbox's tokens (an empty one: nobody)."""
    from huggingface_hub import HfApi

    return HfApi(endpoint=sandbox.hub.url, token=token or False)


def with_token(url: str, token: str) -> str:
    """Return a URL with a token in it: what the tool never does, and tests may."""
    return url.replace("://", f"://x:{token}@", 1)


def clone(sandbox: Sandbox, resource: str, folder: Path, *, token: str = "hf_write") -> Clone:
    """Clone a repository of the Hub (`spaces/lemms/openllm`) by a URL that holds the token."""
    return Clone.of(with_token(f"{sandbox.hub.url}/{resource}", token), folder)


def push(clone: Clone, *refspecs: str) -> Result:
    """Push to origin (main by default) and return what git said; a refusal is an answer."""
    return clone.run("push", "origin", *(refspecs or ("HEAD:refs/heads/main",)), ok=(0, 1, 128))


def remote_lines(result: Result) -> list[str]:
    """Return the lines that the remote sent, as a person reads them."""
    return [line.removeprefix("remote: ").rstrip() for line in result.err.splitlines() if line.startswith("remote:")]
