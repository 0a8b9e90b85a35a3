"""Each error of huggingface_hub as one sentence with the next step."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from openllm_repos.errors import EnvironmentProblem, RemoteRefused, ReposError
from openllm_repos.text import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from httpx2 import Response

_SETTINGS = "https://huggingface.co/settings/tokens"


class Cause(StrEnum):
    """Why the Hub did not do what was asked."""

    NO_TOKEN = "no token"  # noqa: S105 - a word for people
    BAD_TOKEN = "bad token"  # noqa: S105
    NOT_ALLOWED = "not allowed"
    GATED = "gated"
    NOT_FOUND = "not found"
    DISABLED = "disabled"
    PAYMENT = "payment"
    EXISTS = "exists"
    MOVED = "moved"
    LIMITED = "limited"
    INVALID = "invalid"
    OFFLINE = "offline"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    SERVER = "server"


class HubError(ReposError):
    """The Hub did not do what was asked.

    Args:
        cause: why, for code that has to tell.
        message: one sentence.
        hint: the next step.
    """

    def __init__(self, cause: Cause, message: str, *, hint: str = "") -> None:
        super().__init__(redact(message), hint=hint)
        self.cause = cause


class HubRefused(HubError, RemoteRefused):
    """The Hub was reached and said no."""

    exit_code = RemoteRefused.exit_code


class HubUnreachable(HubError, EnvironmentProblem):
    """The Hub was not reached, did not answer in time, or could not do it now."""

    exit_code = EnvironmentProblem.exit_code
