"""`openllm-repos status --html`: what the page needs beyond the table is found out, and the page is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from openllm_repos import __version__
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.output import STANDARD_OUTPUT, shown_name, write_output

if TYPE_CHECKING:
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.picture.report import Report
    from openllm_repos.status.family import FamilyStatus


def write_page(invocation: Invocation, name: str, manifest: Manifest, clone: Repository, family: FamilyStatus) -> None:
    """Write the page of a family into a file, or to standard output.

    Args:
        invocation: where and how loud.
        name: of the file; ``-`` is standard output.
        manifest: who belongs to the family.
        clone: the quarantine that the status was found out in; it has the objects.
        family: how every repo stands.

    Raises:
        EnvironmentProblem: the file cannot be written.
    """
    from openllm_repos.picture.page import page

    report = _report(manifest, clone, family)
    write_output(invocation, name, page(report))
    if name != STANDARD_OUTPUT and not invocation.quiet:
        click.echo(f"Wrote {shown_name(name)}: {report.verdict}.", err=True)


def _report(manifest: Manifest, clone: Repository, family: FamilyStatus) -> Report:
    """Look up what the status only names: commits that drifted, and releases."""
    from openllm_repos.git.describe import describe
    from openllm_repos.picture.report import Report
    from openllm_repos.release.matrix import release_matrix

    drifted = [commit for status in family.repos for commit in status.drift.commits]
    return Report(
        manifest,
        family,
        written=datetime.now(UTC),
        tool=f"openllm-repos {__version__}",
        commits={found.id: found for found in describe(clone, drifted)},
        releases=release_matrix(manifest, clone, family.remotes),
    )
