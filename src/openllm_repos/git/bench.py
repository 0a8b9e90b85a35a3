"""A throw-away git folder beside a clone: for questions that need an index or a place for objects of their own.

It reads the clone's objects and configuration and leaves both as they are. The clone's ``info/attributes``, its index
and its work tree have no say in it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from openllm_repos.git.repository import Repository


@contextlib.contextmanager
def bench(
    repository: Repository, *, defaults: Mapping[str, str] | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Repository]:
    """Yield a bare repository in a temporary folder that reads everything of `repository`.

    Args:
        repository: the clone, quarantined or not.
        defaults: configuration (``section.key``) for what the clone's own configuration does not say.
        settings: configuration whatever the clone's own says. Both are this repository's only: unlike what is given on
            a command line, nothing that git starts in another repository gets them.
    """
    with TemporaryDirectory(prefix="openllm-repos-") as place:
        folder = Path(place)
        objects = folder / "objects"
        (objects / "pack").mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        own = {"core.bare": "true"}
        if repository.object_format == "sha256":
            own |= {"core.repositoryFormatVersion": "1", "extensions.objectFormat": "sha256"}
        given = {"include.path": os.fspath(repository.common_dir / "config")}
        lines = [
            line
            for part in (defaults or {}, given, own, settings or {})
            for each in part.items()
            for line in _lines(*each)
        ]
        (folder / "config").write_text("\n".join((*lines, "")), encoding="utf-8", errors="surrogateescape")
        extra = {
            **repository.git.extra,
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": repository.readable_objects,
            "GIT_ATTR_NOSYSTEM": "1",
        }
        git = replace(repository.git, git_dir=folder, folder=folder, extra=extra)
        yield replace(repository, git_dir=folder, common_dir=folder, top=None, git=git, objects_dir=objects)


def _lines(key: str, value: str) -> tuple[str, str]:
    """Write one setting (``section.name``) as git's configuration files want it."""
    section, _, name = key.partition(".")
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    return f"[{section}]", f"{name} = {quoted}"
