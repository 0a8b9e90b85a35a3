"""What is about to be pushed, and where."""

from __future__ import annotations

from dataclasses import dataclass

from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId


@dataclass(frozen=True, slots=True)
class Push:
    """One branch about to be pushed.

    Attributes:
        target: the repo that gets it; its kind says whose rules hold.
        url: where it is pushed.
        new: the commit that the branch is to name.
        tip: the commit that it names on the remote now, None where there is no such branch.
        known: other commits that the remote has and this clone too, such as those of its tags.
        source: the repo that LFS objects may be fetched from.
        source_commit: in a sync, the commit of the source that is carried over. Findings then name commits of the
            source, which a person can look up, rather than those that are made of them.
        changed: the paths that differ between `tip` and `new`, where that is known.
    """

    target: Repo
    url: str
    new: ObjectId
    tip: ObjectId | None = None
    known: tuple[ObjectId, ...] = ()
    source: Repo | None = None
    source_commit: ObjectId | None = None
    changed: tuple[bytes, ...] | None = None

    @property
    def newest(self) -> ObjectId:
        """The commit that a person knows the newest one by."""
        return self.source_commit or self.new

    @property
    def there(self) -> tuple[ObjectId, ...]:
        """Everything that the remote is known to have."""
        return (*(() if self.tip is None else (self.tip,)), *self.known)
