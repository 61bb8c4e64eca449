"""Who speaks when one after the other is gone, in real processes: nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from checkpoint.piper_voice import write_voice
from cli_sandbox import SERVER_TOKEN, SUPPORT, CliSandbox
from guard import GUARD_S
from sano_voice import write_sano_voice
from tone_engine import expected, heard, same

pytestmark = pytest.mark.slow

BEFORE, NEW = "Đây là câu 11 nhé.", "Còn đây là câu 12 nhé."


@contextmanager
def running_server() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A real server that speaks tones; it may be killed meanwhile."""
    command = [sys.executable, "-m", "vieneu_colab_server", "--engine=tone_engine:create"]
    process = subprocess.Popen(
        [*command, "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"VIENEU_SERVER_TOKEN": SERVER_TOKEN, "PYTHONPATH": str(SUPPORT)},
    )
    try:
        assert process.stdout is not None
        lines = (line for line in process.stdout if line.startswith("Listening on "))
        yield process, next(lines).removeprefix("Listening on ").strip()
    finally:
        process.kill()
        process.wait(GUARD_S)
        assert process.stdout is not None
        process.stdout.close()


def read(path: Path) -> tuple[bytes, int]:
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes()), file.getframerate()


def test_the_cache_piper_sano_and_espeak_speak_in_this_order(tmp_path: Path) -> None:
    sandbox = CliSandbox(tmp_path)
    piper = tmp_path / ".local/share/vieneu/piper"
    write_voice(piper)
    sano = write_sano_voice(tmp_path / "sano")

    def say(text: str) -> tuple[bytes, int, str]:
        """Return what is heard, and who spoke according to the statistics."""
        done = sandbox.run("say", text, "-o", "said.wav", "--stats")
        assert done.returncode == 0, done.stderr
        return *read(tmp_path / "said.wav"), done.stderr

    with running_server() as (server, url):
        sandbox.config.parent.mkdir(parents=True)
        sandbox.config.write_text(
            f"backend_mode: remote\ncache:\n  enabled: true\n"
            f"colab:\n  enabled: true\n  endpoint_url: {url}\n  auth_token: {SERVER_TOKEN}\n"
            f"local:\n  options:\n    fetch: never\n    sano:\n      voice: {sano}\n",
            "utf-8",
        )
        sandbox.config.chmod(0o600)
        pcm, rate_hz, _ = say(BEFORE)
        assert same(heard(pcm, rate_hz), [expected(BEFORE)])
        server.kill()
        server.wait(GUARD_S)

    assert say(BEFORE)[:2] == (pcm, rate_hz)
    for engine, voice in (("piper", piper), ("sano", sano), ("espeak", None)):
        spoken, rate_hz, stats = say(NEW)
        assert f" {engine} " in stats
        assert len(spoken) > rate_hz, "half a second at least"
        if voice is not None:
            shutil.rmtree(voice)
