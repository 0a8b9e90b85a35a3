"""What the page shows, found out beforehand: frozen values of the layers below, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from openllm_repos.git.describe import Described
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.picture.model import Tone, tone_of
from openllm_repos.plan import Stopped, TargetPlan
from openllm_repos.release.matrix import Matrix
from openllm_repos.status.family import FamilyStatus


@dataclass(frozen=True, slots=True)
class Report:
    """How a family stands, with all that people ask next.

    Attributes:
        manifest: who belongs to it.
        status: how every repo stands.
        written: when that was found out, with its zone.
        tool: which program says so.
        commits: the commits that drifted, in one line each.
        steps: what a sync would do with targets that lack something, and where it would stop.
        releases: which repo has which release.
    """

    manifest: Manifest
    status: FamilyStatus
    written: datetime
    tool: str
    commits: Mapping[ObjectId, Described] = field(default_factory=dict)
    steps: Mapping[RepoName, TargetPlan | Stopped] = field(default_factory=dict)
    releases: Matrix = field(default_factory=Matrix)

    @property
    def verdict(self) -> str:
        """How the family stands, in one sentence without its full stop (``2 of 5 repos need something``)."""
        todo = sum(tone is not Tone.GOOD for tone in self.tones)
        if todo:
            return f"{todo} of {len(self.tones)} repos {'needs' if todo == 1 else 'need'} something"
        return "something is to be done" if self.status.problems else "every repo is as it should be"

    @property
    def tones(self) -> tuple[Tone, ...]:
        """How urgent it is with each repo: a release that it lacks counts too, though its branch is as it should be."""
        named = {problem.repo for problem in self.status.problems}
        tones = ((one.repo.name, tone_of(one.standing)) for one in self.status.repos)
        return tuple(Tone.TODO if tone is Tone.GOOD and name in named else tone for name, tone in tones)

    @property
    def well(self) -> bool:
        """Whether nothing is to be done."""
        return not self.status.problems and set(self.tones) <= {Tone.GOOD}
