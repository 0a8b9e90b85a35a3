"""A world of the model each commit of which is a real one, too; and the real kernel held against the model there."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from openllm_repos.family.relation import Relation, relate
from openllm_repos.family.state import TargetState, list_maps
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.project import project
from tests.property import model
from tests.property.model import LINES, Commit, Layout, State, Tree
from tests.property.model_world import World

ADA = "Ada <ada@example.org>"
BETWEEN = [f"between {number}" for number in range(6)]
"""So many lines are between two cells of a file that git merges each by itself."""
MANIFEST = """
schema = 1
[project]
name = "model"
[repos.main]
url = "file:///srv/source.git"
role = "source"
[repos.space]
url = "file:///srv/space.git"
history = "{history}"
"""


class RealWorld(World):
    """A world of which every commit is a real one in one repository.

    Attributes:
        real: a commit of the model -> the real one.
        compared: how often the kernel was held against the model.
    """

    def __init__(self, folder: Path, history: str) -> None:
        self.folder = folder
        self.history = history
        self.full = history == "full"
        self.repository = Repository.open(folder)
        self._manifests: dict[str, Manifest] = {}
        self.real: dict[Commit, ObjectId] = {}
        self.compared = 0
        self._found: Relation | None = None
        super().__init__()

    def manifest(self, layout: Layout) -> Manifest:
        """Return the manifest with the maps of a layout."""
        text = MANIFEST.format(history=self.history)
        for source, target in sorted({(_folder(source), _folder(target)) for source, target in layout.maps.items()}):
            text += f'[[repos.space.map]]\nfrom = "{source}"\nto = "{target}"\n'
        if text not in self._manifests:
            (self.folder / "repos.toml").write_text(text)
            self._manifests[text] = Manifest.load(self.folder / "repos.toml")
        return self._manifests[text]

    def commit(self, tree: Tree, parents: tuple[Commit, ...], **about: Any) -> Commit:
        """Make a commit of the model, and a real one."""
        made = super().commit(tree, parents, **about)
        real = [self.real[parent] for parent in parents]
        message = f"commit {made.id}\n"
        if made.imported:
            names = sorted(self.real[self.commits[number]] for number in made.imported)
            url = self.manifest(made.layout).target("space").url
            message += "\n" + "".join(f"Imported-From: {url}@{name}\n" for name in names)
        if made.state is not None:
            state = self._real_state(made.state)
            message += f"\n{list_maps(state.maps)}\n\n{state.trailers(self.manifest(made.state.layout).source)}"
            if made.joins and self.full and state.projected is not None:
                real.append(state.projected)
        rows = [f"tree {self._write_tree(tree)}", *(f"parent {parent}" for parent in real)]
        rows += [f"{who} {ADA} {1_700_000_000 + made.id} +0000" for who in ("author", "committer")]
        self.real[made] = self._write_object("commit", ("\n".join(rows) + f"\n\n{message}").encode())
        return made

    def _real_state(self, state: State) -> TargetState:
        source = projected = None
        space = self.manifest(state.layout).target("space")
        if state.source is not None:
            source = self.real[state.source]
            projected = project(self.repository, source, space.maps).commit
        opened = [self.real[commit] for commit in sorted(state.open, key=lambda commit: commit.id)]
        adopted = None if state.adopted is None else self.real[state.adopted]
        return TargetState.of(space, source, projected, opened, "x" if state.held else "", adopted)

    def _write_object(self, kind: str, data: bytes) -> ObjectId:
        """Write a loose object: no process is as quick."""
        whole = b"%b %d\0%b" % (kind.encode(), len(data), data)
        name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        path = self.folder / ".git/objects" / name[:2] / name[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(whole))
        return ObjectId(name)

    def _write_tree(self, tree: Tree) -> ObjectId:
        files: dict[str, dict[int, str]] = {}
        for (path, line), value in tree.items():
            files.setdefault(path, {})[line] = value
        blobs = {path: self._write_object("blob", _content(path, values)) for path, values in files.items()}
        return self._write_folder(blobs)

    def _write_folder(self, blobs: Mapping[str, ObjectId]) -> ObjectId:
        entries: dict[str, tuple[bytes, ObjectId]] = {}
        folders: dict[str, dict[str, ObjectId]] = {}
        for path, blob in blobs.items():
            first, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(first, {})[rest] = blob
            else:
                entries[first] = b"100644", blob
        entries |= {name: (b"40000", self._write_folder(inside)) for name, inside in folders.items()}
        order = sorted(entries, key=lambda name: name + "/" * (name in folders))
        rows = (b"%b %b\0%b" % (entries[name][0], name.encode(), bytes.fromhex(entries[name][1])) for name in order)
        return self._write_object("tree", b"".join(rows))

    def relate(self, tip: Commit, source: Commit) -> model.Relation:
        """Hold the target against a source commit, and the kernel against the model."""
        expected = super().relate(tip, source)
        self._found = None
        if expected.start is None:
            return expected
        with ObjectReader(self.repository.git) as reader:
            manifest = self.manifest(self.kernel.layout)
            space = manifest.target("space")
            found = relate(self.repository, reader, manifest, space, self.real[source], self.real[tip])
            base = self._cells(found, reader)
        assert expected.at is not None
        assert found.at is not None
        assert found.at.id == self.real[expected.at]
        assert {one for one in found.own.commits if found.own.changes(one)} == {*self._all_real(expected.own)}
        assert found.home.commits == {*self._all_real(expected.home)}
        assert base == expected.base
        assert bool(found.drift.files) == bool(expected.drift)
        assert expected.contained or not found.contained
        assert found.contained or self.full or not expected.contained  # else the history may be what is missing
        self._found = found
        self.compared += 1
        return expected

    def still_open(self, relation: model.Relation, tree: Tree, projection: Tree) -> frozenset[Commit]:
        """Return what a sync lists as open, by the model and by the kernel."""
        expected = super().still_open(relation, tree, projection)
        found = self._found
        assert found is not None
        opened = found.own.still_open(found.home.commits, self._write_tree(tree), found.theirs)
        assert {*opened} == {*self._all_real(expected)}
        return expected

    def _all_real(self, commits: Iterable[Commit]) -> list[ObjectId]:
        return [self.real[commit] for commit in commits]

    def _cells(self, found: Relation, reader: ObjectReader) -> Tree:
        base: Tree = {}
        for path in self.kernel.paths_there:
            file = found.part.file(found.base, path.encode())
            if file is not None:
                rows = reader.read(file[1]).data.decode().splitlines()[:: 1 + len(BETWEEN)]
                base |= {(path, line): value for line, value in enumerate(rows)}
        return base


def _folder(path: str) -> str:
    return path.rpartition("/")[0] + "/"


def _content(path: str, values: Mapping[int, str]) -> bytes:
    lines = LINES.get(path[-1], 1)
    rows = [row for line in range(lines) for row in (values.get(line), *BETWEEN)] if lines > 1 else [values[0]]
    return "".join(f"{row}\n" for row in rows).encode()
