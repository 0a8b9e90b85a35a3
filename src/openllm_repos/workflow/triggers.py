"""When the workflow runs: the first of its two parts, which ends inside ``on:`` so that people can add to it."""

from __future__ import annotations

from openllm_repos.manifest.model import Manifest
from openllm_repos.workflow.choices import Choices
from openllm_repos.workflow.filters import branch_filter, source_paths, tag_filter
from openllm_repos.workflow.quoting import scalar


def triggers_text(manifest: Manifest, choices: Choices, manifest_path: str) -> str:
    """Return the part: no rights by default, and the triggers.

    Paths do not hold back the push of a tag: GitHub does not look at them there.

    Args:
        manifest: whose workflow it is.
        choices: what a person decided.
        manifest_path: where the manifest stands in the source.
    """
    branches = [f"    branches: [{scalar(branch_filter(manifest.source.branch))}]"]
    paths = ["    paths:", *(f"      - {scalar(path)}" for path in source_paths(manifest, manifest_path))]
    lines = [
        "permissions: {}",
        "",
        "on:",
        "  push:",
        *branches,
        f"    tags: [{scalar(tag_filter(manifest.project.tag))}]",
        *paths,
        "  pull_request:",
        *branches,
        *paths,
        *_schedule(choices),
        "  workflow_dispatch:",
        "    inputs:",
        "      dry-run:",
        "        description: Only say what would change",
        "        type: boolean",
        "        default: false",
        "      targets:",
        "        description: Names of targets, with blanks or commas between them (all of them by default)",
        "        type: string",
        "        default: ''",
    ]
    return "\n".join(lines) + "\n"


def _schedule(choices: Choices) -> list[str]:
    return ["  schedule:", f"    - cron: {scalar(choices.cron)}"] if choices.cron else []
