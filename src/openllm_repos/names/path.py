"""Paths inside a repository, as people write them."""

from __future__ import annotations

import re
from typing import Self

from openllm_repos.errors import NameRefused
from openllm_repos.names.plain import quoted, require_plain
from openllm_repos.names.twins import folded

_LONGEST_NAME = 255
_LONGEST_PATH = 1024
_WILD = re.compile(r'[*?\["<>|]')
_ALIAS = re.compile(r"~[0-9]")
_GITS = re.compile(r"\.git.*", re.IGNORECASE)
_OURS = re.compile(r"\.openllm.*", re.IGNORECASE)
# Windows opens a device for these, whatever the extension (superscript digits count).
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\..*)?", re.IGNORECASE)


def require_name(name: str, whole: str, *, protective: bool = False) -> None:
    """Refuse a component of a path that git, Windows or macOS would read as something else.

    Args:
        name: one component, literal or a glob (only its literal ends can then be judged).
        whole: the path as written, for the message.
        protective: the path only keeps things safe (`owned`, `never`), so the files that people keep for git and its
            hosts (``.gitattributes``, ``.github/``) may be named; ``.git`` itself never.

    Raises:
        NameRefused: the component is not allowed.
    """
    if name == "..":
        raise NameRefused(f"{quoted(whole)} climbs out with '..'; write the path from the top of the repository on")
    if name in ("", "."):
        raise NameRefused(f"{quoted(whole)} has an empty or '.' part; write the path without it")
    if name[0] == "-":
        raise NameRefused(f"{quoted(whole)} has a part that starts with '-', which a program could take for an option")
    if name.rstrip(" .") != name:
        raise NameRefused(f"{quoted(whole)} has a part that ends in a dot or blank, which Windows drops")
    if name.lower() == ".git" or (_GITS.fullmatch(name) and not protective):
        raise NameRefused(f"{quoted(whole)} names a file that steers git ({quoted(name)}), which is never carried")
    if _OURS.fullmatch(name):
        raise NameRefused(f"{quoted(whole)} has a part that starts with '.openllm', which is kept for this tool")
    if _ALIAS.search(name):
        raise NameRefused(f"{quoted(whole)} has a part with '~' and a digit, which Windows takes for another file")
    if _DEVICE.fullmatch(name):
        raise NameRefused(f"{quoted(whole)} has a part ({quoted(name)}) that is a device on Windows")
    if len(name.encode()) > _LONGEST_NAME:
        raise NameRefused(f"{quoted(whole)} has a part of more than {_LONGEST_NAME} bytes")


def require_relative(text: str, what: str) -> None:
    """Refuse text that no path inside a repository can be, wildcards aside.

    Args:
        text: the path as it was written.
        what: what it is meant to be, with its article, for the message.

    Raises:
        NameRefused: it is not plain text, is absolute, too long, or has a backslash or a colon in it.
    """
    require_plain(text, what)
    if text[0] == "/" or "\\" in text or ":" in text:
        raise NameRefused(f"{quoted(text)} is not inside the repository; write {what} from its top on, with '/' only")
    if len(text.encode()) > _LONGEST_PATH:
        raise NameRefused(f"{quoted(text)} is too long; {what} has at most {_LONGEST_PATH} bytes")


def _require_literal(text: str, body: str, what: str, *, protective: bool = False) -> None:
    require_relative(text, what)
    if found := _WILD.search(text):
        raise NameRefused(f"{quoted(text)} holds {quoted(found[0])}; {what} is one plain path, without wildcards")
    for name in body.split("/"):
        require_name(name, text, protective=protective)


def one_in_other(one: str, other: str) -> bool:
    """Whether of two paths one is, or lies in, the other, where a file system tells no case apart."""
    a, b = folded(f"{one}/"), folded(f"{other}/")
    return a.startswith(b) or b.startswith(a)


class FolderPath(str):
    """A folder inside a repository: relative, ``/`` between the parts, none at the end; the top is the empty string.

    People write the top as ``.`` or ``./`` and may end a folder in ``/``.

    Args:
        text: the folder as it was written.
        protective: see :func:`require_name`.

    Raises:
        NameRefused: the text is not a folder inside a repository, or git or Windows would misread it.
    """

    __slots__ = ()

    def __new__(cls, text: str, *, protective: bool = False) -> Self:
        """Check the text; see the class."""
        folder = "" if text in ("", ".", "./") else text.removesuffix("/")
        if folder or text == "/":
            _require_literal(text, folder, "a folder", protective=protective)
        return super().__new__(cls, folder)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names from the top down; none for the top itself."""
        return tuple(self.split("/")) if self else ()

    def path_to(self, name: str) -> str:
        """Return the path of the file or folder `name` in this folder."""
        return f"{self}/{name}" if self else name


class FilePath(str):
    """A file inside a repository: relative, ``/`` between the parts.

    Raises:
        NameRefused: the text is not a file inside a repository, or git or Windows would misread it.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        _require_literal(text, text, "a file")
        return super().__new__(cls, text)
