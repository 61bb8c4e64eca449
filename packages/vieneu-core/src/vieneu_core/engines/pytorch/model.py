"""A VieNeu model on PyTorch, by transformers, with batches of the sentences known in advance.

Several sentences at once take hardly longer than one, because reading the weights dominates. The
requested sentence begins alone, so that its first audio is not delayed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from math import isfinite
from pathlib import Path

from vieneu_core.engines.base import EngineMemory
from vieneu_core.engines.load_failure import first_line
from vieneu_core.engines.pytorch.batch import Batch, Row
from vieneu_core.engines.pytorch.device import TorchDevice
from vieneu_core.engines.pytorch.drawer import Drawer, NotFiniteError, with_own
from vieneu_core.engines.pytorch.folder import load_folder
from vieneu_core.engines.pytorch.likelihood import log_likelihood
from vieneu_core.engines.speech_lm.limits import fewest_codes, most_codes, room_for_codes
from vieneu_core.engines.speech_lm.model import CodeModelSettings, CodePrompt, PromptStyle
from vieneu_core.engines.speech_lm.prompt import PromptWriter
from vieneu_core.engines.speech_lm.windowed_decoder import FIRST_FRAMES, LOOKAHEAD_FRAMES
from vieneu_core.errors import DeviceMemoryError, ModelLoadError, TextTooLongError
from vieneu_core.translatable import Translatable

_LOGGER = logging.getLogger(__name__)
FIRST_SOUND = FIRST_FRAMES + LOOKAHEAD_FRAMES
"""Codes of a sentence until its first audio; then others may join it."""


class TorchModel:
    """A model in the layout of transformers.

    On an accelerator the next sentences join the requested one as soon as its audio has begun.
    On a CPU, where they would slow it down, they begin together once it is complete.

    Args:
        path: Its folder. Nothing is downloaded.
        settings: How the model is run.
        device: Device to use.
        batch: Largest number of sentences at once.
        compiled: Whether to compile the model first, which takes minutes.

    Raises:
        MissingExtraError: transformers is not installed.
        ModelLoadError: the folder contains no VieNeu model, or compilation failed.
        DeviceMemoryError: the device has too little memory.
    """

    def __init__(
        self,
        path: Path,
        settings: CodeModelSettings,
        device: TorchDevice,
        *,
        batch: int = 1,
        compiled: bool = False,
    ) -> None:
        self._path = path
        self._device = device
        self._settings = settings
        self._n_together = batch
        if settings.threads:
            device.torch.set_num_threads(settings.threads)
        encode, self._model, vocabulary = load_folder(path, device)
        self._prompts = PromptWriter.of(encode, vocabulary, settings, self._likelihood)
        self._sampling = with_own(settings.sampling, self._model, path)
        self._batch = Batch(self._model, device, Drawer(device, vocabulary, self._sampling))
        self._rows: dict[CodePrompt, Row] = {}
        """Sentences in progress, or complete and not requested yet."""
        self._joined = False
        self._upcoming: tuple[CodePrompt, ...] = ()
        if compiled:
            self._compile()

    @property
    def name(self) -> str:
        """Name of the model, for people."""
        return self._path.name

    @property
    def style(self) -> PromptStyle:
        """How it is prompted."""
        return self._prompts.style

    @property
    def emotions(self) -> frozenset[str]:
        """Emotions that its tokenizer has."""
        return self._prompts.emotions

    @property
    def accelerator(self) -> str | None:
        """Name of the device; None means the CPU."""
        return self._device.name

    def codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
        """Yield the codes of a sentence as they are generated; see `CodeModel.codes`.

        Where float16 is too narrow, the rest of the sentence is generated in float32, as all others
        from then on.
        """
        begun = list(prompt.begun)
        while True:
            try:
                for code in self._codes(replace(prompt, begun=tuple(begun)), cancelled):
                    begun.append(code)
                    yield code
            except NotFiniteError:
                if not self._widen():
                    raise
            else:
                return

    def _codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
        row = self._row_of(prompt)
        try:
            while not cancelled():
                if row.made:
                    yield row.made.popleft()
                elif row.error is not None:
                    raise row.error
                elif row.ended:
                    return
                else:
                    self._go_on(row)
        finally:
            self._rows.pop(prompt, None)  # a repeated request starts again

    def prefetch(self, prompts: Sequence[CodePrompt]) -> None:
        """Store the sentences that may be generated beside the current one."""
        self._upcoming = tuple(prompts)

    def prefetch_next(self, abandoned: Callable[[], bool]) -> None:
        """Continue with the other sentences; if all are complete, begin the next ones."""
        while not abandoned():
            with self._guarded():
                if not self._batch.is_active and not self._join():
                    return
                self._batch.step()

    def memory(self) -> EngineMemory:
        """Return the device memory in use."""
        return self._device.memory()

    def close(self) -> None:
        """Release the model."""
        self._rows.clear()
        del self._batch, self._model
        self._device.release()

    def _likelihood(self, before: list[int], tokens: list[int]) -> float:
        """Return the mean log-likelihood of tokens after others."""
        found = log_likelihood(self._model, self._device, before, tokens)
        if isfinite(found) or not self._widen():
            return found
        return log_likelihood(self._model, self._device, before, tokens)

    def _widen(self) -> bool:
        """Compute in float32 from now on; return False where nothing would change.

        Raises:
            DeviceMemoryError: that has no room.
        """
        if self._model.dtype is not self._device.torch.float16:
            return False
        try:
            with self._device.guarded():
                self._model.float()
        except BaseException:
            self._model.half()  # a part of it was converted
            raise
        _LOGGER.warning("The model %s is too much for float16; it goes on in float32.", self.name)
        return True

    def _compile(self) -> None:
        """Let PyTorch compile the model, which it does at its first use.

        Raises:
            ModelLoadError: compilation failed.
        """
        model = self._model
        model.forward = self._device.torch.compile(model.forward, dynamic=True)
        try:
            with self._guarded():
                self._batch.admit([Row([0], 1, self.name)])
                self._batch.step()
        except RuntimeError as error:
            raise ModelLoadError(
                Translatable(
                    "PyTorch cannot compile the model {name}: {reason}",
                    name=self.name,
                    reason=first_line(error),
                ),
                remedy="Set the option compile to false, or install a C++ compiler.",
            ) from error

    def _row_of(self, prompt: CodePrompt) -> Row:
        """Return the row of a sentence that is in progress, or begin it alone.

        Raises:
            TextTooLongError: it does not fit into the context.
        """
        wanted = {prompt, *self._upcoming} if prompt in self._rows else set()
        for stale in self._rows.keys() - wanted:
            del self._rows[stale]
        with self._guarded():
            self._batch.keep(self._rows.values())
            if prompt not in self._rows:
                row = self._new_row(prompt)
                self._batch.admit([row])
                self._rows[prompt] = row
                self._joined = False
        return self._rows[prompt]

    def _go_on(self, row: Row) -> None:
        is_heard = row.n_made >= FIRST_SOUND
        with self._guarded():
            if self._device.is_accelerator and is_heard and not self._joined:
                self._join()
            self._batch.step()

    def _join(self) -> bool:
        """Begin as many of the next sentences as fit; return whether any was begun."""
        self._joined = True
        room = self._n_together - len(self._rows)
        fresh = (prompt for prompt in dict.fromkeys(self._upcoming) if prompt not in self._rows)
        rows = {}
        for prompt in islice(fresh, max(0, room)):
            try:
                rows[prompt] = self._new_row(prompt)
            except TextTooLongError:
                break  # raised again when the sentence itself is requested
        if rows:
            self._batch.admit(list(rows.values()))
            self._rows |= rows
        return bool(rows)

    def _new_row(self, prompt: CodePrompt) -> Row:
        tokens = self._prompts.tokens(prompt)
        room = room_for_codes(len(tokens), self._settings.n_context)
        n_least = fewest_codes(prompt, self._sampling, room)
        return Row(tokens, min(room, most_codes(prompt)), self.name, n_least)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Translate errors; after a failure, discard all rows.

        Raises:
            DeviceMemoryError: the device has too little memory.
        """
        try:
            with self._device.guarded():
                yield
        except TextTooLongError:
            raise  # before anything was done
        except BaseException as error:
            self._rows.clear()
            self._batch.clear()
            if isinstance(error, DeviceMemoryError):
                self._n_together = max(1, self._n_together // 2)
            raise
