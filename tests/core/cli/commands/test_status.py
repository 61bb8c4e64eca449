from __future__ import annotations

import json
import re

import pytest
from cli_sandbox import SERVER_TOKEN, CliSandbox


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


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("columns", ["60", "80", "200"])
@pytest.mark.parametrize(
    ("lang", "age", "uptime"),
    [
        ("en", r"Checked( +\d+ s ago){3}", "Uptime"),
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


@pytest.mark.usefixtures("in_process")
def test_status_tells_programs_the_age_of_each_reading(connected: CliSandbox) -> None:
    status = json.loads(connected.run("status", "--json").stdout)
    assert [0 <= b["checked_s_ago"] < 60 for b in status["backends"]] == [True] * 3
    uptimes = {b["name"]: b["health"]["uptime_s"] for b in status["backends"]}
    assert uptimes.pop("remote") > 0
    assert uptimes == {"local": None, "last_resort": None}, "those would be of the command itself"
    local = json.loads(connected.run("status", "--json", "--config", _local(connected)).stdout)
    assert local["backends"][1]["checked_s_ago"] is None


@pytest.mark.usefixtures("in_process")
def test_status_says_why_the_remote_is_not_there(connected: CliSandbox) -> None:
    connected.config.write_text(
        connected.config.read_text("utf-8").replace(SERVER_TOKEN, "wrong-token"), "utf-8"
    )
    done = connected.run("status", LANG="vi_VN.UTF-8")
    assert done.returncode == 0
    assert "trong nhà (dự phòng)" in done.stdout
    assert "● mã bị từ chối" in done.stdout
    assert "Sao chép mã hiện tại từ notebook" in " ".join(done.stdout.split())


@pytest.mark.usefixtures("one_voice")
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
