"""Tokens for speech, and the admin's: what each of them may do."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from pydantic import SecretStr, ValidationError
from relay_site import relaying
from server_site import TOKEN, Site, serving
from voice_clips import wav_file

from vieneu_colab_server.settings import ServerSettings
from vieneu_colab_server.tokens.set_up import made_tokens
from vieneu_core.backends import ServerAdmin
from vieneu_core.backends.base import BackendState, synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import (
    AdminTokenRequiredError,
    AuthenticationError,
    BackendDrainingError,
    ConfigurationError,
)
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.wire.routes import DRAIN, HEALTH, ROTATE_TOKEN, VOICES

ADMIN = "the-token-of-the-admin-0123456789"
KITCHEN, BATH = "the-token-of-the-kitchen-01234", "the-token-of-the-bath-0123456"
HELLO = SynthesisRequest(text="Xin chào.")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def speech_tokens(tmp_path: Path) -> Path:
    path = tmp_path / "speech-tokens"
    path.write_text(f"# one for each client\n{KITCHEN}  # kitchen\n\n{BATH}\n", "utf-8")
    path.chmod(0o600)
    return path


async def status_of(site: Site, method: str, path: str, token: str, **more: Any) -> int:
    url = site.url + path
    async with site.session.request(method, url, headers=bearer(token), **more) as answer:
        await answer.read()
        return answer.status


async def test_one_token_alone_may_do_everything() -> None:
    async with serving(ScriptedBackend()) as site:
        for method, path in (("GET", HEALTH), ("POST", DRAIN), ("DELETE", DRAIN)):
            assert await status_of(site, method, path, TOKEN) == 200
        assert await status_of(site, "POST", ROTATE_TOKEN, TOKEN) == 200


async def test_where_there_is_an_admin_token_the_others_can_only_speak(speech_tokens: Path) -> None:
    async with serving(
        ScriptedBackend(), admin_token=SecretStr(ADMIN), speech_tokens_file=speech_tokens
    ) as site:
        for token in (TOKEN, KITCHEN, BATH):
            backend = RemoteBackend(site.url, token)
            await backend.load()
            assert (await synthesize(backend, HELLO)).seconds > 0
            assert await backend.voices()
            with pytest.raises(AdminTokenRequiredError):
                await backend.rotate_token()
            await backend.aclose()
            for method in ("POST", "DELETE"):
                assert await status_of(site, method, DRAIN, token) == 403
        assert await status_of(site, "GET", HEALTH, ADMIN) == 401, "it is not for speech"
        assert await status_of(site, "GET", VOICES, ADMIN) == 401
        assert site.service.tokens.current == SecretStr(TOKEN)
        async with ServerAdmin(site.url, ADMIN) as admin:
            new = await admin.rotate_token()
        assert site.service.tokens.current == new
        assert await status_of(site, "GET", HEALTH, new.get_secret_value()) == 200
        assert await status_of(site, "POST", ROTATE_TOKEN, new.get_secret_value()) == 403


async def test_further_tokens_for_speech_leave_the_one_token_the_admins(
    speech_tokens: Path,
) -> None:
    async with serving(ScriptedBackend(), speech_tokens_file=speech_tokens) as site:
        assert await status_of(site, "POST", ROTATE_TOKEN, KITCHEN) == 403
        assert await status_of(site, "POST", ROTATE_TOKEN, TOKEN) == 200
        assert await status_of(site, "GET", HEALTH, BATH) == 200


async def test_draining_can_be_undone() -> None:
    async with (
        serving(ScriptedBackend(), admin_token=SecretStr(ADMIN)) as site,
        ServerAdmin(site.url, ADMIN) as admin,
        RemoteBackend(site.url, TOKEN) as backend,
    ):
        assert await admin.drain() is True
        with pytest.raises(BackendDrainingError):
            await synthesize(backend, HELLO)
        assert await admin.resume() is False
        assert (await backend.health()).state is BackendState.READY
        assert (await synthesize(backend, HELLO)).seconds > 0


async def test_a_server_that_stops_or_whose_session_ends_goes_on_draining() -> None:
    clock = FakeClock()
    async with serving(ScriptedBackend(), clock=clock, session_limit_s=3_600.0) as site:
        await clock.advance(3_550)
        assert await status_of(site, "DELETE", DRAIN, TOKEN) == 200
        assert site.service.lifecycle.draining
    async with serving(ScriptedBackend()) as site:
        site.service.lifecycle.stop()
        site.service.lifecycle.resume()
        assert site.service.lifecycle.draining


async def test_voices_of_others_are_removed_by_the_admin_only(speech_tokens: Path) -> None:
    backend = ScriptedBackend(clones=True)
    async with serving(
        backend, admin_token=SecretStr(ADMIN), speech_tokens_file=speech_tokens
    ) as site:
        body = {"audio_base64": base64.b64encode(wav_file()).decode(), "transcript": "Xin chào."}
        ids = []
        for token in (KITCHEN, BATH):
            async with site.post(VOICES, json=body, headers=bearer(token)) as answer:
                assert answer.status == 200, await answer.text()
                ids.append((await answer.json())["id"])
        (voice,) = set(ids)
        path = f"{VOICES}/{voice}"
        assert await status_of(site, "DELETE", path, TOKEN) == 403
        assert await status_of(site, "DELETE", path, KITCHEN) == 204
        assert site.service.uploads.find(voice) is not None, "the other one still has it"
        assert await status_of(site, "DELETE", path, KITCHEN) == 403
        assert await status_of(site, "DELETE", path, ADMIN) == 204
        assert await status_of(site, "DELETE", path, ADMIN) == 404


async def test_on_a_relay_the_admin_token_of_the_relay_is_the_admins(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        for token, status in ((TOKEN, 403), (site.admin_token, 200)):
            for method in ("POST", "DELETE"):
                async with site.session.request(
                    method, site.url + DRAIN, headers=bearer(token)
                ) as answer:
                    assert answer.status == status


@pytest.mark.parametrize("token", ["", "short", "fifteen-letters", "có dấu tiếng Việt ở đây"])
@pytest.mark.parametrize("field", ["token", "admin_token"])
def test_a_token_that_a_person_made_has_a_least_length(field: str, token: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ServerSettings.model_validate({"token": SecretStr(TOKEN), field: SecretStr(token)})
    assert field in str(caught.value)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("content", ["short\n", "a b c d e f g h i j k l\n", "x" * 5_000, "é" * 20])
def test_a_token_in_a_file_obeys_the_same_rule(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(content, "utf-8")
    path.chmod(0o600)
    for field in ("admin_token_file", "speech_tokens_file"):
        settings = ServerSettings.model_validate({"token": SecretStr(TOKEN), field: path})
        with pytest.raises(ConfigurationError, match="tokens"):
            made_tokens(settings, FakeClock())


def test_the_admin_token_is_another_one_than_that_for_speech() -> None:
    settings = ServerSettings(token=SecretStr(TOKEN), admin_token=SecretStr(TOKEN))
    with pytest.raises(ConfigurationError, match="are the same"):
        made_tokens(settings, FakeClock())


def test_a_speech_token_that_is_the_previous_one_is_no_admin() -> None:
    tokens = made_tokens(
        ServerSettings(token=SecretStr(TOKEN), admin_token=SecretStr(ADMIN)), FakeClock()
    )
    tokens.rotate()
    assert tokens.accepts(TOKEN.encode())
    for token in (TOKEN.encode(), b"", None):
        with pytest.raises((AdminTokenRequiredError, AuthenticationError)):
            tokens.check_admin(token)
    tokens.check_admin(ADMIN.encode())
    assert ADMIN not in repr(vars(tokens))
