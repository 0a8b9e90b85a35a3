"""Good answers proposed from file names alone: what to carry, what to keep back, what a target writes itself.

All of it can be corrected by the person; nothing that is proposed here is pushed without the plan being shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from openllm_repos.errors import NameRefused
from openllm_repos.git.peek import Tree
from openllm_repos.manifest.maps import Map
from openllm_repos.names.overlap import intersect
from openllm_repos.names.pattern import Pattern

_PRIVATE = frozenset(
    {"data", "dataset", "datasets", "test", "tests", "doc", "docs", "export", "exports", "checkpoints", "logs"}
    | {"notebooks", "outputs", "private", "runs", "secrets", "wandb", "results", "backup", "backups", ".env"}
)
_BESIDE = frozenset({"scripts", "tools", "examples", "benchmarks", "ci"})  # code about the code: rarely run by a Space
_SETTINGS = frozenset({"config", "configs", "conf", "settings"})
_SETTINGS_FILES = (".json", ".yaml", ".yml", ".toml")
_SAYS_NOTHING = frozenset({"src", "lib", "python", "code", "source"})
_USUAL = ("app.py", "requirements.txt", "README.md")
_EMPTY_FILES = frozenset(
    {
        b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        b"473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)
_COMMON = 20
_MOST = 6  # proposals are questions; more of them are not read


def propose_never(source: Tree) -> tuple[str, ...]:
    """Return the folders and files at the top of the source that are private by their name."""
    tops: dict[str, str] = {}
    for path in _texts(source):
        top, slash, _ = path.partition("/")
        if top.lower() in _PRIVATE or (not slash and top.lower().startswith(".env")):
            tops[top] = top + slash
    return tuple(sorted(name for name in tops.values() if _protects(name)))


def _protects(text: str) -> bool:
    try:
        Pattern.parse(text, protective=True)
    except NameRefused:
        return False
    return True


@dataclass(slots=True)
class _Folder:
    """A folder of the source that may be carried.

    Attributes:
        base: its path.
        ending: the files that count.
        files: path below it -> blob, folders below included.
    """

    base: str
    ending: str
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """What a map takes of it."""
        deep = any("/" in path for path in self.files)
        return f"{self.base}/{'**/' if deep else ''}*{self.ending}"


def propose_maps(source: Tree, target: Tree) -> tuple[tuple[str, str], ...]:
    """Return maps (from, to) for a Space: folders with code, and configurations.

    Where the target has copies of such folders already, exactly those are proposed, to where they are. Else a folder
    keeps its name, or the one above it where its own says nothing (``core/src`` becomes ``core/``).

    Args:
        source: the source's files.
        target: the target's; empty where it has none or is not known.
    """
    folders = _candidates(source)
    names = _by_name(target)
    copies = {(one.base, one.ending): place for one in folders if (place := _copy(one, target, names)) is not None}
    if copies:
        folders = [one for one in folders if (one.base, one.ending) in copies]
    else:
        folders = [one for one in folders if one.base.partition("/")[0].lower() not in _BESIDE]
    folders = sorted(folders, key=lambda one: -len(one.files))[:_MOST]
    proposed: list[Map] = []
    for one in sorted(folders, key=lambda one: (one.ending != ".py", one.base, one.ending)):
        known = copies.get((one.base, one.ending))
        places = (_name_of(one.base), one.base) if known is None else (known,)
        fitting = (made for place in places if (made := _fits(one.pattern, place, proposed)) is not None)
        proposed += list(fitting)[:1]
    return tuple((made.source.text, made.written_to) for made in proposed)


def _candidates(source: Tree) -> list[_Folder]:
    """Return the topmost folders with Python in them, and folders of settings."""
    found: dict[tuple[str, str], _Folder] = {}
    for path in sorted(_texts(source)):
        *above, name = path.split("/")
        if not above or above[0].lower() in _PRIVATE or any(part.startswith(".") for part in above):
            continue
        folder, blob = "/".join(above), source[path.encode()]
        ending = next((end for end in (".py", *_SETTINGS_FILES) if name.endswith(end)), "")
        if ending == ".py":
            place = _holder(found, above) or found.setdefault((folder, ending), _Folder(folder, ending))
            place.files[path[len(place.base) + 1 :]] = blob
        elif ending and above[-1].lower() in _SETTINGS:
            found.setdefault((folder, ending), _Folder(folder, ending)).files[name] = blob
    return _topmost(found.values())


def _holder(found: Mapping[tuple[str, str], _Folder], above: Sequence[str]) -> _Folder | None:
    """Return the folder with Python that this one lies in."""
    for depth in range(1, len(above)):
        if holder := found.get(("/".join(above[:depth]), ".py")):
            return holder
    return None


def _topmost(folders: Iterable[_Folder]) -> list[_Folder]:
    """Move what was found before the folder above it was known to have Python too into that one."""
    kept: dict[tuple[str, str], _Folder] = {}
    for one in sorted(folders, key=lambda one: one.base):
        holder = _holder(kept, one.base.split("/")) if one.ending == ".py" else None
        if holder is None:
            kept[one.base, one.ending] = one
        else:
            below = one.base[len(holder.base) + 1 :]
            holder.files |= {f"{below}/{path}": blob for path, blob in one.files.items()}
    return list(kept.values())


def _by_name(target: Tree) -> dict[str, list[str]]:
    """Return the paths of a target by their last name, without names so common that they say nothing."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in _texts(target):
        found[path.rpartition("/")[2]].append(path)
    return {name: paths for name, paths in found.items() if len(paths) <= _COMMON and name != "__init__.py"}


def _copy(one: _Folder, target: Tree, by_name: Mapping[str, Sequence[str]]) -> str | None:
    """Return the folder of the target that has copies of these files, if there is one."""
    same: defaultdict[str, int] = defaultdict(int)
    alike: defaultdict[str, int] = defaultdict(int)
    for path, blob in one.files.items():
        for there in by_name.get(path.rpartition("/")[2], ()):
            if f"/{there}".endswith(f"/{path}"):
                folder = there[: len(there) - len(path)]
                same[folder] += target[there.encode()] == blob and blob not in _EMPTY_FILES
                alike[folder] += 1
    best = max(alike, key=lambda folder: (same[folder], alike[folder], folder), default=None)
    if best is None or not (same[best] or alike[best] > 1):
        return None
    return best.removesuffix("/")


def _name_of(base: str) -> str:
    parts = base.split("/")
    return next((part for part in reversed(parts) if part.lower() not in _SAYS_NOTHING), parts[-1])


def _fits(pattern: str, folder: str, others: Sequence[Map]) -> Map | None:
    """Return the map, unless it cannot be written or would write what another one writes."""
    try:
        made = Map.of(pattern, f"{folder}/" if folder else ".")
    except NameRefused:
        return None
    return None if any(intersect(made.output, other.output) for other in others) else made


def propose_owned(target: Tree, maps: Sequence[Map]) -> tuple[str, ...]:
    """Return the files at the target's top that no map writes; the usual ones of a Space where it has no files yet."""
    names = sorted(path for path in _texts(target) if "/" not in path) if target else _USUAL
    return tuple(name for name in names if _is_owned(name, maps))


def _is_owned(name: str, maps: Sequence[Map]) -> bool:
    if any(char in name for char in "*?[") or not _protects(name):
        return False
    pattern = Pattern.parse(name, protective=True)
    return not any(intersect(pattern, a_map.output) for a_map in maps)


def already_there(target: Tree, maps: Sequence[Map]) -> set[bytes]:
    """Return the files that the target has where maps write."""
    return {path for path in target if any(a_map.output.matches(path) for a_map in maps)}


def _texts(tree: Tree) -> list[str]:
    """Return the paths that a manifest could name at all: those in UTF-8."""
    return [path.decode() for path in tree if _is_text(path)]


def _is_text(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True
