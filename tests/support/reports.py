"""Families made of values alone, for pictures and pages: as large and as hostile as a test wants them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from typing import TYPE_CHECKING

from openllm_repos.family.tags import TagState
from openllm_repos.git.describe import Described
from openllm_repos.hub.model import Runtime, Stage
from openllm_repos.manifest import Manifest
from openllm_repos.manifest.model import Kind, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from openllm_repos.picture.report import Report
from openllm_repos.plan import Change, Conflict, Drift, FileChange, Finding, Rule, Stopped
from openllm_repos.release.matrix import Cell, Matrix, ReleaseRow
from openllm_repos.status.family import FamilyStatus, RepoStatus, Standing
from openllm_repos.status.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a name must not be able to do: end an attribute, an element, a comment or a line, turn the text around.
HOSTILE = (
    "<script>alert(1)</script>\"'`]]>--><!-- & &lt; \u202e\u2066\x00\x1b[31m\nnext\ud800 *b* #quot; $$x$$ \U0001f4a9"
)
WRITTEN = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
STANDINGS = (
    Standing.IN_SYNC,
    Standing.BEHIND,
    Standing.DRIFT,
    Standing.DIVERGED,
    Standing.UNREACHABLE,
    Standing.NOT_ADOPTED,
    Standing.EMPTY,
    Standing.UNKNOWN,
)


def commit(number: int) -> ObjectId:
    """Return an object id."""
    return ObjectId(f"{number:040x}")


def manifest(targets: int = 1, members: int = 3, *, alike: bool = True, folders: Sequence[str] = ()) -> Manifest:
    """Return a manifest with so many targets and members; `alike` targets all get the same, and `folders` besides."""
    lines = ["schema = 1", '[project]\nname = "openllm"', '[repos.main]\ngithub = "louischua/openllm"\nrole = "source"']
    for number in range(targets):
        source = "core/src/*.py" if alike else f"core/part-{number}/src/with/a/long/path/*.py"
        maps = {source: "training/", "configs/*.json": "configs/", **{folder: folder for folder in folders}}
        lines.append(f'[repos.space-{number}]\nspace = "lemms/openllm-{number}"\nowned = ["app.py"]')
        lines += [f'[[repos.space-{number}.map]]\nfrom = "{taken}"\nto = "{to}"' for taken, to in maps.items()]
    kinds = cycle(("model", "dataset"))
    lines += [f'[repos.part-{number}]\n{next(kinds)} = "lemms/openllm-part-{number}"' for number in range(members)]
    return Manifest.parse("\n".join(lines))


@dataclass(slots=True)
class Reports:
    """A report on a family of values.

    Attributes:
        manifest: who belongs to it.
        text: stands wherever a page shows text that others wrote.
    """

    manifest: Manifest
    text: str = "Mend the tokenizer"

    def report(self) -> Report:
        """Return a family in which everything is the matter that can be."""
        repos = self.manifest.repos
        standings = cycle(STANDINGS)
        status = [
            self._repo(repo, next(standings) if repo.maps else Standing.OK, number) for number, repo in enumerate(repos)
        ]
        problems = [
            Problem(
                one.repo.name, f"is {one.said}: {self.text}", f"openllm-repos diff {one.repo.name}   then: {self.text}"
            )
            for one in status
            if not one.standing.settled
        ]
        family = FamilyStatus(
            self.manifest.project.name,
            self.manifest.source.name,
            commit(1),
            False,
            tuple(status),
            tuple(problems),
            steps={one.repo.name: self._stopped(one.repo) for one in status if one.standing is Standing.DIVERGED},
        )
        drifted = [found for one in status for found in one.drift.commits]
        return Report(
            self.manifest,
            family,
            WRITTEN,
            "openllm-repos 0",
            {found: Described(found, self.text, "2026-03-01T10:00:00+01:00", self.text) for found in drifted},
            Matrix(tuple(self._release(version, repos) for version in ("0.3.0", "0.2.0", "0.1.0")), older=2),
        )

    def _repo(self, repo: Repo, standing: Standing, number: int) -> RepoStatus:
        found = RepoStatus(repo, standing, tip=commit(number + 100), release="v0.2.0", changed=WRITTEN)
        if standing in {Standing.BEHIND, Standing.DIVERGED}:
            found = replace(found, behind=number + 1)
        if standing in {Standing.DRIFT, Standing.DIVERGED, Standing.NOT_ADOPTED}:
            path = f"training/{self.text}.py".encode("utf-8", "surrogatepass")
            files = tuple(FileChange(path, change, None, None) for change in Change)
            found = replace(found, drift=Drift((commit(number + 200), commit(number + 300)), files))
        if repo.kind is Kind.SPACE:
            found = replace(found, runtime=Runtime(Stage.RUNNING, "RUNNING"))
        return found

    def _stopped(self, repo: Repo) -> Stopped:
        path = f"training/{self.text}.py".encode("utf-8", "surrogatepass")
        return Stopped(
            repo.name,
            f"The source and {repo.name} both changed 1 file in ways that do not go together; nothing was changed.",
            f"openllm-repos sync {repo.name} --resolve",
            3,
            conflicts=(Conflict(path, Change.MODIFIED, Change.DELETED),),
            findings=(Finding(Rule.BINARY, commit(9), path, 300, f"is binary ({self.text})", "Track it with LFS"),),
        )

    def _release(self, version: str, repos: Sequence[Repo]) -> ReleaseRow:
        states = cycle([*TagState, None]) if version == "0.3.0" else cycle([TagState.GOOD])
        tag = TagName(f"v{version}")
        cells = tuple(Cell(next(states), commit(number + 400)) for number, _ in enumerate(repos))
        return ReleaseRow(tag, version, version != "0.1.0", "", cells)
