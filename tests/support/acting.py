"""Runs a workflow as GitHub would, by nektos/act, without Docker and without a network: steps are processes here.

What act does not know: permissions, concurrency, environments, and whether an event's paths and branches match.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.process import run_git

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openllm_repos.sandbox import Sandbox

CLAIMS = {"repository": "louischua/openllm", "workflow": "openllm-repos.yml"}
"""What a job of the source's can prove of itself."""

_WORKFLOW = ".github/workflows/openllm-repos.yml"
_RUNNER = re.compile(r"runs-on: (\S+)")
_ACTION = re.compile(r"uses: ([\w-]+/([\w-]+)@[0-9a-f]{40})")
_STAND_INS = Path(__file__).with_name("stand_ins")
_SECRETS = ("HF_TOKEN", "GITHUB_TOKEN")
_PASSED = ("GIT_", "XDG_", "HF_", "GITHUB_SERVER_URL", "HOME", "TMPDIR", "TZ", "LC_ALL", "NO_COLOR")
# The Python of the tests, which has all that the jobs install; where a test brings another one, that installs.
_PYTHON = """\
#!/bin/sh
[ "$1 $2" = "-m pip" ] && exit 0
exec "$TESTS_PYTHON/python" "$@"
"""
_TOOL = """\
#!/bin/sh
# The tool, and a copy of the summary of its step.
python -m openllm_repos "$@"
code=$?
cat "$GITHUB_STEP_SUMMARY" >> "$TESTS_SUMMARIES/$GITHUB_JOB"
exit $code
"""


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of a run.

    Attributes:
        code: the exit code of act: 0 where every job succeeded.
        out: what the steps printed, each line behind the name of its job.
        jobs: the names of the jobs that ran, and whether they succeeded.
        summaries: the job summaries, by the key of the job.
    """

    code: int
    out: str
    jobs: dict[str, bool]
    summaries: dict[str, str]


@dataclass(slots=True)
class Actor:
    """Runs the workflow of the source's repository on the sandbox.

    Attributes:
        act: the program.
        folder: everything that a run needs lies below it.
        sandbox: where the repositories are.
        secrets: of the repository.
        trusted: whether jobs can prove who they are (`id-token: write`).
        github_token: what a job gets for its own repository.
        repository: what the repository is called on GitHub by now.
        python: the folder of a Python that is empty yet, and that the jobs really install into; None for that of the
            tests, where nothing is installed.
        wheels: a folder of wheels, which stands in for the package index.
    """

    act: str
    folder: Path
    sandbox: Sandbox
    secrets: Mapping[str, str]
    trusted: bool = False
    github_token: str = "gh_read"
    repository: str = CLAIMS["repository"]
    python: Path | None = None
    wheels: Path | None = None
    _runs: int = 0

    def run(self, event: str, payload: Mapping[str, Any], *, ref: str = "refs/heads/main") -> Acted:
        """Let an event happen.

        Args:
            event: ``push``, ``pull_request``, ``schedule``, ``workflow_dispatch``.
            payload: what GitHub says of it.
            ref: the ref whose workflow runs.
        """
        self._runs += 1
        place = self.folder / f"run-{self._runs}"
        workspace, summaries, tool = (place / name for name in ("workspace", "summaries", "tool"))
        for made in (workspace, summaries, tool):
            made.mkdir(parents=True)
        for name, script in (("openllm-repos", _TOOL), ("python", _PYTHON)) if self.python is None else ():
            (tool / name).write_text(script, encoding="utf-8")
            (tool / name).chmod(0o755)
        (place / "event.json").write_text(json.dumps({"ref": ref, **payload}), encoding="utf-8")
        self._check_out(workspace, ref)
        python = self.python or Path(sys.executable).parent
        paths = {"TESTS_PYTHON": python, "TESTS_TOOL": tool, "TESTS_SUMMARIES": summaries}
        workflow = (workspace / _WORKFLOW).read_text(encoding="utf-8")
        actions = sorted(set(_ACTION.findall(workflow)))
        done = subprocess.run(
            [
                *(self.act, event, "-C", workspace, "-e", place / "event.json"),
                *(
                    "-P",
                    f"{_RUNNER.findall(workflow)[0]}=-self-hosted",
                    "--no-skip-checkout",
                    "--no-cache-server",
                    "--pull=false",
                ),
                *("--action-offline-mode", "--concurrent-jobs", "1"),
                *(f"--local-repository={action}={_STAND_INS / name}" for action, name in actions),
                *(part for name in self._secrets() for part in ("-s", name)),
                *(part for name, value in {**self._passed(), **paths}.items() for part in ("--env", f"{name}={value}")),
            ],
            env={name: value for name, value in os.environ.items() if name not in _SECRETS} | self._secrets(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        lines = (done.stdout + done.stderr).decode().splitlines()
        out = "\n".join(line for line in lines if any(mark in line for mark in ("]   | ", "❌", "🏁", "level=error")))
        ended = re.findall(r"^\[[^/\]]*/(.*?)(?:-[0-9]+)? *\] 🏁  Job (succeeded|failed)$", out, re.MULTILINE)
        said = {path.name: path.read_text(encoding="utf-8") for path in summaries.iterdir()}
        return Acted(done.returncode, out, {name: how == "succeeded" for name, how in ended}, said)

    def _check_out(self, workspace: Path, ref: str) -> None:
        """Make the clone that act reads the workflow and the commit from."""
        run_git("init", "-q", cwd=workspace)
        run_git("remote", "add", "origin", f"https://github.com/{self.repository}", cwd=workspace)
        run_git(
            "fetch",
            "-q",
            "--update-head-ok",
            self.sandbox.github.path(CLAIMS["repository"]),
            f"+{ref}:{ref}",
            cwd=workspace,
        )
        branch = ref.startswith("refs/heads/")
        run_git("checkout", "-q", "--force", ref.removeprefix("refs/heads/") if branch else ref, cwd=workspace)

    def _secrets(self) -> dict[str, str]:
        return {"GITHUB_TOKEN": self.github_token, **self.secrets}

    def _passed(self) -> dict[str, str]:
        """Return what a step finds in its environment beside what GitHub puts there; no token."""
        own = {name: value for name, value in os.environ.items() if name.startswith(_PASSED) and name not in _SECRETS}
        proof = self.sandbox.hub.job_environment("", CLAIMS) if self.trusted else {}
        index = {"PIP_NO_INDEX": "1", **({"PIP_FIND_LINKS": str(self.wheels)} if self.wheels else {})}
        return {**own, **index, **{k: v for k, v in proof.items() if k != "HF_OIDC_RESOURCE"}}
