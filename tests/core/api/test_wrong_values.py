"""Wrong values: each public name works with them or raises a named error of ours.

Each argument of each public constructor, function and method gets each wrong value in turn, the
others being right. What could be made is then used, since a wrong value must not surface later.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backend_cases import CASES as BACKENDS
from backend_cases import BackendCase

import vieneu_core
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
from vieneu_core.config.paths import voices_dir
from vieneu_core.router import BreakerPolicy, CircuitState, Mode, SessionPolicy
from vieneu_core.voices.catalogue import VoiceCatalogue
from vieneu_core.worker.spec import RestartPolicy, WorkerTimes

SPEAKER = Speaker(backend="local", engine="espeak", voice="vi-north")
CHUNK = AudioChunk(b"\1\0" * 100, 8_000, 0, SPEAKER, final=True)
REPORT = ErrorReport(code="c", title="t", detail="d", remedy="r")
HEALTH = Health(state=BackendState.READY)
STATUS = BackendStatus(
    name="local", state=BackendState.READY, circuit=CircuitState.CLOSED, health=HEALTH,
    last_error=None, checked_s_ago=1.0,
)  # fmt: skip


class Unusual:
    """Nothing that anyone expects."""


def wrong_values() -> list[object]:
    return [
        *(None, True, False, 0, 1, -1, 2.5, -0.1, math.nan, math.inf, 10**400, 1j),
        *("", " ", "nonsense", "v\ud800", "local", "a\0b", "\ud800", "x" * 5_000, "vi-tone"),
        *(b"", b"odd", bytearray(b"ab"), Path("some"), Path()),
        *([], [1], ["a", "b"], (), (1, "a"), {}, {"a": object()}, {1: 2}, {"a": {"b": {3}}}, {1}),
        *(np.float32(1.5), np.float64(1.0), np.int64(3), np.array([1, 2]), Decimal("1.5")),
        *(object(), Unusual(), Unusual, int, len, asynchronous, unending, iter(["a"]), Ellipsis),
        *(CHUNK, SPEAKER, SynthesisRequest, Mode.LOCAL, Voice(id="a", name="a", language="vi")),
    ]


async def asynchronous(_: object) -> None: ...


async def unending() -> AsyncIterator[object]:
    for item in (1, b"a", None):
        yield item


async def stream() -> AsyncIterator[AudioChunk]:
    yield CHUNK


async def drained(chunks: AsyncIterator[object]) -> None:
    async for _ in chunks:
        pass


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
        session_remaining_s=None, quota=None,
    ).backend, {"name": is_("local")}),
    Case(
        RouterStatus,
        {
            "mode": is_(Mode.LOCAL), "active": is_("local"), "fallback_active": is_(False),
            "backends": is_((STATUS,)), "session_remaining_s": is_(None), "quota": is_(None),
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

METHODS = {
    "set_mode": "mode",
    "set_fallback": "enabled",
    "set_remote": "remote",
    "load_backend": "name",
    "unload_backend": "name",
    "check": "name",
    "probe": "name",
    "stream": "request",
    "subscribe": "callback",
}

WITHOUT_ARGUMENTS_OF_A_CALLER = {
    "Backend": "an interface",
    "AudioFormat": "an enumeration: Python itself names the value",
    "BackendState": "likewise",
    "Mode": "likewise",
    "BackendError": "an error, as VieneuError",
    "ConfigurationError": "likewise",
    "RequestError": "likewise",
}
EVENTS = {cls.__name__ for cls in vieneu_core.RouterEvent.__subclasses__()} | {"RouterEvent"}
"""Plain values without a method."""


async def settled(value: object) -> object:
    return await value if inspect.isawaitable(value) else value


async def tried(call: Callable[[], object | Awaitable[object]]) -> VieneuError | None:
    """Return the error of ours that a call ends with; any other one fails the test."""
    try:
        await settled(call())
    except VieneuError as error:
        return error
    return None


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some wrong values are names of files that could be written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_every_public_name_is_covered() -> None:
    covered = {case.name.split(".")[0] for case in CASES}
    covered |= EVENTS | set(WITHOUT_ARGUMENTS_OF_A_CALLER)

    assert sorted(set(vieneu_core.__all__) - covered) == []


def test_every_method_of_the_router_with_an_argument_is_covered() -> None:
    taking = {
        name
        for name, method in inspect.getmembers(Router, inspect.isfunction)
        if not name.startswith("_") and len(inspect.signature(method).parameters) > 1
    }

    assert taking == set(METHODS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_wrong_argument_is_a_named_error_or_works(case: Case) -> None:
    async def made(changes: Mapping[str, object]) -> None:
        right = {name: make() for name, make in case.right.items() if name not in changes}
        await settled(case.use(await settled(case.call(**right, **changes))))

    if case.call != BackendStatus.of:
        assert await tried(lambda: made({})) is None or case.call is synthesize
    for name in case.right:
        for value in wrong_values():
            error = await tried(lambda name=name, value=value: made({name: value}))  # type: ignore[misc]
            assert error is None or str(error), (name, value)


@pytest.mark.parametrize(("method", "argument"), METHODS.items())
async def test_a_wrong_argument_of_the_router_is_a_named_error_or_works(
    method: str, argument: str
) -> None:
    for value in wrong_values():
        router = Router(local=ScriptedBackend(name="local"), remote=ScriptedBackend(name="remote"))
        async with router:
            result = await tried(
                partial(used, partial(getattr(router, method), **{argument: value}))
            )
            assert result is None or str(result), (method, value)
            if method != "unload_backend" or result is not None:
                assert (await synthesize(router, "Xin chào.")).seconds > 0, "it still speaks"


@pytest.mark.parametrize("kind", [c for c in BACKENDS if c.tones], ids=lambda case: case.name)
async def test_a_request_that_can_be_made_is_spoken_or_refused_by_every_backend(
    kind: BackendCase,
) -> None:
    async with kind.make(0.0) as backend:
        await backend.load()
        for name in ("text", "voice", "language", "request_id"):
            for value in ("", "a\0b", "\ud800", "x" * 200):
                await tried(
                    lambda name=name, value=value: synthesize(  # type: ignore[misc]
                        backend, SynthesisRequest(**{"text": "Xin chào.", name: value})
                    )
                )
        assert (await synthesize(backend, "Xin chào.")).seconds > 0


async def used(call: Callable[[], object]) -> None:
    result = call()
    if inspect.isasyncgen(result):
        await drained(result)
    else:
        await settled(result)


MESSAGES: list[tuple[Callable[[], object], str, str]] = [
    (lambda: SynthesisRequest(text="a", speed="fast"), "speed is 'fast' (str)", "a number"),  # type: ignore[arg-type]
    (lambda: SynthesisRequest(text=None), "text is None", "a string, a tuple of"),  # type: ignore[arg-type]
    (lambda: SynthesisRequest(text=b"a"), "text is of type bytes", "a string"),  # type: ignore[arg-type]
    (lambda: SynthesisRequest(text="a", voice=1), "voice is 1 (int)", "the id of a voice"),  # type: ignore[arg-type]
    (lambda: SynthesisRequest(text=unending), "the function unending, not its result", ""),  # type: ignore[arg-type]
    (lambda: Router(local="espeak"), "local is 'espeak'", "LocalBackend('espeak')"),  # type: ignore[arg-type]
    (lambda: Router(local=LocalBackend), "the class LocalBackend", "a backend"),  # type: ignore[arg-type]
    (lambda: EngineSpec("espeak", "fast"), "options is 'fast'", "a dict"),  # type: ignore[arg-type]
    (
        lambda: Settings.model_validate({"backend_mode": "locl"}),
        "Settings.backend_mode",
        "local or remote",
    ),
    (lambda: save_settings({"local": {"engine": "a"}}), "changes['local']", "a string"),  # type: ignore[dict-item]
]


@pytest.mark.parametrize(("make", "given", "expected"), MESSAGES)
def test_a_message_says_what_was_given_and_what_is_expected(
    make: Callable[[], object], given: str, expected: str
) -> None:
    with pytest.raises(VieneuError) as caught:
        make()

    assert given in str(caught.value)
    assert expected in str(caught.value)


async def test_a_wrong_token_is_not_shown() -> None:
    for token in (["very-secret-token"], 12345678, b"very-secret-token"):
        with pytest.raises(VieneuError) as caught:
            RemoteBackend("https://abc.example", token)  # type: ignore[arg-type]
        for shown in ("secret", "1234"):
            assert shown not in str(caught.value)


async def test_what_is_nearly_right_just_works() -> None:
    chunks = SynthesisRequest(text=["Một.", "Hai."], speed=np.float32(1.5))  # type: ignore[arg-type]
    assert chunks.text == ("Một.", "Hai.")
    assert type(chunks.speed) is float
    assert SynthesisRequest(text="a", speed=1).speed == 1
    router = Router(local=ScriptedBackend(), remote=ScriptedBackend(), mode="remote")
    async with router:
        router.set_mode("local")
        assert router.mode is Mode.LOCAL
        assert len((await synthesize(router, "Câu một. Câu hai.")).speakers) == 2
    assert voices_dir({"HOME": "/a"}) == Path("/a/.local/share/vieneu/voices")


async def test_a_wrong_piece_of_a_text_comes_after_what_was_written_before() -> None:
    async def written() -> AsyncIterator[str]:
        yield "Câu một. Câu hai"
        yield 2  # type: ignore[misc]

    async with ScriptedBackend() as backend:
        with pytest.raises(VieneuError, match="A piece of the text is 2"):
            await collect(backend.stream(SynthesisRequest(text=written())))
        assert backend.record.finished == ["Câu một.", "Câu hai"]
