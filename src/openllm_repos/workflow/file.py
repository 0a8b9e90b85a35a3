"""The workflow in the clone: read, held against the manifest, and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from openllm_repos.errors import ConflictError, EnvironmentProblem, UsageError
from openllm_repos.files import LeadsOut, atomic_write, read_file, within_clone
from openllm_repos.manifest.model import Kind, Manifest
from openllm_repos.names.plain import quoted
from openllm_repos.text import show
from openllm_repos.workflow.choices import FORMS, Choices
from openllm_repos.workflow.filters import REQUIREMENTS, WORKFLOW
from openllm_repos.workflow.parts import Parts, PartsBroken, find_parts, header_text, with_parts
from openllm_repos.workflow.requirements import dependencies_in, requirements_text
from openllm_repos.workflow.template import jobs_text, triggers_text

_LARGEST = 1 << 20
_HASHED = "--require-hashes"  # how every workflow installs that a stranger cannot take over
_UPGRADE = "Take that version of openllm-repos, or a later one."


class Standing(StrEnum):
    """How a workflow in a clone stands to the manifest."""

    MISSING = "missing"
    CURRENT = "current"
    STALE = "stale"
    NEWER = "newer"
    EDITED = "edited"
    UNPINNED = "unpinned"
    FOREIGN = "foreign"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Found:
    """A workflow as it is in a clone.

    Attributes:
        text: the file, None where there is none.
        parts: what stands between its marks, and beside it; None where it has no marks.
        broken: what is wrong with its marks, or None.
    """

    text: str | None
    parts: Parts | None = None
    broken: PartsBroken | None = None

    @property
    def choices(self) -> Choices | None:
        """The choices that it was written with, None where nobody can tell."""
        header = self.parts.header if self.parts else None
        return header.choices if header else None

    @property
    def version(self) -> str | None:
        """The version of this package that wrote it, None where nobody can tell."""
        header = self.parts.header if self.parts else None
        return header.version if header else None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a workflow is made from.

    Attributes:
        manifest: whose workflow it is.
        manifest_path: where the manifest stands in the source.
        choices: what a person decided.
        version: the version of this package.
        dependencies: what the jobs install beside the tool; None for what this version of it needs.
    """

    manifest: Manifest
    manifest_path: str
    choices: Choices
    version: str
    dependencies: str | None = None

    def parts(self) -> Parts:
        """Return the parts of the workflow.

        Raises:
            UsageError: the source is not on GitHub, or nothing says what the jobs install.
        """
        self.require_github()
        install = self.choices.install
        if install is None:
            raise UsageError("Nothing says what the jobs install.", hint=f"Say it with --install: {FORMS}.")
        header = header_text(self.version, self.manifest_path, self.choices)
        return Parts(
            header + triggers_text(self.manifest, self.choices, self.manifest_path),
            self.jobs(),
            requirements_text(install, self.dependencies),
        ).sealed()

    def jobs(self) -> str:
        """Return the second part of the workflow."""
        return jobs_text(self.manifest, self.choices, self.manifest_path, self.choices.install)

    def require_github(self) -> None:
        """Make sure that the workflow can run where the source is.

        Raises:
            UsageError: the source is not on GitHub.
        """
        source = self.manifest.source
        if source.kind is not Kind.GITHUB:
            raise UsageError(
                f"{source.name} is not on GitHub ({source.url}), and this workflow runs nowhere else.",
                hint="Let the CI that you have run the commands of the jobs; docs/ci.md lists them.",
            )


def standing(found: Found, recipe: Recipe) -> Standing:
    """Hold a workflow against what it would be made from now.

    The version that wrote it does not count by itself, nor what that one needed: a workflow is stale when this version
    would write other jobs or triggers, not when it would install itself.
    """
    if found.text is None:
        return Standing.MISSING
    if found.broken is not None:
        return Standing.BROKEN
    if found.parts is None:
        return Standing.FOREIGN
    recipe.require_github()
    if _HASHED not in found.parts.jobs:
        return Standing.UNPINNED
    if found.version is None or found.choices is None or found.choices.install is None:
        return Standing.NEWER if _is_newer(found, recipe) else Standing.EDITED
    same = replace(
        recipe,
        version=found.version,
        choices=replace(recipe.choices, install=recipe.choices.install or found.choices.install),
        dependencies=dependencies_in(found.parts.requirements),
    )
    if same.parts() == found.parts:
        return Standing.CURRENT
    if _is_newer(found, recipe):
        return Standing.NEWER
    return Standing.STALE if found.parts.as_written else Standing.EDITED


def _is_newer(found: Found, recipe: Recipe) -> bool:
    """Whether a newer version of this package wrote the workflow: what it has learnt since would be lost."""
    from openllm_repos.versions.order import order

    return found.version is not None and order(found.version) > order(recipe.version)


def read_workflow(top: Path) -> Found:
    """Read the workflow of the clone whose work tree is `top`.

    Raises:
        EnvironmentProblem: it cannot be read.
    """
    text = _read(top / WORKFLOW)
    if text is None:
        return Found(None)
    try:
        return Found(text, find_parts(text, _read(top / REQUIREMENTS) or ""))
    except PartsBroken as why:
        return Found(text, broken=why)


def _read(path: Path) -> str | None:
    name = f".github/workflows/{path.name}"
    try:
        content = read_file(path, _LARGEST)
        text = content.decode()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as why:
        raise EnvironmentProblem(f"{name} cannot be read: {why.strerror}.") from None
    except UnicodeDecodeError:
        raise EnvironmentProblem(f"{name} is not UTF-8.", hint="Save it as UTF-8.") from None
    if len(content) > _LARGEST:
        raise EnvironmentProblem(f"{name} is larger than {_LARGEST >> 20} MiB.", hint="Is it the right file?")
    return text


def said_of(found: Found, now: Standing) -> tuple[str, str]:
    """Return what there is to say of a workflow (without its name), and the command that mends it, or nothing."""
    again = "openllm-repos ci"
    match now:
        case Standing.CURRENT:
            return "is up to date", ""
        case Standing.MISSING:
            return "is not there", again
        case Standing.STALE:
            by = f" (openllm-repos {found.version} wrote it)" if found.version else ""
            return f"is not what the manifest asks for{by}", again
        case Standing.NEWER:
            return f"was written by openllm-repos {found.version}, which is newer than this one", _UPGRADE
        case Standing.EDITED:
            where = f"was edited between its marks, or {REQUIREMENTS} was edited or lost"
            return where, "openllm-repos ci --overwrite  # move an edit of yours outside of the marks before"
        case Standing.UNPINNED:
            why = "installs openllm-repos without a hash: whoever gets hold of that name runs code in its jobs"
            return why, again
        case Standing.BROKEN:
            return (
                "has lost one of its marks",
                "openllm-repos ci --overwrite  # drops what you added; or put it back",
            )
        case Standing.FOREIGN:
            return "was not written by openllm-repos", "openllm-repos ci --overwrite  # or give it another name"


def branch_sentence(manifest: Manifest, other: str) -> str:
    """Return what it means that the source's default branch is another than the manifest's."""
    return (
        f"{manifest.origin} names the branch {manifest.source.branch}, and the default branch on GitHub is"
        f" {show(other)}, as far as this clone knows: from there alone GitHub looks for drift, and lets people run the"
        " workflow."
    )


def composed(found: Found, recipe: Recipe, *, overwrite: bool) -> dict[str, str]:
    """Return the files that would be written, by their path from the top of the source; the workflow is the first.

    Args:
        found: the workflow as it is.
        recipe: what to make it from.
        overwrite: whether what people wrote between the marks, or in a file without marks, may go.

    Raises:
        ConflictError: it may not, and there is such.
        UsageError: what comes out is no workflow: a job or another key is there twice.
    """
    parts = recipe.parts()
    now = standing(found, recipe)
    if now is Standing.BROKEN and not overwrite:
        assert found.broken is not None
        raise found.broken
    if now is Standing.FOREIGN and not overwrite:
        raise ConflictError(
            f"{WORKFLOW} is there and was not written by openllm-repos; nothing was changed.",
            hint="openllm-repos ci --overwrite  # writes over it; or give yours another name",
        )
    if _is_newer(found, recipe) and not overwrite:
        raise ConflictError(
            f"{WORKFLOW} was written by openllm-repos {found.version}, and this is {recipe.version};"
            " nothing was changed.",
            hint=f"{_UPGRADE}\nopenllm-repos ci --overwrite  # or goes back to this one",
        )
    edited = now is Standing.EDITED or (
        now is Standing.UNPINNED and found.parts is not None and not found.parts.as_written
    )
    if edited and not overwrite:
        raise ConflictError(
            f"{WORKFLOW} was edited between the marks (or {REQUIREMENTS} was), and that would be lost; nothing was"
            " changed.",
            hint="Move your change outside of the marks.\n"
            "openllm-repos ci --print --overwrite  # shows what would be written\n"
            "openllm-repos ci --overwrite  # writes over it",
        )
    text = with_parts(found.text if found.parts else None, parts)
    _require_sound(text)
    return {WORKFLOW: text, REQUIREMENTS: parts.requirements}


def write_workflow(top: Path, files: Mapping[str, str]) -> None:
    """Write the files of a workflow into a clone, each as a new one beside the old, put in its place.

    Raises:
        EnvironmentProblem: one cannot be written; then it is as it was.
    """
    for name, text in reversed([*files.items()]):  # the workflow last: it names the other
        _write(top, name, text)


def _write(top: Path, name: str, text: str) -> None:
    try:
        path = within_clone(top / name)
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, text.encode())
    except LeadsOut:  # a clone may bring along a link to anywhere
        raise EnvironmentProblem(
            f"{name} leads out of the clone by a symbolic link; nothing was written.",
            hint="Put a folder in the place of the link.",
        ) from None
    except OSError as why:
        raise EnvironmentProblem(f"{name} cannot be written: {why.strerror}.") from None


def _require_sound(text: str) -> None:
    """Refuse a key that is there twice, as where a job of a person's has a name of ours: GitHub would take neither.

    What PyYAML cannot read is left to GitHub, which reads a little more; the lines between the marks are sound.
    """
    import yaml

    try:
        todo = [yaml.compose(text, Loader=yaml.SafeLoader)]
    except yaml.YAMLError:
        return
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            twice = next((key for key in keys if keys.count(key) > 1), None)
            if twice is not None:
                raise UsageError(
                    f"{WORKFLOW} would have {quoted(str(twice))} twice in one place.",
                    hint="Give yours another name; those between the marks are the tool's.",
                )
            todo += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            todo += node.value
