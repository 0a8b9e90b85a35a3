"""What the Hub put into a repository when it made it, as far as it is still like that."""

from __future__ import annotations

import pytest

from openllm_repos.family.host import host_files
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.changes import MappedPart
from tests.support.repositories import Clone

BOTH = {".gitattributes", "README.md"}


@pytest.mark.parametrize(
    ("subject", "edit", "where", "to", "made"),
    [
        ("initial commit\n", {}, 'space = "lemms/app"', ".", BOTH),
        ("initial commit\n", {"app.py": "app\n"}, 'model = "lemms/app"', ".", BOTH),
        ("initial commit\n", {"README.md": "# Mine\n"}, 'space = "lemms/app"', ".", {".gitattributes"}),
        ("initial commit\n", {"README.md": None}, 'space = "lemms/app"', ".", {".gitattributes"}),
        ("initial commit\n", {}, 'space = "lemms/app"', "training/", set()),
        ("initial commit\n", {}, 'url = "https://example.org/app.git"\nrole = "target"', ".", set()),
        ("First\n", {}, 'space = "lemms/app"', ".", set()),
    ],
)
def test_what_is_as_the_hub_made_it_is_nobodys(
    clone: Clone, subject: str, edit: dict[str, str | None], where: str, to: str, made: set[str]
) -> None:
    clone.commit(subject, dict.fromkeys((*BOTH, "index.html"), "made\n"))
    tip = ObjectId(clone.commit("Go on", edit))
    role = "" if "role" in where else 'role = "target"\n'
    manifest = Manifest.parse(
        'schema = 1\n[project]\nname = "x"\n[repos.main]\ngithub = "a/b"\nrole = "source"\n'
        f'[repos.app]\n{where}\n{role}[[repos.app.map]]\nfrom = "whole/"\nto = "{to}"\n'
    )
    repository, target = Repository.open(clone.path), manifest.target("app")
    with ObjectReader(repository.git) as reader:
        part = MappedPart(reader, target.maps, repository.object_format)
        found = host_files(repository, reader, target, tip, part, part.of(tip.encode() + b"^{tree}"))
    assert {path.decode() for path in found} == made
