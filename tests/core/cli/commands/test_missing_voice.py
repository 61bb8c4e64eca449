"""A default voice that the engine lacks: speech goes on, and everyone hears of it."""

from __future__ import annotations

import json

import pytest
from cli_sandbox import WITHOUT_MODELS, CliSandbox

pytestmark = pytest.mark.usefixtures("in_process")
ALONE = "fallback:\n  enabled: false\nlocal:\n  engine: espeak\n"
"""One worker instead of two."""
ONE_FALLBACK = "fallback:\n  order: [local]\n"
"""It is waited for; of two, the one whose worker is up first speaks."""
KNOWN = "vi-north, vi-central, vi-south, en-us, en-gb"
NOTE = "vieneu: The voice ba-ngoai (local.voice in the settings) does not exist"
NOTES = {
    "C": f"{NOTE}; vi-north spoke instead. See: vieneu voices\n",
    "vi_VN.UTF-8": (
        "vieneu: Giọng ba-ngoai (local.voice trong cấu hình) không tồn tại; vi-north đã đọc thay."
        " Xem: vieneu voices\n"
    ),
}


def configure(sandbox: CliSandbox, text: str) -> None:
    sandbox.config.parent.mkdir(parents=True, exist_ok=True)
    sandbox.config.write_text(text, "utf-8")
    sandbox.config.chmod(0o600)


@pytest.fixture
def wrong(sandbox: CliSandbox) -> CliSandbox:
    configure(sandbox, f"{ALONE}  voice: ba-ngoai\n")
    return sandbox


@pytest.mark.parametrize("lang", NOTES)
def test_the_default_voice_speaks_and_one_line_says_so(wrong: CliSandbox, lang: str) -> None:
    done = wrong.run("say", "Xin chào.", "-o", "a.wav", LANG=lang)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", NOTES[lang])
    assert (wrong.home / "a.wav").stat().st_size > 10_000


def test_a_voice_that_was_asked_for_and_that_nobody_has_is_an_error_with_the_list(
    wrong: CliSandbox,
) -> None:
    done = wrong.run("say", "Xin chào.", "-o", "a.wav", "--voice", "ba-noi")
    assert done.returncode == 4
    assert f"no voice 'ba-noi'. It has: {KNOWN}." in done.stderr
    assert NOTE not in done.stderr
    named = wrong.run("say", "Xin chào.", "-o", "a.wav", "--voice", "vi-south")
    assert (named.returncode, named.stderr) == (0, "")


def test_the_check_names_the_voice_and_those_that_there_are(wrong: CliSandbox) -> None:
    wrong.in_process, wrong.command = False, WITHOUT_MODELS
    done = wrong.run("doctor", COLUMNS="200")
    assert done.returncode == 3
    reported = "✗ Voice local.voice: ba-ngoai: the engine has no such voice; choose one of"
    assert reported in " ".join(done.stdout.split())
    assert f"→ {KNOWN}" in done.stdout
    assert "✓  Local engine" in done.stdout
    reported = "✗ Giọng local.voice: ba-ngoai: công cụ đọc không có giọng này; hãy chọn một trong"
    vietnamese = wrong.run("doctor", "--lang", "vi", COLUMNS="200").stdout
    assert " ".join(reported.split()) in " ".join(vietnamese.split())
    assert f"→ {KNOWN}" in vietnamese


@pytest.mark.parametrize("command", ["test", "voices"])
def test_other_commands_that_use_the_voice_say_so_too(wrong: CliSandbox, command: str) -> None:
    done = wrong.run(command)
    assert done.returncode == 0
    assert done.stderr.startswith(NOTE)
    assert done.stderr.count("\n") == 1
    assert "vi-north" in done.stdout


def test_announcements_that_are_prepared_in_another_voice_are_told(wrong: CliSandbox) -> None:
    configure(wrong, f"{ALONE}  voice: ba-ngoai\ncache:\n  enabled: true\n")
    (wrong.home / "lines.txt").write_text("Xin chào.\n", "utf-8")
    done = wrong.run("warm", "lines.txt")
    assert done.returncode == 0
    assert done.stderr.startswith(NOTE)
    assert "ba-ngoai" not in wrong.run("warm", "lines.txt", "--voice", "vi-south").stderr


def test_the_status_names_it(wrong: CliSandbox) -> None:
    assert "Missing voice   ba-ngoai" in wrong.run("status").stdout
    (local, *_) = json.loads(wrong.run("status", "--json").stdout)["backends"]
    assert local["health"]["missing_voice"] == "ba-ngoai"


def test_a_voice_that_is_there_is_used_by_every_command(sandbox: CliSandbox) -> None:
    configure(sandbox, f"{ALONE}  voice: en-us\n")
    said = sandbox.run("say", "Hello.", "-o", "a.wav", "--stats")
    assert " en-us" in said.stderr
    assert "espeak/en-us" in sandbox.run("test").stdout
    assert sandbox.run("voices").stdout.splitlines()[1].startswith("en-us")
    assert "Missing voice" not in sandbox.run("status").stdout
    sandbox.in_process, sandbox.command = False, WITHOUT_MODELS
    checked = sandbox.run("doctor")
    assert checked.returncode == 0
    assert "✓ Voice en-us" in " ".join(checked.stdout.split())


def test_remote_speech_says_nothing_of_the_local_voice(connected: CliSandbox) -> None:
    text = connected.config.read_text("utf-8")
    configure(connected, f"{text}local:\n  voice: ba-ngoai\n{ONE_FALLBACK}")
    done = connected.run("say", "Xin chào.", "-o", "a.wav")
    assert (done.returncode, done.stderr) == (0, "")
    unknown = connected.run("say", "Xin chào.", "-o", "a.wav", "--voice", "ba-noi")
    assert unknown.returncode == 4
    assert KNOWN in unknown.stderr


def test_a_fallback_of_this_machine_says_so(sandbox: CliSandbox) -> None:
    gone = (
        "backend_mode: remote\ncolab:\n  enabled: true\n"
        "  endpoint_url: http://127.0.0.1:9\n  auth_token: x\nlocal:\n  voice: {}\n"
        f"{ONE_FALLBACK}"
    )
    configure(sandbox, gone.format("ba-ngoai"))
    done = sandbox.run("say", "Xin chào.", "-o", "a.wav")
    assert done.returncode == 0
    assert [line.split(":")[1].split()[0] for line in done.stderr.splitlines()] == [
        "The",
        "local/espeak/vi-north",
    ]
    configure(sandbox, gone.format("vi-south"))
    assert "local/espeak/vi-south spoke" in sandbox.run("say", "Xin chào.", "-o", "a.wav").stderr


def test_the_embedded_voice_speaks_where_the_engine_does_not_load(sandbox: CliSandbox) -> None:
    configure(sandbox, "local:\n  engine: nowhere:create\n  voice: ba-ngoai\n")
    done = sandbox.run("say", "Xin chào.", "-o", "a.wav")
    assert done.returncode == 0
    assert "last_resort/espeak/vi-north spoke all sentences instead of local" in done.stderr
    assert done.stderr.count("\n") == 1
