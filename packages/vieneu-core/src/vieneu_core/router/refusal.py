"""Errors for requests that the router itself keeps from a backend, or takes away from it."""

from __future__ import annotations

from collections.abc import Sequence

from vieneu_core.errors import (
    AllBackendsFailedError,
    BackendBusyError,
    BackendError,
    BackendLoadingError,
    BackendNotLoadedError,
    CircuitOpenError,
    SessionEndingError,
    StreamInterruptedError,
    StreamStalledError,
    TooSlowError,
    UnpronounceableError,
    WorkerDiedError,
)
from vieneu_core.translatable import Translatable


def session_ending(name: str, remaining_s: float | None) -> SessionEndingError:
    """Return the error of a backend whose session ends before the speech would."""
    detail = Translatable(
        "The session of {name} ends in {left_s:.0f} s.", name=name, left_s=remaining_s
    )
    return SessionEndingError(detail, backend=name)


def not_ready(
    name: str, *, refusal: BackendError | None, last_error: BackendError | None
) -> BackendError:
    """Return why a backend is not ready, as an error to raise.

    An open circuit says less than the failure that opened it.
    """
    if refusal is not None and not isinstance(refusal, CircuitOpenError):
        return refusal
    if last_error is not None:
        return type(last_error)(last_error.detail, remedy=last_error.remedy, backend=name)
    return refusal or BackendNotLoadedError(
        Translatable("The backend {name} is not ready.", name=name), backend=name
    )


def too_slow(name: str, real_time_factor: float | None) -> TooSlowError:
    """Return the error of a backend that needs more than a second for a second of audio."""
    return TooSlowError(
        Translatable(
            "{name} makes speech more slowly than it is played: {factor:.1f} s for a second.",
            name=name,
            factor=real_time_factor or 0.0,
        ),
        backend=name,
    )


def begins_late(name: str, wait_s: float) -> TooSlowError:
    """Return the error of a backend that keeps up, but needs long until it sends anything."""
    return TooSlowError(
        Translatable(
            "{name} needs {wait_s:.0f} s until the sentence can be heard.",
            name=name,
            wait_s=wait_s,
        ),
        backend=name,
    )


def stalled(name: str, limit_s: float) -> StreamStalledError:
    """Return the error of a backend that was awaited for so many seconds in vain."""
    return StreamStalledError(
        Translatable(
            "{name} sent no audio for {stall_s:g} s.", name=name, stall_s=round(limit_s, 1)
        )
    )


def turn_too_late(name: str, wait_s: float) -> BackendBusyError:
    """Return the error of a backend that has other speech to make before."""
    return BackendBusyError(
        Translatable(
            "{name} is busy with other speech for {wait_s:.0f} s.", name=name, wait_s=wait_s
        ),
        backend=name,
    )


def all_failed(causes: Sequence[BackendError], number: int) -> BackendError:
    """Return the error for a sentence, counted from 1, that no backend could speak."""
    if len(causes) == 1:
        return causes[0]
    detail = Translatable("No backend could speak sentence {number}.", number=number)
    return AllBackendsFailedError(detail, causes=tuple(causes))


_SOON_OVER = (BackendBusyError, BackendLoadingError, StreamInterruptedError, WorkerDiedError)
"""Failures that often end within seconds."""


def unsayable(causes: Sequence[BackendError], *, tried_again: bool, awaited: bool) -> bool:
    """Return whether a sentence is skipped: backends found nothing to say in it.

    Args:
        causes: Why each backend did not speak it. One that failed for another reason might, so it
            gets a second round.
        tried_again: Whether this was the second one.
        awaited: Whether the listener may wait no longer for a backend that is back soon.
    """
    others = [cause for cause in causes if not isinstance(cause, UnpronounceableError)]
    if len(others) == len(causes):
        return False
    if any(isinstance(cause, _SOON_OVER) for cause in others):
        return awaited
    return tried_again or not any(cause.transient for cause in others)
