"""Remotes: what they have, fetching it, and pushing to them with the old value stated.

A remote is believed only when it is asked: after any push, whatever its exit code, :func:`list_refs` says what is true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openllm_repos.errors import EnvironmentProblem, Passing, RemoteRefused, ReposError
from openllm_repos.git.network import HostFailed, ask_host, host_name, quick_trust, speak
from openllm_repos.git.process import DeadlineExceeded, GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoUrl, identity_of
from openllm_repos.plan import RefUpdate
from openllm_repos.retry import Tries, next_step
from openllm_repos.text import redact

_PASSWORD = re.compile(r"[a-z+]+://[^/@]*:[^/@]*@")
TRANSFER_DEADLINE = 1800.0  # seconds; a transfer may be large, but it must end
_TAKE_OUT = (
    "Take the password or token out of your remote's URL with 'git remote set-url', and leave it to a credential"
    " helper.\n"
    "gh auth setup-git  # for GitHub\n"
    "hf auth login --add-to-git-credential  # for the Hub"
)
_MILLISECONDS = re.compile(r" after [0-9]+ ms")
_UNAUTHORIZED = 401
_HOOK = 1  # git's exit code where a hook on this side said no; others end so, too
_DIED = 128
_NOT_FOUND = 404
_NETWORK = "Check the network and the name of the host, then run the same command again."
_ASKED = 10.0  # seconds for an answer of a remote that was pushed to


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a repo is reached from this clone.

    Attributes:
        url: what git is given to fetch from.
        push_url: what git is given to push to.
        tracking: the folder of refs where its branches are remembered, ``refs/remotes/<name>``.
        name: the person's own git remote for it, or None.
    """

    url: str
    push_url: str
    tracking: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """What git made of a push; not what is true now.

    Attributes:
        done: git says that it went through.
        refused: the remote was reached, and it or the lease turned a ref down.
        said: git's and the remote's words, for people.
        passing: why it may pass by itself, where the patience for it has ended.
        advice: what to do, where the host's answer says it; else empty.
        unreached: the host was not spoken with at all.
    """

    done: bool
    refused: bool
    said: str
    passing: Passing | None = None
    advice: str = ""
    unreached: bool = False

    def problem(self, message: str, *, hint: str) -> ReposError:
        """Return the error for a push of which nothing landed: the host could not do it now, or it said no."""
        if self.passing is not None or self.unreached:
            return EnvironmentProblem(message, hint=self.advice or _NETWORK, passing=self.passing)
        return RemoteRefused(message, hint=self.advice or hint)


class Unreachable(EnvironmentProblem):
    """A remote did not answer, or not with what git understands.

    Attributes:
        missing: its host answered that it has no such repository, or none that this person may see.
        unclear: it answered, but not as git does.
        refused: it has no such commit, or gives none out that is asked for by its id.
    """

    missing = False
    unclear = False
    refused = False


def endpoints(repository: Repository, repos: Mapping[RepoName, RepoUrl]) -> dict[RepoName, Endpoint]:
    """Return how each repo is reached.

    Where the person has a git remote for the same repository (over ssh, say, where the manifest says https), that
    remote is used: its credentials are the ones that work. The person's own names are not taken for anything else.
    """
    done = repository.git.run("config", "-z", "--get-regexp", r"^remote\..*\.(url|pushurl)$", ok=(0, 1))
    urls: dict[str, str] = {}
    push_urls: dict[str, str] = {}
    for entry in done.stdout.decode("utf-8", "surrogateescape").split("\0"):
        key, newline, value = entry.partition("\n")
        if newline:
            name, _, what = key.removeprefix("remote.").rpartition(".")
            (push_urls if what == "pushurl" else urls).setdefault(name, value)
    by_identity: dict[str, str] = {}
    for name, url in urls.items():
        identity = identity_of(url)
        if identity is not None:
            by_identity.setdefault(identity, name)

    def endpoint(name: RepoName, url: RepoUrl) -> Endpoint:
        mine = by_identity.get(url.identity)
        if mine is not None:
            push = push_urls.get(mine, urls[mine])
            push = push if identity_of(push) == url.identity else urls[mine]
            return Endpoint(urls[mine], push, f"refs/remotes/{mine}", mine)
        taken = name in urls
        return Endpoint(url, url, f"refs/openllm/remotes/{name}" if taken else f"refs/remotes/{name}")

    return {name: endpoint(name, url) for name, url in repos.items()}


def list_refs(
    repository: Repository,
    url: str,
    patterns: Sequence[str] = ("refs/heads/*", "refs/tags/*"),
    *,
    deadline: float,
    peeled: bool = False,
) -> dict[str, ObjectId]:
    """Ask a remote for its refs.

    Args:
        repository: the clone, whose configuration says how to reach hosts.
        url: the remote.
        patterns: full ref names or patterns.
        deadline: seconds until it counts as dead.
        peeled: also return what each annotated tag names in the end, under the tag's name with ``^{}`` behind it.

    Raises:
        Unreachable: no answer in time, or a refusal.
    """
    if _PASSWORD.match(url):  # git would refuse it, too, but with the password among its arguments
        raise Unreachable(f"URL '{redact(url)}' uses plaintext credentials", hint=_TAKE_OUT)
    asked = ("ls-remote", "--quiet", *(() if peeled else ("--refs",)), "--", url, *patterns)
    quick = quick_trust(url)
    try:
        try:
            done = ask_host(repository, url, *asked, deadline=deadline, settings=quick)
        except HostFailed as failed:
            if not quick or failed.answer.method:
                raise
            done = ask_host(repository, url, *asked, deadline=deadline)
    except DeadlineExceeded:
        raise _silent(deadline) from None
    except HostFailed as failed:
        raise _explain(repository, url, failed, _reason(failed.completed.said)) from None
    rows = (line.partition("\t") for line in done.lines())
    return {ref: ObjectId(found) for found, _, ref in rows}


def fetch(
    repository: Repository,
    url: str,
    *refs: str,
    known: Sequence[ObjectId] | None = None,
    deadline: float = TRANSFER_DEADLINE,
) -> None:
    """Bring the objects of refs into the clone. No ref is written, ours or the person's.

    Args:
        repository: the clone.
        url: the remote.
        refs: full names, or ids of commits, for which the host need not list its refs.
        known: commits that the remote may have, too; None: any of the clone's, which git offers in many requests.
        deadline: seconds until the transfer is given up.

    Raises:
        Unreachable: the remote did not answer, or refused.
    """
    quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
    offered = [f"--negotiation-tip={commit}" for commit in known or ()]
    how = () if known is None else (f"fetch.negotiationAlgorithm={'skipping' if known else 'noop'}",)
    asked = ("fetch", *quiet, *offered, *_progress(repository), "--", url, *refs)
    try:
        ask_host(repository, url, *asked, deadline=deadline, settings=how)
    except DeadlineExceeded as late:
        raise Unreachable(
            f"its commits were not fetched within {late.after:g} seconds",
            hint="Check the network, or give it more time.",
        ) from None
    except HostFailed as failed:
        why = _explain(repository, url, failed, _reason(failed.completed.said))
        hint = why.hint
        if failed.answer.status in {0, 200}:  # its host did not refuse: the objects themselves may be at fault
            hint = (
                f"{hint} An object that git calls damaged or dangerous must go from its history:\n"
                f"git -c fetch.fsckObjects=true fetch {redact(url)} {refs[0]}  # names it"
            )
        unfetched = Unreachable(f"its commits could not be fetched: {why.message}", hint=hint, passing=failed.passing)
        unfetched.refused = why.refused
        raise unfetched from None


def push(
    repository: Repository, url: str, updates: Sequence[RefUpdate], *, lfs: bool = False, hooks: bool = True
) -> Pushed:
    """Push objects by id to refs of a remote, each with a lease on its old value. Never forced.

    What may pass is tried again only after the remote has said that nothing landed.

    More than one ref is pushed atomically; one ref is atomic by itself, and some servers know no atomic pushes.

    Args:
        repository: the clone.
        url: the remote.
        updates: the refs; a `new` of zeros deletes one.
        lfs: what is pushed points at LFS objects; they are there already, and the pre-push hook of git-lfs, where the
            person has it, has to ask that remote about them and no other.
        hooks: whether the person's pre-push hook runs. Only what brings no commit along may do without: the hook of
            git-lfs is what uploads large files.

    Returns:
        What git and the remote said. What is true now, only :func:`list_refs` can tell.
    """
    if _PASSWORD.match(url):  # git would refuse it, too, but with the password among its arguments
        return Pushed(done=False, refused=False, said=f"URL '{redact(url)}' uses plaintext credentials")
    args = ["push", "--porcelain", *_progress(repository)]
    if len(updates) > 1:
        args.append("--atomic")
    args += [f"--force-with-lease={update.ref}:{'' if update.old.is_zero else update.old}" for update in updates]
    specs = [f"{'' if update.new.is_zero else update.new}:{update.ref}" for update in updates]
    tries = Tries(repository.retry, host_name(url))
    while True:
        pushed = _push_once(repository, url, (*args, "--", url, *specs), lfs=lfs, hooks=hooks)
        if pushed.passing is None or not (_unmoved(repository, url, updates) and tries.wait(pushed.passing)):
            return pushed


def _progress(repository: Repository) -> tuple[str, ...]:
    """Return the option that makes git tell of its progress, where somebody watches."""
    return () if repository.git.on_progress is None else ("--progress",)


def _push_once(repository: Repository, url: str, asked: Sequence[str], *, lfs: bool, hooks: bool) -> Pushed:
    host = host_name(url)
    try:
        done, answer = speak(
            repository,
            url,
            *asked,
            git=repository.person(),
            deadline=TRANSFER_DEADLINE,
            settings=lfs_settings(url) if lfs else (),
            hooks=hooks,
        )
    except DeadlineExceeded as late:
        silent = Passing("no answer in time")
        return Pushed(done=False, refused=False, said=late.message, passing=silent, advice=next_step(host, silent))
    refused = any(line.startswith(b"!\t") for line in done.stdout.split(b"\n"))
    passing = answer.passing
    if done.code == 0 or refused or (done.code == _HOOK and answer.advertised):
        passing = None
    advice, said = "", done.said
    if passing is not None:
        advice = next_step(host, passing)
    elif answer.status == _UNAUTHORIZED and repository.access is not None:
        why, advice = repository.access.login(url)
        said = f"{why}\n{said}" if why else said
    unreached = done.code == _DIED and answer.unreached
    if done.code == _DIED and not answer.method:
        problem = repository.git.failure("push", done)
        if not isinstance(problem, GitFailed):
            return Pushed(done=False, refused=False, said=problem.message, advice=problem.hint)
    return Pushed(done.code == 0, refused, said, passing, advice, unreached)


def _unmoved(repository: Repository, url: str, updates: Sequence[RefUpdate]) -> bool:
    """Whether a remote says that nothing of a push has landed: every ref still has its old value."""
    try:
        refs = list_refs(repository, url, [update.ref for update in updates], deadline=_ASKED)
    except Unreachable:
        return False
    return all(refs.get(update.ref, repository.zero) == update.old for update in updates)


def lfs_settings(url: str) -> tuple[str, ...]:
    """Return the configuration that makes git-lfs talk to a remote's own LFS, whatever an ``.lfsconfig`` says."""
    server = url.rstrip("/")
    if url.startswith(("https://", "http://")):  # over ssh git-lfs asks the host, and for a folder it copies
        server = f"{server.removesuffix('.git')}.git/info/lfs"
    return f"lfs.url={server}", f"lfs.pushurl={server}", "lfs.locksverify=false"


def require_writable(repository: Repository, url: str, update: RefUpdate, *, deadline: float) -> None:
    """Ask a remote whether it would let this person push at all, without changing anything there or here.

    The dry run opens the same conversation as a push and ends it before anything is sent; hosts check rights when it
    opens. What they check later (branch protection, content) is not seen.

    Args:
        repository: the clone.
        url: where pushes go.
        update: of a ref that need not exist, to any object of the clone.
        deadline: seconds until it is given up.

    Raises:
        Unreachable: no answer, or it lets this person only read.
    """
    asked = ("push", "--dry-run", "--porcelain", "--no-verify", "--no-signed", "--", url, f"{update.new}:{update.ref}")
    try:
        ask_host(repository, url, *asked, ok=(0, 1), deadline=deadline)
    except DeadlineExceeded:
        raise _silent(deadline) from None
    except HostFailed as failed:
        raise _explain(repository, url, failed, _own_words(failed.completed.said)) from None


def _silent(deadline: float) -> Unreachable:
    passing = Passing("no answer in time")
    hint = "Check the network, then run this again."
    return Unreachable(f"no answer within {deadline:g} seconds", hint=hint, passing=passing)


def _own_words(said: str) -> str:
    """The line of a refusal that says most: the remote's own first, then git's last word."""
    lines = [line.removeprefix("remote:").strip() for line in said.splitlines() if line.startswith("remote:")]
    return next((line for line in lines if line), _last_line(said))


def _reason(said: str) -> str:
    """The first error that git tells, which names the cause, and the line that says most."""
    errors = [line.removeprefix("error: ") for line in said.splitlines() if line.startswith("error: ")]
    return "; ".join([*errors[:1], _last_line(said)])


def _last_line(said: str) -> str:
    """The line of git's message that says most: its last ``fatal:`` or plain line, without the prefix."""
    lines = [line.removeprefix("fatal: ").strip() for line in said.splitlines() if line.strip()]
    fatal = [line.removeprefix("fatal: ") for line in said.splitlines() if line.startswith("fatal: ")]
    return (fatal or lines or ["git gave no reason"])[0]


def _explain(repository: Repository, url: str, failed: HostFailed, words: str) -> Unreachable:
    """Return the error for a remote that could not be asked: by what its host said, never by git's words.

    Args:
        repository: the clone.
        url: the remote.
        failed: git.
        words: what git and the remote said, in short.
    """
    host, hint = host_name(url), ""
    if failed.passing is not None:
        hint = next_step(host, failed.passing)
    elif failed.answer.foreign:
        words = "did not answer as a git server does: a portal or a maintenance page?"
        hint = f"Look at {redact(url)} in a browser."
    elif failed.answer.unreached:
        # In words that are the same for each repository there, so that they are told once.
        why = _MILLISECONDS.sub("", words.rpartition("/': ")[2])
        words = f"there is no connection to {host} ({why})"
        hint = "Check the network, and the name of the host."
    elif failed.answer.status == _UNAUTHORIZED and repository.access is not None:
        why, hint = repository.access.login(url)
        words = why or words
    unreachable = Unreachable(words, hint=hint or _reach_hint(repository, url), passing=failed.passing)
    unreachable.missing = failed.answer.status == _NOT_FOUND
    unreachable.unclear, unreachable.refused = failed.answer.foreign, failed.answer.refused
    return unreachable


def _reach_hint(repository: Repository, url: str) -> str:
    if advice := repository.advice(url):
        return f"Check the name.\n{advice}"
    if _PASSWORD.match(url):
        return _TAKE_OUT
    if url.startswith("https://github.com/"):
        return "Check that the repository exists and that you may read it.\ngh auth status"
    if url.startswith("https://huggingface.co/"):
        return "Check that the repository exists on the Hub and that you are logged in.\nhf auth whoami"
    return "Check the URL, your access and the network; 'git ls-remote' fails the same way."
