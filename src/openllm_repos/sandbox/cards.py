"""The front matter of a README: the subset of the Hub's rules that public reports and its documentation prove."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
_SDKS = ("gradio", "streamlit", "docker", "static")
_FRONT = re.compile(r"^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\n|$))")


@dataclass(frozen=True, slots=True)
class Problems:
    """What the Hub says of a card: errors refuse it, warnings do not."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


_MISSING = Problems(warnings=("empty or missing yaml metadata in repo card",))


def front_matter(text: str) -> str | None:
    """Return the YAML at the top of a README, or None."""
    found = _FRONT.match(text)
    return None if found is None else found[2]


def problems(text: str, kind: str) -> Problems:
    """Judge a README.

    Args:
        text: the whole file.
        kind: of its repository: model, dataset or space.
    """
    front = front_matter(text)
    if front is None:
        return _MISSING
    import yaml

    try:
        data = yaml.safe_load(front)
    # PyYAML lets through what its constructors stumble over: a date such as 2024-13-45, `!!bool maybe`, depth
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        return Problems((f"YAML Metadata Error: {(str(error).splitlines() or [type(error).__name__])[0]}",))
    if data is None:
        return _MISSING
    if not isinstance(data, dict):
        return Problems(('"yaml" must be of type object',))
    return Problems(tuple(_space(data) if kind == "space" else _card(data)))


def _space(data: Mapping[str, Any]) -> list[str]:
    said = []
    if len(str(data.get("short_description") or "")) > 60:
        said.append('"short_description" length must be less than or equal to 60 characters long')
    said += [
        f'"{key}" must be one of [{", ".join(_COLOURS)}]'
        for key in ("colorFrom", "colorTo")
        if key in data and data[key] not in _COLOURS
    ]
    if "sdk" in data and data["sdk"] not in _SDKS:
        said.append(f'"sdk" must be one of [{", ".join(_SDKS)}]')
    if "emoji" in data and re.search(r"[A-Za-z0-9]", str(data["emoji"])):
        said.append('"emoji" must be an emoji')
    return said


def _card(data: Mapping[str, Any]) -> list[str]:
    said = []
    if not isinstance(data.get("license", ""), str | list):
        said.append('"license" must be a string')
    if not isinstance(data.get("model-index", []), list):
        said.append('"model-index" must be an array')
    said += [
        f'"{key}" must be an array' for key in ("tags", "datasets") if not isinstance(data.get(key), list | str | None)
    ]
    return said
