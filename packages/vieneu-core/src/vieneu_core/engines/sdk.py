"""The engine ``sdk``: the official package of https://github.com/pnnbao97/VieNeu-TTS, wrapped.

What it passes over in silence gets a name here:

* no audio, or an empty array, for a text that it cannot read: `EmptyTextError`, found by reading
  the text first, or `SynthesisFailedError`;
* a voice file that is missing or broken, of which it only warns: `ModelLoadError`, as there is no
  voice then;
* a watermarker that does not load, after which its audio carries none: it is never asked for one,
  the worker marks the audio itself;
* samples that are no numbers: `SynthesisFailedError`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.audio.floats import pcm_of_floats
from vieneu_core.engines.base import EngineInfo, EngineMemory, LoadProgress, Utterance
from vieneu_core.engines.code_options import parse_options
from vieneu_core.errors import (
    DeviceMemoryError,
    MissingExtraError,
    ModelLoadError,
    SynthesisFailedError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.voices import Voice

NAME = "sdk"
_MOST_CLIPS = 16
_GB = 1e9


class SdkMode(StrEnum):
    """The SDK's own modes."""

    V3_TURBO = "v3turbo"
    """48 kHz; ONNX on a CPU, PyTorch on a GPU."""
    V3_NANO = "v3nano"
    """24 kHz, for weak CPUs."""
    STANDARD = "standard"
    FAST = "fast"
    """LMDeploy, on a GPU."""
    TURBO = "turbo"


_V3 = (SdkMode.V3_TURBO, SdkMode.V3_NANO)


class SdkOptions(BaseModel):
    """What can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_enum_values=False)

    mode: SdkMode = Field(
        default=SdkMode.V3_TURBO, description="v3turbo, v3nano, standard, fast or turbo"
    )
    model: str | None = Field(default=None, description="a repository or an absolute path")
    """None is the SDK's own default for the mode."""
    voice: str | None = Field(default=None, description="the id of a voice")
    """Spoken with by default; None is the SDK's own default."""
    offline: bool = Field(default=False, description="true or false")
    cache: Path | None = Field(default=None, description="the path of a folder")
    """A cache in the hub's layout; None is the usual place."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict, description="key: value lines")
    """Handed to the SDK's constructor as they are, for example ``device`` or ``precision``."""
    speaking: dict[str, JsonValue] = Field(default_factory=dict, description="key: value lines")
    """Handed on with each sentence, for example ``temperature``."""


class SdkEngine:
    """The official SDK as an engine."""

    def __init__(self, options: SdkOptions) -> None:
        self._options = options
        self._sdk: Any = None
        self._voices: tuple[Voice, ...] = ()
        self._clips: OrderedDict[str, Any] = OrderedDict()
        self._normalize: Callable[[str], str] = str

    def load(self, progress: Callable[[LoadProgress], None]) -> EngineInfo:
        """Load the SDK and its model.

        Raises:
            MissingExtraError: the package is not installed.
            ModelLoadError: the SDK does not start, or has no voices.
            DeviceMemoryError: the model does not fit.
        """
        options = self._options
        progress(LoadProgress(f"Loading the VieNeu SDK, {options.mode}"))
        self._normalize = _normalizer()
        with _named("The SDK does not load its model", ModelLoadError):
            self._sdk = _make(options)
        self._voices = _voices_of(self._sdk, options.voice)
        model = options.model or f"VieNeu {options.mode}"
        return EngineInfo(
            engine=NAME,
            model=Path(model).name if model.startswith("/") else model,
            sample_rate_hz=int(self._sdk.sample_rate),
            voices=self._voices,
            clones=True,
            accelerator=_accelerator(self._sdk),
        )

    def synthesize(self, utterance: Utterance, cancelled: Callable[[], bool]) -> Iterator[bytes]:
        """Yield the samples of a sentence as the SDK makes them.

        Raises:
            EmptyTextError: nothing in it can be pronounced.
            VoiceNotFoundError: the voice is none of the SDK's.
            SynthesisFailedError, DeviceMemoryError: the SDK failed, or gave no audio.
        """
        text = self._normalize(utterance.text)
        given = self._voice(utterance)
        heard = False
        with _named("The SDK failed", SynthesisFailedError):
            pieces = self._sdk.infer_stream(
                text, apply_watermark=False, **given, **self._options.speaking
            )
            with contextlib.closing(pieces):
                for samples in pieces:
                    if cancelled():
                        return
                    if samples is not None and len(samples):
                        heard = True
                        yield pcm_of_floats(samples)
        if not heard:
            raise SynthesisFailedError("The SDK gave no audio for a sentence.")

    def memory(self) -> EngineMemory:
        """Measure the GPU memory in use, where the SDK runs on one."""
        if _accelerator(self._sdk) is None:
            return EngineMemory()
        free, total = import_module("torch").cuda.mem_get_info()
        return EngineMemory(gpu_used_gb=(total - free) / _GB, gpu_total_gb=total / _GB)

    def _voice(self, utterance: Utterance) -> dict[str, Any]:
        """Return how the SDK is told which voice to speak with."""
        if utterance.reference is not None:
            return self._clip(utterance.reference)
        wanted = utterance.voice.id if utterance.voice is not None else ""
        if wanted not in {voice.id for voice in self._voices}:
            known = ", ".join(voice.id for voice in self._voices)
            raise VoiceNotFoundError(f"The SDK has no voice {wanted!r}. It has: {known}.")
        if self._options.mode in _V3:
            return {"voice": wanted}
        return {"voice": self._sdk.get_preset_voice(wanted)}

    def _clip(self, clip: ReferenceAudio) -> dict[str, Any]:
        """Have a clip enrolled, once."""
        key = hashlib.sha256(clip.pcm).hexdigest()
        if key not in self._clips:
            while len(self._clips) >= _MOST_CLIPS:
                self._clips.popitem(last=False)
            with _wav_of(clip) as path, _named("The SDK cannot use the clip", SynthesisFailedError):
                self._clips[key] = self._enrolled(path, clip.transcript)
        return {"voice": self._clips[key]}

    def _enrolled(self, path: str, transcript: str) -> dict[str, Any]:
        if self._options.mode in _V3:
            embedding, codes = self._sdk.encode_reference(path, denoise=False)
            return {"speaker_emb": embedding, "codes": codes}
        return {"codes": self._sdk.encode_reference(path), "text": transcript}


def create(options: Mapping[str, object]) -> SdkEngine:
    """Make the engine; nothing is loaded yet.

    Raises:
        ModelLoadError: an option is wrong.
    """
    return SdkEngine(parse_options(SdkOptions, NAME, options))


def _make(options: SdkOptions) -> Any:
    """Start the SDK; its hub reads the environment when it is imported."""
    if options.offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    if options.cache is not None:
        os.environ["HF_HUB_CACHE"] = str(options.cache.expanduser())
    try:
        start = import_module("vieneu").Vieneu
    except ImportError as error:
        raise MissingExtraError("The engine sdk", "sdk") from error
    arguments = dict(options.arguments)
    if options.model is not None:
        arguments.setdefault("backbone_repo", options.model)
        if options.mode is SdkMode.V3_TURBO and options.model.startswith("/"):
            arguments.setdefault("onnx_dir", options.model)
    return start(mode=options.mode.value, **arguments)


def _voices_of(sdk: Any, default: str | None) -> tuple[Voice, ...]:
    listed = [(str(name), str(label)) for label, name in sdk.list_preset_voices()]
    if not listed:
        raise ModelLoadError(
            "The SDK found no voices for its model.",
            remedy="Name a model that brings its voices.json, or check the network.",
        )
    chosen = default or getattr(sdk, "_default_voice", None) or listed[0][0]
    if chosen not in dict(listed):
        known = ", ".join(name for name, _ in listed)
        raise ModelLoadError(
            f"The SDK has no voice {chosen!r} to speak with by default.",
            remedy=f"Choose one of: {known}.",
        )
    listed.sort(key=lambda voice: voice[0] != chosen)
    return tuple(Voice(id=name, name=label, language="vi") for name, label in listed)


def _accelerator(sdk: Any) -> str | None:
    device = getattr(getattr(sdk, "engine", None), "device", None)
    if getattr(device, "type", "cpu") != "cuda":
        return None
    return str(import_module("torch").cuda.get_device_name())


def _normalizer() -> Callable[[str], str]:
    from vieneu_core.text.normalize import Normalizer

    return Normalizer()


@contextlib.contextmanager
def _wav_of(clip: ReferenceAudio) -> Iterator[str]:
    """Lend the clip as a file that only this user can read."""
    encoder = Encoder(AudioFormat.WAV, clip.sample_rate_hz)
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(encoder.encode(clip.pcm) + encoder.finish())
        file.flush()
        yield file.name


@contextlib.contextmanager
def _named(what: str, kind: type[ModelLoadError | SynthesisFailedError]) -> Iterator[None]:
    """Give what the SDK raises a name of ours.

    Raises:
        DeviceMemoryError: the device is full.
        ModelLoadError, SynthesisFailedError: as ``kind`` says.
    """
    try:
        yield
    except (DeviceMemoryError, MissingExtraError, ModelLoadError, SynthesisFailedError):
        raise
    except Exception as error:
        # The SDK has no errors of its own: it passes on what its many libraries raise.
        told = (str(error).splitlines() or [""])[0][:200]
        if isinstance(error, MemoryError) or "out of memory" in told.lower():
            raise DeviceMemoryError("The SDK ran out of memory.") from error
        raise kind(f"{what}: {type(error).__name__}: {told}") from error
