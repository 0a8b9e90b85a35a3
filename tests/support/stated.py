"""A source and a target side by side in one repository, the target's states written as the tool writes them.

For questions that two histories alone decide: nothing is pushed, and no command is run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.state import TargetState, list_maps
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Endpoint
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.project import project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.repositories import Clone

    Files = Mapping[str, str | bytes | None]

URLS = ("https://example.org/main.git", "https://example.org/space.git")


@dataclass(slots=True)
class Stated:
    """The source is on `main`, the target on `space`.

    Attributes:
        clone: where both are.
        manifest: carries `core/*.py` to `training/`.
        repository: the clone, as the tool sees it.
    """

    clone: Clone
    manifest: Manifest
    repository: Repository

    @classmethod
    def of(cls, clone: Clone) -> Stated:
        """Make a source with one commit, and a target with a file of its own."""
        clone.commit("Start", {"core/model.py": "one\n"})
        clone.orphan("space")
        clone.commit("My app", {"app.py": "app\n"})
        return cls(clone, parse(), Repository.open(clone.path))

    @property
    def target(self) -> Repo:
        """The target's entry."""
        return self.manifest.target("space")

    @property
    def tip(self) -> ObjectId:
        """The target's tip."""
        return ObjectId(self.clone.tip("space"))

    @property
    def head(self) -> ObjectId:
        """The source's tip."""
        return ObjectId(self.clone.tip("main"))

    def commit(self, branch: str, message: str, files: Files | None = None) -> ObjectId:
        """Commit to one of the two."""
        if (self.clone.path / ".git/HEAD").read_text() != f"ref: refs/heads/{branch}\n":
            self.clone.switch(branch)
        return ObjectId(self.clone.commit(message, files))

    def source(self, files: Files) -> ObjectId:
        """Commit to the source."""
        return self.commit("main", "Go on", files)

    def edit(self, files: Files) -> ObjectId:
        """Commit to the target, as somebody who works there."""
        return self.commit("space", "Edit", files)

    def projected(self, commit: ObjectId) -> ObjectId:
        """Return the projection of a source commit."""
        with ObjectReader(self.repository.git) as reader:
            found = project(self.repository, commit, self.target.maps, reader=reader).commit
        assert found is not None
        return found

    def state(self, commit: ObjectId, opened: Sequence[ObjectId] = ()) -> TargetState:
        """Return the state of a target that has a source commit."""
        return TargetState.of(self.target, commit, self.projected(commit), opened)

    def sync(self, files: Files, *opened: ObjectId, state: TargetState | None = None) -> ObjectId:
        """Commit to the target what a sync of the source's tip brings: `files`, and the state."""
        state = state or self.state(self.head, opened)
        return self.commit("space", self.stating(state), files)

    def stating(self, state: TargetState) -> str:
        """Return the message of a commit that states something."""
        return f"Sync\n\n{list_maps(state.maps)}\n\n{state.trailers(self.manifest.source)}"

    def remote(self, **said: object) -> RemoteState:
        """Return what the target's remote says: its tip, or something else."""
        reached = Endpoint(URLS[1], URLS[1], "refs/remotes/space")
        return replace(RemoteState(self.target, reached, self.tip), **said)  # type: ignore[arg-type]


def parse(
    *, maps: Sequence[tuple[str, str]] = (("core/*.py", "training/"),), owned: str = "app.py", history: str = "squash"
) -> Manifest:
    """Return a manifest of the two."""
    entries = "".join(f'[[repos.space.map]]\nfrom = "{source}"\nto = "{to}"\n' for source, to in maps)
    return Manifest.parse(
        f'schema = 1\n[project]\nname = "x"\n[repos.main]\nurl = "{URLS[0]}"\nrole = "source"\n'
        f'[repos.space]\nurl = "{URLS[1]}"\nowned = ["{owned}"]\nhistory = "{history}"\n{entries}'
    )
