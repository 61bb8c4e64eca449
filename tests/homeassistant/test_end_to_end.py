"""The whole way: a real Home Assistant, the component as it is installed, a real server."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import av
import pytest
from guard import GUARD_S
from real_hass import Hass, running_hass
from server_process import TOKEN, ServerHandle, running_server
from tone_engine import Heard, expected, heard, same

pytestmark = pytest.mark.timeout(1800)
SENTENCES = tuple(f"Đây là câu {n} của bản tin." for n in range(12))
TEXT = " ".join(SENTENCES)
LONG = " ".join(SENTENCES * 20)
PLAYER, MODE = "media_player.tape", "select.vieneu_backend"


def on_tape(hass: Hass, number: int) -> tuple[float, list[Heard]]:
    """Return the length of what was played, in seconds, and the tones in it."""
    (path,) = hass.config.glob(f"tape-{number}.*")
    with av.open(io.BytesIO(path.read_bytes())) as container:
        resampler = av.AudioResampler(format="s16", layout="mono")
        frames = [out for f in container.decode(audio=0) for out in resampler.resample(f)]
        rate = container.streams.audio[0].rate
    pcm = b"".join(frame.to_ndarray().tobytes() for frame in frames)
    return len(pcm) / 2 / rate, heard(pcm, rate)


async def speak(hass: Hass, text: str) -> None:
    await hass.act(
        "tts.speak",
        entity_id="tts.vieneu_voice",
        media_player_entity_id=PLAYER,
        message=text,
        cache=False,
    )


async def begun(hass: Hass) -> None:
    """Wait until the announcement is being fetched, and the server speaks it."""
    await hass.until(PLAYER, "playing")
    await asyncio.sleep(0.5)


async def recorded(hass: Hass, number: int) -> tuple[float, list[Heard]]:
    async with asyncio.timeout(GUARD_S):
        while not list(hass.config.glob(f"tape-{number}.*")):
            await asyncio.sleep(0.1)
    await asyncio.sleep(0.1)
    return on_tape(hass, number)


async def set_up(hass: Hass, cellar: ServerHandle, colab: ServerHandle) -> None:
    """Set up the embedded voice; then two servers, one of them on the network.

    Both servers speak in tones, which tell each sentence.
    """
    done = await hass.flow({"next_step_id": "embedded"}, {})
    assert done["type"] == "create_entry", done
    entry = done["result"]["entry_id"]
    await hass.until("sensor.vieneu_active_backend", "local")
    await speak(hass, "Xin chào ngôi nhà.")
    seconds, _ = await recorded(hass, 0)
    assert seconds > 1
    for kind, server in (("server", cellar), ("paste", colab)):
        flow = await hass.flow(
            {"next_step_id": kind}, {"url": server.url, "token": TOKEN}, entry=entry
        )
        assert flow["reason"] == "reconfigure_successful"
    await hass.until("sensor.vieneu_google_colab_state", "ready")


async def all_recover(hass: Hass) -> None:
    """See the server come back, and all messages of its loss disappear."""
    await hass.until("sensor.vieneu_active_backend", "remote")
    await hass.until("binary_sensor.vieneu_fallback_active", "off")
    assert await hass.issues() == set()
    assert await hass.notifications() == []
    assert await hass.happened() == "failed_back"
    await speak(hass, "Đã có lại máy chủ.")
    _, tones = await recorded(hass, 4)
    assert same(tones, [expected("Đã có lại máy chủ.")])


async def test_an_entry_is_set_up_speaks_switches_and_loses_its_server_but_no_sentence(
    tmp_path: Path,
) -> None:
    async with (
        running_server() as colab,
        running_server() as cellar,
        running_hass(tmp_path) as hass,
    ):
        await set_up(hass, cellar, colab)
        await hass.act("select.select_option", entity_id=MODE, option="remote")
        await hass.until("sensor.vieneu_active_backend", "remote")
        await speak(hass, TEXT)
        _, tones = await recorded(hass, 1)
        assert same(tones, [expected(sentence) for sentence in SENTENCES])

        # Switched to and fro while it speaks: nothing is lost, nothing is heard twice.
        # The mode holds for a request from its beginning: it is begun before the first switch.
        speaking = asyncio.create_task(speak(hass, LONG))
        await begun(hass)
        for option in ("local", "remote") * 5:
            await hass.act("select.select_option", entity_id=MODE, option=option)
        await speaking
        _, tones = await recorded(hass, 2)
        assert same(tones, [expected(sentence) for sentence in SENTENCES * 20])

        # Killed in the middle: the local voice speaks the rest, and the admin is notified.
        # Another text: Home Assistant would take the same one from its memory.
        speaking = asyncio.create_task(speak(hass, f"{LONG} Hết tin."))
        await begun(hass)
        colab.process.kill()
        await speaking
        _, tones = await recorded(hass, 3)
        assert same(tones, [expected(sentence) for sentence in (*SENTENCES * 20, "Hết tin.")])
        await hass.until("sensor.vieneu_active_backend", "local")
        assert await hass.state(MODE) == "remote"
        assert await hass.state("binary_sensor.vieneu_fallback_active") == "on"
        assert {"remote_lost", "fallback_active"} <= await hass.issues()
        assert len(await hass.notifications()) == 1
        assert (await hass.happened()) in {"failed_over", "remote_lost"}

        # It is back, at the same address: all recover, and nobody did anything.
        async with running_server(port=int(colab.url.rpartition(":")[2])) as again:
            assert again.url == colab.url
            await all_recover(hass)

            # A restart keeps the admin's choice.
            await hass.restart()
            await hass.until("sensor.vieneu_active_backend", "remote")
            assert await hass.state(MODE) == "remote"
            await speak(hass, "Nhà đã khởi động lại.")
            _, tones = await recorded(hass, 0)  # the player counts from the beginning
            assert same(tones, [expected("Nhà đã khởi động lại.")])

    assert hass.complaints() == []
