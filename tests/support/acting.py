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

from openllm_repos.workflow.jobs import CHECKOUT, RUNNER, SETUP_PYTHON
from tests.support.needs import need_program
from tests.support.process import run_git

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openllm_repos.sandbox import Sandbox

CLAIMS = {"repository": "louischua/openllm", "workflow": "openllm-repos.yml"}
"""What a job of the source's can prove of itself."""

_STAND_INS = Path(__file__).with_name("stand_ins")
_SECRETS = ("HF_TOKEN", "GITHUB_TOKEN")
_PASSED = ("GIT_", "XDG_", "HF_", "GITHUB_SERVER_URL", "HOME", "TMPDIR", "TZ", "LC_ALL", "NO_COLOR")
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
        folder: everything that a run needs lies below it.
        sandbox: where the repositories are.
        secrets: of the repository.
        trusted: whether jobs can prove who they are (`id-token: write`).
        github_token: what a job gets for its own repository.
        repository: what the repository is called on GitHub by now.
    """

    folder: Path
    sandbox: Sandbox
    secrets: Mapping[str, str]
    trusted: bool = False
    github_token: str = "gh_read"
    repository: str = CLAIMS["repository"]
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
        (tool / "openllm-repos").write_text(_TOOL, encoding="utf-8")
        (tool / "openllm-repos").chmod(0o755)
        (place / "event.json").write_text(json.dumps({"ref": ref, **payload}), encoding="utf-8")
        self._check_out(workspace, ref)
        paths = {"TESTS_PYTHON": os.path.dirname(sys.executable), "TESTS_TOOL": tool, "TESTS_SUMMARIES": summaries}
        done = subprocess.run(
            [
                *(need_program("act"), event, "-C", workspace, "-e", place / "event.json"),
                *("-P", f"{RUNNER}=-self-hosted", "--no-skip-checkout", "--no-cache-server", "--pull=false"),
                *("--action-offline-mode", "--concurrent-jobs", "1"),
                *(part for action in (CHECKOUT, SETUP_PYTHON) for part in _stand_in(action)),
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
        return {
            **own,
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            **{k: v for k, v in proof.items() if k != "HF_OIDC_RESOURCE"},
        }


def _stand_in(action: tuple[str, str, str]) -> tuple[str, str]:
    name, commit, _ = action
    return "--local-repository", f"{name}@{commit}={_STAND_INS / name.rpartition('/')[2]}"
