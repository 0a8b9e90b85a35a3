"""What a person decides about the workflow. It stands in the workflow itself, so that nobody has to say it twice.

Not in the manifest: that travels to every clone and may name no command, and which package a job installs is one.
Whoever may review the workflow reviews the choices with it.
"""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from openllm_repos.errors import NameRefused
from openllm_repos.names.plain import quoted, require_plain
from openllm_repos.text import redact

PACKAGE = "openllm-repos"
EXAMPLE = "17 5 * * *"
OFF = "off"
EXPRESSION = "${{"
"""What GitHub reads as the beginning of an expression, wherever it stands."""
FORMS = (
    f"'{PACKAGE} @ git+https://HOST/OWNER/NAME@COMMIT' (the whole id of a commit),"
    f" '{PACKAGE} @ https://HOST/FILE.whl#sha256=HASH', or '{PACKAGE}==VERSION --hash=sha256:HASH'"
)
"""The forms of what a job may install, for messages."""

_PINNED_URL = re.compile(
    r"git\+https://[^@\s]+@(?:[0-9a-f]{40}|[0-9a-f]{64})(?:#subdirectory=[\w./-]+)?"
    r"|https://[^#\s]+\.whl#sha256=[0-9a-f]{64}"
)
_PINNED_VERSION = re.compile(r"==[0-9A-Za-z.!+]+")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_PIECE = re.compile(r"(?:\*|(?P<low>[0-9]{1,2})(?:-(?P<high>[0-9]{1,2}))?)(?:/(?P<step>[0-9]{1,2}))?")
_OFTEN = 5  # minutes: GitHub starts nothing more often


class Auth(StrEnum):
    """How the jobs get at the Hub: by proving who they are, or by a token among the secrets of the repository."""

    TRUSTED = "trusted"
    SECRET = "secret"  # noqa: S105 - the name of a choice


class Cron(str):
    """When to look for drift: five fields of numbers, as in ``17 5 * * *``, in UTC.

    Raises:
        NameRefused: the text is not of that form, or means oftener than every five minutes.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        fields = text.split()
        if len(fields) != len(_FIELDS):
            raise NameRefused(
                f"{quoted(text)} is no schedule; write five fields, as in '{EXAMPLE}' (every day at 5:17 UTC)"
            )
        for (name, lowest, highest), field in zip(_FIELDS, fields, strict=True):
            if not all(_fits(piece, lowest, highest) for piece in field.split(",")):
                raise NameRefused(
                    f"{quoted(field)} is no {name} of a schedule; write numbers from {lowest} to {highest},"
                    " with , - / and * between them"
                )
        minutes = sorted(set(_minutes(fields[0])))
        if any(after - before < _OFTEN for before, after in itertools.pairwise(minutes)):
            raise NameRefused(f"{quoted(text)} is oftener than every {_OFTEN} minutes, which GitHub does not do")
        return super().__new__(cls, " ".join(fields))


def _fits(piece: str, lowest: int, highest: int) -> bool:
    found = _PIECE.fullmatch(piece)
    if found is None:
        return False
    numbers = [int(found[name]) for name in ("low", "high") if found[name]]
    return (
        all(lowest <= number <= highest for number in numbers) and numbers == sorted(numbers) and found["step"] != "0"
    )


def _minutes(field: str) -> Iterator[int]:
    for piece in field.split(","):
        found = _PIECE.fullmatch(piece)
        assert found is not None  # the field was checked
        low = int(found["low"] or 0)
        high = int(found["high"]) if found["high"] else low if found["low"] and not found["step"] else 59
        yield from range(low, high + 1, int(found["step"] or 1))


DAILY = Cron(EXAMPLE)


class Requirement(str):
    """What pip installs: this package, in one form that nobody can change afterwards; see :data:`FORMS`.

    Raises:
        NameRefused: it is of no such form, names another package, or holds a credential.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        from packaging.requirements import InvalidRequirement
        from packaging.requirements import Requirement as Parsed
        from packaging.utils import canonicalize_name

        require_plain(text, "what to install")
        if EXPRESSION in text:
            raise NameRefused(f"{quoted(text)} has {EXPRESSION} in it, which GitHub would read")
        if redact(text) != text:
            raise NameRefused(f"{quoted(text)} holds a credential, and the workflow is there for all to read")
        wanted, *hashes = re.split(r" +--hash=", text)
        try:
            parsed = Parsed(wanted)
        except InvalidRequirement:
            raise NameRefused(f"{quoted(text)} is nothing that pip installs; write it as in {FORMS}") from None
        if (name := canonicalize_name(parsed.name)) != PACKAGE:
            raise NameRefused(f"{quoted(text)} installs {name}; the jobs need {PACKAGE}")
        if (parsed.url or "").removeprefix("git+").startswith(("file:", ".", "/")):
            raise NameRefused(f"{quoted(text)} is on this machine alone, and the jobs run on another")
        form = _PINNED_URL if parsed.url else _PINNED_VERSION
        pinned = form.fullmatch(parsed.url or str(parsed.specifier)) and bool(hashes) is not bool(parsed.url)
        if not pinned or parsed.extras or parsed.marker or not all(_HASH.fullmatch(one) for one in hashes):
            raise NameRefused(f"{quoted(text)} is not pinned, so somebody could change it; write it as in {FORMS}")
        what = f"{PACKAGE} @ {parsed.url}" if parsed.url else f"{PACKAGE}{parsed.specifier}"
        return super().__new__(cls, " --hash=".join((what, *hashes)))

    @property
    def from_git(self) -> bool:
        """Whether git brings it: then it is pinned by a commit, and pip has no hash of it."""
        return self.startswith(f"{PACKAGE} @ git+")

    @property
    def place(self) -> str:
        """Where git takes it from, without the commit; empty where it is not from git."""
        return self.partition("#")[0].rpartition("@")[0] if self.from_git else ""


def requirement_of(origin: str | None) -> Requirement | None:
    """Return what installs the same on another machine as was installed here, or None where nobody can say.

    Args:
        origin: what pip wrote down of where the package came from (``direct_url.json``, PEP 610); None where it came
            from a package index: then its hash was not kept.
    """
    try:
        said = json.loads(origin or "{}")
        url = said["url"]
        if "archive_info" in said:
            return Requirement(f"{PACKAGE} @ {url}#sha256={said['archive_info']['hashes']['sha256']}")
        folder = f"#subdirectory={said['subdirectory']}" if "subdirectory" in said else ""
        return Requirement(f"{PACKAGE} @ {said['vcs_info']['vcs']}+{url}@{said['vcs_info']['commit_id']}{folder}")
    except (ValueError, KeyError, TypeError, NameRefused):
        return None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person decides.

    Attributes:
        auth: how the jobs get at the Hub.
        matrix: one job for each target (or group of targets), instead of one for all.
        private: a repository beside the source cannot be read without a token, so jobs that only look get one too.
        wait: a sync waits until the Spaces among its targets run, and fails where one does not.
        cron: when to look for drift, None for never.
        install: what pip installs; None where that is not known.
    """

    auth: Auth = Auth.TRUSTED
    matrix: bool = False
    private: bool = False
    wait: bool = True
    cron: Cron | None = DAILY
    install: Requirement | None = None

    def words(self) -> str:
        """Return them as one writes them behind `openllm-repos ci`; see :meth:`parse`."""
        words = ["--auth", str(self.auth), *(pair[not getattr(self, name)] for name, pair in _FLAGS.items())]
        words += ["--cron", self.cron or OFF, *(("--install", self.install) if self.install else ())]
        return shlex.join(words)

    @classmethod
    def parse(cls, words: str) -> Choices:
        """Read what :meth:`words` wrote, or wrote before: an install that is not pinned counts as none.

        Raises:
            NameRefused: it is something else.
        """
        refused = NameRefused(f"{quoted(words)} are no choices that this tool has written")
        try:
            given = shlex.split(words)
            flags = [word for word in given if any(word in pair for pair in _FLAGS.values())]
            rest = [word for word in given if word not in flags]
            values = dict(zip(rest[::2], rest[1::2], strict=True))
            auth, cron, install = Auth(values.pop("--auth")), cron_of(values.pop("--cron")), values.pop("--install", "")
            made = cls(auth=auth, cron=cron).switched(
                **{name: pair[0] in flags for name, pair in _FLAGS.items() if not set(pair).isdisjoint(flags)}
            )
        except (ValueError, KeyError):
            raise refused from None
        if values or len(given) != len(set(flags)) + 4 + 2 * bool(install):
            raise refused
        try:
            return replace(made, install=Requirement(install) if install else None)
        except NameRefused:
            return made

    def switched(self, *, matrix: bool | None = None, private: bool | None = None, wait: bool | None = None) -> Choices:
        """Return them with some of the switches set anew; None leaves one as it is."""
        return replace(
            self,
            matrix=self.matrix if matrix is None else matrix,
            private=self.private if private is None else private,
            wait=self.wait if wait is None else wait,
        )


_FLAGS = {
    "matrix": ("--matrix", "--single"),
    "private": ("--private", "--public"),
    "wait": ("--wait", "--no-wait"),
}


def cron_of(text: str) -> Cron | None:
    """Read a schedule, or ``off`` for none.

    Raises:
        NameRefused: as :class:`Cron`.
    """
    return None if text == OFF else Cron(text)
