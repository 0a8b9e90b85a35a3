"""What people type for a repository."""

from __future__ import annotations

import pytest

from openllm_repos.errors import UsageError
from openllm_repos.manifest.model import Kind
from openllm_repos.setup.places import place_of, place_of_url


@pytest.mark.parametrize(
    ("kind", "typed", "text"),
    [
        (Kind.SPACE, "lemms/openllm", "lemms/openllm"),
        (Kind.SPACE, " lemms/openllm/ ", "lemms/openllm"),
        (Kind.SPACE, "spaces/lemms/openllm", "lemms/openllm"),
        (Kind.SPACE, "https://huggingface.co/spaces/lemms/openllm", "lemms/openllm"),
        (Kind.SPACE, "https://huggingface.co/spaces/lemms/openllm/tree/main", "lemms/openllm"),
        (Kind.SPACE, "https://huggingface.co/spaces/lemms/openllm?logs=build", "lemms/openllm"),
        (Kind.SPACE, "huggingface.co/spaces/lemms/openllm", "lemms/openllm"),
        (Kind.SPACE, "git@hf.co:spaces/lemms/openllm", "lemms/openllm"),
        (Kind.DATASET, "https://hf.co/datasets/lemms/Data", "lemms/Data"),
        (Kind.MODEL, "https://huggingface.co/lemms/openllm-7k.git", "lemms/openllm-7k"),
        (Kind.GITHUB, "https://github.com/LouisChua/OpenLLM.git", "LouisChua/OpenLLM"),
        (Kind.GITHUB, "git@github.com:LouisChua/OpenLLM.git", "LouisChua/OpenLLM"),
        (Kind.GITHUB, "https://github.com/LouisChua/OpenLLM/tree/main/core", "LouisChua/OpenLLM"),
        (Kind.GITHUB, "ssh://git@github.com/LouisChua/OpenLLM", "LouisChua/OpenLLM"),
    ],
)
def test_an_id_or_any_url_of_it(kind: Kind, typed: str, text: str) -> None:
    assert (place_of(kind, typed).kind, place_of(kind, typed).text) == (kind, text)


@pytest.mark.parametrize(
    ("kind", "typed", "message", "hint"),
    [
        (Kind.SPACE, "https://huggingface.co/lemms/x", "is a model, not a Space", "--model lemms/x"),
        (Kind.MODEL, "https://huggingface.co/datasets/lemms/x", "is a dataset, not a model", "--dataset lemms/x"),
        (Kind.DATASET, "https://github.com/lemms/x", "is a GitHub repository, not a dataset", "--github lemms/x"),
        (Kind.SPACE, "https://gitlab.com/lemms/x", "is not a Space", "owner/name"),
        (Kind.SPACE, "ext::sh -c x", "is not a Space", "owner/name"),
        (Kind.SPACE, "https://huggingface.co/spaces/lemms", "is not a Space", "owner/name"),
    ],
)
def test_what_is_something_else_is_refused_with_what_it_is(kind: Kind, typed: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        place_of(kind, typed)
    assert message in refused.value.message
    assert hint in refused.value.hint


@pytest.mark.parametrize("typed", ["openllm", "--upload-pack=x/y", "a/b/c", "", "lemms/op en"])
def test_what_is_no_id_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        place_of(Kind.SPACE, typed)


@pytest.mark.parametrize(
    ("url", "key", "text"),
    [
        ("https://gitlab.com/ada/engine.git", "url", "https://gitlab.com/ada/engine"),
        ("git@gitlab.com:ada/engine.git", "url", "https://gitlab.com/ada/engine"),
        ("/srv/git/engine.git", "url", "file:///srv/git/engine.git"),
        ("https://huggingface.co/spaces/lemms/openllm", "space", "lemms/openllm"),
    ],
)
def test_a_remotes_url_becomes_an_entry_of_the_manifest(url: str, key: str, text: str) -> None:
    place = place_of_url(url)
    assert place is not None
    assert (place.key, place.text) == (key, text)


@pytest.mark.parametrize("url", ["", "../engine", "ext::sh -c x", "https://x.example:99999/a/b"])
def test_a_url_that_no_manifest_can_name_is_nothing(url: str) -> None:
    assert place_of_url(url) is None
