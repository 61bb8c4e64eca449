"""Delay of Home Assistant's event loop while the local engine speaks, with a limit of 20 ms.

A real Home Assistant with the installed component; a task on its loop is to wake every millisecond.
The embedded voice speaks one announcement after another for a player that fetches each: synthesis
runs in a worker process, encoding on a thread, and the loop moves the bytes. It runs in Home
Assistant's environment, which `nox -s homeassistant` creates.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from report import Row, ms, percentile, times

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".tools/homeassistant/bin/python"
LIMIT_MS = 20.0
PART_S, N_TURNS = 5.0, 4
Pulse = dict[str, list[float]]


def measure() -> list[Row]:
    if not PYTHON.exists():
        raise SystemExit("Home Assistant is not installed here: nox -s homeassistant")
    ran = subprocess.run(
        [PYTHON, __file__], check=True, capture_output=True, text=True, cwd=ROOT, timeout=300
    )
    found = json.loads(ran.stdout.splitlines()[-1])
    idle, busy = found["idle"], found["speaking"]
    what = f"embedded voice, {found['speed']:.0f} times the speed of speech"
    pairs = [
        (percentile(busy["late_ms"], nth) / 1_000, percentile(idle["late_ms"], nth) / 1_000)
        for nth in (50, 99, 100)
    ]
    return [
        Row(
            part="Delay of Home Assistant's loop, Python 3.14",
            what=f"{what}: median, 99 of 100, most",
            measured=", ".join(ms(b) for b, _ in pairs),
            against="idle: " + ", ".join(ms(i) for _, i in pairs),
            ratio=", ".join(times(b, i) for b, i in pairs),
        ),
        *(
            Row(
                part="Delay of Home Assistant's loop, Python 3.14",
                what=f"{what}: most, {how}",
                measured=ms(most_ms / 1_000),
                against=f"limit: {LIMIT_MS:.0f} ms",
                ratio=times(most_ms, LIMIT_MS),
            )
            for how, most_ms in (
                ("in total", max(busy["late_ms"])),
                ("by its own work", max(busy["worked_ms"])),
            )
        ),
    ]


# --- in Home Assistant's own Python, which is another process than the one above -----------------


async def _observe() -> dict[str, Any]:
    sys.path[:0] = [str(ROOT / "tests/homeassistant"), str(ROOT / "tests/support")]
    from real_hass import (  # type: ignore[import-not-found]  # of Home Assistant's environment
        CONFIGURATION,
        running_hass,
    )

    idle: Pulse = {"late_ms": [], "worked_ms": []}
    speaking: Pulse = {"late_ms": [], "worked_ms": []}
    spoken_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        async with running_hass(Path(folder), configuration=f"{CONFIGURATION}pulse:\n") as hass:
            await hass.flow({"next_step_id": "embedded"}, {})
            await hass.until("sensor.vieneu_active_backend", "local")
            numbers = count()
            await _speak(hass, next(numbers))
            for _ in range(N_TURNS):
                _add(idle, await _take(hass))
                taking = asyncio.create_task(_take(hass))
                while not taking.done():
                    spoken_s += await _speak(hass, next(numbers))
                _add(speaking, await taking)
    return {"idle": idle, "speaking": speaking, "speed": spoken_s / (N_TURNS * PART_S)}


async def _speak(hass: Any, number: int) -> float:
    """Speak a bulletin that was never spoken before; return its length in seconds."""
    import av
    from speech import BULLETIN

    await hass.act(
        "tts.speak",
        entity_id="tts.vieneu_voice",
        media_player_entity_id="media_player.tape",
        message=f"Bản tin số {number}. " + " ".join(BULLETIN),
        cache=False,
    )
    (path,) = hass.config.glob(f"tape-{number}.*")
    with av.open(path) as container:
        base = container.streams.audio[0].time_base
        return float(sum(packet.duration or 0 for packet in container.demux(audio=0)) * base)


async def _take(hass: Any) -> Pulse:
    answer = await hass.post("/api/services/pulse/take?return_response", seconds=PART_S)
    pulse: Pulse = answer["service_response"]
    return pulse


def _add(to: Pulse, more: Pulse) -> None:
    for key, values in more.items():
        to[key] += values


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_observe())))
