"""The SDK's preset voices, and voices cloned from clips."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from vieneu_core.audio.encode import AudioFormat, Encoder
from vieneu_core.audio.pcm import floats_of_pcm
from vieneu_core.engines.sdk.error_mapping import capture_warnings, translate_errors
from vieneu_core.engines.sdk.options import SdkMode, SdkOptions
from vieneu_core.engines.sdk.start import Started
from vieneu_core.errors import (
    CloningUnsupportedError,
    ModelLoadError,
    ReferenceAudioError,
    SynthesisFailedError,
    VoiceNotFoundError,
)
from vieneu_core.synthesis import ReferenceAudio
from vieneu_core.text.clean import one_line
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice

MOST_CLIPS = 16
_SHORTEST_S = 1.0
_SILENT_PEAK = 0.001
_STAR = "\N{WHITE MEDIUM STAR}"
"""Prefix of the SDK's recommended voices."""
_TURBO_SIZE = 128
"""Values in a voice of the mode turbo; for another size the SDK would use zeros."""


@dataclass(frozen=True, slots=True)
class SdkVoices:
    """Preset voices of a model."""

    listed: tuple[Voice, ...]
    """Voices, the default one first."""
    names: Mapping[str, str]
    """The SDK's names, by id."""

    @classmethod
    def of(cls, sdk: Any, options: SdkOptions) -> SdkVoices:
        """List the voices.

        Raises:
            ModelLoadError: there are none, or the default voice is missing.
        """
        labels = {str(name): _label(label) for label, name in sdk.list_preset_voices()}
        if not labels:
            raise ModelLoadError(
                "The SDK found no voices for its model.",
                remedy="Name a model that brings its voices.json.",
            )
        if options.mode is SdkMode.TURBO:
            _check_sizes(sdk, labels)
        chosen = _default(sdk, options.voice, labels)
        ordered = sorted(labels, key=lambda name: name != chosen)
        listed = tuple(
            Voice(one_line(name), labels[name] or one_line(name), "vi") for name in ordered
        )
        return cls(listed, {one_line(name): name for name in ordered})

    def name_of(self, sdk: Any, voice: Voice | None) -> str:
        """Return the SDK's name of a voice.

        Raises:
            VoiceNotFoundError: it is not a preset.
        """
        wanted = voice.id if voice is not None else ""
        name = self.names.get(wanted) or _resolved(sdk, wanted)
        if name is None or name not in self.names.values():
            known = ", ".join(voice.id for voice in self.listed)
            raise VoiceNotFoundError(
                Translatable(
                    "The SDK has no voice {wanted!r}. It has: {known}.", wanted=wanted, known=known
                )
            )
        return name


class SdkClips:
    """Voices of clips; each clip is encoded once while it is in use."""

    def __init__(self, started: Started, options: SdkOptions) -> None:
        self._started = started
        self._options = options
        self._kept: OrderedDict[ReferenceAudio, dict[str, Any]] = OrderedDict()

    def of(self, clip: ReferenceAudio) -> dict[str, Any]:
        """Return a clip's voice as the SDK expects it.

        Raises:
            CloningUnsupportedError: files for cloning are missing.
            ReferenceAudioError: the clip contains no speech.
            SynthesisFailedError, DeviceMemoryError: the SDK failed.
        """
        if clip not in self._kept:
            _check_clip(clip)
            self._check_model()
            self._kept[clip] = self._enrolled(clip)
            if len(self._kept) > MOST_CLIPS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(clip)
        return self._kept[clip]

    def _check_model(self) -> None:
        if not self._started.clones:
            raise CloningUnsupportedError(
                Translatable(
                    "The model {model} lacks the encoder that cloning takes.",
                    model=self._started.model,
                )
            )
        if self._options.mode.is_v3 and self._options.denoise and not self._started.denoises:
            raise CloningUnsupportedError(
                Translatable(
                    "The model {model} lacks its denoiser.onnx, or it is broken; the SDK"
                    " would clone the noise too.",
                    model=self._started.model,
                ),
                remedy="Download the model again, or set the option denoise to false.",
            )

    def _enrolled(self, clip: ReferenceAudio) -> dict[str, Any]:
        with (
            _wav_of(clip) as path,
            capture_warnings() as faults,
            translate_errors("The SDK failed to clone a clip", SynthesisFailedError),
        ):
            try:
                voice = self._encoded(path, clip.transcript)
            except ValueError as error:
                # Fault of the clip: too short without its silence, for example.
                raise ReferenceAudioError(
                    Translatable("The SDK cannot use the clip: {error}", error=error)
                ) from error
        if faults:
            raise CloningUnsupportedError(
                Translatable(
                    "The SDK passed over a fault while it cloned: {faults}", faults=faults[0]
                ),
                remedy="Download the model again.",
            )
        return voice

    def _encoded(self, path: str, transcript: str) -> dict[str, Any]:
        sdk = self._started.sdk
        if self._options.mode.is_v3:
            embedding, codes = sdk.encode_reference(path, denoise=self._options.denoise)
            return {"speaker_emb": embedding, "codes": codes}
        return {"codes": sdk.encode_reference(path), "text": transcript}


def _label(label: object) -> str:
    return one_line(str(label).removeprefix(_STAR))


def _default(sdk: Any, wanted: str | None, labels: Mapping[str, str]) -> str:
    own = getattr(sdk, "_default_voice", None)
    chosen = wanted or own or next(iter(labels))
    known = {one_line(name): name for name in labels} | {name: name for name in labels}
    chosen = known.get(chosen) or _resolved(sdk, chosen) or ""
    if chosen not in labels:
        raise ModelLoadError(
            Translatable(
                "The SDK has no voice {wanted!r} to speak with by default.", wanted=wanted or own
            ),
            remedy=Translatable(
                "Set the option voice to one of: {known}.", known=", ".join(map(one_line, labels))
            ),
        )
    return chosen


def _resolved(sdk: Any, name: str) -> str | None:
    """Return the voice that has replaced an old name."""
    resolve = getattr(sdk, "resolve_voice_name", None)
    return None if resolve is None else resolve(name)


def _check_sizes(sdk: Any, names: Mapping[str, str]) -> None:
    for name in names:
        codes = sdk.get_preset_voice(name)["codes"]
        if getattr(codes, "shape", (0,))[-1] != _TURBO_SIZE:
            raise ModelLoadError(
                Translatable(
                    "The voice {voice!r} is not one of the SDK's mode turbo.", voice=one_line(name)
                ),
                remedy="Use the voices.json that belongs to the model.",
            )


def _check_clip(clip: ReferenceAudio) -> None:
    if clip.seconds < _SHORTEST_S:
        raise ReferenceAudioError(
            Translatable("The clip has only {seconds:.2f} s.", seconds=clip.seconds)
        )
    if abs(floats_of_pcm(clip.pcm)).max() < _SILENT_PEAK:
        raise ReferenceAudioError("The clip is silent.")


@contextmanager
def _wav_of(clip: ReferenceAudio) -> Iterator[str]:
    """Yield a temporary file with the clip that only this user can read."""
    encoder = Encoder(AudioFormat.WAV, clip.sample_rate_hz)
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(encoder.encode(clip.pcm) + encoder.finish())
        file.flush()
        yield file.name
