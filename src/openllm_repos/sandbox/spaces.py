"""How a Space is built: BUILDING for a while after each push, then the stage that its files deserve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openllm_repos.sandbox.cards import front_matter
from openllm_repos.sandbox.repository import Facts, Kind, Repo

_ENTRY = {"gradio": "app.py", "streamlit": "app.py", "static": "index.html", "docker": "Dockerfile"}
_UP = frozenset({"RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a build ends: its stage, and the lines of its log."""

    stage: str
    log: tuple[str, ...]


def rebuild(repo: Repo) -> None:
    """Build a Space again from the tip of its main branch; nothing happens to other repositories, or where it is built.

    How long it takes and how it ends is the repository's `Facts.builds`: ``asks`` (how many questions are answered with
    BUILDING), ``stage`` and ``log``. By default the files decide: what has nothing to build says so at once, and the
    rest says BUILDING once.
    """
    commit = repo.find_revision("main") if repo.kind is Kind.SPACE else None
    facts = repo.facts()
    if commit is None or facts.runtime.get("sha") == commit:
        return
    start(repo, facts, commit)


def start(repo: Repo, facts: Facts, commit: str) -> None:
    """Begin a build of a commit, whatever was built before."""
    planned = facts.builds
    natural = judge(repo, commit)
    stage = planned.get("stage") or natural.stage
    log = planned.get("log") or (natural.log if stage == natural.stage else (f"Build of {commit[:7]}", f"-> {stage}"))
    facts.runtime = {
        "stage": stage,
        "sha": commit,
        "log": list(log),
        "asks": int(planned.get("asks", 1 if natural.stage == "RUNNING" else 0)),
        "was": facts.runtime.get("stage", ""),
        "was_sha": facts.runtime.get("sha"),
    }
    repo.save(facts)


def judge(repo: Repo, commit: str) -> Outcome:
    """Return how the build of a commit ends: RUNNING, NO_APP_FILE or CONFIG_ERROR."""
    import yaml

    front = front_matter((repo.read(commit, "README.md") or b"").decode("utf-8", "replace"))
    try:
        data = yaml.safe_load(front or "")
    except yaml.YAMLError:
        data = None
    if not isinstance(data, dict) or data.get("sdk") not in _ENTRY:
        return Outcome("CONFIG_ERROR", ("Missing configuration in README.md: the front matter names no sdk.",))
    entry = _ENTRY[data["sdk"]] if data["sdk"] == "docker" else str(data.get("app_file") or _ENTRY[data["sdk"]])
    if repo.read(commit, entry) is None:
        return Outcome("NO_APP_FILE", (f"No application file: {entry} is not in the repository.",))
    return Outcome("RUNNING", (f"===== Build of {commit[:7]} =====", f"Application startup: {entry}", "Running."))


def ask(repo: Repo) -> dict[str, Any]:
    """Return the runtime as the Hub tells it; each question brings a build nearer to its end."""
    facts = repo.facts()
    state = facts.runtime
    stage, sha, error = state.get("stage", "NO_APP_FILE"), state.get("sha"), None
    if state.get("asks", 0) > 0:
        state["asks"] -= 1
        repo.save(facts)
        up = state["was"] in _UP
        stage, sha = ("RUNNING_BUILDING", state["was_sha"]) if up else ("BUILDING", None)
    elif stage.endswith("_ERROR"):
        error = "\n".join(state["log"])
    hardware = {"current": "cpu-basic" if stage in _UP else None, "requested": "cpu-basic"}
    return {
        "stage": stage,
        "hardware": hardware,
        "storage": None,
        "gcTimeout": 172800,
        "replicas": {"current": 1, "requested": 1},
        "devMode": False,
        "domains": [],
        **({"sha": sha} if sha else {}),
        **({"errorMessage": error} if error else {}),
    }
