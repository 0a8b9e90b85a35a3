"""The front matter of a Hub card: the rules that the Hub is known to check at a push, for when it cannot be asked.

They are a subset, taken from the Hub's documentation of cards and Spaces and from refusals that people reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from openllm_repos.manifest.model import Kind

if TYPE_CHECKING:
    from openllm_repos.family.access import FamilyAccess

Validate = Callable[[str, Kind], Sequence[str] | None]
"""Asks the Hub about a card's text; its errors, none of them where it is sound, or None where it cannot be asked."""

# As huggingface_hub reads cards (repocard.REGEX_YAML_BLOCK).
_FRONT_MATTER = re.compile(r"\A(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\n|\Z))")
_COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
_SDKS = ("gradio", "streamlit", "docker", "static")
_SHORT = 60
_DEADLINE = 5.0  # seconds; a Hub that is slower is not waited for


def has_front_matter(text: str) -> bool:
    """Whether a card has front matter at all; without it there is nothing that the Hub could refuse."""
    return _FRONT_MATTER.match(text) is not None


def card_errors(text: str, kind: Kind) -> tuple[str, ...]:
    """Return what the Hub would say against a card, in its words where they are known.

    Args:
        text: all of README.md.
        kind: space, model or dataset.
    """
    found = _FRONT_MATTER.match(text)
    if found is None:
        return ()  # the Hub warns, and takes it
    import yaml

    try:
        data = yaml.safe_load(found[2])
    # PyYAML lets through what its constructors stumble over: a date such as 2024-13-45, `!!bool maybe`, depth
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        return (f"it is not YAML: {(str(error).splitlines() or [type(error).__name__])[0]}",)
    if data is None:
        return ()
    if not isinstance(data, dict):
        return ('"yaml" must be of type object',)
    return tuple(_space_errors(data) if kind is Kind.SPACE else _repo_errors(data))


def hub_validator(access: FamilyAccess) -> Validate:
    """Return a validator that asks the Hub itself; where it does not answer, it has no answer either.

    Args:
        access: with what the Hub is reached.
    """

    def validate(text: str, kind: Kind) -> Sequence[str] | None:
        from openllm_repos.hub.failures import HubError
        from openllm_repos.hub.model import HubType
        from openllm_repos.retry import NEVER

        try:
            return access.hub(deadline=_DEADLINE, retry=NEVER).check_card(text, HubType(kind)).errors
        except HubError:
            return None

    return validate


def _space_errors(data: dict[Any, Any]) -> list[str]:
    errors = []
    short = data.get("short_description")  # no str(): a nest of aliases, written out, would take all memory
    if isinstance(short, str) and len(short) > _SHORT:
        errors.append(f'"short_description" length must be less than or equal to {_SHORT} characters long')
    errors += [
        f'"{key}" must be one of [{", ".join(allowed)}]'
        for key, allowed in (("colorFrom", _COLOURS), ("colorTo", _COLOURS), ("sdk", _SDKS))
        if key in data and data[key] not in allowed
    ]
    emoji = data.get("emoji", "")
    if not isinstance(emoji, str) or re.search(r"[A-Za-z0-9]", emoji):
        errors.append('"emoji" must be an emoji')
    return errors


def _repo_errors(data: dict[Any, Any]) -> list[str]:
    errors = []
    if "license" in data and not isinstance(data["license"], str | list):
        errors.append('"license" must be a string')
    if "model-index" in data and not isinstance(data["model-index"], list):
        errors.append('"model-index" must be an array')
    errors += [
        f'"{key}" must be an array'
        for key in ("tags", "datasets")
        if data.get(key) is not None and not isinstance(data[key], str | list)
    ]
    return errors
