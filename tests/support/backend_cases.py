"""Every kind of backend that the contract suite checks. A new one is one more entry of `CASES`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from guard import GUARD_S
from remote_site import PATIENT
from replicas_here import ReplicasHere
from server_site import TOKEN, serving
from tone_engine import VOICES

from vieneu_colab_server.replicas.backend import ReplicasBackend
from vieneu_core.backends.base import Backend
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.backends.wyoming import WyomingBackend
from vieneu_core.router import Router, RouterPolicy
from vieneu_core.speech_cache import CachedBackend, Chosen, Identity, SpeechCache
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep
from vieneu_core.worker.spec import EngineSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendCase:
    """One kind of backend."""

    name: str
    make: Callable[[float], AbstractAsyncContextManager[Backend]]
    """Makes one that is not loaded, and takes it away. Its argument is the delay before each
    chunk of 0.1 s, in seconds: small, but enough that a test can act in the middle."""
    tones: bool = True
    """Whether its speech is that of `tone_engine.expected`."""


@asynccontextmanager
async def scripted(chunk_delay_s: float) -> AsyncIterator[Backend]:
    backend = ScriptedBackend()
    backend.always = ScriptStep(chunk_delay_s=chunk_delay_s)
    try:
        yield backend
    finally:
        await backend.aclose()


@asynccontextmanager
async def measured_scripted(chunk_delay_s: float) -> AsyncIterator[Backend]:
    # Here, so that the other kinds need none of these packages.
    from prometheus_client import CollectorRegistry

    from vieneu_colab_server.relay.metrics.measured_backend import MeasuredBackend
    from vieneu_colab_server.relay.metrics.speech_metrics import SpeechMetrics

    async with scripted(chunk_delay_s) as backend:
        yield MeasuredBackend(backend, SpeechMetrics(CollectorRegistry()))


@asynccontextmanager
async def local_tone(chunk_delay_s: float) -> AsyncIterator[Backend]:
    backend = LocalBackend(EngineSpec("tone_engine:create", {"chunk_delay_s": chunk_delay_s}))
    try:
        yield backend
    finally:
        await backend.aclose()


@asynccontextmanager
async def local_espeak(chunk_delay_s: float) -> AsyncIterator[Backend]:
    del chunk_delay_s  # it is as fast as it is
    backend = LocalBackend("espeak", name="last_resort")
    try:
        yield backend
    finally:
        await backend.aclose()


@asynccontextmanager
async def remote_tone(chunk_delay_s: float) -> AsyncIterator[Backend]:
    async with (
        local_tone(chunk_delay_s) as spoken,
        serving(spoken, requests_per_minute=10**6, health_checks_per_minute=10**6) as server,
    ):
        remote = RemoteBackend(server.url, TOKEN, timeouts=PATIENT)
        try:
            yield remote
        finally:
            await remote.aclose()


@asynccontextmanager
async def router_tone(chunk_delay_s: float) -> AsyncIterator[Backend]:
    async with local_tone(chunk_delay_s) as spoken:
        router = Router(local=spoken, policy=RouterPolicy(retry_for_s=0.0))
        try:
            yield router
        finally:
            await router.aclose()


@asynccontextmanager
async def cached_tone(chunk_delay_s: float) -> AsyncIterator[Backend]:
    identity = Identity(engine="tone", model="sine", version="1.0")
    with TemporaryDirectory() as folder:
        cache = SpeechCache(Path(folder) / "speech", max_bytes=10_000_000)
        async with local_tone(chunk_delay_s) as spoken:
            chosen = Chosen(name=spoken.name, identity=identity)
            # The first watermark may take long on a busy machine.
            policy = RouterPolicy(retry_for_s=0.0, stall_s=GUARD_S)
            router = Router(local=spoken, policy=policy)
            cached = CachedBackend(router, cache, chosen=lambda: chosen)
            try:
                yield cached
            finally:
                await cached.aclose()


@asynccontextmanager
async def wyoming_tone(chunk_delay_s: float) -> AsyncIterator[Backend]:
    del chunk_delay_s  # its server sends as fast as it can
    from wyoming_voice import wyoming_voice  # here: the other kinds need no such package

    voices = {voice.id: [voice.language] for voice in VOICES}
    async with wyoming_voice(voices=voices) as site:
        backend = WyomingBackend(site.url)
        try:
            yield backend
        finally:
            await backend.aclose()


@asynccontextmanager
async def replicas_tone(chunk_delay_s: float) -> AsyncIterator[Backend]:
    async with ReplicasHere({"chunk_delay_s": chunk_delay_s}) as replicas:
        backend = ReplicasBackend(replicas)
        try:
            yield backend
        finally:
            await backend.aclose()


CASES = (
    BackendCase(name="scripted", make=scripted),
    BackendCase(name="measured-scripted", make=measured_scripted),
    BackendCase(name="local-tone", make=local_tone),
    BackendCase(name="remote-tone", make=remote_tone),
    BackendCase(name="router-tone", make=router_tone),
    BackendCase(name="cached-tone", make=cached_tone),
    BackendCase(name="wyoming-tone", make=wyoming_tone),
    BackendCase(name="local-espeak", make=local_espeak, tones=False),
    BackendCase(name="replicas-tone", make=replicas_tone),
)
