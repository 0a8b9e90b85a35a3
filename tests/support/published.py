"""A family with a model and a dataset on the sandbox's Hub, and artifacts in the clone that git does not track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.hub_family import SOURCE, SPACE, HubFamily
from tests.support.repositories import Bare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli
    from tests.support.process import Result

MODEL = "lemms/openllm-small-extended-7k"
DATASET = "lemms/openllm-training-data"
MANIFEST = f"""\
schema = 1

[project]
name = "openllm"
version = "VERSION"
never = ["data/", "exports/"]

[repos.main]
github = "{SOURCE}"
role = "source"

[repos.small-7k]
model = "{MODEL}"

[[repos.small-7k.publish]]
from = "exports/small/"
to = "."

[repos.training-data]
dataset = "{DATASET}"

[[repos.training-data.publish]]
from = "data/clean/"
to = "data/"
"""
WEIGHTS = b"\0weights" * 1000


@dataclass(slots=True)
class Publishing:
    """A source whose clone has artifacts, and where they go.

    Attributes:
        family: the clone and its remotes.
        model: the model's repository on the Hub.
        dataset: the dataset's.
        sandbox: what they are on.
    """

    family: HubFamily
    model: Bare
    dataset: Bare
    sandbox: Sandbox
    run: RunCli

    @classmethod
    def on(cls, sandbox: Sandbox, folder: Path, run: RunCli, *, manifest: str = MANIFEST) -> Publishing:
        """Make a source that is pushed, empty repos on the Hub, and a model and some data in ignored folders."""
        family = HubFamily.on(sandbox, folder, run)
        model, dataset = sandbox.hub.create("model", MODEL), sandbox.hub.create("dataset", DATASET)
        family.clone.write({"repos.toml": manifest, ".gitignore": "exports/\ndata/\n", "VERSION": "1.0.0\n"})
        family.commit("Say what is published")
        family.clone.git("push", "-q", "origin", "main")
        made = cls(family, Bare(model), Bare(dataset), sandbox, run)
        made.write({"exports/small/model.safetensors": WEIGHTS, "exports/small/config.json": b'{"layers": 12}\n'})
        made.write({"data/clean/train.jsonl": b'{"text": "once"}\n'})
        return made

    @property
    def top(self) -> Path:
        """The work tree."""
        return self.family.clone.path

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write files into the work tree."""
        for name, content in files.items():
            place = self.top / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

    def publish(self, *args: str, code: int = 0) -> Result:
        """Run `openllm-repos publish`; it must end with a code."""
        done = self.run("publish", "--yes", *args, cwd=self.top)
        assert done.code == code, (done.code, done.out, done.err)
        return done

    def uploads(self) -> list[tuple[str, int]]:
        """Return SHA-256 and size of what LFS took so far, or a part of it."""
        rows = [seen.path.split("/") for seen in self.sandbox.hub.log if seen.method == "PUT" and seen.status == 200]
        return [(row[3], int(row[4])) for row in rows if row[1:3] == ["_lfs", "upload"]]


__all__ = ["DATASET", "MANIFEST", "MODEL", "SOURCE", "SPACE", "WEIGHTS", "Publishing"]
