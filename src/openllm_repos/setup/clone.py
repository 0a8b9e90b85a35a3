"""What `doctor` looks at in the clone: its history, its settings, and what earlier runs left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from openllm_repos.errors import ReposError
from openllm_repos.git.configured import read_remotes, setting
from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import holder
from openllm_repos.journal.log import begun
from openllm_repos.projection.cache import is_sound
from openllm_repos.setup.check import Check, error, ok, warning
from openllm_repos.sync.resolve import open_resolutions

_GRACE = 600.0  # seconds that a clock may be wrong, and that a git may hold a lock
_LOCKS = ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock")
_MIB = 1 << 20
_TREELESS = ("tree:", "sparse:")


def check_clone(repository: Repository) -> Iterator[Check]:
    """Look at the clone itself; nothing is changed and nobody is asked."""
    yield _place(repository)
    yield _history(repository)
    yield _identity(repository)
    yield _clock(repository)
    yield _locks(repository)
    yield _memory(repository)
    yield _log(repository)
    yield from _merges(repository)


def _place(repository: Repository) -> Check:
    where = repository.top or repository.git_dir
    if not os.access(repository.common_dir, os.W_OK):
        return error("clone", f"{repository.common_dir} cannot be written", f"ls -ld {repository.common_dir}")
    return ok("clone", str(where))


def _history(repository: Repository) -> Check:
    if repository.shallow:
        return error("history", "cut off: this clone is shallow", "git fetch --unshallow")
    for remote in read_remotes(repository):
        if remote.partial.startswith(_TREELESS):
            return error(
                "history",
                f"partial: {remote.name} was cloned with {remote.partial}, and folders are fetched one by one",
                "git clone the repository again, with --filter=blob:none or none at all",
            )
        if remote.partial:
            return ok("history", f"whole; files are fetched when they are needed ({remote.partial})")
    return ok("history", "whole")


def _identity(repository: Repository) -> Check:
    mend = 'git config --global user.name "Your Name"\ngit config --global user.email you@example.com'
    done = repository.git.run("var", "GIT_COMMITTER_IDENT", ok=(0, 128))
    if done.code:
        return error("identity", "git does not know who you are, and a sync writes a commit in your name", mend)
    who = done.stdout.decode("utf-8", "replace").rpartition(">")[0] + ">"
    if not (os.environ.get("GIT_COMMITTER_EMAIL") or os.environ.get("EMAIL") or setting(repository, "user.email")):
        return warning("identity", f"{who} is only guessed from this machine's name", mend)
    return ok("identity", who)


def _clock(repository: Repository) -> Check:
    """Hold the machine's clock against the newest commit: nobody commits in the future."""
    newest = ("for-each-ref", "--sort=-committerdate", "--count=1", "--format=%(committerdate:unix)")
    said = repository.git.text(*newest, "refs/heads", "refs/remotes")
    ahead = int(said or 0) - time.time()
    if ahead > _GRACE:
        return warning(
            "clock", f"the newest commit here is {_span(ahead)} in the future: this machine's clock is behind", "date"
        )
    return ok("clock", "after the newest commit")


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    hours = round(seconds / 3600)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{hours} hours" if hours < 48 else f"{round(seconds / 86_400)} days"


def _locks(repository: Repository) -> Check:
    """Look for locks: ours, which the kernel frees with its process, and those that a killed git leaves lying."""
    if (who := holder(repository)) is not None:
        return warning("lock", f"another openllm-repos works in this clone: {who}", "Wait until it has finished.")
    old = [path for path in _lock_files(repository) if _age(path) > _GRACE]
    if old:
        named = f"{old[0]}" + (f" and {len(old) - 1} more" if len(old) > 1 else "")
        return warning(
            "lock",
            f"a git that was stopped left {named}; git will say that another process is at work",
            f"rm -- {_shell(old[0])}  # once no git runs here",
        )
    return ok("lock", "free")


def _lock_files(repository: Repository) -> Iterator[Path]:
    for folder in dict.fromkeys((repository.git_dir, repository.common_dir)):
        yield from (folder / name for name in _LOCKS if (folder / name).exists())
    yield from (repository.common_dir / "refs").rglob("*.lock")


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:  # gone meanwhile: somebody is at work
        return 0.0


def _memory(repository: Repository) -> Check:
    folder = repository.state_dir / "projections"
    files = sorted(folder.glob("*.projection"))
    if not files:
        return ok("cache", "empty; the first sync fills it")
    damaged = [path for path in files if not is_sound(path, repository.id_length // 2)]
    size = sum(path.stat().st_size for path in files) / _MIB
    count = "1 projection" if len(files) == 1 else f"{len(files)} projections"
    if damaged:
        return warning(
            "cache",
            f"{len(damaged)} of {count} cannot be read; the next sync takes longer, and its answer is the same",
            f"rm -- {' '.join(map(_shell, damaged))}",
        )
    return ok("cache", f"{count}, {size:.1f} MiB")


def _log(repository: Repository) -> Check:
    unfinished = begun(repository)
    if not unfinished:
        return ok("log", "nothing was left unfinished")
    commands = ", ".join(operation.command for operation in unfinished)
    return warning("log", f"begun and not ended: {commands}", "\n".join(one.again for one in unfinished))


def _merges(repository: Repository) -> Iterator[Check]:
    for name, note, path in open_resolutions(repository):
        abort = f"openllm-repos sync {name} --abort"
        if path is None:
            yield warning("merge", f"the note of a merge for {name} cannot be read", f"rm -- {_shell(note)}")
        elif not path.exists():
            yield warning("merge", f"a merge for {name} was begun in {path}, which is gone", abort)
        else:
            finish = f"openllm-repos sync {name} --continue\n{abort}  # or drop it"
            yield warning("merge", f"a merge for {name} is open in {path}", finish)


def not_opened(why: ReposError, folder: Path) -> Check:
    """Return the line for a clone that git does not open: there is none, or it belongs to somebody else."""
    owned = next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)
    if owned is not None and owned.stat().st_uid != os.getuid():
        command = f"git config --global --add safe.directory {_shell(owned)}"
        return error("clone", f"{owned} belongs to another user, so git does not open it", command)
    return error("clone", why.message, why.hint)


def _shell(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
