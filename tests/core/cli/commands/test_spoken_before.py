"""The chosen voice is away: what it has said before is heard first, then the last resort."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest
from cli_sandbox import CliSandbox
from tone_engine import Heard, expected, heard, same
from wyoming_voice import wyoming_program

pytestmark = pytest.mark.usefixtures("without_models")
KNOWN = "Đây là câu 11 nhé."
ALSO_KNOWN = "Còn đây là câu 12 nhé."
NEW = "Máy giặt đã xong."


def tones(path: Path) -> list[Heard]:
    with wave.open(str(path)) as file:
        return heard(file.readframes(file.getnframes()), file.getframerate())


def rows(stderr: str) -> list[list[str]]:
    """Return the table of sentences that ``--stats`` prints: backend, engine, and what follows."""
    found = (line.split() for line in stderr.splitlines())
    return [row[3:] for row in found if row[2:3] == ["s"] and row[0].isdecimal()]


def say(sandbox: CliSandbox, *arguments: str, text: str = "") -> list[list[str]]:
    said = sandbox.run("say", *arguments, "-o", "a.wav", "--stats", text=text, COLUMNS="200")
    assert said.returncode == 0, said.stderr
    return rows(said.stderr)


def test_own_speech_then_last_resort_each_in_a_process_of_its_own(sandbox: CliSandbox) -> None:
    with wyoming_program() as (url, kill):
        sandbox.config.parent.mkdir(parents=True)
        sandbox.config.write_text(
            f"local:\n  kind: wyoming\n  url: {url}\ncache:\n  enabled: true\n", "utf-8"
        )
        sandbox.config.chmod(0o600)
        assert [row[:2] for row in say(sandbox, f"{KNOWN} {ALSO_KNOWN}")] == [
            ["local", "wyoming"]
        ] * 2
        kill()

    assert [row[0] for row in say(sandbox, KNOWN)] == ["local"]
    assert same(tones(sandbox.home / "a.wav"), [expected(KNOWN)])

    mixed = say(sandbox, "-", text=f"{ALSO_KNOWN} {NEW} {KNOWN}")
    assert [row[:2] for row in mixed] == [
        ["local", "wyoming"],
        ["last_resort", "espeak"],
        ["local", "wyoming"],
    ]
    assert [row[-1] for row in mixed] == ["cache", "fallback", "cache"]
    spoken = tones(sandbox.home / "a.wav")
    assert same(spoken[:1], [expected(ALSO_KNOWN)])
    assert same(spoken[-1:], [expected(KNOWN)])

    assert [row[-1] for row in say(sandbox, NEW)] == ["fallback"], "it was not stored"
