from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Callable

import pytest
from cli_house import SERVER_TOKEN, House


def test_connect_by_standard_input_looks_first_and_saves_then(
    house: House, server_url: str
) -> None:
    done = house.run("connect", server_url + "/", "--token-stdin", text=SERVER_TOKEN + "\n")
    assert done.returncode == 0
    for words in ("Connected to", "Latency", " ms", "eSpeak NG", "vieneu mode remote"):
        assert words in done.stdout
    assert f'endpoint_url: "{server_url}"' in house.config.read_text("utf-8")
    assert SERVER_TOKEN in house.config.read_text("utf-8")
    assert stat.S_IMODE(house.config.stat().st_mode) == 0o600
    assert house.run("mode").stdout == "local\n"
    assert house.run("mode", "remote").stdout == "Mode is now remote.\n"
    assert house.run("mode").stdout == "remote\n"
    assert SERVER_TOKEN not in "".join(house.printed)


def test_connect_asks_for_the_token_and_does_not_show_it(house: House, server_url: str) -> None:
    screen = house.on_terminal("connect", server_url, "--lang", "vi")
    screen.wait_for("Mã truy cập: ")
    screen.type(SERVER_TOKEN + "\n")
    assert screen.finish() == 0
    assert "Đã kết nối" in screen.shown
    assert SERVER_TOKEN not in screen.raw
    assert SERVER_TOKEN in house.config.read_text("utf-8")


def test_ctrl_c_at_the_prompt_changes_nothing(house: House, server_url: str) -> None:
    screen = house.on_terminal("connect", server_url)
    screen.wait_for("Token: ")
    screen.interrupt()
    assert screen.finish() == 130
    assert "Traceback" not in screen.shown
    assert not house.config.exists()


def test_a_token_of_the_environment_is_used_and_not_written(house: House, server_url: str) -> None:
    done = house.run("connect", server_url, COLAB_AUTH_TOKEN=SERVER_TOKEN)
    assert done.returncode == 0
    assert "was not written" in done.stderr
    assert SERVER_TOKEN not in house.config.read_text("utf-8")
    said = house.run(
        "say", "Xin chào.", "-o", "a.wav", "--mode", "remote", "--stats",
        COLAB_AUTH_TOKEN=SERVER_TOKEN,
    )  # fmt: skip
    assert " remote " in said.stderr
    missing = house.run("say", "Xin chào.", "-o", "a.wav")
    assert missing.returncode == 3
    assert "colab.auth_token" in missing.stderr


def test_a_refused_connection_leaves_the_file_alone(connected: House, server_url: str) -> None:
    before = connected.config.read_bytes()
    wrong = connected.run("connect", server_url, "--token-stdin", text="wrong-token\n")
    assert wrong.returncode == 6
    assert "Copy the present token" in wrong.stderr
    nobody = connected.run("connect", "http://127.0.0.1:9", "--token-stdin", text="x\n")
    assert nobody.returncode == 5
    assert connected.config.read_bytes() == before


def test_a_new_token_is_kept_and_the_old_one_left(
    house: House, start_server: Callable[[], tuple[subprocess.Popen[str], str]]
) -> None:
    _, url = start_server()
    assert house.run("connect", url, "--token-stdin", text=SERVER_TOKEN).returncode == 0

    english, vietnamese = house.run("rotate-token"), house.run("rotate-token", "--lang", "vi")

    assert (english.returncode, vietnamese.returncode) == (0, 0), english.stderr
    assert "new token" in english.stdout
    assert "mã truy cập mới" in vietnamese.stdout
    kept = house.config.read_text("utf-8")
    assert SERVER_TOKEN not in kept
    token = kept.partition("auth_token: ")[2].split()[0]
    assert token not in english.stdout + english.stderr + vietnamese.stdout
    assert house.config.stat().st_mode & 0o077 == 0
    assert house.run("mode", "remote").returncode == 0


def test_a_token_is_not_rotated_where_it_could_not_be_kept(house: House, server_url: str) -> None:
    nobody = house.run("rotate-token")
    assert house.run("connect", server_url, "--token-stdin", text=SERVER_TOKEN).returncode == 0
    elsewhere = house.run("rotate-token", COLAB_AUTH_TOKEN=SERVER_TOKEN)

    assert (nobody.returncode, elsewhere.returncode) == (5, 3)
    assert "COLAB_AUTH_TOKEN" in elsewhere.stderr
    assert house.run("mode", "remote").returncode == 0, "the token is as it was"


def test_disconnect_takes_the_token_and_goes_to_local(connected: House) -> None:
    done = connected.run("disconnect")
    assert done.stdout == "Disconnected; the token was removed.\nMode is now local.\n"
    text = connected.config.read_text("utf-8")
    assert SERVER_TOKEN not in text
    assert text.startswith("# mine\nbackend_mode: local\ncolab:\n  enabled: false # yes\n")
    assert connected.run("disconnect").stdout == "No server is connected.\n"


def test_disconnect_tells_of_the_environment(house: House) -> None:
    done = house.run("disconnect", COLAB_ENDPOINT_URL="http://127.0.0.1:9")
    assert done.returncode == 0
    assert "COLAB_ENDPOINT_URL" in done.stderr
    assert "enabled: false" in house.config.read_text("utf-8")


def test_a_mode_whose_backend_is_not_ready_is_refused(house: House) -> None:
    nobody = house.run("mode", "remote")
    assert nobody.returncode == 5
    assert "vieneu connect URL" in nobody.stderr
    assert not house.config.exists()
    house.config.parent.mkdir(parents=True)
    text = "colab:\n  enabled: true\n  endpoint_url: http://127.0.0.1:9\n  auth_token: x\n"
    house.config.write_text(text, "utf-8")
    gone = house.run("mode", "remote")
    assert gone.returncode == 5
    assert "127.0.0.1:9" in gone.stderr
    assert house.config.read_text("utf-8") == text


def test_a_mode_that_the_settings_overrule_is_told(house: House) -> None:
    house.config.parent.mkdir(parents=True)
    house.config.write_text("backend_mode: remote\n", "utf-8")
    done = house.run("mode")
    assert done.stdout == "local\n"
    assert "colab.enabled is false" in done.stderr


def test_status_shows_all_backends_for_people_and_programs(connected: House) -> None:
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
    connected: House, lang: str, age: str, uptime: str, columns: str
) -> None:
    lines = connected.run("status", "--lang", lang, COLUMNS=columns).stdout.splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert any(re.match(age, line) for line in lines)
    (row,) = [line.removeprefix(uptime).strip() for line in lines if line.startswith(uptime)]
    assert row.startswith("- ")
    assert row.endswith(" -")
    alone = connected.run("status", "--lang", lang, "--config", _local(connected)).stdout
    assert uptime not in alone


def _local(house: House) -> str:
    path = house.home / "local.yaml"
    path.write_text("backend_mode: local\n", "utf-8")
    return str(path)


def test_status_tells_programs_the_age_of_each_reading(connected: House) -> None:
    status = json.loads(connected.run("status", "--json").stdout)
    assert [0 <= b["checked_s_ago"] < 60 for b in status["backends"]] == [True] * 3
    local = json.loads(connected.run("status", "--json", "--config", _local(connected)).stdout)
    assert local["backends"][1]["checked_s_ago"] is None


def test_status_says_why_the_remote_is_not_there(connected: House) -> None:
    connected.config.write_text(
        connected.config.read_text("utf-8").replace(SERVER_TOKEN, "wrong-token"), "utf-8"
    )
    done = connected.run("status", LANG="vi_VN.UTF-8")
    assert done.returncode == 0
    assert "tại chỗ (thay thế)" in done.stdout
    assert "● mã bị từ chối" in done.stdout
    assert "Chép mã hiện tại từ sổ tay" in " ".join(done.stdout.split())


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_status_goes_on_until_ctrl_c(house: House, form: list[str]) -> None:
    screen = house.on_terminal("status", "--watch", *form)
    wanted = '"mode"' if form else "● ready"
    screen.wait_for(wanted)
    first = screen.shown.count(wanted)
    while screen.shown.count(wanted) <= first + 2:
        screen.wait_for(wanted)
        screen._read(0.5)
    screen.interrupt()
    assert screen.finish() == 130
    assert screen.shown.rstrip().endswith("vieneu: Interrupted.")


def test_voices_are_listed(house: House) -> None:
    table = house.run("voices").stdout
    assert table.splitlines()[1].split() == ["vi-north", "eSpeak", "miền", "Bắc", "vi"]
    voices = json.loads(house.run("voices", "--json").stdout)
    assert voices[0] == {"id": "vi-north", "name": "eSpeak miền Bắc", "language": "vi"}


def test_every_ready_backend_speaks_the_test_sentence(connected: House) -> None:
    done = connected.run("test")
    assert done.returncode == 0
    rows = {line[:12].strip(): line for line in done.stdout.splitlines()[1:]}
    assert set(rows) == {"local", "remote", "last resort"}
    assert all("spoke" in row and "espeak/vi-north" in row for row in rows.values())


def test_the_test_fails_where_nothing_speaks(house: House) -> None:
    house.config.parent.mkdir(parents=True)
    house.config.write_text(
        "local:\n  engine: nowhere:create\nfallback:\n  enabled: false\n", "utf-8"
    )
    done = house.run("test")
    assert done.returncode == 5
    assert "failed" in done.stdout


def test_doctor_finds_nothing_wrong_with_a_sound_house(connected: House) -> None:
    done = connected.run("doctor")
    assert done.returncode == 0
    for words in ("Python", "Embedded voice", "espeakng-loader", "0600", "Local engine"):
        assert words in done.stdout
    assert "✗" not in done.stdout
    assert SERVER_TOKEN not in "".join(connected.printed)


def test_doctor_names_every_problem_and_its_remedy(connected: House) -> None:
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


def test_doctor_reads_on_where_the_settings_are_wrong(house: House) -> None:
    house.config.parent.mkdir(parents=True)
    house.config.write_text("colab:\n  auth_tokn: secret-secret\n", "utf-8")
    done = house.run("doctor", COLAB_AUTH_TOKEN="t")
    assert done.returncode == 3
    assert "Did you mean 'auth_token'?" in " ".join(done.stdout.split())
    assert "COLAB_AUTH_TOKEN" in done.stdout
    assert "secret-secret" not in done.stdout
