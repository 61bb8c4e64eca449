"""The programs of `examples/` run as a reader runs them, each in an empty folder."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest
from child_process import child
from guard import GUARD_S

from vieneu_core import RemoteBackend, synthesize
from vieneu_core.wire.routes import READYZ

EXAMPLES = Path(__file__).parents[2] / "examples"
PRINTED = {
    "say.py": "xin-chao.wav: ",
    "failover.py": (
        "Failover: remote → local (tunnel_offline)\n"
        "Câu một. spoken by remote, fallback: False\n"
        "Câu hai. spoken by local, fallback: True\n"
        "Câu ba. spoken by local, fallback: True\n"
    ),
    "own_engine.py": "bip.wav: 0.9 s from the engine beep\n",
}
"""What the output of each begins with."""
SERVES = {"serve_router.py"}


def environ(home: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*PRINTED, *SERVES}


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_prints_what_it_promises(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        cwd=tmp_path,
        env=environ(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith(PRINTED[name])


async def test_the_served_router_speaks_to_a_client_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    with child(
        [sys.executable, str(EXAMPLES / "serve_router.py"), "0"],
        cwd=tmp_path,
        env=environ(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        token = process.stdout.readline().removeprefix("Token: ").strip()
        url = process.stdout.readline().removeprefix("Listening on ").strip()
        await ready(url)
        async with RemoteBackend(url, token) as backend:
            speech = await synthesize(backend, "Xin chào.")
        process.send_signal(signal.SIGINT)

        assert process.wait(GUARD_S) == 0
    assert speech.seconds > 0.3


async def ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(GUARD_S):
        while True:
            async with session.get(url + READYZ) as answer:
                if answer.status == HTTPStatus.OK:
                    return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_shown_in_the_documentation(path: Path) -> None:
    pages = EXAMPLES.parent.glob("docs/*.md")

    assert any(f"<!-- example: {path.name} -->" in page.read_text("utf-8") for page in pages)
