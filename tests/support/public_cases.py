"""Each public name with right arguments, and how what it makes is used."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wrong_values import CHUNK, SPEAKER, drained

from vieneu_core import (
    AudioChunk,
    BackendState,
    BackendStatus,
    CacheSettings,
    ColabSettings,
    EngineSpec,
    ErrorReport,
    FailedBack,
    FailedOver,
    FallbackSettings,
    Health,
    LocalBackend,
    LocalSettings,
    QuotaSettings,
    ReferenceAudio,
    RemoteBackend,
    RemoteTimeouts,
    Router,
    RouterPolicy,
    RouterStatus,
    ScriptedBackend,
    Settings,
    Speaker,
    Speech,
    SynthesisRequest,
    VieneuError,
    Voice,
    build_cached,
    build_router,
    collect,
    encode_stream,
    load_settings,
    save_settings,
    synthesize,
    write_file,
)
from vieneu_core.backends.remote import RetryPolicy
from vieneu_core.router import BreakerPolicy, CircuitState, Mode, SessionPolicy
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.worker.spec import RestartPolicy, WorkerTimes

REPORT = ErrorReport(code="c", title="t", detail="d", remedy="r")
HEALTH = Health(state=BackendState.READY)
STATUS = BackendStatus(
    name="local", state=BackendState.READY, circuit=CircuitState.CLOSED, health=HEALTH,
    last_error=None, checked_s_ago=1.0,
)  # fmt: skip


async def stream() -> AsyncIterator[AudioChunk]:
    yield CHUNK


@dataclass(frozen=True)
class Case:
    """One public thing with arguments that are right, and what is done with the result."""

    call: Callable[..., Any]
    right: Mapping[str, Callable[[], object]]
    use: Callable[[Any], object] = repr

    @property
    def name(self) -> str:
        return getattr(self.call, "__qualname__", str(self.call))


def is_(value: object) -> Callable[[], object]:
    return lambda: value


def use_chunk(chunk: AudioChunk) -> None:
    repr((chunk, chunk.n_samples, chunk.seconds, chunk.samples))


def use_speech(speech: Speech) -> None:
    repr((speech, speech.pcm, speech.seconds, speech.speakers, speech.fallback, speech.wav()))


async def use_request(request: SynthesisRequest) -> None:
    async with ScriptedBackend() as backend:
        await synthesize(backend, request)


async def use_router(router: Router) -> None:
    async with router:
        await synthesize(router, "Xin chào.")
        router.status().to_json()


async def use_scripted(backend: ScriptedBackend) -> None:
    async with backend:
        await backend.health()
        await synthesize(backend, "Xin chào.")


def use_status(status: RouterStatus) -> None:
    repr((status, status.backend("local"), status.to_json()))


def use_settings(settings: Settings) -> None:
    repr((settings, settings.mode, build_router(settings)))


def use_error(error: VieneuError) -> None:
    repr((error, str(error), error.code))


CASES = [
    Case(
        Speaker,
        {"backend": is_("a"), "engine": is_("a"), "voice": is_("a"), "fallback": is_(True),
         "model": is_("a"), "cached": is_(True)},
    ),
    Case(
        AudioChunk,
        {
            "pcm": is_(b"ab"), "sample_rate_hz": is_(8_000), "sentence": is_(0),
            "speaker": is_(SPEAKER), "final": is_(True), "restarted": is_(False),
        },
        use_chunk,
    ),
    Case(Speech, {"chunks": is_((CHUNK,))}, use_speech),
    Case(
        SynthesisRequest,
        {
            "text": is_("Xin chào."), "voice": is_(None), "language": is_("vi"), "speed": is_(1.0),
            "watermark": is_(False), "reference": is_(None), "request_id": is_("a"),
        },
        use_request,
    ),
    Case(
        ReferenceAudio,
        {"pcm": is_(b"ab"), "sample_rate_hz": is_(8_000), "transcript": is_("a")},
        lambda clip: repr((clip, clip.seconds, clip.content_id)),
    ),
    Case(Voice, {"id": is_("a"), "name": is_("a"), "language": is_("vi")}),
    Case(
        Health,
        {
            "state": is_("ready"), "engine": is_("a"), "model": is_("a"), "queue_depth": is_(0),
            "latency_ms": is_(1.0), "remaining_s": is_(None), "clones": is_(False),
        },
        lambda health: repr((health, health.ready)),
    ),
    Case(EngineSpec, {"target": is_("espeak"), "options": is_({})}),
    Case(
        RouterPolicy,
        {
            **dict.fromkeys(("stall_s", "retry_for_s", "load_wait_s", "idle_interval_s"), is_(1.0)),
            "fallback_enabled": is_(True), "fallback": is_(("local",)), "probe_text": is_("a"),
            "prefetched_sentences": is_(2), "breaker": BreakerPolicy, "session": SessionPolicy,
        },
    ),
    Case(BreakerPolicy, {"failures_in_a_row": is_(3), "cooldown_s": is_(1.0)}),
    Case(SessionPolicy, {"warn_at_s": is_((60.0,)), "careful_from_s": is_(1.0)}),
    Case(RetryPolicy, {"attempts": is_(3), "first_wait_s": is_(0.1)}),
    Case(RestartPolicy, {"first_delay_s": is_(1.0), "max_failed_starts": is_(3)}),
    Case(WorkerTimes, {"load_s": is_(1.0), "stop_s": is_(1.0)}),
    Case(RemoteTimeouts, dict.fromkeys(("total_s", "connect_s", "first_byte_s"), is_(1.0))),
    Case(LocalSettings, {"engine": is_("espeak"), "options": is_({}), "voice": is_(None)}),
    Case(ColabSettings, {"enabled": is_(False), "endpoint_url": is_(""), "auth_token": is_("")}),
    Case(FallbackSettings, {"enabled": is_(True), "order": is_(("local",))}),
    Case(CacheSettings, {"enabled": is_(True), "max_bytes": is_(10**7), "folder": is_("a")}),
    Case(QuotaSettings, {"monthly_requests": is_(1), "monthly_bytes": is_(1)}),
    Case(
        Settings,
        {
            "backend_mode": is_("local"), "local": LocalSettings, "colab": ColabSettings,
            "fallback": FallbackSettings, "quota": QuotaSettings, "cache": CacheSettings,
        },
        use_settings,
    ),
    Case(
        LocalBackend,
        {
            "engine": is_("espeak"), "name": is_("local"), "clock": is_(None), "restart": is_(None),
            "times": is_(None), "voices": is_(None), "watermark_required": is_(True),
        },
    ),
    Case(
        RemoteBackend,
        {
            "endpoint_url": is_("http://127.0.0.1:9"), "auth_token": is_("t"), "session": is_(None),
            "timeouts": RemoteTimeouts, "codec": is_("opus"), "name": is_("remote"),
            "rng": is_(None), "on_traffic": is_(None), "retries": RetryPolicy, "voices": is_(None),
        },
    ),
    Case(
        ScriptedBackend,
        {
            "script": is_(()), "name": is_("a"), "engine": is_("a"), "sample_rate_hz": is_(8_000),
            "clones": is_(False), "watermarks": is_(False), "clock": is_(None),
            "voices": is_((Voice(id="a", name="a", language="vi"),)),
        },
        use_scripted,
    ),
    Case(
        Router,
        {
            "local": ScriptedBackend, "remote": ScriptedBackend, "last_resort": ScriptedBackend,
            "mode": is_("local"), "policy": is_(None), "clock": is_(None), "rng": is_(None),
            "quota": is_(None),
        },
        use_router,
    ),
    Case(
        build_router,
        {
            "settings": Settings, "state_dir": is_(None), "voices_dir": is_(None),
            "clock": is_(None), "session": is_(None),
        },
    ),
    Case(
        build_cached,
        {
            "settings": is_(Settings(cache=CacheSettings(enabled=True))),
            "router": lambda: Router(local=ScriptedBackend()),
            "cache_dir": is_(None), "voices_dir": is_(None), "clock": is_(None),
        },
    ),
    Case(load_settings, {"path": is_(None), "environ": is_({}), "must_exist": is_(False)}),
    Case(save_settings, {"changes": is_({}), "path": is_("a.yaml"), "environ": is_({})}),
    Case(synthesize, {"backend": ScriptedBackend, "request": is_("Xin chào.")}),
    Case(collect, {"chunks": stream}),
    Case(write_file, {"chunks": stream, "path": is_("a.wav"), "fmt": is_("wav")}),
    Case(encode_stream, {"chunks": stream, "fmt": is_("wav")}, drained),
    Case(Speech((CHUNK,)).save, {"path": is_("a.wav"), "fmt": is_(None)}),
    Case(RouterStatus(
        mode=Mode.LOCAL, active="local", fallback_active=False, backends=(STATUS,),
        ready=("local",), session_remaining_s=None, quota=None,
    ).backend, {"name": is_("local")}),
    Case(
        RouterStatus,
        {
            "mode": is_(Mode.LOCAL), "active": is_("local"), "fallback_active": is_(False),
            "backends": is_((STATUS,)), "ready": is_(("local",)),
            "session_remaining_s": is_(None), "quota": is_(None),
        },
        use_status,
    ),
    Case(
        BackendStatus,
        {
            "name": is_("a"), "state": is_("ready"), "circuit": is_("closed"),
            "health": is_(HEALTH), "last_error": is_(None), "checked_s_ago": is_(None),
        },
    ),
    Case(BackendStatus.of, {"tracked": is_(None)}),
    Case(ErrorReport.of, {"error": is_(VieneuError("a"))}),
    Case(VieneuError, {"detail": is_("a"), "remedy": is_("a")}, use_error),
    Case(FailedOver, {"from_backend": is_("a"), "to_backend": is_("b"), "cause": is_(REPORT)}),
    Case(FailedBack, {"from_backend": is_("a"), "to_backend": is_("b")}),
    Case(VoiceCatalogue, {"folder": is_("a")}, lambda catalogue: catalogue.voices()),
]  # fmt: skip
