"""Backend for an engine on this machine, whichever engine it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from importlib import import_module

from vieneu_core.arguments import expect, expect_optional
from vieneu_core.audio.listener import Listener
from vieneu_core.audio.pcm import AudioChunk, Speaker
from vieneu_core.audio.sanity_check import SpeechCheck
from vieneu_core.backends.base import Backend, BackendState, Health
from vieneu_core.backends.engine_pace import EnginePace
from vieneu_core.backends.lifetime import Lifetime
from vieneu_core.backends.local_voices import LocalVoices
from vieneu_core.backends.local_watermark import is_marked
from vieneu_core.backends.request_queue import RequestQueue
from vieneu_core.backends.sentence_retry import recovering
from vieneu_core.backends.standby import Standby
from vieneu_core.backends.unsayable import SilentStart
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.engines.base import EngineInfo, SpokenBy, Utterance
from vieneu_core.errors import (
    BackendError,
    EmptyTextError,
    WatermarkUnavailableError,
)
from vieneu_core.synthesis import SynthesisRequest, check_request
from vieneu_core.text.passages import with_upcoming
from vieneu_core.translatable import Translatable
from vieneu_core.voices import Voice
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.worker.client import WorkerClient
from vieneu_core.worker.spec import EngineSpec, RestartPolicy, WorkerState, WorkerTimes

REFERENCE_VOICE = "reference"
"""`Speaker.voice` of speech cloned from reference audio."""

_LOGGER = logging.getLogger(__name__)

_STATES = {
    WorkerState.STOPPED: BackendState.UNLOADED,
    WorkerState.LOADING: BackendState.LOADING,
    WorkerState.RESTARTING: BackendState.LOADING,
    WorkerState.READY: BackendState.READY,
    WorkerState.FAILED: BackendState.FAILED,
}


class LocalBackend(Backend):
    """Speaks with an engine that runs in a worker process on this machine.

    The process starts with `load` and ends with `unload`, which gives back all of its memory.
    A worker that dies is restarted automatically. Any number of requests may be streamed at once:
    their sentences take turns, and the next is that of the listener who runs out of audio first.

    With ``on_demand`` the process starts with the first request, or a moment after `load`.

    ``default_voice`` speaks requests that name no voice. If there is no such voice, the
    engine's own default speaks, and `Health.missing_voice` contains the id.

    With ``recovers`` a sentence in which the engine fails is spoken again, after its worker was
    restarted if need be: for a backend that nobody takes over from. Not where the request says that
    it is `SynthesisRequest.replaceable`.

    Raises:
        ConfigurationError: an argument has the wrong type.
    """

    def __init__(  # noqa: PLR0913 - each but the first has a default
        self,
        engine: EngineSpec | str,
        *,
        name: str = "local",
        clock: Clock | None = None,
        restart: RestartPolicy | None = None,
        times: WorkerTimes | None = None,
        voices: VoiceCatalogue | None = None,
        default_voice: str | None = None,
        watermark_required: bool = True,
        recovers: bool = False,
        on_demand: bool = False,
    ) -> None:
        expect("engine", engine, (EngineSpec, str), "the name of an engine, or an EngineSpec")
        expect("name", name, str, "a string")
        expect_optional("clock", clock, Clock, "a Clock")
        expect_optional("restart", restart, RestartPolicy, "a RestartPolicy")
        expect_optional("times", times, WorkerTimes, "WorkerTimes")
        expect_optional("voices", voices, VoiceCatalogue, "a VoiceCatalogue")
        expect_optional("default_voice", default_voice, str, "the id of a voice")
        expect("watermark_required", watermark_required, bool, "True or False")
        expect("recovers", recovers, bool, "True or False")
        expect("on_demand", on_demand, bool, "True or False")
        self._name = name
        self._lifetime = Lifetime(Translatable("The backend {name}", name=name), backend=name)
        self._voices = LocalVoices(voices, default_voice)
        self._watermark_required = watermark_required
        self._recovers = recovers
        # The check of each sentence, and its length: imports that would block the event loop.
        self._needs = ("numpy", "vieneu_core.text.said_length") if recovers else ("numpy",)
        self._pace = EnginePace()
        self._clock = SystemClock() if clock is None else clock
        self._on_demand = on_demand
        self._standby = Standby(self._start, self._clock)
        self._worker = WorkerClient(
            EngineSpec(engine) if isinstance(engine, str) else engine,
            clock=self._clock,
            restart=RestartPolicy() if restart is None else restart,
            times=WorkerTimes() if times is None else times,
        )
        self._queue = RequestQueue(name)

    @property
    def name(self) -> str:
        """Name of the backend."""
        return self._name

    @property
    def worker_pid(self) -> int | None:
        """Id of the worker process; None if there is none."""
        return self._worker.pid

    @property
    def worker_rss_bytes(self) -> int | None:
        """Resident memory of the worker after its last sentence; None if it is unknown."""
        memory = self._worker.memory
        return memory.rss_bytes or None if memory is not None else None

    async def load(self) -> None:
        """Start the worker and load its engine; ``on_demand`` do so later.

        Raises:
            EngineError: the engine cannot be loaded.
            BackendNotLoadedError: `unload` was called meanwhile, or `aclose` before.
        """
        self._lifetime.require_open()
        if self._on_demand:
            self._standby.begin()
        else:
            await self._start()

    async def _start(self) -> None:
        try:
            imports = (asyncio.to_thread(import_module, name) for name in self._needs)
            await asyncio.gather(self._worker.start(), *imports)
        except BackendError as error:
            error.backend = self.name
            raise

    async def unload(self) -> None:
        """End the worker process. A running stream raises `BackendNotLoadedError`."""
        self._lifetime.use()
        await self._stop()

    async def aclose(self) -> None:
        """Unload permanently."""
        self._lifetime.close()
        await self._stop()

    async def _engine(self, *, patient: bool = False) -> EngineInfo:
        if self._standby.begun and self._worker.info is None:
            await self._start()
        try:
            return await self._worker.ready(patient=patient)
        except BackendError as error:
            error.backend = self.name
            raise

    async def _stop(self) -> None:
        await self._standby.end()
        await self._worker.stop()

    async def health(self) -> Health:
        """Return the state of the worker. Never fails, and returns at once."""
        info, memory = self._worker.info, self._worker.memory
        asleep = self._standby.begun and self._worker.state is WorkerState.STOPPED
        return Health(
            state=BackendState.READY if asleep else _STATES[self._worker.state],
            engine=None if info is None else info.engine,
            model=None if info is None else info.model,
            accelerator=None if info is None else info.accelerator,
            clones=info is not None and info.clones,
            missing_voice=None if info is None else await self._voices.missing_default(info),
            queue_depth=self._queue.depth,
            latency_ms=0.0,
            gpu_memory_used_gb=None if memory is None else memory.gpu_used_gb,
            gpu_memory_total_gb=None if memory is None else memory.gpu_total_gb,
            uptime_s=self._worker.uptime_s,
            loading=self._worker.progress,
            worker_restarts=self._worker.n_restarts,
        )

    async def voices(self) -> tuple[Voice, ...]:
        """List the engine's voices, the default one first, then custom voices if the engine clones.

        Raises:
            BackendError: the engine is not loaded.
        """
        self._lifetime.require_open()
        return await self._voices.all(await self._engine())

    async def stream(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request; see `Backend.stream`.

        Raises:
            RequestError: the engine cannot speak this request.
            UnpronounceableError: the engine cannot pronounce any of its sentences.
            WorkerDiedError: the worker process died during synthesis.
            BadAudioError: the engine's audio cannot be the speech of the sentence.
            BackendError: the engine failed, is not loaded, or does not respond.
        """
        check_request(request)
        self._lifetime.require_open()
        with self._queue.accepted():
            start = SilentStart()
            async with aclosing(self._sentences(request)) as chunks:
                async for chunk in chunks:
                    for passed in start.add(chunk):
                        yield passed
            start.finish()

    async def _sentences(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        recovers = self._recovers and not request.replaceable
        ready = partial(self._engine, patient=recovers)
        info = await ready()
        marked = is_marked(request, info, required=self._watermark_required)
        chosen = await self._voices.choose(request, info)
        listener, index = self._worker.listener(), 0
        async with aclosing(with_upcoming(request.text, clock=self._clock)) as texts:
            async for text, upcoming in texts:
                utterance = Utterance(
                    text=text,
                    voice=chosen.voice,
                    reference=chosen.reference,
                    watermark=marked,
                    upcoming=upcoming,
                )
                speak = partial(self._sentence, request, utterance, listener, index)
                if recovers:
                    pace = self._pace.of_sentence(utterance, request, info)
                    speech = recovering(speak, ready, listener, self._clock, pace)
                else:
                    speech = speak()
                async with aclosing(speech) as chunks:
                    async for chunk in chunks:
                        yield chunk
                index += 1

    async def _sentence(
        self, request: SynthesisRequest, utterance: Utterance, listener: Listener, index: int
    ) -> AsyncGenerator[AudioChunk, None]:
        """Speak a sentence; without a watermark if none can be made and it is not required.

        That is known before the first audio, because a sentence is watermarked as a whole. So is
        that the engine cannot pronounce it: then it ends without samples.
        """
        info = await self._worker.ready()
        rate = info.sample_rate_hz
        spoken = False
        while not spoken:
            speaker = self._speaker(info, utterance)
            check = SpeechCheck(utterance.text, speed=request.speed, sample_rate_hz=rate)
            try:
                speech = self._worker.speak(utterance, speed=request.speed, listener=listener)
                async with aclosing(speech) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, SpokenBy):
                            speaker = piece.named(speaker)
                            continue
                        # Empty chunks are passed on too: they show that the engine works.
                        pcm, waiting = piece or b"", piece is None
                        check.add(pcm)
                        yield AudioChunk(pcm, rate, index, speaker, waiting=waiting)
                check.finish()
                spoken = True
            except EmptyTextError:  # it has no letter that this engine can pronounce
                spoken = True
            except WatermarkUnavailableError as error:
                if self._watermark_required or not utterance.watermark:
                    raise
                _LOGGER.warning("%s It is spoken without a watermark.", error.detail)
                utterance = replace(utterance, watermark=False)
        yield AudioChunk(b"", rate, index, speaker, final=True)

    def _speaker(self, info: EngineInfo, utterance: Utterance) -> Speaker:
        return Speaker(
            backend=self.name,
            engine=info.engine,
            voice=REFERENCE_VOICE if utterance.voice is None else utterance.voice.id,
            watermarked=utterance.watermark,
            model=info.model,
        )
