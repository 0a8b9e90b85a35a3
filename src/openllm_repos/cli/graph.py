"""`openllm-repos graph`: the family as a picture for a README."""

from __future__ import annotations

import click

from openllm_repos.cli.completion import FILE
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.output import STANDARD_OUTPUT, shown_name, write_output


@click.command("graph")
@click.option("--svg", "as_svg", is_flag=True, help="As an SVG file, which shows itself in light and dark.")
@click.option("--mermaid", "as_mermaid", is_flag=True, help="As a Mermaid flowchart, for a ```mermaid block.")
@click.option("--state", "stated", is_flag=True, help="Ask the remotes, and show how every repo stands.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=FILE,
    default=STANDARD_OUTPUT,
    help="Write it to FILE instead of standard output.",
)
@click.pass_obj
def graph(invocation: Invocation, as_svg: bool, as_mermaid: bool, stated: bool, output: str) -> None:
    """Draw the family: the source, the folders that go to each target, and the members.

    It is drawn from the manifest alone: it changes only when that does, and nobody is asked. With --state the remotes
    are asked, as `status` does.
    """
    if as_svg == as_mermaid:
        raise click.UsageError("Say one of the two: --svg or --mermaid.")
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.picture.model import family_picture

    status = None
    if stated:
        from openllm_repos.cli.clone import LOOKING, open_family
        from openllm_repos.status.family import family_status

        manifest, repository, _ = open_family(invocation, LOOKING)
        status = family_status(manifest, repository)
    else:
        manifest = Manifest.load(invocation.manifest_path())
    picture = family_picture(manifest, status)
    if as_svg:
        from openllm_repos.picture.svg import svg

        drawn = svg(picture)
    else:
        from openllm_repos.picture.mermaid import mermaid, too_large

        drawn = mermaid(picture)
        if too_large(drawn):
            click.echo(
                "warning: GitHub does not draw a Mermaid picture as large as this; --svg has no limit.", err=True
            )
    write_output(invocation, output, drawn)
    if output != STANDARD_OUTPUT and not invocation.quiet:
        click.echo(f"Wrote {shown_name(output)}: {picture.summary}.", err=True)
