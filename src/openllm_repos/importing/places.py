"""Maps read backwards: where in the source a file of a target comes from, or would.

The maps of a sound manifest write different paths, so there is never a choice: a new file of a target belongs where the
one map that could have written it takes it from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openllm_repos.errors import ConflictError
from openllm_repos.manifest.model import Repo
from openllm_repos.plan import FileChange
from openllm_repos.projection.editing import Entry
from openllm_repos.projection.trees import GITLINK_MODE
from openllm_repos.text import show_path


def carry_back(target: Repo, changes: Sequence[FileChange]) -> Mapping[bytes, Entry | None]:
    """Translate changes of a target's mapped part into changes of the source's tree.

    Args:
        target: the target.
        changes: what changes there.

    Returns:
        Path of the source -> its new file, None where it goes.

    Raises:
        ConflictError: a change that the source cannot hold.
    """
    result: dict[bytes, Entry | None] = {}
    for change in changes:
        _require_carried(target, change)
        path = next(found for a_map in target.maps if (found := a_map.source_path(change.path)) is not None)
        if result.setdefault(path, change.new) != change.new:
            raise ConflictError(
                f"{target.name}: {show_path(path)} of the source is written to several places there, and they no longer"
                " agree.",
                hint=f"Make {show_path(change.path)} and its twin equal in {target.name} first.",
            )
    return result


def _require_carried(target: Repo, change: FileChange) -> None:
    """Refuse what no sync would carry the other way."""
    if change.new is None:
        return
    if change.new[0] == GITLINK_MODE:
        problem = "is a submodule, which cannot be carried into another repository"
    elif change.path.rpartition(b"/")[2] == b".gitmodules":
        problem = "has a name that git itself uses"
    else:
        return
    raise ConflictError(
        f"{target.name}: {show_path(change.path)} {problem}.", hint=f"Take it away in {target.name} first."
    )
