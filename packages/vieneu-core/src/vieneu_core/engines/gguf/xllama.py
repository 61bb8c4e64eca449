"""A VieNeu model on llama.cpp, through the prebuilt package xllamacpp: no compiler is needed.

The package contains llama.cpp's server, but not its C interface: a prompt goes in as text, codes
come out as the text of their tokens. The common beginning of two prompts stays in its cache.
"""

from __future__ import annotations

import json
import os
import queue
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from vieneu_core.engines.gguf.base import BATCH, GgufModel
from vieneu_core.engines.gguf.xllama_scoring import XllamaScoring
from vieneu_core.engines.load_failure import unusable_package
from vieneu_core.engines.speech_lm.limits import endless, fewest_codes, most_codes
from vieneu_core.engines.speech_lm.model import (
    CodeModelSettings,
    CodePrompt,
    PromptStyle,
    Sampling,
)
from vieneu_core.engines.speech_lm.prompt import SPEECH_END, framed_text, speech_token
from vieneu_core.engines.speech_lm.prompt_style import emotions_of, find_style
from vieneu_core.errors import (
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    TextTooLongError,
)
from vieneu_core.installation import has_module, install_command
from vieneu_core.models.gguf_header import read_header
from vieneu_core.translatable import Translatable

_CODE = re.compile(r"<\|speech_(\d+)\|>")
_QUIET = -1
_GPUS = ("_GPU", "_IGPU")
"""Ends of the names of such devices in ``ggml_backend_dev_type``."""


class XllamaModel(GgufModel):
    """A GGUF model on this machine's CPU, or on a GPU that llama.cpp was built for.

    Args:
        path: The GGUF file.
        settings: How the model is run.

    Raises:
        MissingExtraError: xllamacpp is not installed.
        ModelLoadError: llama.cpp cannot load the file.
    """

    def __init__(self, path: Path, settings: CodeModelSettings) -> None:
        library = _library()
        gpu_layers = settings.gpu_layers if _has_gpu(library) else 0
        super().__init__(path, on_gpu=gpu_layers > 0)
        self._settings = replace(settings, gpu_layers=gpu_layers)
        try:
            self._server: Any = library.Server(_parameters(library, path, self._settings))
        except RuntimeError as error:  # the library gives no further reason
            raise ModelLoadError(
                Translatable("llama.cpp does not load the model {path}.", path=path),
                remedy="Delete the file and load again, or name another in the option model.",
            ) from error
        self._end = read_header(path).token_id(SPEECH_END) if settings.sampling.min_codes else None
        scoring = XllamaScoring(self._server, path)
        self._emotions = emotions_of(scoring.is_token)
        self._style = find_style(settings, scoring.is_token, scoring.score)

    @property
    def style(self) -> PromptStyle:
        """How it is prompted."""
        return self._style

    @property
    def emotions(self) -> frozenset[str]:
        """Emotions that its vocabulary has."""
        return self._emotions

    def codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
        """Yield the codes of a sentence as they are generated; see `CodeModel.codes`."""
        answer = _Answer(cancelled)
        thread = threading.Thread(
            target=self._speak, args=(prompt, answer), name="llama", daemon=True
        )
        thread.start()
        try:
            yield from answer
        finally:
            answer.close()
            thread.join()  # the server processes one prompt at a time

    def prefetch_next(self, abandoned: Callable[[], bool]) -> None:
        """Evaluate the next prompt. It takes little time and cannot be interrupted."""
        upcoming = self._take_upcoming()
        if upcoming is not None and not abandoned():
            self._ask(self._text(upcoming), 1, _Answer(abandoned))

    def close(self) -> None:
        """Release the model."""
        self._server = None

    def _text(self, prompt: CodePrompt) -> str:
        spoken = "".join(map(speech_token, (*prompt.reference.codes, *prompt.begun)))
        return framed_text(prompt, self._style, self._emotions) + spoken

    def _n_least(self, prompt: CodePrompt) -> int:
        """Return the number of codes before which a sentence does not end."""
        text = framed_text(prompt, self._style, self._emotions).encode()
        n_tokens = len(text) + len(prompt.reference.codes) + len(prompt.begun)  # at most
        room = self._settings.n_context - n_tokens
        return fewest_codes(prompt, self._settings.sampling, room)

    def _speak(self, prompt: CodePrompt, answer: _Answer) -> None:
        text, seed = self._text(prompt), _seed(self._settings.sampling, prompt)
        n_most, n_least = most_codes(prompt), self._n_least(prompt)
        if n_least:
            self._ask(text, n_least, answer, logit_bias=[[self._end, False]], **seed)
            text += "".join(map(speech_token, answer.codes))
        if not answer.has_ended:
            self._ask(text, n_most - n_least, answer, **seed)
            answer.fail(endless(self.name))

    def _ask(self, text: str, n_most: int, answer: _Answer, **more: object) -> None:
        body = {"prompt": text, "n_predict": n_most, **_drawing(self._settings.sampling), **more}
        try:
            self._server.handle_completions(json.dumps(body), answer.take)
        except RuntimeError as error:
            answer.fail(
                SynthesisFailedError(Translatable("llama.cpp failed: {error}", error=error))
            )


def _drawing(sampling: Sampling) -> dict[str, object]:
    """Return the server's parameters; all that it would use by itself are switched off."""
    return {
        "stream": True,
        "temperature": sampling.temperature,
        "samplers": ["top_k", "top_p", "min_p", "temperature"],  # the order of llama-cpp-python
        "top_k": sampling.top_k,
        "top_p": 1.0 if sampling.top_p is None else sampling.top_p,
        "min_p": sampling.min_p or 0.0,
        "repeat_penalty": 1.0,
        "cache_prompt": True,
    }


def _seed(sampling: Sampling, prompt: CodePrompt) -> dict[str, object]:
    return {} if sampling.seed is None else {"seed": sampling.seed + prompt.attempt}


class _Answer:
    """The server's response to one prompt, passed from its thread to the caller's."""

    def __init__(self, cancelled: Callable[[], bool]) -> None:
        self._cancelled = cancelled
        self._closed = threading.Event()
        self._items: queue.SimpleQueue[int | Exception | None] = queue.SimpleQueue()
        self.codes: list[int] = []
        """All codes so far."""
        self.has_ended = False
        """Whether nothing more is expected: the end has come, or an error."""

    def __iter__(self) -> Iterator[int]:
        """Yield codes until the end.

        Raises:
            SynthesisFailedError, TextTooLongError: the server reported an error.
        """
        while (item := self._items.get()) is not None:
            if isinstance(item, Exception):
                raise item
            if self._stopped():
                return
            yield item

    def close(self) -> None:
        """Let the server stop before its next token."""
        self._closed.set()

    def take(self, event: str) -> bool:
        """Process an event of the server; return True to stop it."""
        said = json.loads(event)
        if "error" in said:
            self.fail(_failure(said["error"]))
            return True
        text = said["choices"][0]["text"]
        if SPEECH_END in text or self._stopped():
            self._end_with(None)
            return True
        # Tokens that are no speech codes are skipped: the model continues with speech.
        for code in map(int, _CODE.findall(text)):
            self.codes.append(code)
            self._items.put(code)
        return False

    def fail(self, error: Exception) -> None:
        """End with an error, unless it has ended already."""
        self._end_with(error)

    def _end_with(self, item: Exception | None) -> None:
        if not self.has_ended:
            self.has_ended = True
            self._items.put(item)

    def _stopped(self) -> bool:
        return self._closed.is_set() or self._cancelled()


def _failure(error: dict[str, Any]) -> SynthesisFailedError | TextTooLongError:
    if error.get("type") == "exceed_context_size_error":
        return TextTooLongError(
            Translatable(
                "A sentence and its voice have {n_prompt} tokens; the context has {n_context}.",
                n_prompt=error.get("n_prompt_tokens"),
                n_context=error.get("n_ctx"),
            ),
            remedy="Use shorter sentences, a voice of a shorter clip, or a larger option context.",
        )
    return SynthesisFailedError(
        Translatable("llama.cpp failed: {reason}", reason=error.get("message", "no reason given"))
    )


def _parameters(library: Any, path: Path, settings: CodeModelSettings) -> Any:
    parameters = library.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = settings.n_context
    parameters.n_batch = parameters.n_ubatch = BATCH
    parameters.n_parallel = 1
    parameters.n_gpu_layers = settings.gpu_layers
    threads = settings.threads or os.cpu_count() or 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.special = True  # special tokens are returned as text, to detect the end
    parameters.warmup = parameters.ui = False
    parameters.cache_ram_mib = parameters.n_ctx_checkpoints = 0
    parameters.verbosity = _QUIET
    # Its server always listens on this machine, so a random key keeps others out.
    parameters.api_keys = [secrets.token_urlsafe(32)]
    return parameters


def _has_gpu(library: Any) -> bool:
    return any(device["type"].name.endswith(_GPUS) for device in library.get_device_info())


def _library() -> Any:
    try:
        return import_module("xllamacpp")
    except ImportError as error:
        if not has_module("xllamacpp"):
            raise MissingExtraError("The library xllamacpp", "gguf-prebuilt") from error
        again = install_command("--force-reinstall", "xllamacpp")
        raise unusable_package("xllamacpp", error, again) from error
