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
from dataclasses import dataclass
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
    """What pip installs: this package, at a version or from a place (``openllm-repos @ git+https://…@commit``).

    Raises:
        NameRefused: it is no requirement as Python packages know it, names another package, or holds a credential.
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
        try:
            parsed = Parsed(text)
        except InvalidRequirement:
            raise NameRefused(
                f"{quoted(text)} is nothing that pip installs; write it as in '{PACKAGE}==1.2' or"
                f" '{PACKAGE} @ git+https://github.com/owner/name@commit'"
            ) from None
        if (name := canonicalize_name(parsed.name)) != PACKAGE:
            raise NameRefused(f"{quoted(text)} installs {name}; the jobs need {PACKAGE}")
        if parsed.url is not None and "://" not in parsed.url.replace("file://", "file:"):
            raise NameRefused(f"{quoted(text)} is on this machine alone, and the jobs run on another")
        return super().__new__(cls, text)

    @classmethod
    def pinned(cls, version: str) -> Self:
        """Return the one that installs this version of the package."""
        return cls(f"{PACKAGE}=={version}")

    @property
    def place(self) -> str:
        """Where it comes from, without the commit; empty for a version of a package index."""
        name, at, url = self.partition(" @ ")
        return f"{name}{at}{url.partition('#')[0].rpartition('@')[0] or url}" if at else ""


def requirement_of(origin: str | None) -> Requirement | None:
    """Return what installs the same on another machine as pip has installed here, or None where nothing does.

    Args:
        origin: what pip wrote down of where the package came from (``direct_url.json``, PEP 610); None where it came
            from a package index, which has no requirement but its version.
    """
    try:
        said = json.loads(origin or "{}")
        url, commit = said["url"], said["vcs_info"]["commit_id"]
        folder = f"#subdirectory={said['subdirectory']}" if "subdirectory" in said else ""
        if said["vcs_info"]["vcs"] != "git" or not url.startswith("https://"):
            return None
        return Requirement(f"{PACKAGE} @ git+{url}@{commit}{folder}")
    except (ValueError, KeyError, TypeError, AttributeError, NameRefused):
        return None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person decides.

    Attributes:
        auth: how the jobs get at the Hub.
        matrix: one job for each target (or group of targets), instead of one for all.
        private: a repository beside the source cannot be read without a token, so jobs that only look get one too.
        cron: when to look for drift, None for never.
        install: what pip installs, None for the version that wrote the workflow.
    """

    auth: Auth = Auth.TRUSTED
    matrix: bool = False
    private: bool = False
    cron: Cron | None = DAILY
    install: Requirement | None = None

    def words(self) -> str:
        """Return them as one writes them behind `openllm-repos ci`; see :meth:`parse`."""
        said = ["--auth", str(self.auth), "--matrix" if self.matrix else "--single"]
        said += ["--private" if self.private else "--public", "--cron", self.cron or OFF]
        return shlex.join([*said, *(("--install", self.install) if self.install else ())])

    @classmethod
    def parse(cls, words: str) -> Choices:
        """Read what :meth:`words` wrote.

        Raises:
            NameRefused: it is something else.
        """
        try:
            said = shlex.split(words)
            flags = {word for word in said if word in {"--matrix", "--single", "--private", "--public"}}
            values = [word for word in said if word not in flags]
            given = dict(zip(values[::2], values[1::2], strict=True))
            made = cls(
                auth=Auth(given.pop("--auth")),
                matrix="--matrix" in flags,
                private="--private" in flags,
                cron=cron_of(given.pop("--cron")),
                install=Requirement(given.pop("--install")) if "--install" in given else None,
            )
        except (ValueError, KeyError):
            made, given = cls(), {"": words}
        if given or made.words() != words:
            raise NameRefused(f"{quoted(words)} are no choices that openllm-repos ci has written")
        return made


def cron_of(text: str) -> Cron | None:
    """Read a schedule, or ``off`` for none.

    Raises:
        NameRefused: as :class:`Cron`.
    """
    return None if text == OFF else Cron(text)
