"""A settings file is read with the environment above it, and written back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from settings_files import SECRET, SEED, everything_printed

from vieneu_core.config import Settings, load_settings, save_settings, settings_path, state_dir
from vieneu_core.errors import ConfigurationError, SettingsFileError


def test_a_missing_file_means_the_defaults(path: Path) -> None:
    settings = load_settings(path)
    assert settings == Settings()
    assert settings.mode == "local"
    assert settings.colab.timeout_seconds == 60
    assert settings.colab.health_check_interval == 30
    assert settings.fallback.order == ("local", "last_resort")
    assert not path.exists()


def test_a_missing_file_that_was_named_is_an_error(path: Path) -> None:
    with pytest.raises(SettingsFileError, match="there is no such file"):
        load_settings(path, must_exist=True)


@pytest.mark.parametrize(
    "text", ["", "# only a comment\n", "colab:\n", "---\n", "local:\nbudget:\n"]
)
def test_an_empty_file_or_section_means_the_defaults(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    assert load_settings(path) == Settings()


def test_the_whole_file_is_read(path: Path) -> None:
    path.write_text(SEED, "utf-8")
    settings = load_settings(path)
    assert settings.mode == "remote"
    assert settings.colab.endpoint_url == "https://abc123.ngrok.io"
    assert settings.colab.auth_token.get_secret_value() == SECRET
    assert settings.colab.timeout_seconds == 45
    assert settings.local.voice == "vi-south"


def test_a_disabled_remote_means_local_whatever_the_mode_says(path: Path) -> None:
    path.write_text("backend_mode: remote\ncolab:\n  enabled: false\n", "utf-8")
    assert load_settings(path).mode == "local"


def test_the_environment_wins_and_is_never_written(path: Path) -> None:
    path.write_text(SEED, "utf-8")
    environ = {"COLAB_ENDPOINT_URL": "http://10.0.0.5:8000", "COLAB_AUTH_TOKEN": " from-env\n"}
    settings = load_settings(path, environ)
    assert settings.colab.endpoint_url == "http://10.0.0.5:8000"
    assert settings.colab.auth_token.get_secret_value() == "from-env"
    save_settings({"backend_mode": "local"}, path)
    assert path.read_text("utf-8") == SEED.replace("backend_mode: remote", "backend_mode: local")


def test_empty_variables_state_nothing(path: Path) -> None:
    path.write_text(SEED, "utf-8")
    environ = {"COLAB_ENDPOINT_URL": "", "COLAB_AUTH_TOKEN": "  "}
    assert load_settings(path, environ) == load_settings(path)


def test_a_url_in_the_environment_enables_the_remote_unless_the_file_says_no(path: Path) -> None:
    environ = {"COLAB_ENDPOINT_URL": "https://a.example", "COLAB_AUTH_TOKEN": "x"}
    assert load_settings(path, environ).colab.enabled
    path.write_text("colab:\n  enabled: false\n", "utf-8")
    assert not load_settings(path, environ).colab.enabled


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("COLAB_ENDPOINT_URL", f"https://me:{SECRET}@a.example"),
        ("COLAB_ENDPOINT_URL", f"ftp://{SECRET}"),
        ("COLAB_AUTH_TOKEN", f"{SECRET} {SECRET}"),
        ("COLAB_AUTH_TOKEN", SECRET * 200),
        ("COLAB_AUTH_TOKEN", f"{SECRET}é"),
    ],
)
def test_a_wrong_variable_is_named_and_not_shown(path: Path, variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path, {"COLAB_AUTH_TOKEN": "x", variable: value})
    assert variable in caught.value.detail
    assert SECRET not in everything_printed(caught.value)


def test_the_token_never_prints(path: Path) -> None:
    path.write_text(SEED, "utf-8")
    settings = load_settings(path)
    for text in (repr(settings), str(settings), str(settings.colab), settings.model_dump_json()):
        assert SECRET not in text


def test_a_byte_order_mark_is_read_over(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfbackend_mode: remote\n")
    assert load_settings(path).backend_mode == "remote"


def test_what_is_saved_is_returned_and_read_again(path: Path) -> None:
    changes: dict[str, str | bool | SecretStr] = {
        "colab.enabled": True,
        "colab.endpoint_url": "https://abc.example/",
        "colab.auth_token": SecretStr(SECRET),
        "backend_mode": "remote",
    }
    saved = save_settings(changes, path)
    assert saved == load_settings(path)
    assert saved.colab.auth_token.get_secret_value() == SECRET
    assert saved.mode == "remote"


def test_paths_follow_xdg() -> None:
    assert settings_path({"HOME": "/h"}) == Path("/h/.config/vieneu/config.yaml")
    assert settings_path({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}) == Path("/c/vieneu/config.yaml")
    assert settings_path({"HOME": "/h", "XDG_CONFIG_HOME": "c"}).is_relative_to("/h/.config")
    assert settings_path({"HOME": "/h", "VIENEU_CONFIG": "/e.yaml"}) == Path("/e.yaml")
    assert state_dir({"HOME": "/h"}) == Path("/h/.local/state/vieneu")
    assert state_dir({"HOME": "/h", "XDG_STATE_HOME": "/s"}) == Path("/s/vieneu")
