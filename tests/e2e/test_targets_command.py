"""`openllm-repos targets`: what receives maps, and the jobs of a matrix. A manifest is all that it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.inprocess import RunCli

HEAD = """\
schema = 1

[project]
name = "openllm"

[repos.main]
github = "louischua/openllm"
role = "source"

[repos.data]
dataset = "lemms/openllm-training-data"
"""
SPACE = """
[repos.{name}]
space = "lemms/{name}"

[[repos.{name}.map]]
from = "core/src/"
to = "training/"
"""


def family(folder: Path, *names: str) -> None:
    """Write a manifest with Spaces of these names, in a folder that is no clone."""
    (folder / "repos.toml").write_text(HEAD + "".join(SPACE.format(name=name) for name in names))


def test_the_targets_with_what_they_take(tmp_path: Path, run_cli: RunCli) -> None:
    family(tmp_path, "space", "mirror")
    done = run_cli("targets")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "space   space  https://huggingface.co/spaces/lemms/space   main",
        "        core/src/ → training/",
        "mirror  space  https://huggingface.co/spaces/lemms/mirror  main",
        "        core/src/ → training/",
    ]


def test_the_facts_of_those_that_are_named(tmp_path: Path, run_cli: RunCli) -> None:
    family(tmp_path, "space", "mirror")
    assert run_cli("targets", "mirror", "mirror", "--json").json() == {
        "schema": 1,
        "source": "main",
        "targets": [
            {
                "name": "mirror",
                "kind": "space",
                "id": "lemms/mirror",
                "url": "https://huggingface.co/spaces/lemms/mirror",
                "branch": "main",
                "maps": [{"from": "core/src/", "to": "training/"}],
            }
        ],
    }
    done = run_cli("targets", "data")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: data has no maps, so nothing is synced to it.")


def test_a_matrix_is_one_line_with_one_job_a_target(tmp_path: Path, run_cli: RunCli) -> None:
    family(tmp_path, "space", "mirror")
    done = run_cli("targets", "--matrix")
    assert done.out == ('{"include":[{"name":"space","targets":"space"},{"name":"mirror","targets":"mirror"}]}\n')


@pytest.mark.parametrize(
    ("targets", "options", "sizes"),
    [
        (256, (), [1] * 256),
        (500, (), [2] * 244 + [1] * 12),
        (7, ("--jobs", "3"), [3, 2, 2]),
        (2, ("--jobs", "20"), [1, 1]),
    ],
)
def test_more_targets_than_jobs_are_shared_out_evenly(
    tmp_path: Path, run_cli: RunCli, targets: int, options: tuple[str, ...], sizes: list[int]
) -> None:
    names = [f"t{number}" for number in range(targets)]
    family(tmp_path, *names)
    jobs = json.loads(run_cli("targets", "--matrix", *options).out)["include"]
    assert [len(job["targets"].split()) for job in jobs] == sizes
    assert [name for job in jobs for name in job["targets"].split()] == names
    assert len({job["name"] for job in jobs}) == len(jobs)
    assert jobs[0]["name"] == ("t0" if sizes[0] == 1 else f"t0 and {sizes[0] - 1} more")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--json", "--matrix"), "error: --json and --matrix exclude each other."),
        (("--jobs", "3"), "error: --jobs goes with --matrix."),
        (("--matrix",), "error: repos.toml has no target: no repo in it has maps."),
        ((), "error: repos.toml has no target: no repo in it has maps."),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    tmp_path: Path, run_cli: RunCli, arguments: tuple[str, ...], said: str
) -> None:
    family(tmp_path)
    done = run_cli("targets", *arguments)
    assert (done.code, done.out, done.err.splitlines()[0]) == (2, "", said)


def test_a_source_on_the_hub_is_not_named_as_what_could_get_maps(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "repos.toml").write_text(HEAD.replace("github =", "space ="))
    assert "hint: Add one: 'openllm-repos manifest add space" in run_cli("targets").err


def test_no_target_is_an_empty_list_to_a_program(tmp_path: Path, run_cli: RunCli) -> None:
    family(tmp_path)
    assert run_cli("targets", "--json").json()["targets"] == []
