"""Administration of a relay: applied at once, kept in the file, and taken over from the file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr
from relay_site import TONES, WITH_LAST_RESORT, relaying
from server_site import TOKEN, serving
from tone_engine import expected, heard, same

from vieneu_core.backends.base import synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.clock import SystemClock
from vieneu_core.config import load_settings, save_settings
from vieneu_core.config.overwriting import overwrite
from vieneu_core.pairing import SIGNATURE_HEADER, AddressUpdate, signature
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.testing.scripted import ScriptedBackend

SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(6))
CONNECTED = {"token": TOKEN}


async def test_a_client_of_the_server_is_a_client_of_the_relay(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        client = RemoteBackend(site.url, TOKEN)
        async with client:
            speech = await synthesize(client, SynthesisRequest(text=" ".join(SENTENCES)))
        assert same(heard(speech.pcm, speech.sample_rate_hz), [expected(s) for s in SENTENCES])


async def test_the_status_says_what_each_backend_does(tmp_path: Path) -> None:
    async with relaying(tmp_path, WITH_LAST_RESORT) as site:
        states = {"local": "ready", "remote": "not_configured", "last_resort": "ready"}
        status = await site.until_status(
            lambda status: {each["name"]: each["state"] for each in status["backends"]} == states
        )

        assert (status["mode"], status["active"]) == ("local", "local")
        assert status["remote"] == {"enabled": False, "endpoint_url": "", "has_token": False}


async def test_a_server_is_connected_used_and_disconnected(tmp_path: Path) -> None:
    async with (
        serving(ScriptedBackend(name="far", engine="far-engine")) as server,
        relaying(tmp_path) as site,
    ):
        answer = await site.call("POST", "/connect", json={"url": server.url, **CONNECTED})
        assert (answer["state"], answer["engine"]) == ("ready", "far-engine")
        await site.call("POST", "/mode", json={"mode": "remote"})
        status = await site.call("GET", "/status")
        assert (status["mode"], status["active"]) == ("remote", "remote")
        kept = yaml.safe_load(site.config.read_text("utf-8"))
        assert kept["backend_mode"] == "remote"
        assert kept["colab"]["endpoint_url"] == server.url
        assert kept["local"] == {"engine": "tone_engine:create"}

        await site.call("POST", "/disconnect")
        status = await site.call("GET", "/status")
        assert (status["mode"], status["active"]) == ("local", "local")
        assert TOKEN not in site.config.read_text("utf-8")


async def test_a_server_is_tested_without_being_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with (
        serving(ScriptedBackend(name="far", engine="far-engine")) as server,
        relaying(tmp_path) as site,
    ):
        before, kept = await site.call("GET", "/status"), site.config.read_text("utf-8")
        typed = {"url": server.url, **CONNECTED}
        answer = await site.call("POST", "/connect/test", json=typed)
        assert (answer["state"], answer["engine"]) == ("ready", "far-engine")
        wrong = "a-wrong-token-that-is-long-enough"
        body = {"url": server.url, "token": wrong}
        problem = await site.call("POST", "/connect/test", status=401, json=body)
        assert problem["code"] == "authentication"
        assert wrong not in str(problem)
        await site.call("POST", "/connect/test", status=422, json={"url": "no url", "token": wrong})
        after = await site.call("GET", "/status")
        assert after["remote"] == before["remote"]
        assert site.config.read_text("utf-8") == kept
    assert TOKEN not in caplog.text
    assert wrong not in caplog.text


async def test_the_token_of_the_settings_is_used_where_none_is_given(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as server, relaying(tmp_path) as site:
        await site.call("POST", "/connect", json={"url": server.url, **CONNECTED})
        await site.call("POST", "/connect", json={"url": server.url + "/"})
        status = await site.call("GET", "/status")
        assert status["remote"]["has_token"]


async def test_a_mode_that_is_not_ready_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        problem = await site.call("POST", "/mode", status=503, json={"mode": "remote"})

        assert problem["code"] == "not_configured"
        assert site.config.read_text("utf-8") == TONES


REFUSED: tuple[tuple[dict[str, str], int, str], ...] = (
    ({"url": "http://127.0.0.1:9", **CONNECTED}, 502, "connection"),
    ({"url": "http://example.com", **CONNECTED}, 422, "invalid_request"),
    ({"url": "https://example.com", "token": "two words"}, 422, "invalid_request"),
    ({"url": ""}, 422, "invalid_request"),
    ({"url": "https://example.com/" + "x" * 3_000}, 422, "invalid_request"),
    ({"mode": "remote"}, 422, "invalid_request"),
)


async def test_what_cannot_be_connected_changes_nothing(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        for body, status, code in REFUSED:
            problem = await site.call("POST", "/connect", status=status, json=body)

            assert problem["code"] == code, body
            assert site.config.read_text("utf-8") == TONES, body


async def test_a_wrong_token_changes_nothing(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as server, relaying(tmp_path) as site:
        body = {"url": server.url, "token": "another-token-0123456789"}
        problem = await site.call("POST", "/connect", status=401, json=body)

        assert problem["code"] == "authentication"
        assert site.config.read_text("utf-8") == TONES


async def test_a_new_token_of_the_server_is_kept_and_used(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as server, relaying(tmp_path) as site:
        await site.call("POST", "/connect", json={"url": server.url, **CONNECTED})
        answer = await site.call("POST", "/rotate-token")

        assert answer == {"rotated": True}
        token = load_settings(site.config).colab.auth_token.get_secret_value()
        assert token == server.service.tokens.current.get_secret_value() != TOKEN
        assert not server.service.tokens.may_change_things(TOKEN.encode())
        assert (await site.call("POST", "/backends/remote/test"))["seconds"] > 0


async def test_a_change_of_the_file_by_another_program_is_taken_over(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as server, relaying(tmp_path) as site:
        changes: dict[str, str | bool | SecretStr] = {
            "colab.enabled": True,
            "colab.endpoint_url": server.url,
            "colab.auth_token": SecretStr(TOKEN),
            "backend_mode": "remote",
        }
        await asyncio.to_thread(save_settings, changes, site.config)
        await site.until_status(lambda status: status["active"] == "remote")

        await asyncio.to_thread(save_settings, {"backend_mode": "local"}, site.config)
        await site.until_status(lambda status: status["active"] == "local")


async def test_a_file_that_is_wrong_is_reported_and_the_old_settings_hold(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        site.config.write_text("backend_mode: moon\n", "utf-8")
        status = await site.until_status(lambda status: status["settings_error"])
        assert "backend_mode" in status["settings_error"]["detail"]
        assert status["active"] == "local"
        assert site.administration.settings.local.engine == "tone_engine:create"
        german = await site.call("GET", "/status", headers={"Accept-Language": "vi-VN"})
        assert german["settings_error"]["detail"] != status["settings_error"]["detail"]

        site.config.write_text(TONES, "utf-8")
        await site.until_status(lambda status: not status["settings_error"])


async def test_two_admins_at_once_do_not_tear_the_file(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as server, relaying(tmp_path) as site:
        await site.call("POST", "/connect", json={"url": server.url, **CONNECTED})

        async def flip(mode: str) -> None:
            for _ in range(10):
                await site.call("POST", "/mode", json={"mode": mode})
                changes = {"fallback.enabled": mode == "local"}
                await asyncio.to_thread(save_settings, changes, site.config)

        await asyncio.gather(flip("local"), flip("remote"))
        kept = load_settings(site.config)
        assert kept.colab.endpoint_url == server.url
        await site.until_status(lambda status: status["mode"] == kept.backend_mode)


async def test_another_engine_is_taken_over_while_it_speaks_and_no_sentence_is_lost(
    tmp_path: Path,
) -> None:
    async with relaying(tmp_path) as site:
        async with RemoteBackend(site.url, TOKEN) as client:
            pcm, rate_hz, changed = b"", 0, False
            async for chunk in client.stream(SynthesisRequest(text=" ".join(SENTENCES))):
                pcm, rate_hz = pcm + chunk.pcm, chunk.sample_rate_hz
                if not changed:
                    changed = True
                    text = TONES + "  options:\n    chunk_delay_s: 0.001\n"
                    site.config.write_text(text, "utf-8")
        assert same(heard(pcm, rate_hz), [expected(s) for s in SENTENCES])
        await site.until_status(
            lambda _: site.administration.settings.local.options == {"chunk_delay_s": 0.001}
        )


async def test_a_file_that_was_written_over_is_taken_over(tmp_path: Path) -> None:
    async with relaying(tmp_path) as site:
        inode = site.config.stat().st_ino
        for enabled, written in ((False, "false"), (True, "true ")):  # of the same size
            content = f"{WITH_LAST_RESORT}fallback:\n  enabled: {written}\n".encode()
            await asyncio.to_thread(overwrite, site.config, content, mode=0o600, max_bytes=1 << 20)
            await site.until_status(
                lambda _, now=enabled: site.administration.settings.fallback.enabled is now  # type: ignore[misc]
            )
        assert site.config.stat().st_ino == inode
        assert site.administration.settings_error is None


async def test_the_signed_address_of_a_restarted_server_is_taken_once(tmp_path: Path) -> None:
    async with serving(ScriptedBackend()) as server, relaying(tmp_path) as site:
        await asyncio.to_thread(
            save_settings,
            {
                "colab.enabled": True,
                "colab.endpoint_url": "http://127.0.0.1:9",
                "colab.auth_token": SecretStr(TOKEN),
            },
            site.config,
        )
        await site.until_status(lambda status: status["remote"]["has_token"])
        update = AddressUpdate(
            endpoint_url=server.url,
            server_version="0.1.0",
            wire_version="1.0",
            timestamp=site.administration._clock.now(),
        )
        body = update.model_dump_json().encode()
        signed = {SIGNATURE_HEADER: signature(body, SecretStr(TOKEN)), "Authorization": ""}
        forged = {SIGNATURE_HEADER: signature(body, SecretStr("x" * 32)), "Authorization": ""}

        await site.call("POST", "/address", status=403, data=body, headers=forged)
        await site.call("POST", "/address", data=body, headers=signed)
        status = await site.call("GET", "/status")
        assert status["remote"]["endpoint_url"] == server.url
        await site.call("POST", "/address", status=403, data=body, headers=signed)


async def test_an_address_update_is_refused_after_a_restart_and_with_any_bytes_as_signature(
    tmp_path: Path,
) -> None:
    async with serving(ScriptedBackend()) as server:
        settings = f"{TONES}colab:\n  enabled: true\n  endpoint_url: {server.url}\n"
        settings += f"  auth_token: {TOKEN}\n"
        body = AddressUpdate(
            endpoint_url=server.url,
            server_version="0.1.0",
            wire_version="1.0",
            timestamp=SystemClock().now(),
        ).body()
        signed = signature(body, SecretStr(TOKEN)).encode()
        statuses = []
        for signatures in ([b"v1=\xff\xfe", signed], [signed]):  # the second after a restart
            async with relaying(tmp_path, settings) as site:
                host, _, port = site.url.removeprefix("http://").partition(":")
                for given in signatures:
                    reader, writer = await asyncio.open_connection(host, int(port))
                    head = "POST /relay/api/address HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                    head += f"Content-Length: {len(body)}\r\n{SIGNATURE_HEADER}: "
                    writer.write(head.encode() + given + b"\r\n\r\n" + body)
                    statuses.append(int((await reader.read()).split()[1]))
                    writer.close()

    assert statuses == [403, 200, 403]
