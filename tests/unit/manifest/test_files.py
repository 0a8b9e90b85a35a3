"""The manifests under `manifest/`: valid ones are taken, an invalid one is refused with the fault that it names."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from openllm_repos.errors import ManifestError
from openllm_repos.manifest import Manifest
from openllm_repos.manifest.schema import schema_text

TREE = Path(__file__).parents[3]
VALID = sorted((TREE / "manifest" / "valid").glob("*.toml"))
INVALID = sorted((TREE / "manifest" / "invalid").glob("*.toml"))
BEYOND_SCHEMA = "# schema: cannot express"


def name_of(path: Path) -> str:
    return path.stem


@pytest.fixture(scope="module")
def schema() -> Any:
    loaded = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


def test_there_is_a_file_for_every_rule() -> None:
    assert len(VALID) >= 6
    assert len(INVALID) >= 100


@pytest.mark.parametrize("path", [*VALID, TREE / "repos.toml"], ids=name_of)
def test_a_valid_manifest_is_taken(path: Path, schema: Any) -> None:
    assert Manifest.load(path).source.name == "main"
    assert [error.message for error in schema.iter_errors(tomllib.loads(path.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_an_invalid_manifest_is_refused_with_the_fault_in_its_first_line(path: Path) -> None:
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    start = time.process_time()
    with pytest.raises(ManifestError) as refused:
        Manifest.load(path)
    assert time.process_time() - start < 1
    assert (refused.value.faults or (refused.value.message,)) == (expected,)


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_the_schema_refuses_it_too_where_a_schema_can(path: Path, schema: Any) -> None:
    text = path.read_text(encoding="utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert "is not TOML" in text.splitlines()[0]
    else:
        assert schema.is_valid(document) == (text.splitlines()[1] == BEYOND_SCHEMA)


def test_the_schema_knows_the_same_keys_as_the_parser(schema: Any) -> None:
    def known(text: str) -> set[str]:
        with pytest.raises(ManifestError) as refused:
            Manifest.parse(text)
        found = next(fault for fault in refused.value.faults if "zzzzzz" in fault)
        return set(found.partition("known are ")[2].split(", "))

    parts = schema.schema["$defs"]
    assert known("zzzzzz = 1") == set(schema.schema["properties"])
    assert known("[project]\nzzzzzz = 1") == set(parts["project"]["properties"])
    assert known("[hosts]\nzzzzzz = 1") == set(parts["hosts"]["properties"])
    assert known("[defaults]\nzzzzzz = 1") == set(parts["defaults"]["properties"])
    assert known("[defaults.space]\nzzzzzz = 1") == set(parts["shared"]["properties"])
    assert known("[defaults.url]\nzzzzzz = 1") == set(parts["shared"]["properties"]) - {"publish"}
    assert known("[repos.a]\nzzzzzz = 1") == set(parts["repo"]["properties"])
    assert known("[[repos.a.map]]\nzzzzzz = 1") == set(parts["map"]["properties"])
    assert known("[[repos.a.publish]]\nzzzzzz = 1") == set(parts["publication"]["properties"])


def test_an_installed_package_brings_the_schema_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openllm_repos.manifest import schema as module

    package = tmp_path / "openllm_repos"
    (package / "manifest").mkdir(parents=True)
    (package / "repos.schema.json").write_text('{"packed": true}')
    monkeypatch.setattr(module, "__file__", str(package / "manifest" / "schema.py"))
    assert json.loads(schema_text()) == {"packed": True}
