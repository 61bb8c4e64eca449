"""What `say` tells of a sentence that no voice can pronounce."""

from __future__ import annotations

import os

import pytest
from cli_sandbox import SUPPORT, CliSandbox


def use_tones(sandbox: CliSandbox) -> None:
    """Let the engine of the tests speak, and no other."""
    path = os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")]))
    sandbox.environ["PYTHONPATH"] = path
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(
        "local:\n  engine: tone_engine:create\nfallback:\n  enabled: false\n", "utf-8"
    )


@pytest.mark.parametrize(
    ("lang", "note"),
    [
        ("en", "No voice can pronounce sentence 2: skipped."),
        ("vi", "Không giọng nào đọc được câu 2: đã bỏ qua."),
    ],
)
def test_a_sentence_that_no_voice_can_pronounce_is_told_and_the_rest_is_said(
    sandbox: CliSandbox, lang: str, note: str
) -> None:
    use_tones(sandbox)
    text = "Đây là câu 1 nhé. Câu 2 này unsayable. Đây là câu 3 nhé."
    done = sandbox.run("say", text, "-o", "out.wav", "--lang", lang)
    assert done.returncode == 0, done.stderr
    assert note in done.stderr


def test_a_typed_line_that_no_voice_can_pronounce_does_not_end_the_session(
    sandbox: CliSandbox,
) -> None:
    use_tones(sandbox)
    sandbox.put_program("aplay", "#!/bin/sh\ncat > $HOME/played.raw\n")
    screen = sandbox.on_terminal("say", "-")
    screen.wait_for("Type text; each line")
    screen.type("Câu này unsayable.\n")
    screen.wait_for("The voice has no sounds")
    screen.type("Đây là câu 3 nhé.\n\x04")
    assert screen.finish() == 0, screen.shown
    assert (sandbox.home / "played.raw").stat().st_size > 1000
