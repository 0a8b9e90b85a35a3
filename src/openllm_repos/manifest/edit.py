"""Edits a manifest as text: comments and layout stay, and what comes out is sound, or nothing is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openllm_repos.errors import ManifestError, UsageError
from openllm_repos.files import atomic_write, read_file, within_clone
from openllm_repos.manifest.faults import Place, spell
from openllm_repos.manifest.limits import BYTES
from openllm_repos.manifest.model import Kind, Manifest
from openllm_repos.manifest.nearest import few, nearest
from openllm_repos.manifest.parse import missing
from openllm_repos.names.plain import quoted

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_STEP = re.compile(
    r"""(?:^|(?<=.)\.)(?:(?P<bare>[A-Za-z0-9_-]+)|(?P<mark>["'])(?P<quoted>.+?)(?P=mark))|\[(?P<index>[0-9]{1,6})\]"""
)
_ARRAYS: Final = frozenset({"owned", "never", "allow", "groups", *(f"{kind.key}s" for kind in Kind)})
_TABLES: Final = {"hosts": 1, "hooks": 1, "defaults": 2}  # most manifests do without them: how deep they are
_FLAGS: Final = {"true": True, "false": False}

Value = str | bool | Sequence[str]
"""What a key of a repo takes: text, true or false, or an array of texts."""


def add_repo(
    text: str,
    name: str,
    fields: Mapping[str, Value],
    maps: Sequence[tuple[str, str]] = (),
    *,
    origin: str = "repos.toml",
) -> str:
    """Return the manifest with one more repo at its end; what is added to an entry for many stands there, as its last.

    Args:
        text: the manifest.
        name: the name of the new repo, or of an entry for many.
        fields: its keys as in the manifest, in order: ``{"space": "lemms/openllm", "owned": ["app.py"]}``.
        maps: its maps: pairs of `from` and `to`.
        origin: the name of the file, for messages.

    Raises:
        UsageError: there is a repo of that name.
        ManifestError: the manifest is not TOML, or would be unsound with that repo.
    """
    import tomlkit

    document = _document(text, origin)
    known = _repos(document).get(name)
    if known is not None and len(fields) == 1 and not maps:
        ((key, value),) = fields.items()
        if (listed := known.get(f"{key.removesuffix('s')}s")) is not None:
            listed.extend([value] if isinstance(value, str) else value)
            return _checked(document.as_string(), origin)
    if known is not None:
        raise UsageError(f"{origin} has a repo {quoted(name)} already", hint="Take another name, or use manifest set.")
    repo = tomlkit.table()
    for key, value in fields.items():
        repo[key] = value if isinstance(value, str | bool) else list(value)
    if maps:
        array = tomlkit.aot()
        for source, to in maps:
            entry = tomlkit.table()
            entry["from"], entry["to"] = source, to
            array.append(entry)
        repo["map"] = array
    repos = tomlkit.table(is_super_table=True)
    repos[name] = repo
    return _checked(_with_table(text, "repos", repos), origin)


def remove_repo(text: str, name: str, *, origin: str = "repos.toml") -> str:
    """Return the manifest without a repo; the comment right above it goes too.

    Raises:
        UsageError: there is no repo of that name; the nearest is given.
        ManifestError: the manifest is not TOML, or would be unsound without that repo.
    """
    from openllm_repos.manifest.layout import remove_table

    document = _document(text, origin)
    known = [str(key) for key in _repos(document)]
    if name not in known:
        _refuse_shared(text, origin, ("repos", name))
        raise UsageError(f"{origin} has no repo {quoted(name)}{nearest(name, known)}", hint=f"It has: {few(known)}.")
    remove_table(document, ("repos", name))
    return _checked(document.as_string(), origin)


def set_value(text: str, place: str, value: str, *, origin: str = "repos.toml") -> str:
    """Return the manifest with one value changed or added.

    Args:
        text: the manifest.
        place: where, as faults name it: ``repos.space.branch``, ``repos.space.map[0].to`` (indexes count from 0),
            ``repos."my.space".release``.
        value: the new value as typed on a command line; ``release`` takes true or false, ``schema`` a number, lists
            such as ``owned`` (and ``version``, if it has a comma) commas between them, all arrays also TOML.
        origin: the name of the file, for messages.

    Raises:
        UsageError: there is no such place.
        ManifestError: the manifest is not TOML, or would be unsound with that value.
    """
    from tomlkit.items import AoT, Table

    from openllm_repos.manifest.layout import add_key

    document = _document(text, origin)
    *above, key = _steps(place)
    if above and isinstance(key, str) and _TABLES.get(str(above[0])) == len(above) and not _has(document, above):
        table: object = {key: _typed(key, value)}
        for step in above[:0:-1]:
            table = {str(step): table}
        return _checked(_with_table(text, str(above[0]), table), origin)
    if not _has(document, above):
        _refuse_shared(text, origin, (*above, key))
    parent = _walk(document, tuple(above), origin)
    if not isinstance(key, str) or isinstance(parent.get(key), Table | AoT):
        raise UsageError(f"{quoted(place)} is not one value", hint="Name a key, such as repos.space.branch.")
    if key not in parent and isinstance(parent, Table) and not parent.is_super_table():
        add_key(parent, key, _typed(key, value))
    else:
        parent[key] = _typed(key, value)
    return _checked(document.as_string(), origin)


def _with_table(text: str, name: str, table: object) -> str:
    """Return the manifest with one more table at its end."""
    import tomlkit

    block = tomlkit.document()
    block[name] = table
    newline = "\r\n" if "\r\n" in text else "\n"
    start = text + newline if text and not text.endswith("\n") else text
    return start + newline + block.as_string().replace("\n", newline)


def edit_file(path: Path, change: Callable[[str], str]) -> Manifest:
    """Change a manifest in place: read, change, check, write a new file beside it, and put that in its place.

    Args:
        path: the manifest; a symbolic link is followed within the clone, its mode is kept.
        change: text to text, such as a call of :func:`set_value`.

    Returns:
        The manifest as it is now.

    Raises:
        UsageError, ManifestError: as `change` says, or the file cannot be read or written; then it is as it was.
    """
    try:
        real = within_clone(path)
        before = read_file(real, BYTES).decode("utf-8-sig")
        after = change(before)
        manifest = Manifest.parse(after, path.name)
        if after != before:
            atomic_write(real, after.encode(), durable=True)
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise ManifestError(f"the manifest {path} cannot be changed: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise ManifestError(f"the manifest {path} is not UTF-8", hint="Save it as UTF-8.") from None
    return manifest


def _document(text: str, origin: str) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise ManifestError(f"{origin} is not TOML: {error}", hint="Mend it there first.") from None


def _repos(document: TOMLDocument) -> Mapping[str, Any]:
    repos = document.get("repos", {})
    return repos if isinstance(repos, Mapping) else {}


def _checked(text: str, origin: str) -> str:
    Manifest.parse(text, origin)
    return text


def _has(document: TOMLDocument, steps: Sequence[str | int]) -> bool:
    value: Any = document
    try:
        for step in steps:
            value = value[step]
    except (LookupError, TypeError):
        return False
    return True


def _refuse_shared(text: str, origin: str, steps: Place) -> None:
    """Refuse to edit one repo of an entry for many, or what it has from the defaults: others have it, too."""
    try:
        manifest = Manifest.parse(text, origin)
    except ManifestError:
        return
    _, name, *below = steps
    for repo in manifest.repos if steps[0] == "repos" else ():
        if name == repo.name != repo.entry:
            whole = f"Set {spell(('repos', repo.entry, *below))} for all of them, or take it" if below else "Take it"
            raise UsageError(
                f"{name} has no entry of its own: it is {spell(repo.place)} in {origin}; nothing was changed.",
                hint=f"{whole} out there{' and give it an entry of its own' if below else ''}.",
            )
        if name == repo.entry and below and below[0] in repo.inherited:
            shared = spell(("defaults", repo.kind.key, *below))
            raise UsageError(
                f"{spell(steps)} is {shared} in {origin}; nothing was changed.",
                hint=f"Set {shared} for all of them, or write {spell(steps[:3])} for this one.",
            )


def _steps(place: str) -> Place:
    steps: list[str | int] = []
    at = 0
    while at < len(place):
        found = _STEP.match(place, at)
        if found is None:
            break
        steps.append(int(found["index"]) if found["index"] else found["bare"] or found["quoted"])
        at = found.end()
    if at < len(place) or not steps:
        raise UsageError(f"{quoted(place)} is not a place in a manifest", hint="Write it as in repos.space.map[0].to.")
    return tuple(steps)


def _walk(document: TOMLDocument, steps: Place, origin: str) -> MutableMapping[str, Any]:
    value: Any = document
    for at, step in enumerate(steps):
        there = isinstance(value, Mapping) if isinstance(step, str) else isinstance(value, list)
        if not there or (step not in value if isinstance(step, str) else step >= len(value)):
            known = [str(key) for key in value] if isinstance(value, Mapping) else []
            guess = nearest(step, known) if isinstance(step, str) else ""
            raise UsageError(
                f"{origin} has no {spell(steps[: at + 1])}{guess}; nothing was set.",
                hint="openllm-repos manifest show",
            )
        value = value[step]
    if not isinstance(value, MutableMapping):
        raise UsageError(
            f"{spell(steps)} in {origin} is not a table; nothing was set.",
            hint="openllm-repos manifest show",
        )
    return value


def _typed(key: str, value: str) -> object:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    if key == "release":
        return _FLAGS.get(value, value)
    if key == "schema":
        return int(value) if re.fullmatch("[0-9]{1,9}", value) else value
    if key in _ARRAYS or (key == "version" and ("," in value or value.startswith("["))):
        if not value.startswith("["):
            return [item.strip() for item in value.split(",") if item.strip()]
        try:
            return tomlkit.value(value)
        except TOMLKitError as error:
            raise UsageError(
                f"{quoted(value)} is not an array of TOML: {error}", hint='Write it as ["a", "b"].'
            ) from None
    return value
