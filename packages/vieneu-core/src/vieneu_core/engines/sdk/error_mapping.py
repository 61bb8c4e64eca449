"""Translation of the SDK's failures: exceptions, and faults that it only logs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vieneu_core.engines.load_failure import MAX_QUOTED_CHARS, first_line
from vieneu_core.errors import (
    DeviceMemoryError,
    MissingExtraError,
    ModelDownloadError,
    ModelLoadError,
    ReferenceAudioError,
    SynthesisFailedError,
    VieneuError,
)
from vieneu_core.installation import install_command
from vieneu_core.text.clean import one_line
from vieneu_core.translatable import Translatable, joined

_LOGGER = "Vieneu"
"""Root of all loggers of the SDK."""
_HARMLESS = (
    "Network check failed",  # it then searches the cache, and reports an error if that is empty too
    "Speaker encoder not found",  # the engine then reports that it does not clone
    "Triton compilation failed",  # slower, without other effects
)
_OUT_OF_MEMORY = ("out of memory", "failed to allocate memory", "bad_alloc", "defaultcpuallocator")
_NOT_HERE, _FORBIDDEN = "LocalEntryNotFoundError", "OfflineModeIsEnabled"
"""Exceptions of huggingface_hub that do not name the missing file."""
_EXTRAS = {
    "llama_cpp": "gguf-compiled",
    "torch": "torch",
    "transformers": "torch",
    "neucodec": "torch",
}
"""Our extra for each module that a mode of the SDK imports."""


@contextmanager
def translate_errors(
    what: str, kind: type[ModelLoadError | SynthesisFailedError | ReferenceAudioError]
) -> Iterator[None]:
    """Translate exceptions of the SDK.

    Raises:
        DeviceMemoryError: the device has too little memory.
        MissingExtraError: a package is not installed.
        ModelLoadError, SynthesisFailedError, ReferenceAudioError: anything else, as ``kind``.
    """
    try:
        yield
    except VieneuError:
        raise
    except Exception as error:
        # The SDK has no exceptions of its own: it passes on those of its many libraries.
        raise _translated(error, what, kind) from error


@contextmanager
def capture_warnings() -> Iterator[list[str]]:
    """Collect the SDK's log messages about missing or damaged parts."""
    capture = _Capture()
    logger = logging.getLogger(_LOGGER)
    logger.addHandler(capture)
    try:
        yield capture.faults
    finally:
        logger.removeHandler(capture)


class _Capture(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.faults: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = one_line(record.getMessage())
        if not any(harmless in text for harmless in _HARMLESS):
            self.faults.append(text[:MAX_QUOTED_CHARS])


def _translated(error: Exception, what: str, kind: type[VieneuError]) -> VieneuError:
    chain = list(_chain(error))
    if any(isinstance(each, MemoryError) or _is_full(each) for each in chain):
        return DeviceMemoryError("The SDK ran out of memory.")
    for each in chain:
        # Its own ImportErrors have no module name; their cause does.
        if isinstance(each, ImportError) and each.name:
            return _missing(each.name.partition(".")[0])
    names = {type(each).__name__ for each in chain}
    if names & {_NOT_HERE, _FORBIDDEN}:
        if kind is ModelLoadError and not (_FORBIDDEN in names or _is_offline()):
            kind = ModelDownloadError  # the network may come
        return kind(
            Translatable(
                "{what}: a required file is not on this machine, and the hub is disabled or does"
                " not respond.",
                what=what,
            ),
            remedy="Load it once with the network and with offline: false; or name paths.",
        )
    name, text = type(error).__name__, first_line(error)
    words = dict.fromkeys((what, name, text))  # an error without a text has its name as such
    return kind(joined(": ", [*words]))


def _is_offline() -> bool:
    """Whether the hub is disabled now: then the same exception says that a file is missing."""
    return bool(getattr(sys.modules.get("huggingface_hub.constants"), "HF_HUB_OFFLINE", False))


def _missing(package: str) -> VieneuError:
    extra = _EXTRAS.get(package, "sdk")
    if package == "lmdeploy":
        return ModelLoadError(
            "The SDK's mode fast needs the package lmdeploy.",
            remedy=Translatable(
                "Set the option mode to v3turbo, or install it: {command}",
                command=install_command("lmdeploy"),
            ),
        )
    return MissingExtraError(
        Translatable("The engine sdk (its package {package})", package=package), extra
    )


def _is_full(error: BaseException) -> bool:
    text = str(error).lower()
    return any(words in text for words in _OUT_OF_MEMORY)


def _chain(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__
