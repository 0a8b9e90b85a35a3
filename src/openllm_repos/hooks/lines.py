"""What git tells a pre-push hook on standard input: a line for each ref that is about to move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openllm_repos.errors import NameRefused, UsageError
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.plain import quoted
from openllm_repos.plan import RefUpdate

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"


@dataclass(frozen=True, slots=True)
class PushedRef:
    """One ref that is about to move on the remote.

    Attributes:
        source: what was pushed, as the person named it: a ref, ``HEAD~1``, an id, ``(delete)``; it may hold blanks.
        update: the remote's ref, its old value (zeros: it is not there) and its new one (zeros: it is deleted).
    """

    source: str
    update: RefUpdate

    @property
    def ref(self) -> str:
        """The full name of the remote's ref."""
        return self.update.ref

    @property
    def new(self) -> ObjectId:
        """What the ref is to be."""
        return self.update.new

    @property
    def old(self) -> ObjectId:
        """What the ref is now."""
        return self.update.old

    @property
    def tag(self) -> str | None:
        """The short name, where it is a tag."""
        return self.ref.removeprefix(TAGS) if self.ref.startswith(TAGS) else None


def read_lines(text: str) -> tuple[PushedRef, ...]:
    """Read what git feeds to the hook.

    The first field is free text, blanks included, so a line is read from its end.

    Args:
        text: standard input; no line at all is a push that moves nothing.

    Raises:
        UsageError: a line is of another form.
    """
    return tuple(_read(line) for line in text.split("\n") if line)


def _read(line: str) -> PushedRef:
    fields = line.rsplit(" ", 3)
    try:
        source, new, ref, old = fields
        return PushedRef(source, RefUpdate(ref, ObjectId(old), ObjectId(new)))
    except (ValueError, NameRefused):
        raise UsageError(
            f"{quoted(line)} is not a line of a pre-push hook.",
            hint="Each is: <local ref> <local id> <remote ref> <remote id>, as git writes them to the hook.",
        ) from None


def line_of_pre_commit(environ: Mapping[str, str]) -> str | None:
    """Return the one line that pre-commit tells its hooks by environment variables; None where it did not call us.

    It hands on no standard input, and of a push of several refs only the first one with new commits.
    """
    try:
        source, new, ref = (environ[f"PRE_COMMIT_{name}"] for name in ("LOCAL_BRANCH", "TO_REF", "REMOTE_BRANCH"))
    except KeyError:
        return None
    old = environ.get("PRE_COMMIT_FROM_REF", "")
    return f"{source} {new} {ref} {old if len(old) == len(new) else '0' * len(new)}"
