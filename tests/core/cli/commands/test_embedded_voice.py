"""The first command on a new machine: with a model hub, and without one."""

from __future__ import annotations

import time

import pytest
from cli_sandbox import CliSandbox
from guard import GUARD_S
from hub_site import hub_site
from sano_voice import files_of, write_sano_voice

COMMAND = ("say", "Xin chào các bạn.", "-o", "a.wav", "--stats")


def test_the_first_command_downloads_the_neural_voice_and_speaks_with_it(
    sandbox: CliSandbox,
) -> None:
    voice = write_sano_voice(sandbox.home / "published")
    with hub_site() as site:
        site.files["ampixa/sanoTTS"] = files_of(voice, "vi-vais1000-1p46m")
        first = sandbox.run(*COMMAND, HF_ENDPOINT=site.url)
    again = sandbox.run(*COMMAND)
    listed = sandbox.run("models")

    assert first.returncode == again.returncode == 0
    assert all(" sano " in done.stderr for done in (first, again))
    row = next(line for line in listed.stdout.splitlines() if "sano-vi" in line)
    assert "GPL-3.0" in row
    assert "✓" in row


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en_US.UTF-8", "could not be downloaded"), ("vi_VN.UTF-8", "Chưa tải được giọng nơ-ron")],
)
def test_where_the_hub_cannot_be_reached_espeak_speaks_and_says_why(
    sandbox: CliSandbox, lang: str, words: str
) -> None:
    ends_at = time.monotonic() + GUARD_S
    said = ""
    while words not in said and time.monotonic() < ends_at:
        # On a busy machine the last resort may have spoken before the download has failed.
        done = sandbox.run(*COMMAND, HF_ENDPOINT="http://127.0.0.1:9", LANG=lang)
        assert done.returncode == 0
        assert "espeak" in done.stderr
        said = done.stderr

    assert words in said
    assert "vieneu models get sano-vi" in said


def test_a_voice_can_be_downloaded_ahead_without_the_libraries_of_the_hub(
    sandbox: CliSandbox,
) -> None:
    voice = write_sano_voice(sandbox.home / "published")
    without = "import sys; sys.modules['huggingface_hub'] = None; "
    sandbox.command = [*sandbox.command[:2], without + sandbox.command[2]]
    with hub_site() as site:
        site.files["ampixa/sanoTTS"] = files_of(voice, "vi-vais1000-1p46m")
        got = sandbox.run("models", "get", "sano-vi", HF_ENDPOINT=site.url)

    assert got.returncode == 0
    assert " sano " in sandbox.run(*COMMAND).stderr
