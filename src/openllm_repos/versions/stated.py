"""What the places of a manifest say: each version, where it really stands, and whether all agree."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openllm_repos.errors import NameRefused
from openllm_repos.names.path import FilePath
from openllm_repos.names.place import VersionPlace
from openllm_repos.names.plain import quoted
from openllm_repos.versions.found import NoVersion, finder, look_up
from openllm_repos.versions.order import same

ReadFile = Callable[[str], bytes | None]
"""Returns the content of a file of a repository, None where there is none: of a commit, or of a work tree."""

_BY_TAG = ("hatch-vcs", "setuptools-scm", "setuptools_scm", "versioningit", "setuptools-git-versioning", "pdm-scm")
_FIXED = (["project", "version"], ["tool", "poetry", "version"], ["package", "version"], ["version"])


@dataclass(frozen=True, slots=True)
class Stated:
    """What one place says.

    Attributes:
        place: as the manifest names it.
        file: the file where the version stands, which `place` may only point to.
        version: the version, None where it says none.
        problem: why it says none, to be read after the file's name; empty where it does.
        by_tag: whether the version is made from the git tag, so that it agrees whatever the tag says.
    """

    place: VersionPlace
    file: str
    version: str | None = None
    problem: str = ""
    by_tag: bool = False

    def agrees(self, version: str) -> bool:
        """Whether it says this version, however it is spelt."""
        return self.by_tag or (self.version is not None and same(self.version, version))


@dataclass(frozen=True, slots=True)
class Located:
    """Where a version really stands: a file, its text, and the keys in it where it is TOML."""

    file: str
    text: str
    keys: tuple[str, ...] = ()
    key: str = ""


class ByTag(Exception):
    """The version is made from the git tag; no file says it."""


def stated(places: Iterable[VersionPlace], read: ReadFile) -> tuple[Stated, ...]:
    """Return what each place says, in their order.

    Args:
        places: where the manifest says that versions stand.
        read: returns a file's content.
    """
    return tuple(_stated(place, read) for place in places)


def agreed(found: Sequence[Stated]) -> str | None:
    """Return the version that all places say, as the first of them spells it; None where they do not agree."""
    said = [one.version for one in found if one.version is not None]
    if not said or not all(one.agrees(said[0]) for one in found):
        return None
    return said[0]


def _stated(place: VersionPlace, read: ReadFile) -> Stated:
    try:
        located = locate(place, read)
        return Stated(place, located.file, version_in(located))
    except ByTag:
        return Stated(place, place.path, by_tag=True)
    except NoVersion as why:
        file, _, rest = why.why.partition("\0")
        return Stated(place, file if rest else place.path, problem=rest or why.why)


def version_in(located: Located) -> str:
    """Return the version that stands there.

    Raises:
        NoVersion: it says none.
    """
    if located.keys:
        said = look_up(_toml(located.text), list(located.keys))
        assert isinstance(said, str)  # `locate` looked
        return said
    try:
        return finder(located.file, located.key)(located.text).version
    except NoVersion as why:
        raise NoVersion(f"{located.file}\0{why.why}") from None


def locate(place: VersionPlace, read: ReadFile) -> Located:
    """Return where the version of a place really stands, following what pyproject.toml says of a dynamic one.

    Raises:
        NoVersion: it cannot be told; the reason begins with another file's name and a NUL where it is about that.
        ByTag: it is made from the git tag.
    """
    text = _text(read, place.path)
    if not place.path.lower().endswith(".toml"):
        return Located(place.path, text, key=place.key)
    document = _toml(text)
    asked = [place.key.split(".")] if place.key else _FIXED
    for keys in asked:
        if isinstance(look_up(document, keys), str):
            return Located(place.path, text, tuple(keys))
    dynamic = look_up(document, ["project", "dynamic"])
    if place.key or not isinstance(dynamic, list) or "version" not in dynamic:
        raise NoVersion(f"says no {place.key or 'version'}")
    return _dynamic(place.path, document, read)


def _dynamic(path: str, document: Mapping[str, Any], read: ReadFile) -> Located:
    """Follow hatch's path, setuptools' attr and file; a version made from the tag agrees by itself."""
    folder = posixpath.dirname(path)
    hatch = look_up(document, ["tool", "hatch", "version", "path"])
    if isinstance(hatch, str):
        if look_up(document, ["tool", "hatch", "version", "pattern"]) is not None:
            raise NoVersion("finds its version by a pattern of its own (tool.hatch.version.pattern); name that file")
        return _elsewhere(_inside(folder, hatch), read)
    wanted = look_up(document, ["tool", "setuptools", "dynamic", "version"])
    if isinstance(wanted, Mapping) and isinstance(wanted.get("file"), str | list):
        files = wanted["file"] if isinstance(wanted["file"], list) else [wanted["file"]]
        return _elsewhere(_inside(folder, str(files[0])), read)
    if isinstance(wanted, Mapping) and isinstance(wanted.get("attr"), str):
        module = wanted["attr"].rpartition(".")[0].replace(".", "/")
        for guess in (f"src/{module}/__init__.py", f"{module}/__init__.py", f"src/{module}.py", f"{module}.py"):
            if read(_inside(folder, guess)) is not None:
                return _elsewhere(_inside(folder, guess), read)
    requires = look_up(document, ["build-system", "requires"])
    if isinstance(requires, list) and any(str(one).lower().startswith(_BY_TAG) for one in requires):
        raise ByTag
    raise NoVersion("has a dynamic version, and does not say where in a way that is known here; name that file")


def _inside(folder: str, path: str) -> str:
    try:
        return FilePath(posixpath.normpath(posixpath.join(folder, path)))
    except NameRefused:
        raise NoVersion(f"finds its version in {quoted(path)}, which is no file of the repository") from None


def _elsewhere(file: str, read: ReadFile) -> Located:
    try:
        return Located(file, _text(read, file))
    except NoVersion as why:
        raise NoVersion(f"{file}\0{why.why}") from None


def _text(read: ReadFile, path: str) -> str:
    content = read(path)
    if content is None:
        raise NoVersion("is not there")
    return content.decode("utf-8", "surrogateescape")


def _toml(text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        raise NoVersion("is not TOML that can be read") from None
