"""Our advice under a remote's own words. It chooses a text and nothing else: what is true, the remote is asked."""

from __future__ import annotations

from collections.abc import Sequence

from openllm_repos.manifest.model import History, Repo

# What hosts are known to say, and what helps; the first that fits is taken.
_KNOWN: tuple[tuple[str, str], ...] = (
    ("contains binary files", "Keep the files out with a narrower pattern, or keep them in LFS.{squash}"),
    ("files larger than 10 MiB", "Keep the files out with a narrower pattern, or keep them in LFS.{squash}"),
    ("GH001", "Keep the files out with a narrower pattern, or keep them in LFS.{squash}"),
    (
        "LFS pointer pointed to a file that does not exist",
        "git lfs push --all {url} {branch}  # in a clone that has the objects; then sync again",
    ),
    (
        "GH008",
        "git lfs push --all {url} {branch}  # in a clone that has the objects; then sync again",
    ),
    (
        "YAML metadata",
        "Mend the lines between the '---' at the top of README.md, in {name} itself or in the source that writes it.",
    ),
    (
        "GH013",
        "A rule of the repository forbids it: see its settings (Rules), or push to another branch and merge there.",
    ),
    ("GH006", "The branch is protected: see the repository's settings, or push to another branch and merge there."),
    ("shallow update not allowed", "git fetch --unshallow  # fetches the whole history"),
)
# Here the token counts too: what is known of it goes below.
_RIGHTS: tuple[tuple[str, str], ...] = (
    (
        "not authorized to push",
        "hf auth whoami  # this token may not write to {name}: take one that may",
    ),
    (
        "Password authentication",
        "hf auth login --add-to-git-credential  # for the Hub\ngh auth setup-git  # for GitHub",
    ),
    (
        "Invalid username or password",
        "hf auth login --add-to-git-credential  # for the Hub\ngh auth setup-git  # for GitHub",
    ),
)
_FULL = ("quota", "storage limit", "storage space")
_INSUFFICIENT_STORAGE = 507
_SQUASH = ' If only past commits have them: history = "squash" for {name}.'
_OTHERWISE = "Do what its own words above ask for: rights, branch protection, or what it does not take."


def advice(said: str, target: Repo, token: str) -> str:
    """Return what to do about a refusal.

    Args:
        said: git's and the remote's words.
        target: the repo that refused.
        token: what is known of the token that was used; often nothing.
    """
    known = _first(_KNOWN, said) or about_storage(said, target.name)
    text = known or _first(_RIGHTS, said) or _OTHERWISE
    squash = _SQUASH.format(name=target.name) if target.history is History.FULL else ""
    text = text.format(name=target.name, url=target.url, branch=target.branch, squash=squash)
    return text if known or not token else f"{text}\n{token}"


def about_storage(said: str, name: str, status: int = 0) -> str:
    """Return what to do where a host says that a repo's storage is full; an empty string where it does not say so.

    Args:
        said: git's and the host's words.
        name: of the repo.
        status: of the host's answer, where it is known.
    """
    if status != _INSUFFICIENT_STORAGE and not any(words in said.casefold() for words in _FULL):
        return ""
    return f"The storage of {name} is full. Free some there, or ask its host for more; then run the same command again."


def _first(table: Sequence[tuple[str, str]], said: str) -> str | None:
    return next((text for words, text in table if words.casefold() in said.casefold()), None)
