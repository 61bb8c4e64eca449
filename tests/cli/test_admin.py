from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Callable

import pytest
from cli_sandbox import SERVER_TOKEN, CliSandbox


def test_connect_by_standard_input_looks_first_and_saves_then(
    sandbox: CliSandbox, server_url: str
) -> None:
    done = sandbox.run("connect", server_url + "/", "--token-stdin", text=SERVER_TOKEN + "\n")
    assert done.returncode == 0
    for words in ("Connected to", "Latency", " ms", "eSpeak NG", "vieneu mode remote"):
        assert words in done.stdout
    assert f'endpoint_url: "{server_url}"' in sandbox.config.read_text("utf-8")
    assert SERVER_TOKEN in sandbox.config.read_text("utf-8")
    assert stat.S_IMODE(sandbox.config.stat().st_mode) == 0o600
    assert sandbox.run("mode").stdout == "local\n"
    assert sandbox.run("mode", "remote").stdout == "Mode is now remote.\n"
    assert sandbox.run("mode").stdout == "remote\n"
    assert SERVER_TOKEN not in "".join(sandbox.printed)


def test_connect_asks_for_the_token_and_does_not_show_it(
    sandbox: CliSandbox, server_url: str
) -> None:
    screen = sandbox.on_terminal("connect", server_url, "--lang", "vi")
    screen.wait_for("Mã truy cập: ")
    screen.type(SERVER_TOKEN + "\n")
    assert screen.finish() == 0
    assert "Đã kết nối" in screen.shown
    assert SERVER_TOKEN not in screen.raw
    assert SERVER_TOKEN in sandbox.config.read_text("utf-8")


def test_ctrl_c_at_the_prompt_changes_nothing(sandbox: CliSandbox, server_url: str) -> None:
    screen = sandbox.on_terminal("connect", server_url)
    screen.wait_for("Token: ")
    screen.interrupt()
    assert screen.finish() == 130
    assert "Traceback" not in screen.shown
    assert not sandbox.config.exists()


def test_a_token_of_the_environment_is_used_and_not_written(
    sandbox: CliSandbox, server_url: str
) -> None:
    done = sandbox.run("connect", server_url, COLAB_AUTH_TOKEN=SERVER_TOKEN)
    assert done.returncode == 0
    assert "was not written" in done.stderr
    assert SERVER_TOKEN not in sandbox.config.read_text("utf-8")
    said = sandbox.run(
        "say", "Xin chào.", "-o", "a.wav", "--mode", "remote", "--stats",
        COLAB_AUTH_TOKEN=SERVER_TOKEN,
    )  # fmt: skip
    assert " remote " in said.stderr
    missing = sandbox.run("say", "Xin chào.", "-o", "a.wav")
    assert missing.returncode == 3
    assert "colab.auth_token" in missing.stderr


def test_a_refused_connection_leaves_the_file_alone(connected: CliSandbox, server_url: str) -> None:
    before = connected.config.read_bytes()
    wrong = connected.run("connect", server_url, "--token-stdin", text="wrong-token\n")
    assert wrong.returncode == 6
    assert "Copy the present token" in wrong.stderr
    nobody = connected.run("connect", "http://127.0.0.1:9", "--token-stdin", text="x\n")
    assert nobody.returncode == 5
    assert connected.config.read_bytes() == before


def test_a_new_token_is_kept_and_the_old_one_left(
    sandbox: CliSandbox, start_server: Callable[[], tuple[subprocess.Popen[str], str]]
) -> None:
    _, url = start_server()
    assert sandbox.run("connect", url, "--token-stdin", text=SERVER_TOKEN).returncode == 0

    english, vietnamese = sandbox.run("rotate-token"), sandbox.run("rotate-token", "--lang", "vi")

    assert (english.returncode, vietnamese.returncode) == (0, 0), english.stderr
    assert "new token" in english.stdout
    assert "mã truy cập mới" in vietnamese.stdout
    kept = sandbox.config.read_text("utf-8")
    assert SERVER_TOKEN not in kept
    token = kept.partition("auth_token: ")[2].split()[0]
    assert token not in english.stdout + english.stderr + vietnamese.stdout
    assert sandbox.config.stat().st_mode & 0o077 == 0
    assert sandbox.run("mode", "remote").returncode == 0


def test_a_token_is_not_rotated_where_it_could_not_be_kept(
    sandbox: CliSandbox, server_url: str
) -> None:
    nobody = sandbox.run("rotate-token")
    assert sandbox.run("connect", server_url, "--token-stdin", text=SERVER_TOKEN).returncode == 0
    elsewhere = sandbox.run("rotate-token", COLAB_AUTH_TOKEN=SERVER_TOKEN)

    assert (nobody.returncode, elsewhere.returncode) == (5, 3)
    assert "COLAB_AUTH_TOKEN" in elsewhere.stderr
    assert sandbox.run("mode", "remote").returncode == 0, "the token is as it was"


def test_disconnect_takes_the_token_and_goes_to_local(connected: CliSandbox) -> None:
    done = connected.run("disconnect")
    assert done.stdout == "Disconnected; the token was removed.\nMode is now local.\n"
    text = connected.config.read_text("utf-8")
    assert SERVER_TOKEN not in text
    assert text.startswith("# mine\nbackend_mode: local\ncolab:\n  enabled: false # yes\n")
    assert connected.run("disconnect").stdout == "No server is connected.\n"


def test_disconnect_tells_of_the_environment(sandbox: CliSandbox) -> None:
    done = sandbox.run("disconnect", COLAB_ENDPOINT_URL="http://127.0.0.1:9")
    assert done.returncode == 0
    assert "COLAB_ENDPOINT_URL" in done.stderr
    assert "enabled: false" in sandbox.config.read_text("utf-8")


def test_a_mode_whose_backend_is_not_ready_is_refused(sandbox: CliSandbox) -> None:
    nobody = sandbox.run("mode", "remote")
    assert nobody.returncode == 5
    assert "vieneu connect URL" in nobody.stderr
    assert not sandbox.config.exists()
    sandbox.config.parent.mkdir(parents=True)
    text = "colab:\n  enabled: true\n  endpoint_url: http://127.0.0.1:9\n  auth_token: x\n"
    sandbox.config.write_text(text, "utf-8")
    gone = sandbox.run("mode", "remote")
    assert gone.returncode == 5
    assert "127.0.0.1:9" in gone.stderr
    assert sandbox.config.read_text("utf-8") == text


def test_a_mode_that_the_settings_overrule_is_told(sandbox: CliSandbox) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text("backend_mode: remote\n", "utf-8")
    done = sandbox.run("mode")
    assert done.stdout == "local\n"
    assert "colab.enabled is false" in done.stderr


def test_status_shows_all_backends_for_people_and_programs(connected: CliSandbox) -> None:
    people = connected.run("status")
    for words in ("Mode", "remote", "● ready", "eSpeak NG", "Latency", "of 20,000 requests"):
        assert words in people.stdout
    assert max(map(len, people.stdout.splitlines())) <= 80
    status = json.loads(connected.run("status", "--json").stdout)
    assert status["mode"] == status["active"] == "remote"
    assert {b["name"]: b["state"] for b in status["backends"]} == {
        "local": "ready",
        "remote": "ready",
        "last_resort": "ready",
    }
    assert SERVER_TOKEN not in "".join(connected.printed)


@pytest.mark.parametrize("columns", ["60", "80", "200"])
@pytest.mark.parametrize(
    ("lang", "age", "uptime"),
    [
        ("en", r"Checked( +\d+ s ago){3}", "Running for"),
        ("vi", r"Kiểm tra( +\d+ giây trước){3}", "Đã chạy"),
    ],
)
def test_status_tells_the_age_of_each_reading_and_how_long_the_server_runs(
    connected: CliSandbox, lang: str, age: str, uptime: str, columns: str
) -> None:
    lines = connected.run("status", "--lang", lang, COLUMNS=columns).stdout.splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert any(re.match(age, line) for line in lines)
    (row,) = [line.removeprefix(uptime).strip() for line in lines if line.startswith(uptime)]
    assert row.startswith("- ")
    assert row.endswith(" -")
    alone = connected.run("status", "--lang", lang, "--config", _local(connected)).stdout
    assert uptime not in alone


def _local(sandbox: CliSandbox) -> str:
    path = sandbox.home / "local.yaml"
    path.write_text("backend_mode: local\n", "utf-8")
    return str(path)


def test_status_tells_programs_the_age_of_each_reading(connected: CliSandbox) -> None:
    status = json.loads(connected.run("status", "--json").stdout)
    assert [0 <= b["checked_s_ago"] < 60 for b in status["backends"]] == [True] * 3
    local = json.loads(connected.run("status", "--json", "--config", _local(connected)).stdout)
    assert local["backends"][1]["checked_s_ago"] is None


def test_status_says_why_the_remote_is_not_there(connected: CliSandbox) -> None:
    connected.config.write_text(
        connected.config.read_text("utf-8").replace(SERVER_TOKEN, "wrong-token"), "utf-8"
    )
    done = connected.run("status", LANG="vi_VN.UTF-8")
    assert done.returncode == 0
    assert "tại chỗ (thay thế)" in done.stdout
    assert "● mã bị từ chối" in done.stdout
    assert "Chép mã hiện tại từ sổ tay" in " ".join(done.stdout.split())


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_status_goes_on_until_ctrl_c(sandbox: CliSandbox, form: list[str]) -> None:
    screen = sandbox.on_terminal("status", "--watch", *form)
    wanted = '"mode"' if form else "● ready"
    screen.wait_for(wanted)
    first = screen.shown.count(wanted)
    while screen.shown.count(wanted) <= first + 2:
        screen.wait_for(wanted)
        screen._read(0.5)
    screen.interrupt()
    assert screen.finish() == 130
    assert screen.shown.rstrip().endswith("vieneu: Interrupted.")


def test_voices_are_listed(sandbox: CliSandbox) -> None:
    table = sandbox.run("voices").stdout
    assert table.splitlines()[1].split() == ["vi-north", "eSpeak", "miền", "Bắc", "vi"]
    voices = json.loads(sandbox.run("voices", "--json").stdout)
    assert voices[0] == {"id": "vi-north", "name": "eSpeak miền Bắc", "language": "vi"}


def test_every_ready_backend_speaks_the_test_sentence(connected: CliSandbox) -> None:
    done = connected.run("test")
    assert done.returncode == 0
    rows = {line[:12].strip(): line for line in done.stdout.splitlines()[1:]}
    assert set(rows) == {"local", "remote", "last resort"}
    assert all("spoke" in row and "espeak/vi-north" in row for row in rows.values())


def test_the_test_fails_where_nothing_speaks(sandbox: CliSandbox) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text(
        "local:\n  engine: nowhere:create\nfallback:\n  enabled: false\n", "utf-8"
    )
    done = sandbox.run("test")
    assert done.returncode == 5
    assert "failed" in done.stdout


def test_doctor_finds_nothing_wrong_with_a_sound_house(connected: CliSandbox) -> None:
    done = connected.run("doctor")
    assert done.returncode == 0
    for words in ("Python", "Embedded voice", "espeakng-loader", "0600", "Local engine"):
        assert words in done.stdout
    assert "✗" not in done.stdout
    assert SERVER_TOKEN not in "".join(connected.printed)


def test_doctor_names_every_problem_and_its_remedy(connected: CliSandbox) -> None:
    connected.config.chmod(0o644)
    connected.config.write_text(
        connected.config.read_text("utf-8").replace(SERVER_TOKEN, "wrong-token")
        + "local:\n  engine: nowhere:create\n",
        "utf-8",
    )
    done = connected.run("doctor", LANG="vi_VN.UTF-8", COLAB_AUTH_TOKEN="")
    assert done.returncode == 3
    assert f"→chmod600{connected.config}" in "".join(done.stdout.split())
    assert done.stdout.count("✗") == 3
    assert "wrong-token" not in done.stdout


def test_doctor_reads_on_where_the_settings_are_wrong(sandbox: CliSandbox) -> None:
    sandbox.config.parent.mkdir(parents=True)
    sandbox.config.write_text("colab:\n  auth_tokn: secret-secret\n", "utf-8")
    done = sandbox.run("doctor", COLAB_AUTH_TOKEN="t")
    assert done.returncode == 3
    assert "Did you mean 'auth_token'?" in " ".join(done.stdout.split())
    assert "COLAB_AUTH_TOKEN" in done.stdout
    assert "secret-secret" not in done.stdout
