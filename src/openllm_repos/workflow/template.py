"""What the workflow says: ``triggers.yml`` and ``jobs.yml`` beside this module, filled in for one family.

The templates are YAML with five marks. ``#: name`` begins a block, ``#= name`` puts one in with its own indentation,
``#? fact`` (or ``#? !fact``) keeps what comes before the next bare ``#?`` where the fact holds, ``##`` is a comment of
the template, and ``@NAME@`` stands for a value. What comes from a manifest is put in last and never read as a template.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from openllm_repos.manifest.model import Kind, Manifest
from openllm_repos.workflow.choices import Auth, Choices, Requirement
from openllm_repos.workflow.filters import REQUIREMENTS, branch_filter, source_paths, tag_filter

DEFAULT_MANIFEST = "repos.toml"

_MARK = re.compile(r"( *)#([:=?]) ?(!?)([a-z-]*)")
_VALUE = re.compile(r"@([A-Z_]+)@")


def triggers_text(manifest: Manifest, choices: Choices, manifest_path: str) -> str:
    """Return the first part: no rights by default, and when the workflow runs.

    Paths do not hold back the push of a tag: GitHub does not look at them there.

    Args:
        manifest: whose workflow it is.
        choices: what a person decided.
        manifest_path: where the manifest stands in the source.
    """
    paths = [f"- {_scalar(path)}" for path in source_paths(manifest, manifest_path)]
    values = {
        "BRANCH_FILTER": _scalar(branch_filter(manifest.source.branch)),
        "TAG_FILTER": _scalar(tag_filter(manifest.project.tag)),
        "CRON": _scalar(choices.cron or ""),
    }
    return _filled("triggers", values, _facts(manifest, choices, manifest_path), {"paths": paths})


def jobs_text(manifest: Manifest, choices: Choices, manifest_path: str, install: Requirement | None) -> str:
    """Return the second part: what the workflow does.

    Args:
        manifest: whose workflow it is.
        choices: what a person decided.
        manifest_path: where the manifest stands in the source.
        install: the tool, as pip installs it; None to see which jobs there are.
    """
    source = manifest.source
    on_branch = f"github.ref == {_scalar(source.branch.ref)}"
    # No fork fulfils it: a fork has targets of its own, or none. A repository of another name that is no fork was
    # renamed: there the jobs run, and say so where it matters.
    here = f"(github.repository == {_scalar(source.repo_id or '')} || !github.event.repository.fork)"
    pushed_or_asked = "(github.event_name == 'push' || github.event_name == 'workflow_dispatch')"
    before, _, after = manifest.project.tag.partition("{version}")
    facts = _facts(manifest, choices, manifest_path) | ({"git"} if install and install.from_git else set())
    grouped = "groups" in facts
    values = {
        "BRANCH": _scalar(source.branch),
        "ON_BRANCH": on_branch,
        "HERE": here,
        "ASKED": f"{on_branch} && {pushed_or_asked} && {here}",
        "BEFORE": _scalar(before),
        "AFTER": _scalar(after),
        "HUB": _scalar(manifest.hub or ""),
        "MANIFEST": _scalar(manifest_path),
        "TOOL": "openllm-repos" if manifest_path == DEFAULT_MANIFEST else 'openllm-repos --manifest "$MANIFEST"',
        "INSTALL": _scalar(install or ""),
        "REQUIREMENTS": REQUIREMENTS,
        "GROUPS": '"${groups[@]}" ' if grouped else "",
        "GROUPED": "inputs.groups || " if grouped else "",
        "UNGROUPED": " && inputs.groups == ''" if grouped else "",
    }
    return _filled("jobs", values, facts)


def job_keys(jobs: str) -> tuple[str, ...]:
    """Return the keys of the jobs in the second part, in order."""
    return tuple(re.findall(r"^  ([a-z-]+):$", jobs, re.MULTILINE))


def _facts(manifest: Manifest, choices: Choices, manifest_path: str) -> set[str]:
    """Return what holds of a family, in the words of the templates."""
    targets = manifest.targets
    on_hub = any(repo.on_hub for repo in manifest.repos)
    others = any(repo.kind is Kind.GITHUB for repo in manifest.repos if repo is not manifest.source)
    hub_secret = on_hub and choices.auth is Auth.SECRET
    known = {
        "targets": bool(targets),
        "groups": any(target.groups for target in targets),
        "matrix": bool(targets) and choices.matrix,
        "single": bool(targets) and not choices.matrix,
        "private": choices.private,
        "previewed": bool(targets) and not choices.private,
        "cron": choices.cron is not None,
        "trusted": on_hub and choices.auth is Auth.TRUSTED,
        "hub-secret": hub_secret,
        "others": others,
        "secrets": hub_secret or others,
        "endpoint": manifest.hub is not None,
        "manifest": manifest_path != DEFAULT_MANIFEST,
        "wait": choices.wait and any(target.kind is Kind.SPACE for target in targets),
    }
    return {name for name, holds in known.items() if holds}


def _filled(
    name: str, values: Mapping[str, str], facts: Collection[str], given: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Return a template filled in; `given` are blocks whose lines are taken as they are."""
    from importlib.resources import files

    text = (files("openllm_repos.workflow") / f"{name}.yml").read_text(encoding="utf-8")
    blocks: dict[str, list[str]] = {name: []}
    at = name
    for line in text.splitlines():
        if line.startswith("#: "):
            at = line.removeprefix("#: ")
            blocks[at] = []
        elif not line.lstrip().startswith("## "):
            blocks[at].append(line)
    while blocks[name] and not blocks[name][-1]:
        blocks[name].pop()

    def lines(block: str) -> Iterator[str]:
        keeping = True
        for line in blocks[block]:
            mark = _MARK.fullmatch(line)
            if mark is not None and mark[2] == "?":
                keeping = not mark[4] or (mark[4] in facts) is not bool(mark[3])
            elif not keeping or (not line and block != name):
                continue
            elif mark is None:
                yield _VALUE.sub(lambda found: values[found[1]], line)
            else:
                more = (given or {}).get(mark[4]) or lines(mark[4])
                yield from (f"{mark[1]}{one}" for one in more)

    return "\n".join(lines(name)) + "\n"


def _scalar(text: str) -> str:
    """Return visible text on one line as a YAML scalar that is this text, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"
