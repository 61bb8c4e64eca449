from __future__ import annotations

from cli_sandbox import CliSandbox


def test_a_mode_whose_backend_is_not_ready_is_refused(sandbox: CliSandbox) -> None:
    unconfigured = sandbox.run("mode", "remote")
    assert unconfigured.returncode == 5
    assert "vieneu connect URL" in unconfigured.stderr
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
