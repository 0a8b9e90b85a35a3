"""`openllm-repos release diff | notes`, and `checkout`: two releases compared, and one to be had."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import TAG
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.table import Column, Row, table_lines, terminal_columns
from openllm_repos.text import show

if TYPE_CHECKING:
    from openllm_repos.lockfile.model import LockedRepo
    from openllm_repos.release.compare import RepoDifference

SCHEMA = 1
_SHOWN = 10
_COLUMNS = (Column(), Column(yields=1, wraps=True))


@click.command("diff", short_help="Show what changed between two releases.")
@click.argument("old", type=TAG)
@click.argument("new", type=TAG)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def diff_releases(invocation: Invocation, old: str, new: str, as_json: bool) -> None:
    """Show what changed from the release OLD to the release NEW, repo by repo."""
    from openllm_repos.release.compare import compare, require_two
    from openllm_repos.release.verify import read_release_lock

    manifest, repository, _ = open_family(invocation)
    with repository.quarantine() as clone:
        first, second = (read_release_lock(manifest, clone, name) for name in (old, new))
        require_two(first, second)
        found = compare(clone, first, second)
    if as_json:
        facts = {
            "schema": SCHEMA,
            "old": first.lock.tag,
            "new": second.lock.tag,
            "repos": [_facts(one) for one in found],
        }
        click.echo(json.dumps(facts, indent=2))
        return
    rows = []
    for one in found:
        moved = "" if one.old == one.new else f"  {str(one.old or '-')[:10]} → {str(one.new or '-')[:10]}"
        made = "1 commit" if len(one.commits) == 1 else f"{len(one.commits)} commits"
        count = f", {made}" if one.known and one.commits else ""
        shown = one.commits if invocation.verbosity > 0 else one.commits[:_SHOWN]
        below = [f"{commit.described.id[:10]} {commit.described.subject}" for commit in shown]
        if len(shown) < len(one.commits):
            below.append(f"… and {len(one.commits) - len(shown)} more (-v shows all)")
        rows.append(Row([one.repo.name, f"{one.difference}{count}{moved}"], below))
    for line in table_lines(_COLUMNS, rows, width=terminal_columns()):
        click.echo(line)


@click.command("notes", short_help="Print what is new in a release, as Markdown.")
@click.argument("tag", type=TAG)
@click.option("--since", metavar="TAG", type=TAG, help="Compare with this release instead of the one before.")
@click.pass_obj
def release_notes(invocation: Invocation, tag: str, since: str | None) -> None:
    """Print what is new in the release TAG, as Markdown: commits by the folders that maps carry, and every repo.

    What is new is told since the release before; for a version that is no release candidate, since the last such one.
    """
    from openllm_repos.release.begun import source_state
    from openllm_repos.release.compare import Difference, RepoDifference, compare, release_before, require_two
    from openllm_repos.release.notes import notes
    from openllm_repos.release.verify import read_release_lock

    manifest, repository, _ = open_family(invocation)
    with repository.quarantine() as clone:
        new = read_release_lock(manifest, clone, tag)
        if since is None:
            old = release_before(manifest, clone, source_state(manifest, clone), new.lock.tag)
        else:
            old = read_release_lock(manifest, clone, since)
        if old is not None:
            require_two(old, new)
            changes = compare(clone, old, new)
        else:
            source = new.lock.source
            changes = tuple(
                RepoDifference(repo, Difference.ADDED, None, new.commit if repo is source else repo.commit)
                for repo in new.lock.repos
            )
        click.echo("\n".join(notes(manifest, old, new, changes)))


@click.command("checkout")
@click.argument("tag", type=TAG)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def checkout(invocation: Invocation, tag: str, as_json: bool) -> None:
    """Say how to get every repo as the release TAG (or version) has it. Nothing is fetched or changed."""
    from openllm_repos.release.verify import read_release_lock

    manifest, repository, _ = open_family(invocation)
    with repository.quarantine() as clone:
        found = read_release_lock(manifest, clone, tag)
    lock = found.lock
    rows = [
        (repo, found.commit if repo is lock.source else repo.commit, _command(lock.project, repo))
        for repo in lock.repos
    ]
    if as_json:
        repos = [
            {"name": repo.name, "url": repo.url, "tag": repo.tag, "commit": commit, "command": command}
            for repo, commit, command in rows
        ]
        click.echo(json.dumps({"schema": SCHEMA, "tag": lock.tag, "version": lock.version, "repos": repos}, indent=2))
        return
    click.echo(show(f"# {lock.project} {lock.version}"))
    for repo, commit, command in rows:
        click.echo(show(f"# {repo.name} at {commit}"))
        click.echo(show(command))


def _command(project: str, repo: LockedRepo) -> str:
    """Return what a person types to get a repo: git for code, the Hub's own tool for what is large."""
    if repo.kind in {"model", "dataset"}:
        kind = "" if repo.kind == "model" else " --repo-type dataset"
        return f"hf download {repo.repo_id}{kind} --revision {repo.commit} --local-dir {repo.name}"
    folder = (
        repo.name if repo.role != "source" else "".join(c for c in project if c.isalnum() or c in "._-") or "source"
    )
    return f"git clone --branch {shlex.quote(repo.tag)} {shlex.quote(repo.url)} {shlex.quote(folder)}"


def _facts(one: RepoDifference) -> dict[str, Any]:
    return {
        "name": one.repo.name,
        "difference": str(one.difference),
        "old": one.old,
        "new": one.new,
        "commits": None
        if not one.known
        else [
            {
                "id": commit.described.id,
                "author": commit.described.author,
                "date": commit.described.date,
                "subject": commit.described.subject,
                "paths": list(commit.paths),
            }
            for commit in one.commits
        ],
    }
