"""The git remotes that a clone has: reading all of them, writing those that this tool makes.

A remote of ours is marked by ``remote.<name>.openllm = true``. The mark is written first and the URL last, so that a
run that was killed in between leaves something that the next one knows for its own and completes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openllm_repos.git.repository import Repository
from openllm_repos.names.ref import BranchName, RepoName
from openllm_repos.names.url import RepoUrl

_TRUE = frozenset({"true", "yes", "on", "1"})


@dataclass(frozen=True, slots=True)
class GitRemote:
    """A git remote as the clone's configuration has it. All texts are the person's, unchecked.

    Attributes:
        name: its name.
        url: where it fetches from; empty where the configuration does not say.
        push_url: where it pushes to, if that is somewhere else.
        fetch: its fetch refspecs.
        ours: whether this tool made it.
        partial: the filter of a partial clone (``blob:none``), or an empty string.
    """

    name: str
    url: str = ""
    push_url: str = ""
    fetch: tuple[str, ...] = ()
    ours: bool = False
    partial: str = ""


def read_remotes(repository: Repository) -> tuple[GitRemote, ...]:
    """Return the clone's remotes, in the order of its configuration."""
    done = repository.git.run("config", "-z", "--get-regexp", r"^remote\..*\.", ok=(0, 1))
    found: dict[str, dict[str, list[str]]] = {}
    for entry in done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        key, _, value = entry.partition("\n")
        name, _, what = key.removeprefix("remote.").rpartition(".")
        found.setdefault(name, {}).setdefault(what, []).append(value)
    return tuple(_remote(name, values) for name, values in found.items())


def _remote(name: str, values: Mapping[str, list[str]]) -> GitRemote:
    def first(key: str) -> str:
        return values.get(key, [""])[0]

    return GitRemote(
        name=name,
        url=first("url"),
        push_url=first("pushurl"),
        fetch=tuple(values.get("fetch", ())),
        ours=first("openllm").lower() in _TRUE,
        partial=first("partialclonefilter"),
    )


def refspec(name: RepoName, branch: BranchName) -> str:
    """Return what a remote of ours fetches: one branch.

    The plus is git's own default for remote-tracking refs: they say what the remote has now, also after somebody there
    rewrote the branch. Pushes never have one.
    """
    return f"+{branch.ref}:refs/remotes/{name}/{branch}"


def write_remote(repository: Repository, name: RepoName, branch: BranchName, url: RepoUrl | None) -> None:
    """Make a remote of ours, or bring one up to date: it fetches one branch, and no tags (each repo has its own).

    Args:
        repository: the clone.
        name: the remote's name.
        branch: what it fetches.
        url: where it leads; None leaves what is there.
    """
    values = {
        "openllm": "true",
        "tagOpt": "--no-tags",
        # git 2.48 and newer: a refs/remotes/main/HEAD would make the branch name `main` ambiguous
        "followRemoteHEAD": "never",
        "fetch": refspec(name, branch),
    }
    for key, value in (values if url is None else {**values, "url": url}).items():
        repository.git.run("config", "--local", "--replace-all", "--", f"remote.{name}.{key}", value)


def remove_remote(repository: Repository, name: RepoName) -> None:
    """Take a remote away, with its remote-tracking refs and with what branches say of it."""
    repository.git.run("remote", "remove", "--", name)


def current_branch(repository: Repository) -> str:
    """Return the branch that the person stands on, or an empty string where HEAD is detached."""
    done = repository.git.run("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1))
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def default_branch(repository: Repository, remote: str) -> str:
    """Return the main branch of a remote as the clone remembers it, or an empty string."""
    ref = f"refs/remotes/{remote}/HEAD"
    done = repository.git.run("symbolic-ref", "--quiet", ref, ok=(0, 1, 128))
    return done.stdout.decode("utf-8", "surrogateescape").strip().removeprefix(f"refs/remotes/{remote}/")


def setting(repository: Repository, key: str) -> str:
    """Return one value of the clone's or the person's configuration, or an empty string."""
    done = repository.git.run("config", "--get", "--", key, ok=(0, 1))
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def expanded(repository: Repository, url: str) -> str:
    """Return where git really goes for a URL of the configuration (``url.*.insteadOf``); it asks nobody."""
    done = repository.git.run("ls-remote", "--get-url", "--", url, ok=(0, 128))
    return done.stdout.decode("utf-8", "surrogateescape").strip()
