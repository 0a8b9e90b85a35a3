"""Versions written into their places: the version changes, and every other byte stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from openllm_repos.errors import ConflictError
from openllm_repos.names.place import VersionPlace
from openllm_repos.text import show
from openllm_repos.versions.found import NoVersion, finder
from openllm_repos.versions.order import require_version, same, spelt_for_npm
from openllm_repos.versions.stated import ByTag, Located, ReadFile, locate, version_in

# What YAML would read as a number: 1.10 would become 1.1.
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][0-9]+)?")


def written(places: Iterable[VersionPlace], read: ReadFile, version: str) -> dict[str, bytes]:
    """Return the files that change when all places are to say `version`, with their new content.

    JSON files and Cargo.toml get it as Semantic Versioning spells it, the others as it is given. A place that is made
    from the git tag needs no writing.

    Raises:
        NameRefused: that is no version.
        ConflictError: a place says no version yet, so it is not known where to write it. Nothing is returned then.
    """
    require_version(version)
    changed: dict[str, bytes] = {}

    def now(path: str) -> bytes | None:
        return changed[path] if path in changed else read(path)

    for place in places:
        try:
            located = locate(place, now)
            old = version_in(located)
        except ByTag:
            continue
        except NoVersion as why:
            file, _, rest = why.why.partition("\0")
            raise ConflictError(
                f"{show(file if rest else place.path)} {rest or why.why}, so the version cannot be written there.",
                hint="Write it there once by hand, or take the place out of version in the manifest.",
            ) from None
        wanted = spelt_for_npm(version) if _is_npm(located.file) else version
        if old == wanted or (same(old, wanted) and _is_npm(located.file)):
            continue
        text = _with_version(located, wanted)
        if version_in(Located(located.file, text, located.keys, located.key)) != wanted:
            raise ConflictError(f"{located.file}: the version could not be written there.", hint="Write it by hand.")
        changed[located.file] = text.encode("utf-8", "surrogateescape")
    return changed


def _is_npm(file: str) -> bool:
    return file.endswith(".json") or file.rpartition("/")[2] == "Cargo.toml"


def _with_version(located: Located, version: str) -> str:
    if located.keys:
        return _in_toml(located.text, located.keys, version)
    span = finder(located.file, located.key)(located.text)
    bare = not span.quoted and located.file.lower().endswith((".md", ".markdown", ".yaml", ".yml", ".cff"))
    if bare and _NUMBER.fullmatch(version):
        version = f'"{version}"'
    return located.text[: span.start] + version + located.text[span.end :]


def _in_toml(text: str, keys: tuple[str, ...], version: str) -> str:
    """Write into TOML by tomlkit. The person's sort of quotes is kept, which tomlkit would not do."""
    import tomlkit
    from tomlkit.items import String

    mark = "\ufeff" if text.startswith("\ufeff") else ""
    document = tomlkit.parse(text.removeprefix(mark))
    table: Any = document
    for key in keys[:-1]:
        table = table[key]
    old = table[keys[-1]]
    literal = isinstance(old, String) and old.as_string().startswith("'")
    table[keys[-1]] = tomlkit.string(version, literal=literal)
    return mark + document.as_string()
