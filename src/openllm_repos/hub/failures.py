"""Each failure of the Hub as one sentence with the next step."""

from __future__ import annotations

from enum import StrEnum

from openllm_repos.errors import EnvironmentProblem, Passing, RemoteRefused, ReposError
from openllm_repos.hub.answers import words
from openllm_repos.hub.links import Declined
from openllm_repos.hub.wire import Answer
from openllm_repos.retry import TimeIsUp, next_step, passing_status
from openllm_repos.text import redact

_SETTINGS = "https://huggingface.co/settings/tokens"
NO_TOKEN = "hf auth login  # in CI: set HF_TOKEN, or let the job use trusted publishing"  # noqa: S105
_WRITE = f"Give it the right to write, or take another that has it: {_SETTINGS}"
_LONGEST = 300  # characters of the Hub's own words that are shown


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
        said: the Hub's own words, where it said any.
        status: the status of its answer, 0 where there was none.
    """

    def __init__(
        self,
        cause: Cause,
        message: str,
        *,
        hint: str = "",
        said: str = "",
        status: int = 0,
        passing: Passing | None = None,
    ) -> None:
        super().__init__(message, hint=hint, passing=passing)
        self.cause = cause
        self.said = said
        self.status = status


class HubRefused(HubError, RemoteRefused):
    """The Hub was reached and said no."""

    exit_code = RemoteRefused.exit_code


class HubUnreachable(HubError, EnvironmentProblem):
    """The Hub was not reached, did not answer in time, or could not do it now."""

    exit_code = EnvironmentProblem.exit_code


def explain(error: Exception, *, about: str, host: str) -> HubError:
    """Return the sentence for an exchange that was not completed.

    Args:
        error: what was raised: by the HTTP library, the system, or our own clock.
        about: what was asked, for messages ("the space lemms/openllm").
        host: who was asked.
    """
    from httpx2 import ConnectError, InvalidURL, TimeoutException
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        message = f"The Hub was not asked about {about}: HF_HUB_OFFLINE is set."
        return HubUnreachable(Cause.OFFLINE, message, hint="Unset HF_HUB_OFFLINE.")
    if isinstance(error, TimeoutException | TimeIsUp):
        message = f"The Hub did not answer in time about {about}."
        late = Passing("no answer in time", tries=1)
        return HubUnreachable(Cause.TIMEOUT, message, hint="Check the network, then run this again.", passing=late)
    why = _line(str(error)) or type(error).__name__
    if isinstance(error, ConnectError):
        message = f"There is no connection to {host}: {why}."
        hint = "Check the network, and HF_ENDPOINT where it is set."
        return HubUnreachable(Cause.CONNECTION, message, hint=hint)
    passing = None if isinstance(error, InvalidURL) else Passing("the connection broke off")
    message = f"The Hub could not be asked about {about}: {why}."
    hint = "Check the network, and HF_ENDPOINT where it is set."
    return HubUnreachable(Cause.CONNECTION, message, hint=hint, passing=passing)


def not_the_hub(host: str, about: str, why: str) -> HubUnreachable:
    """Return the sentence for an answer that the Hub does not give."""
    return HubUnreachable(
        Cause.SERVER,
        f"What answers at {host} about {about} is not the Hub ({_line(why)}).",
        hint="Check HF_ENDPOINT, and the network: a proxy may have answered.",
    )


def refused(answer: Answer, about: str, *, url: str, held: bool) -> HubError:
    """Return the sentence for an answer that is no success: by status and the Hub's own code, never by its words.

    Args:
        answer: what came back.
        about: what was asked.
        url: who was asked.
        held: whether a token was sent.
    """
    said, status = _line(words(answer.headers, bytes(answer.body))), answer.status
    shown = f": {said}" if said else ""
    cause, message, hint = _by_code(answer.headers.get("x-error-code", ""), about, held=held) or _by_status(
        status, about, shown, held=held
    )
    if answer.headers.get("x-error-message") == "Access to this resource is disabled.":
        cause, message = Cause.DISABLED, f"The Hub has disabled {about}."
        hint = "Ask its owner, or website@huggingface.co."
    passing = passing_status(status, answer.headers)
    if passing is None:
        kind = HubUnreachable if cause is Cause.SERVER else HubRefused
        return kind(cause, message, hint=hint, said=said, status=status)
    if cause is Cause.NOT_ALLOWED:  # some hosts say 403 where they mean 429
        cause, message = Cause.LIMITED, f"The Hub takes no more requests about {about} for now{shown}."
    host = url.partition("://")[2].partition("/")[0]
    return HubUnreachable(cause, message, hint=next_step(host, passing), said=said, status=status, passing=passing)


def declined(why: Declined, name: str) -> HubError:
    """Return the sentence for one large file that LFS does not take."""
    cause, _, hint = _by_status(why.code, name, "", held=True)
    passing = passing_status(why.code, {})
    kind = HubRefused if passing is None else HubUnreachable
    message = f"The Hub's LFS does not take {name}: {why.said}."
    return kind(cause, message, hint=hint, said=why.said, status=why.code, passing=passing)


def _by_code(code: str, about: str, *, held: bool) -> tuple[Cause, str, str] | None:
    """Return cause, sentence and next step for the Hub's own code of an error, None where it has no such code."""
    match code:
        case "GatedRepo":
            hint = "Ask for access on its page on the Hub, then run this again."
            return Cause.GATED, f"The Hub gives {about} only to people on a list, and you are not on it.", hint
        case "RevisionNotFound":
            hint = "Check the branch or commit; a push may not have arrived."
            return Cause.NOT_FOUND, f"The Hub finds no such branch, tag or commit in {about}.", hint
        case "RepoNotFound" if held:
            hint = "Check its name; where it is private, take a token of somebody who may see it."
            hint += "\nhf auth whoami  # says whose yours is"
            return Cause.NOT_FOUND, f"The Hub does not show {about}: it does not exist, or not for this token.", hint
        case "RepoNotFound":
            message = f"The Hub does not show {about} without a token: it is private, or does not exist."
            return Cause.NO_TOKEN, message, NO_TOKEN
    return None


def _by_status(status: int, about: str, words: str, *, held: bool) -> tuple[Cause, str, str]:
    """Return cause, sentence and next step for the status of an answer."""
    if status == 401 and not held:
        return Cause.NO_TOKEN, f"The Hub wants a token for {about}{words}.", NO_TOKEN
    if status >= 500:
        message = f"The Hub could not answer about {about} (status {status}){words}."
        return Cause.SERVER, message, "It may pass: run this again. See https://status.huggingface.co"
    cause, sentence, hint = _STATUS.get(status, (Cause.INVALID, "The Hub does not take what was said of {}{}.", ""))
    return cause, sentence.format(about, words), hint


_STATUS: dict[int, tuple[Cause, str, str]] = {
    401: (
        Cause.BAD_TOKEN,
        "The Hub does not take the token{1}.",  # whatever it was sent for
        f"It has ended, was revoked, or is mistyped. Make another at {_SETTINGS}.\nhf auth login",
    ),
    402: (
        Cause.PAYMENT,
        "The Hub wants a paid plan for {}{}.",
        "A static Space is free (--sdk static); for others see https://huggingface.co/pricing.",
    ),
    403: (Cause.NOT_ALLOWED, "The token may not do this with {}{}.", _WRITE),
    404: (Cause.NOT_FOUND, "The Hub does not find {}{}.", "Check its name and kind."),
    409: (Cause.EXISTS, "The Hub has {} already{}.", "Take what is there, or another name."),
    412: (Cause.MOVED, "Somebody changed {} meanwhile{}.", "Run this again."),
    429: (Cause.LIMITED, "The Hub takes no more requests about {} for now{}.", "Wait, then run this again."),
}
"""Cause, sentence (what it is about, and the Hub's own words) and next step for each status that is expected."""


def _line(text: str) -> str:
    """Return foreign words as one line without its full stop, cut where it is long."""
    words = redact(" ".join(text.split())).rstrip(".")
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
