"""The id of a git object."""

from __future__ import annotations

import re
from typing import Self

from openllm_repos.errors import NameRefused
from openllm_repos.names.plain import quoted

_FORM = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class ObjectId(str):
    """A full object id: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.

    Raises:
        NameRefused: the text is anything else.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        if _FORM.fullmatch(text) is None:
            raise NameRefused(f"{quoted(text)} is not an object id; one has 40 or 64 lower-case hex digits")
        return super().__new__(cls, text)

    @classmethod
    def zero(cls, like: ObjectId) -> Self:
        """Return the id that stands for "nothing", as long as `like`."""
        return cls("0" * len(like))

    @property
    def is_zero(self) -> bool:
        """Whether this is the id that git writes for "no object"."""
        return not self.strip("0")
