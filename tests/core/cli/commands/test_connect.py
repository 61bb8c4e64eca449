from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cli_sandbox import SERVER_TOKEN, CliSandbox, StartServer

pytestmark = pytest.mark.usefixtures("in_process")


def test_connect_by_standard_input_looks_first_and_saves_then(
    sandbox: CliSandbox, server_url: str
) -> None:
    sandbox.in_process = False
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
    assert "Copy the current token" in wrong.stderr
    unreachable = connected.run("connect", "http://127.0.0.1:9", "--token-stdin", text="x\n")
    assert unreachable.returncode == 5
    assert connected.config.read_bytes() == before


def test_connect_waits_for_a_server_that_still_loads_its_model(
    sandbox: CliSandbox, start_server: StartServer, tmp_path: Path
) -> None:
    loaded = tmp_path / "loaded"
    option = f"--engine-option=load_until_file={loaded}"
    _, url = start_server("--engine=tone_engine:create", option)
    screen = sandbox.on_terminal("connect", url, COLAB_AUTH_TOKEN=SERVER_TOKEN)
    screen.wait_for("still loading")
    loaded.touch()

    assert screen.finish() == 0
    assert "Connected to" in screen.shown


def test_a_new_token_is_kept_and_the_old_one_left(
    sandbox: CliSandbox, start_server: StartServer
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


def test_once_the_new_token_is_kept_whoever_has_the_old_one_cannot_rotate(
    sandbox: CliSandbox, start_server: StartServer
) -> None:
    _, url = start_server()
    assert sandbox.run("connect", url, "--token-stdin", text=SERVER_TOKEN).returncode == 0
    stolen = sandbox.config.read_text("utf-8")
    assert sandbox.run("rotate-token").returncode == 0
    own = sandbox.config.read_text("utf-8")

    sandbox.config.write_text(stolen, "utf-8")
    thief = sandbox.run("rotate-token")
    assert thief.returncode == 6
    assert "needs the current token" in thief.stderr
    sandbox.config.write_text(own, "utf-8")
    assert sandbox.run("rotate-token").returncode == 0


def test_where_the_server_has_an_admin_token_only_that_rotates(
    sandbox: CliSandbox, start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin_token = "the-token-of-the-admin-0123456789"
    monkeypatch.setenv("VIENEU_SERVER_ADMIN_TOKEN", admin_token)
    _, url = start_server()
    monkeypatch.delenv("VIENEU_SERVER_ADMIN_TOKEN")
    assert sandbox.run("connect", url, "--token-stdin", text=SERVER_TOKEN).returncode == 0

    refused = sandbox.run("rotate-token")
    rotated = sandbox.run("rotate-token", VIENEU_ADMIN_TOKEN=admin_token)

    assert (refused.returncode, rotated.returncode) == (6, 0), refused.stderr + rotated.stderr
    assert "needs the admin token" in refused.stderr
    assert "VIENEU_ADMIN_TOKEN" in refused.stderr
    kept = sandbox.config.read_text("utf-8")
    assert SERVER_TOKEN not in kept
    assert admin_token not in kept + rotated.stdout + rotated.stderr
    assert sandbox.run("mode", "remote").returncode == 0


def test_a_token_is_not_rotated_where_it_could_not_be_kept(
    sandbox: CliSandbox, server_url: str
) -> None:
    unreachable = sandbox.run("rotate-token")
    assert sandbox.run("connect", server_url, "--token-stdin", text=SERVER_TOKEN).returncode == 0
    elsewhere = sandbox.run("rotate-token", COLAB_AUTH_TOKEN=SERVER_TOKEN)

    assert (unreachable.returncode, elsewhere.returncode) == (5, 3)
    assert "COLAB_AUTH_TOKEN" in elsewhere.stderr
    assert sandbox.run("mode", "remote").returncode == 0, "the token is as it was"


def test_disconnect_takes_the_token_and_goes_to_local(connected: CliSandbox) -> None:
    done = connected.run("disconnect")
    assert done.stdout == "Disconnected; the token was removed.\nMode is now local.\n"
    text = connected.config.read_text("utf-8")
    assert SERVER_TOKEN not in text
    assert text.startswith("# mine\nbackend_mode: local\ncolab:\n  enabled: false # yes\n")
    assert connected.run("disconnect").stdout == "No server is connected.\n"


def test_a_variable_that_says_the_same_in_another_form_is_no_contradiction(
    sandbox: CliSandbox, server_url: str
) -> None:
    bare = server_url.removeprefix("http://")
    for given, stated in [(bare, bare), (server_url, f" {bare}/ "), (bare, f"{server_url}/")]:
        done = sandbox.run(
            "connect", given, "--token-stdin", text=SERVER_TOKEN, COLAB_ENDPOINT_URL=stated
        )
        assert done.returncode == 0, done.stderr
        assert f'endpoint_url: "{server_url}"' in sandbox.config.read_text("utf-8")
    for stated in ["127.0.0.1:9", "no address"]:
        done = sandbox.run(
            "connect", bare, "--token-stdin", text=SERVER_TOKEN, COLAB_ENDPOINT_URL=stated
        )
        assert done.returncode == 3
        assert "unset COLAB_ENDPOINT_URL" in done.stderr


def test_disconnect_tells_of_the_environment(sandbox: CliSandbox) -> None:
    done = sandbox.run("disconnect", COLAB_ENDPOINT_URL="http://127.0.0.1:9")
    assert done.returncode == 0
    assert "COLAB_ENDPOINT_URL" in done.stderr
    assert "enabled: false" in sandbox.config.read_text("utf-8")
