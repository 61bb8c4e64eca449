"""A VieNeu model on PyTorch, by transformers: GPU, or CPU. Sentences that are known go together.

A batch is what a GPU is good at: eight sentences cost hardly more time than one. The first sentence
of a batch is handed out code by code as it comes; the others are ready, or nearly, when it is their
turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from vieneu_core.engines.base import EngineMemory
from vieneu_core.engines.code_model import CodeModelSettings, CodePrompt, Sampling
from vieneu_core.engines.limits import most_codes, room_for_codes
from vieneu_core.engines.prompt import PromptWriter, SpeechVocabulary
from vieneu_core.engines.torch_device import TorchDevice, quiet
from vieneu_core.errors import (
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    TextTooLongError,
)

_NEEDED = ("config.json", "tokenizer.json")
_ARCHITECTURES = ("Qwen2ForCausalLM", "Qwen3ForCausalLM", "LlamaForCausalLM")


class TorchModel:
    """A model in the layout of transformers.

    Args:
        path: Its folder. Nothing is fetched.
        settings: How it is run.
        device: Where.
        batch: Sentences that are made at once, at most.
        compiled: Whether to compile it first, which takes a minute and pays on a GPU.

    Raises:
        MissingExtraError: transformers is not installed.
        ModelLoadError: the folder holds no VieNeu model.
        DeviceMemoryError: it does not fit.
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
        self._batch = batch
        if settings.threads:
            device.torch.set_num_threads(settings.threads)
        tokenizer, self._model = _load(path, device)
        if compiled:
            self._model.forward = device.torch.compile(self._model.forward, dynamic=True)
        self._vocabulary = SpeechVocabulary.of(_encoder(tokenizer))
        self._prompts = PromptWriter.of(_encoder(tokenizer), self._vocabulary, settings)
        self._draw = _Drawer(device.torch, self._vocabulary, settings.sampling, device.kind)
        self._upcoming: tuple[CodePrompt, ...] = ()
        self._running: _Batch | None = None

    @property
    def name(self) -> str:
        """Which model, for people."""
        return self._path.name

    @property
    def accelerator(self) -> str | None:
        """Name of the device; None is the CPU."""
        return self._device.name

    def codes(self, prompt: CodePrompt, cancelled: Callable[[], bool]) -> Iterator[int]:
        """Yield the codes of a sentence as they come; see `CodeModel.codes`."""
        if self._running is None or prompt not in self._running.rows:
            self._running = self._start(prompt)
        running = self._running
        try:
            yield from self._codes_of(running, running.rows[prompt], cancelled)
        finally:
            del running.rows[prompt]  # asked for again, it begins anew

    def foresee(self, prompts: Sequence[CodePrompt]) -> None:
        """Learn which sentences may go into the next batch."""
        self._upcoming = tuple(prompts)

    def get_ahead(self, abandoned: Callable[[], bool]) -> None:
        """Go on with the other sentences of the batch."""
        running = self._running
        while running is not None and running.is_active and not abandoned():
            with self._device.guarded():
                running.step()

    def memory(self) -> EngineMemory:
        """Measure the device memory in use."""
        return self._device.memory()

    def close(self) -> None:
        """Give back what the model took."""
        self._running = self._model = None
        self._device.release()

    def _codes_of(self, running: _Batch, row: _Row, cancelled: Callable[[], bool]) -> Iterator[int]:
        while not cancelled():
            if row.made:
                yield row.made.popleft()
            elif row.error is not None:
                raise row.error
            elif row.ended:
                return
            else:
                with self._device.guarded():
                    running.step()

    def _start(self, prompt: CodePrompt) -> _Batch:
        """Evaluate a prompt, together with those that come next.

        Raises:
            TextTooLongError: the prompt does not fit into the context.
        """
        rows = {prompt: self._row(prompt)}
        for other in self._upcoming[: self._batch - 1]:
            try:
                rows.setdefault(other, self._row(other))
            except TextTooLongError:
                break  # it is told when its turn comes
        with self._device.guarded():
            return _Batch(self._model, self._device, rows, self._draw)

    def _row(self, prompt: CodePrompt) -> _Row:
        tokens = self._prompts.tokens(prompt)
        room = room_for_codes(len(tokens), self._settings.n_context)
        return _Row(tokens, min(room, most_codes(prompt)), self.name)


class _Row:
    """One sentence of a batch."""

    def __init__(self, tokens: list[int], n_most: int, model: str) -> None:
        self.tokens = tokens
        self.made: deque[int] = deque()
        self.ended = False
        self.error: SynthesisFailedError | None = None
        self._left = n_most
        self._model = model

    def take(self, code: int | None) -> None:
        """Take the next code; None is the end."""
        if self.ended:
            return
        if code is None:
            self.ended = True
            return
        self.made.append(code)
        self._left -= 1
        if self._left == 0:
            self.ended = True
            self.error = SynthesisFailedError(f"The model {self._model} did not end a sentence.")


class _Batch:
    """Sentences that are made step by step, one code of each at a time."""

    def __init__(
        self, model: Any, device: TorchDevice, rows: dict[CodePrompt, _Row], draw: _Drawer
    ) -> None:
        self.rows = rows
        self._order = list(rows.values())
        self._model = model
        self._torch = device.torch
        self._kind = device.kind
        self._draw = draw
        longest = max(len(row.tokens) for row in self._order)
        # Padded on the left, so that all prompts end at the same place; the mask hides the rest.
        padded = [[0] * (longest - len(row.tokens)) + row.tokens for row in self._order]
        hidden = [[0] * (longest - len(row.tokens)) + [1] * len(row.tokens) for row in self._order]
        self._mask = self._tensor(hidden)
        # transformers 5 calls it cache, those before it past_key_values.
        takes = signature(model.forward).parameters
        name = "cache" if "cache" in takes else "past_key_values"
        self._past = {name: import_module("transformers").DynamicCache()}
        self._next = self._tensor(padded)
        self._positions = (self._mask.cumsum(-1) - 1).clamp(min=0)

    @property
    def is_active(self) -> bool:
        """Whether a sentence is not yet whole."""
        return any(not row.ended for row in self.rows.values())

    def step(self) -> None:
        """Make the next code of each sentence."""
        out = self._model(
            input_ids=self._next,
            attention_mask=self._mask,
            position_ids=self._positions,
            use_cache=True,
            logits_to_keep=1,
            **self._past,
        )
        tokens = self._draw(out.logits[:, -1])
        for row, token in zip(self._order, tokens.tolist(), strict=True):
            row.take(self._draw.code(token))
        self._next = tokens[:, None]
        self._positions = self._positions[:, -1:] + 1
        self._mask = self._torch.cat([self._mask, self._torch.ones_like(tokens)[:, None]], dim=1)

    def _tensor(self, rows: list[list[int]]) -> Any:
        return self._torch.tensor(rows, dtype=self._torch.long, device=self._kind)


class _Drawer:
    """Draws the next token of each row, on the device: a speech code, or the end."""

    def __init__(
        self, torch: Any, vocabulary: SpeechVocabulary, sampling: Sampling, kind: str
    ) -> None:
        self._torch = torch
        self._vocabulary = vocabulary
        self._sampling = sampling
        self._random = torch.Generator(device=kind)
        if sampling.seed is not None:
            self._random.manual_seed(sampling.seed)
        else:
            self._random.seed()

    def code(self, token: int) -> int | None:
        """Return the code of a token; None is the end."""
        return self._vocabulary.code(token)

    def __call__(self, logits: Any) -> Any:
        """Return a token for each row of logits, shape (n_rows,).

        Raises:
            SynthesisFailedError: the logits are no numbers.
        """
        torch, speech = self._torch, self._vocabulary
        codes = logits[:, speech.first_code : speech.first_code + speech.n_codes].float()
        choices = torch.cat([codes, logits[:, speech.end : speech.end + 1].float()], dim=1)
        if not torch.isfinite(choices.amax(dim=1)).all():
            raise SynthesisFailedError("The model's output is not made of numbers.")
        if self._sampling.temperature == 0.0:
            chosen = choices.argmax(dim=1)
        else:
            best, places = choices.topk(min(self._sampling.top_k, choices.shape[1]), dim=1)
            odds = torch.softmax(best / self._sampling.temperature, dim=1)
            drawn = torch.multinomial(odds, 1, generator=self._random)
            chosen = places.gather(1, drawn)[:, 0]
        return torch.where(chosen == speech.n_codes, speech.end, chosen + speech.first_code)


def _load(path: Path, device: TorchDevice) -> tuple[Any, Any]:
    """Return tokenizer and model of a folder.

    Raises:
        MissingExtraError, ModelLoadError, DeviceMemoryError.
    """
    _check_folder(path)
    try:
        with quiet():
            transformers: Any = import_module("transformers")
    except ImportError as error:
        raise MissingExtraError("The engine pytorch", "torch") from error
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    local = {"local_files_only": True, "trust_remote_code": False}
    with device.guarded(), quiet():
        try:
            config = transformers.AutoConfig.from_pretrained(path, **local)
            _check_architecture(path, config)
            tokenizer = transformers.AutoTokenizer.from_pretrained(path, **local)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                path, config=config, dtype=device.dtype, use_safetensors=True, **local
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unusable(path, _first_line(error)) from error
        except Exception as error:
            # tokenizers raises bare exceptions, and safetensors a class without a home.
            if type(error) is Exception or type(error).__name__ == "SafetensorError":
                raise _unusable(path, _first_line(error)) from error
            raise
        return tokenizer, model.eval().to(device.kind)


def _check_folder(path: Path) -> None:
    if not path.is_dir():
        raise _unusable(path, "It is not a folder.")
    missing = [name for name in _NEEDED if not (path / name).is_file()]
    if not any(path.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        raise _unusable(path, f"It has no {', '.join(missing)}.")


def _check_architecture(path: Path, config: Any) -> None:
    found = (config.architectures or ["none"])[0]
    if found not in _ARCHITECTURES:
        raise _unusable(path, f"It is a {found}; a VieNeu-TTS model is one of {_ARCHITECTURES}.")


def _unusable(path: Path, why: str) -> ModelLoadError:
    return ModelLoadError(
        f"The folder {path} holds no usable model. {why}",
        remedy="Delete it and load again, or name another in the option model.",
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _encoder(tokenizer: Any) -> Callable[[str], list[int]]:
    def encode(text: str) -> list[int]:
        tokens: list[int] = tokenizer.encode(text, add_special_tokens=False)
        return tokens

    return encode
