"""What the workflow does: the second of its two parts, the jobs.

No value of GitHub's goes into a script: scripts are fixed texts that read variables. Each job has the rights that it
needs and no other, and a token only in the step that shows it to somebody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from openllm_repos.manifest.model import Kind, Manifest
from openllm_repos.workflow.choices import Auth, Choices, Requirement
from openllm_repos.workflow.quoting import scalar

DEFAULT_MANIFEST = "repos.toml"
ENVIRONMENT = "openllm-repos"
RUNNER = "ubuntu-24.04"
PYTHON = "3.13"
CHECKOUT = ("actions/checkout", "3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1")
SETUP_PYTHON = ("actions/setup-python", "5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0")

_BOT = "github-actions[bot]"
_BOT_EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"
# Whatever became of the syncs, unless a newer run has taken their place; and only where all of them were asked for.
_VERIFIABLE = (
    "${{ !cancelled() && (needs.sync.result == 'success' || needs.sync.result == 'failure')"
    " && !inputs.dry-run && inputs.targets == '' }}"
)
# One that is waiting makes room for a newer one, so what only looks must not wait in the same queue as what pushes.
_HOW = "${{ inputs.dry-run && 'preview' || 'sync' }}"
# The names that a person typed, on several lines or with commas, become arguments, and none of them an option.
# `read` reaches the end of its input instead of the end of a line, and says so by failing.
_TARGETS = 'read -rd "" -a targets <<< "${TARGETS//,/ }" || true'


@dataclass(frozen=True, slots=True)
class _Job:
    """One job.

    Attributes:
        key: its key below ``jobs:``.
        name: what GitHub shows.
        when: the condition, or an empty string.
        minutes: when it is given up.
        permissions: rights, and why.
        concurrency: its group.
        cancel: whether a newer one of its group ends it.
        before: lines between its condition and its runner.
        checkout: what is checked out beside the defaults.
        steps: the lines of its own steps.
    """

    key: str
    name: str
    when: str
    minutes: int
    permissions: Sequence[str]
    concurrency: str
    steps: Sequence[str]
    cancel: bool = False
    before: Sequence[str] = ()
    checkout: Sequence[str] = field(default=())

    def lines(self, install: Requirement) -> Iterable[str]:
        """Return its YAML."""
        yield f"  {self.key}:"
        yield f"    name: {self.name}"
        if self.when:
            yield f"    if: {self.when}"
        yield from (f"    {line}" for line in self.before)
        yield f"    runs-on: {RUNNER}"
        yield f"    timeout-minutes: {self.minutes}"
        if any("secrets." in line for line in self.steps):
            # So that people can say who may use them, and on which branch.
            yield f"    environment: {ENVIRONMENT}"
        yield "    permissions:"
        yield from (f"      {line}" for line in self.permissions)
        yield "    concurrency:"
        yield f"      group: {self.concurrency}"
        yield f"      cancel-in-progress: {str(self.cancel).lower()}"
        yield "    steps:"
        for line in (*_checkout(self.checkout), *_installed(install), *self.steps):
            yield f"      {line}"


def jobs_text(manifest: Manifest, choices: Choices, manifest_path: str, install: Requirement) -> str:
    """Return the part.

    Args:
        manifest: whose workflow it is.
        choices: what a person decided.
        manifest_path: where the manifest stands in the source.
        install: what pip installs.
    """
    made = _Jobs(manifest, choices, manifest_path)
    blocks = ["\n".join(job.lines(install)) for job in made.all()]
    return "jobs:\n" + "\n\n".join(blocks) + "\n"


def job_keys(manifest: Manifest, choices: Choices) -> tuple[str, ...]:
    """Return the keys of the jobs, in order."""
    return tuple(job.key for job in _Jobs(manifest, choices, DEFAULT_MANIFEST).all())


@dataclass(frozen=True, slots=True)
class _Jobs:
    """The jobs of one family."""

    manifest: Manifest
    choices: Choices
    manifest_path: str

    def all(self) -> Iterable[_Job]:
        """Return the jobs in order."""
        if self.choices.matrix and self.manifest.targets:
            yield self._targets()
            yield self._sync_one()
            yield self._verify()
        elif self.manifest.targets:
            yield self._sync()
        yield self._release()
        yield self._preview()
        if self.choices.cron:
            yield self._drift()

    @property
    def _tool(self) -> str:
        """The command, as scripts begin it."""
        return "openllm-repos" if self.manifest_path == DEFAULT_MANIFEST else 'openllm-repos --manifest "$MANIFEST"'

    @property
    def _branch(self) -> str:
        return scalar(self.manifest.source.branch)

    def _here(self, condition: str) -> str:
        """Return a condition that no fork fulfils: it has targets of its own, or none.

        A repository of another name that is no fork was renamed: there the jobs run, and say so where it matters.
        """
        source = self.manifest.source
        no_fork = "!github.event.repository.fork"
        named = f"(github.repository == {scalar(source.repo_id)} || {no_fork})" if source.repo_id else no_fork
        return f"{condition} && {named}"

    def _asked(self) -> str:
        """Return the condition for a sync: the source's branch was pushed to, or somebody asks for one on it."""
        on_branch = f"github.ref == {scalar(self.manifest.source.branch.ref)}"
        return self._here(f"{on_branch} && (github.event_name == 'push' || github.event_name == 'workflow_dispatch')")

    def _sync(self) -> _Job:
        return _Job(
            "sync",
            "Sync",
            self._asked(),
            60,
            self._writing(),
            f"openllm-repos-{_HOW}-${{{{ inputs.targets || 'all' }}}}",
            [*self._sync_steps("${{ inputs.targets }}"), *self._check(lenient=True)],
            checkout=[f"ref: {self._branch}"],
        )

    def _targets(self) -> _Job:
        script = [
            _TARGETS,
            f'matrix="$({self._tool} targets --matrix -- "${{targets[@]}}")"',
            'echo "matrix=$matrix" >> "$GITHUB_OUTPUT"',
        ]
        return _Job(
            "targets",
            "List the targets",
            self._asked(),
            10,
            ["contents: read # to fetch the source"],
            "openllm-repos-targets-${{ github.run_id }}",
            self._step("List the targets", script, ("TARGETS", "${{ inputs.targets }}"), id="targets"),
            before=["outputs:", "  matrix: ${{ steps.targets.outputs.matrix }}"],
            checkout=[f"ref: {self._branch}"],
        )

    def _sync_one(self) -> _Job:
        return _Job(
            "sync",
            "Sync ${{ matrix.name }}",
            "",
            60,
            self._writing(),
            f"openllm-repos-{_HOW}-${{{{ matrix.name }}}}",
            self._sync_steps("${{ matrix.targets }}", shared_out=True),
            before=[
                "needs: targets",
                "strategy:",
                "  fail-fast: false",
                "  matrix: ${{ fromJSON(needs.targets.outputs.matrix) }}",
            ],
            checkout=[f"ref: {self._branch}"],
        )

    def _verify(self) -> _Job:
        return _Job(
            "verify",
            "Verify all targets",
            _VERIFIABLE,
            15,
            self._reading(),
            "openllm-repos-verify",
            [*self._hold(), *self._check(lenient=True)],
            cancel=True,
            before=["needs: [targets, sync]"],
            checkout=[f"ref: {self._branch}"],
        )

    def _release(self) -> _Job:
        before, _, after = self.manifest.project.tag.partition("{version}")
        script = [
            'version="${TAG#"$BEFORE"}"',
            f'{self._tool} release "${{version%"$AFTER"}}" --resume --yes',
        ]
        form = (("TAG", "${{ github.ref_name }}"), ("BEFORE", scalar(before)), ("AFTER", scalar(after)))
        return _Job(
            "release",
            "Finish and verify the release",
            self._here("github.event_name == 'push' && github.ref_type == 'tag'"),
            60,
            self._writing(),
            "openllm-repos-release-${{ github.ref_name }}",
            [
                *self._step("Finish it", script, *form, *self._writes()),
                *self._step("Verify it", [f'{self._tool} release verify "$TAG"'], form[0], *self._reads()),
            ],
        )

    def _preview(self) -> _Job:
        planned = [f"{self._tool} sync --dry-run --rev HEAD --allow-unpushed"]
        no = self.choices.private or not self.manifest.targets
        dry = () if no else self._step("Say what a sync would change", planned, *self._reads())
        return _Job(
            "preview",
            "Preview",
            "github.event_name == 'pull_request'",
            20,
            ["contents: read # to fetch the source; a pull request gets no other right, and no secret"],
            "openllm-repos-preview-${{ github.event.pull_request.number }}",
            [*dry, *self._check()],
            cancel=True,
        )

    def _drift(self) -> _Job:
        return _Job(
            "drift",
            "Look for drift",
            self._here("github.event_name == 'schedule'"),
            15,
            self._reading(),
            "openllm-repos-drift",
            self._hold(),
            cancel=True,
            checkout=[f"ref: {self._branch}"],
        )

    def _sync_steps(self, targets: str, *, shared_out: bool = False) -> Sequence[str]:
        """Return the step that syncs; `shared_out` where it is the matrix that names targets, and maybe no person."""
        script = [
            _TARGETS,
            "how=(--yes)",
            'if [ "$DRY_RUN" = true ]; then how=(--dry-run); fi',
            *(['if [ -z "$ASKED" ]; then how+=(--leave-held); fi'] if shared_out else ()),
            f'{self._tool} sync "${{how[@]}}" -- "${{targets[@]}}"',
        ]
        asked = [("TARGETS", targets), ("DRY_RUN", "${{ inputs.dry-run }}")]
        asked += [("ASKED", "${{ inputs.targets }}")] if shared_out else []
        return self._step("Sync", script, *asked, *self._writes())

    def _hold(self) -> Sequence[str]:
        script = [f"{self._tool} status --check --leave-held"]
        return self._step("Hold every repo against the source", script, *self._reads())

    def _check(self, *, lenient: bool = False) -> Sequence[str]:
        """Return the step that sees a manifest which asks for another workflow.

        Where the manifest went to the branch without a pull request, a target does not fail for it: it is told.
        """
        marks = {"if": "${{ !cancelled() }}"} | ({"continue-on-error": "true"} if lenient else {})
        return self._step("Check this workflow", [f"{self._tool} ci --check"], **marks)

    def _step(self, name: str, script: Sequence[str], *variables: tuple[str, str], **marks: str) -> Sequence[str]:
        """Return a step that runs the command, with variables and with further keys of its own."""
        known = [*variables]
        if self.manifest_path != DEFAULT_MANIFEST:
            known.append(("MANIFEST", scalar(self.manifest_path)))
        run = [f"  run: {script[0]}"] if len(script) == 1 else ["  run: |", *(f"    {line}" for line in script)]
        env = ["  env:", *(f"    {key}: {value}" for key, value in known)] if known else []
        return [f"- name: {name}", *(f"  {key}: {value}" for key, value in marks.items()), *env, *run]

    def _writing(self) -> list[str]:
        """Return the rights of a job that pushes."""
        proof = ["id-token: write # trusted publishing: the job proves to the Hub who it is"]
        return ["contents: read # to fetch the source", *(proof if self._trusted else ())]

    def _reading(self) -> list[str]:
        """Return the rights of a job that only looks."""
        return self._writing() if self.choices.private else ["contents: read # to fetch the source"]

    @property
    def _on_hub(self) -> bool:
        return any(repo.kind in {Kind.SPACE, Kind.MODEL, Kind.DATASET} for repo in self.manifest.repos)

    @property
    def _trusted(self) -> bool:
        return self._on_hub and self.choices.auth is Auth.TRUSTED

    def _writes(self) -> list[tuple[str, str]]:
        """Return the variables of a step that pushes: tokens, and who its commits are by."""
        name = f"${{{{ vars.OPENLLM_REPOS_NAME || '{_BOT}' }}}}"
        email = f"${{{{ vars.OPENLLM_REPOS_EMAIL || '{_BOT_EMAIL}' }}}}"
        who = [
            (f"GIT_{role}_{what}", value)
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", name), ("EMAIL", email))
        ]
        return [*self._tokens(hub=True), *who]

    def _reads(self) -> list[tuple[str, str]]:
        """Return the variables of a step that only looks."""
        return self._tokens(hub=self.choices.private)

    def _tokens(self, *, hub: bool) -> list[tuple[str, str]]:
        others = [repo for repo in self.manifest.repos if repo.kind is Kind.GITHUB and repo is not self.manifest.source]
        # The token of a job is good for its own repository alone.
        github = (
            "${{ secrets.OPENLLM_REPOS_GITHUB_TOKEN || github.token }}" if others and hub else "${{ github.token }}"
        )
        found = [("GITHUB_TOKEN", github)]
        if hub and self._on_hub and self.choices.auth is Auth.SECRET:
            found.append(("HF_TOKEN", "${{ secrets.HF_TOKEN }}"))
        if self.manifest.hub is not None:
            found.append(("HF_ENDPOINT", scalar(self.manifest.hub)))
        return found


def _uses(action: tuple[str, str, str]) -> str:
    name, commit, version = action
    return f"- uses: {name}@{commit} # {version}"


def _checkout(more: Sequence[str]) -> Sequence[str]:
    # All commits, and no file that nobody asks for: a projection reads the history, not what is in it.
    settings = [*more, "fetch-depth: 0", "filter: blob:none", "persist-credentials: false"]
    return [_uses(CHECKOUT), "  with:", *(f"    {setting}" for setting in settings)]


def _installed(install: Requirement) -> Sequence[str]:
    return [
        _uses(SETUP_PYTHON),
        "  with:",
        f"    python-version: {scalar(PYTHON)}",
        "- name: Install openllm-repos",
        "  env:",
        f"    REQUIREMENT: {scalar(install)}",
        '  run: python -m pip install --disable-pip-version-check "$REQUIREMENT"',
    ]
