from __future__ import annotations

from cli_sandbox import SERVER_TOKEN, CliSandbox


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
