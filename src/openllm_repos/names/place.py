"""Where a version stands: a file, and for files that hold much else the key in it."""

from __future__ import annotations

import re
from typing import Self

from openllm_repos.errors import NameRefused
from openllm_repos.names.path import FilePath
from openllm_repos.names.plain import quoted

_KEY = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_KEYED = (".toml", ".json", ".md", ".markdown", ".yaml", ".yml", ".cff")


class VersionPlace(str):
    """A file of a repository where a version stands: ``VERSION``, ``pyproject.toml``, ``README.md#model_version``.

    After ``#`` stands a key: of a TOML or JSON file with dots between the tables (``Cargo.toml#workspace.version``), of
    YAML and of the front matter of a Markdown file at its top.

    Raises:
        NameRefused: the text is not a file inside a repository, or the key is not one, or such a file has no keys.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        path, mark, key = text.partition("#")
        FilePath(path)
        if mark and _KEY.fullmatch(key) is None:
            raise NameRefused(f"{quoted(text)} names no key after '#'; write one as in README.md#version")
        if mark and not path.lower().endswith(_KEYED):
            raise NameRefused(f"{quoted(text)} names a key, but only {', '.join(_KEYED)} files have keys")
        if "." in key and not path.lower().endswith((".toml", ".json")):
            raise NameRefused(f"{quoted(text)} names a key inside a key, which only .toml and .json files can have")
        return super().__new__(cls, text)

    @property
    def path(self) -> FilePath:
        """The file."""
        return FilePath(self.partition("#")[0])

    @property
    def key(self) -> str:
        """The key, or an empty string where it is the usual one of such a file."""
        return self.partition("#")[2]
