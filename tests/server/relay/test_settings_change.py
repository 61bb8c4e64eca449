"""A change by hand in the settings file: each setting is taken over, or named as one that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_clock import FakeClock
from guard import GUARD_S
from pydantic import BaseModel
from relay_site import TONES, WITH_LAST_RESORT, relaying
from server_site import TOKEN
from waiting import until

from vieneu_colab_server.relay.administration import Administration
from vieneu_core.backends.local import LocalBackend
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.backends.wyoming import WyomingBackend
from vieneu_core.builder import RouterBuilder
from vieneu_core.config import Settings, load_settings
from vieneu_core.router import Mode, Router
from vieneu_core.testing.scripted import ScriptedBackend

START: dict[str, Any] = {
    "backend_mode": "local",
    "colab": {"enabled": True, "endpoint_url": "http://127.0.0.1:9", "auth_token": TOKEN},
    "fallback": {"order": ["local", "last_resort"]},
}
CHANGES: dict[str, Any] = {
    "backend_mode": "remote",
    "colab.enabled": False,
    "colab.endpoint_url": "http://127.0.0.1:10",
    "colab.auth_token": f"{TOKEN}-2",
    "colab.timeout_seconds": 61,
    "colab.health_check_interval": 7,
    "local.kind": "wyoming",
    "local.url": "tcp://127.0.0.1:10",
    "local.engine": "tone_engine:create",
    "local.options": {"variant": "north"},
    "local.watermark": "preferred",
    "local.voice": "ba-ngoai",
    "local.slow_engine": "fallback",
    "fallback.enabled": False,
    "fallback.order": ["local"],
    "quota.monthly_requests": 5,
    "quota.monthly_bytes": 6,
    "cache.enabled": True,
    "cache.max_bytes": 20_000_000,
    "cache.folder": "/tmp/speech",  # noqa: S108 - only read
    "text.pauses.clause": 0.1,
    "text.pauses.sentence": 0.2,
    "text.pauses.question": 0.4,
    "text.pauses.paragraph": 1.5,
    "text.dictionary": "/tmp/words.txt",  # noqa: S108 - only read
}
"""Another value for each setting. A new setting needs one, and with it an answer of the relay."""
BESIDE: dict[str, dict[str, Any]] = {
    "local.kind": {"local.url": "tcp://127.0.0.1:9"},
    "local.url": {"local.url": "tcp://127.0.0.1:9", "local.kind": "wyoming"},
}
"""What has to be in the file before and after, so that a setting counts."""


def names(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from names(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def changed(*settings: str, beside: str = "") -> str:
    """The text of a file in which these settings have their other value.

    Args:
        settings: Names of settings.
        beside: A setting that shall count.
    """
    values: dict[str, Any] = yaml.safe_load(yaml.safe_dump(START))
    others = {setting: CHANGES[setting] for setting in settings}
    for setting, value in {**BESIDE.get(beside, {}), **others}.items():
        *sections, key = setting.split(".")
        section = values
        for name in sections:
            section = section.setdefault(name, {})
        section[key] = value
    return yaml.safe_dump(values)


def conduct(router: Router, builder: RouterBuilder) -> dict[str, Any]:
    """All that the settings can say of a router."""
    return {
        "mode": router.mode,
        "policy": router._pool.policy,
        "quota": builder.quota._limits,
        "dictionary": router.reading.file and router.reading.file.path,
        **{tracked.name: arguments(tracked.backend) for tracked in router._pool},
    }


def arguments(backend: object) -> object:
    match backend:
        case LocalBackend():
            return backend._worker._spec, backend._voices._default, backend._watermark_required
        case RemoteBackend():
            return backend._connection._endpoint, backend._timeouts
        case WyomingBackend():
            return backend._client, backend._default_voice, backend._watermark_required
    raise AssertionError(backend)


def begun(
    folder: Path, kind: type[RouterBuilder] = RouterBuilder, *, beside: str = ""
) -> tuple[Administration, RouterBuilder]:
    """An administration whose settings were read just now."""
    config = folder / "config.yaml"
    config.write_text(changed(beside=beside), "utf-8")
    settings = load_settings(config, {})
    builder = kind(settings, state_dir=folder, voices_dir=folder)
    router = builder.router(settings)
    return Administration(router, builder, settings, config, clock=FakeClock()), builder


def test_each_setting_has_an_answer() -> None:
    assert set(CHANGES) == set(names())


@pytest.mark.parametrize("setting", CHANGES)
async def test_a_changed_setting_is_taken_over_or_named(tmp_path: Path, setting: str) -> None:
    administration, builder = begun(tmp_path, beside=setting)
    router, before = administration.router, conduct(administration.router, builder)
    (tmp_path / "config.yaml").write_text(changed(setting, beside=setting), "utf-8")
    await administration.reload()

    assert administration.settings_error is None
    now, settings = conduct(router, builder), administration.settings
    newly_started = RouterBuilder(settings, state_dir=tmp_path)
    assert now == conduct(newly_started.router(settings), newly_started)
    is_taken_over = now != before or settings.cache.enabled  # which each request asks
    assert is_taken_over is not (setting in administration.needs_restart), "one of the two"

    (tmp_path / "config.yaml").write_text(changed(beside=setting), "utf-8")
    await administration.reload()
    assert conduct(router, builder) == before
    assert administration.needs_restart == ()
    await router.aclose()


async def test_no_backend_is_replaced_by_a_change_that_is_not_its_own(tmp_path: Path) -> None:
    administration, _ = begun(tmp_path)
    before = [tracked.backend for tracked in administration.router._pool]
    others = [name for name in CHANGES if name.startswith(("backend_mode", "quota.", "cache."))]
    text = changed("local.slow_engine", "colab.health_check_interval", *others)
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    await administration.reload()
    assert [tracked.backend for tracked in administration.router._pool] == before
    await administration.router.aclose()


async def test_a_change_before_the_file_is_followed_is_taken_over(tmp_path: Path) -> None:
    administration, _ = begun(tmp_path)
    (tmp_path / "config.yaml").write_text(changed("quota.monthly_requests"), "utf-8")
    following = asyncio.create_task(administration.follow())
    async with asyncio.timeout(GUARD_S):
        await until(lambda: administration.settings.quota.monthly_requests == 5)
    following.cancel()
    await asyncio.wait({following})
    await administration.router.aclose()


async def test_the_mode_is_taken_over_though_its_server_does_not_answer_yet(tmp_path: Path) -> None:
    class Builder(RouterBuilder):
        def local(self, settings: Settings) -> ScriptedBackend:
            return ScriptedBackend(name=settings.local.engine)

        def remote(self, settings: Settings) -> ScriptedBackend:
            remote = ScriptedBackend(name=settings.colab.endpoint_url)
            remote.load_hold = asyncio.Event()
            return remote

    administration, _ = begun(tmp_path, Builder)
    async with administration.router as router:
        text = changed("colab.endpoint_url", "backend_mode")
        (tmp_path / "config.yaml").write_text(text, "utf-8")
        await administration.reload()
        assert router.mode is Mode.REMOTE
    await administration.aclose()


async def test_a_fallback_that_is_turned_on_has_the_embedded_voice_at_once(tmp_path: Path) -> None:
    async with relaying(tmp_path, TONES) as site:
        status = await site.call("GET", "/status")
        assert [each["name"] for each in status["backends"]] == ["local", "remote"]
        site.config.write_text(WITH_LAST_RESORT, "utf-8")
        await site.until_status(lambda status: ("last_resort", "ready") in states(status))
        site.config.write_text(TONES, "utf-8")
        await site.until_status(lambda status: "last_resort" not in dict(states(status)))


def states(status: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["name"], each["state"]) for each in status["backends"]]


async def test_the_admin_is_told_what_needs_a_restart(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        assert (await site.call("GET", "/status"))["needs_restart"] == []
        site.config.write_text(f"{TONES}cache:\n  max_bytes: 20000000\n", "utf-8")
        await site.until_status(lambda status: status["needs_restart"] == ["cache.max_bytes"])
