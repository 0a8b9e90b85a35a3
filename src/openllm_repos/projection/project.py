"""From a commit of the source to a commit of a target: the whole projection, cold or from where the last run ended.

Where the answer is remembered, nothing is imported but what looks it up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import Map, maps_digest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.cache import Cache, Memory
from openllm_repos.projection.graph import Graph


@dataclass(frozen=True, slots=True)
class Projected:
    """The projection of one source commit.

    Attributes:
        source: the source commit.
        commit: the projected commit, or None where nothing was ever mapped in its history.
        written: how many projected commits this run wrote.
    """

    source: ObjectId
    commit: ObjectId | None
    written: int


def project(
    repository: Repository,
    commit: ObjectId,
    maps: Sequence[Map],
    *,
    use_cache: bool = True,
    reader: ObjectReader | None = None,
) -> Projected:
    """Project a commit and all its history through the maps of one target.

    The same commit and maps give the same ids on every machine. For one map of one whole folder to the root these are
    the ids of ``git subtree split --ignore-joins -P folder``, with the own commits of a project that `git subtree add`
    brought there.

    Args:
        repository: the clone of the source; new objects are written to it as one pack.
        commit: a commit in it.
        maps: the maps of one target.
        use_cache: whether to read and write the memory of earlier runs.
        reader: reads the clone's objects, where the caller has one at hand; it saves a process.

    Raises:
        EnvironmentProblem: a shallow clone, a missing object, a disk that cannot be written.
        ConflictError: two maps put different content at one path.
    """
    repository.require_history()
    with ExitStack() as stack:
        reader = reader or stack.enter_context(ObjectReader(repository.git))
        cache = _cache(repository, maps) if use_cache else None
        if cache is not None:
            known, image = cache.glance(commit.encode())
            if known and (image is None or reader.find(image) is not None):
                return Projected(commit, None if image is None else ObjectId(image.decode()), 0)
        return _run(repository, reader, commit, maps, stack, cache)[0]


def origins(
    repository: Repository, commit: ObjectId, maps: Sequence[Map], *, reader: ObjectReader
) -> tuple[ObjectId | None, Mapping[bytes, bytes]]:
    """Project a commit like :func:`project`, and say which source commit each projected commit was copied from.

    Returns:
        The projection, and projected commit -> source commit (hex ids) for all that became of the commit's history: a
        few may not be in the projection's own, where a merge took over nothing of one side. What only a project that
        `git subtree` brought had is left out: no source commit has that below its mapped folder.

    Raises:
        ReposError: as :func:`project`.
    """
    repository.require_history()
    with ExitStack() as stack:
        projected, memory = _run(repository, reader, commit, maps, stack, _cache(repository, maps))
        ids = memory.graph.ids
        copied_from: dict[bytes, bytes] = {}
        # Parents were visited first, so of all sources with one image the first is the one that was copied.
        history = {line.strip() for line in repository.git.stream("rev-list", commit, "--")}
        for source, image in memory.graph.image.items():
            if source in history and source not in memory.subproject:  # not what is remembered of other branches
                copied_from.setdefault(ids[image], source)
    return projected.commit, copied_from


def _cache(repository: Repository, maps: Sequence[Map]) -> Cache:
    """Return the memory to read: in a quarantine its own, where another target with the same maps has left one."""
    mine = _own_cache(repository, maps)
    return mine if mine.exists() else _at(repository.state_dir, repository, maps)


def _own_cache(repository: Repository, maps: Sequence[Map]) -> Cache:
    """Return the memory to write; in a quarantine it is thrown away with the objects that it names."""
    return _at(repository.objects_dir.parent if repository.quarantined else repository.state_dir, repository, maps)


def _at(folder: Path, repository: Repository, maps: Sequence[Map]) -> Cache:
    return Cache(folder / "projections", maps_digest(maps), repository.id_length // 2)


def _run(
    repository: Repository,
    reader: ObjectReader,
    commit: ObjectId,
    maps: Sequence[Map],
    stack: ExitStack,
    cache: Cache | None,
) -> tuple[Projected, Memory]:
    """Project from where the cache ends, and return what is known then."""
    from openllm_repos.projection.run import Run

    empty = Graph(hashlib.new(repository.object_format, b"tree 0\0").hexdigest().encode())
    remembered = None if cache is None else cache.load(empty.empty_tree)
    run = Run(repository, reader, maps, stack, remembered or Memory(empty, []))
    if not run.covers(commit):
        run = Run(repository, reader, maps, stack, Memory(Graph(empty.empty_tree), []))
        run.covers(commit)
    projected, written = run.finish(commit)
    if cache is not None:
        _own_cache(repository, maps).save(run.memory)
    return Projected(commit, projected, written), run.memory
