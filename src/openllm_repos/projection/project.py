"""From a commit of the source to a commit of a target: the whole projection, cold or from where the last run ended.

Where the answer is remembered, nothing is imported but what looks it up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

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
    the ids of ``git subtree split -P folder`` (with ``--ignore-joins``, where the history has joins).

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
    width = repository.id_length // 2
    cache = Cache(repository.state_dir / "projections", maps_digest(maps), width)
    with ExitStack() as stack:
        reader = reader or stack.enter_context(ObjectReader(repository.git))
        if use_cache:
            known, image = cache.glance(commit.encode())
            if known and (image is None or reader.find(image) is not None):
                return Projected(commit, None if image is None else ObjectId(image.decode()), 0)
        from openllm_repos.projection.run import Run

        empty = Graph(hashlib.new(repository.object_format, b"tree 0\0").hexdigest().encode())
        remembered = cache.load(empty.empty_tree) if use_cache else None
        run = Run(repository, reader, maps, stack, remembered or Memory(empty, []))
        if not run.covers(commit):
            run = Run(repository, reader, maps, stack, Memory(Graph(empty.empty_tree), []))
            run.covers(commit)
        projected, written = run.finish(commit)
        if use_cache and not repository.quarantined:
            cache.save(run.memory)
        return Projected(commit, projected, written)
