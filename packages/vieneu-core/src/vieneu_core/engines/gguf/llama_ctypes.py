"""A VieNeu model on llama.cpp, through a binding of its C interface.

The bindings' own classes copy all logits of each step and work on text. Here tokens go in and
tokens come out. The common beginning of two prompts stays in the KV cache.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vieneu_core.engines.gguf.base import BATCH, GgufModel
from vieneu_core.engines.gguf.llama_binding import LlamaBinding
from vieneu_core.engines.speech_lm.limits import (
    endless,
    fewest_codes,
    most_codes,
    room_for_codes,
)
from vieneu_core.engines.speech_lm.model import CodeModelSettings, CodePrompt, PromptStyle
from vieneu_core.engines.speech_lm.prompt import PromptWriter, SpeechVocabulary, shared_length
from vieneu_core.engines.speech_lm.sampling import CodeSampler, log_likelihood
from vieneu_core.errors import DeviceMemoryError, SynthesisFailedError
from vieneu_core.translatable import Translatable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SCORED = 16
"""Tokens scored at once: llama.cpp keeps the logits of all, 600 kB each."""
_NO_SLOT = 1
"""Result of ``llama_decode`` if the context is full."""


class LlamaCppModel(GgufModel):
    """A GGUF model on this machine's CPU, or on a GPU that llama.cpp was built for.

    Args:
        path: The GGUF file.
        settings: How the model is run.
        binding: llama.cpp.

    Raises:
        ModelLoadError: llama.cpp cannot load the file, or it is no VieNeu model.
        DeviceMemoryError: there is not enough memory.
    """

    def __init__(self, path: Path, settings: CodeModelSettings, binding: LlamaBinding) -> None:
        gpu_layers = settings.gpu_layers if binding.uses_gpu() else 0
        super().__init__(path, on_gpu=gpu_layers > 0)
        self._library = binding
        self._llama = binding.c
        self._n_context = settings.n_context
        self._sampling = settings.sampling
        self._model = binding.open_model(path, gpu_layers=gpu_layers)
        self._context: Any = None
        self._past: list[int] = []  # tokens whose keys and values are in the cache
        self._seen: tuple[int, NDArray[np.float32]] | None = None  # the logits and their address
        try:
            self._open_context(settings.threads or os.cpu_count() or 1)
            self._vocabulary = SpeechVocabulary.of(self._tokens_of)
            self._sampler = CodeSampler(self._vocabulary, settings.sampling)
            self._prompts = PromptWriter.of(
                self._tokens_of, self._vocabulary, settings, self._likelihood
            )
        except BaseException:
            self.close()
            raise

    @property
    def style(self) -> PromptStyle:
        """How it is prompted."""
        return self._prompts.style

    @property
    def emotions(self) -> frozenset[str]:
        """Emotions that its vocabulary has."""
        return self._prompts.emotions

    def codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
        """Yield the codes of a sentence as they are generated; see `CodeModel.codes`."""
        tokens = self._prompts.tokens(prompt)
        room = room_for_codes(len(tokens), self._n_context)
        n_most = min(most_codes(prompt), room)
        n_least = fewest_codes(prompt, self._sampling, room)
        if not self._evaluate(tokens, cancelled):
            return
        for n_made in range(n_most):
            if cancelled():
                return
            token = self._sampler.draw(self._logits(), may_end=n_made >= n_least)
            code = self._vocabulary.code(token)
            if code is None:  # the end token: the sampler draws no other token that is not a code
                return
            # The code is yielded before the next one is computed, so that the codec has work.
            yield code
            self._decode([token])
        raise endless(self.name)

    def prefetch_next(self, abandoned: Callable[[], bool]) -> None:
        """Evaluate the next prompt, unless ``abandoned`` becomes true."""
        upcoming = self._take_upcoming()
        if upcoming is not None:
            self._evaluate(self._prompts.tokens(upcoming), abandoned)

    def close(self) -> None:
        """Release the model."""
        if self._context is not None:
            self._llama.llama_free(self._context)
        if self._model is not None:
            self._library.free_model(self._model)
        self._context = self._model = None

    # --- llama.cpp -------------------------------------------------------------------------

    def _open_context(self, threads: int) -> None:
        vocabulary = self._llama.llama_model_get_vocab(self._model)
        self._n_vocab = self._llama.llama_vocab_n_tokens(vocabulary)
        use = self._library.context_parameters()
        use.n_ctx, use.n_batch, use.n_ubatch = self._n_context, BATCH, BATCH
        use.n_threads = use.n_threads_batch = threads
        self._context = self._llama.llama_init_from_model(self._model, use)
        if not self._context:
            raise self._library.load_failure(self._path)

    def _evaluate(self, tokens: list[int], cancelled: Callable[[], bool]) -> bool:
        """Evaluate these tokens into the cache; return False if cancelled."""
        # The last token is always evaluated, because its logits are needed.
        kept = min(shared_length(self._past, tokens), len(tokens) - 1)
        self._library.forget(self._context, kept)
        del self._past[kept:]
        for start in range(kept, len(tokens), BATCH):
            if cancelled():
                return False
            self._decode(tokens[start : start + BATCH])
        return True

    def _likelihood(self, before: list[int], tokens: list[int]) -> float:
        """Return the mean log-likelihood of tokens after others."""
        self._evaluate(before, lambda: False)
        scores = [log_likelihood(self._logits(), token) for token in tokens[:1]]
        for start in range(0, len(tokens) - 1, _SCORED):
            fed = tokens[start : min(start + _SCORED, len(tokens) - 1)]
            self._decode(fed, each=True)
            following = enumerate(tokens[start + 1 : start + 1 + len(fed)])
            scores += [log_likelihood(self._logits(at), token) for at, token in following]
        return sum(scores) / max(1, len(scores))

    def _decode(self, tokens: list[int], *, each: bool = False) -> None:
        """Evaluate tokens at once; keep the logits of the last one, or of each."""
        array = (self._llama.llama_token * len(tokens))(*tokens)
        batch = self._library.batch(array, len(self._past))
        if each:
            batch.logits = (ctypes.c_int8 * len(tokens))(*[1] * len(tokens))
        status = self._llama.llama_decode(self._context, batch)
        if status != 0:
            self._past.clear()
            self._library.forget(self._context, 0)
            raise self._decode_failure(status)
        self._past += tokens

    def _logits(self, at: int = -1) -> NDArray[np.float32]:
        import numpy as np

        pointer = self._llama.llama_get_logits_ith(self._context, at)
        address = ctypes.addressof(pointer.contents)
        if self._seen is None or self._seen[0] != address:  # creating the array is slow
            self._seen = address, np.ctypeslib.as_array(pointer, shape=(self._n_vocab,))
        return self._seen[1]

    def _tokens_of(self, text: str) -> list[int]:
        return self._library.tokens_of(self._model, text)

    def _decode_failure(self, status: int) -> SynthesisFailedError | DeviceMemoryError:
        if status == _NO_SLOT:
            return SynthesisFailedError("The sentence does not fit into the model's context.")
        if self._library.is_out_of_memory:
            return DeviceMemoryError("llama.cpp ran out of memory.")
        return SynthesisFailedError(
            Translatable("llama.cpp failed (status {status}).", status=status)
        )
