from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from vieneu_core.config import Settings, load_settings, save_settings, settings_path, state_dir
from vieneu_core.errors import ConfigurationError, SettingsFileError

SECRET = "s3cr3t-T0ken-that-nobody-may-see"

SEED = f"""\
# my house
backend_mode: remote   # for now
colab:
  enabled: true
  endpoint_url: 'https://abc123.ngrok.io/'
  auth_token: "{SECRET}"
  timeout_seconds: 45
  health_check_interval: 20

# the machine in the cellar
local:
  engine: espeak
  voice: vi-south
fallback:
  enabled: true
  order: [local, last_resort]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


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
    assert SECRET not in _everything_printed(caught.value)


def test_the_token_never_prints(path: Path) -> None:
    path.write_text(SEED, "utf-8")
    settings = load_settings(path)
    for text in (repr(settings), str(settings), str(settings.colab), settings.model_dump_json()):
        assert SECRET not in text


WRONG = {
    "a misspelt key": ("colab:\n  auth_tokn: {s}\n", "line 2, column 14", "auth_token"),
    "a misspelt section": ("colob:\n  enabled: true\n", "line 2, column 3", "colab"),
    "a key that nobody knows": ("zzzzzz: 1\n", "'zzzzzz'", "Known here: backend_mode"),
    "a wrong mode": ("backend_mode: remte\n", "line 1, column 15", "Write local or remote"),
    "a wrong number": ("colab:\n  timeout_seconds: soon\n", "line 2, column 20", "from 1 to 600"),
    "a number too large": ("colab:\n  timeout_seconds: 601\n", "found 601", "from 1 to 600"),
    "an endless time": ("colab:\n  timeout_seconds: .inf\n", "found inf", "from 1 to 600"),
    "a token that is a number": (
        "colab:\n  auth_token: 123456\n",
        "a number without quotes",
        "in quotes",
    ),
    "a token with a blank": ("colab:\n  auth_token: {s} x\n", "contains a space", "in quotes"),
    "a token that is a list": ("colab:\n  auth_token: [{s}]\n", "found a list", "in quotes"),
    "a URL with a password": (
        "colab:\n  endpoint_url: https://u:{s}@h\n",
        "password",
        "the URL alone",
    ),
    "a URL that is none": (
        "colab:\n  endpoint_url: {s}\n",
        "does not begin with https://",
        "the URL alone",
    ),
    "a URL with a bad port": (
        "colab:\n  endpoint_url: 'http://h:{s}'\n",
        "cannot be read as a URL",
        "the URL",
    ),
    "a section that is a text": ("colab: {s}\n", "line 1, column 8", "key: value lines"),
    "an unknown stand-in": (
        "fallback:\n  order: [local, lastresort]\n",
        "fallback.order[1]",
        "last_resort",
    ),
    "a stand-in twice": ("fallback:\n  order: [local, local]\n", "twice", "names out of"),
    "a list at the root": ("- {s}\n", "found a list", "key: value"),
    "a text at the root": ("{s}\n", "found text", "key: value"),
    "a number as a key": ("1: 2\n", "which is not a setting", "Known here"),
    "a blank forgotten": (
        "colab: {{auth_token:{s}}}\n",
        "a key, which is not a setting",
        "auth_token",
    ),
    "an alias": ("colab:\n  auth_token: *{s}\n", "line 2, column 15", "Put it in quotes"),
    "a tag": ("colab:\n  auth_token: !{s}\n", "begins with '!'", "Put it in quotes"),
    "an open quote": (
        'colab:\n  auth_token: "{s}\n',
        "a quote that is not closed",
        "Close the quote",
    ),
    "an unknown escape": ('colab:\n  auth_token: "\\q{s}"\n', "unknown '\\'", "backslash"),
    "a colon too many": (
        "colab:\n  auth_token: {s}: x\n",
        "a ':' that is out of place",
        "in quotes",
    ),
    "a tab": ("colab:\n\tauth_token: {s}\n", "a tab", "Indent with spaces"),
    "a key twice": (
        "colab:\n  auth_token: {s}\n  auth_token: {s}\n",
        "duplicate key",
        "Keep one",
    ),
    "two documents": ("---\nlocal:\n---\nlocal:\n", "a second document", "Keep one"),
    "a control character": ("colab: \x01{s}\n", "a control character", "Remove it"),
    "a wrong indentation": (
        "colab:\n    enabled: true\n  auth_token: {s}\n",
        "line 3",
        "left as it is",
    ),
    "braces left open": ("colab: {{auth_token: {s}\n", "not closed", "Close it"),
    "a character in need of quotes": (
        "colab:\n  auth_token: @{s}\n",
        "must stand in quotes",
        "in quotes",
    ),
    "a date that does not exist": ("local:\n  voice: 2020-13-45\n", "does not exist", "in quotes"),
    "a date": ("local:\n  voice: 2020-01-02\n", "a date", "the id of a voice"),
    "deep nesting": ("[" * 600, "nested far too deeply", "key: value"),
    "an unknown directive": ("%FOO {s}\n", "this is not valid YAML", "key: value"),
    "no URL": (
        "colab:\n  enabled: true\n  auth_token: {s}\n",
        "colab.endpoint_url",
        "vieneu connect",
    ),
    "no token": (
        "colab:\n  enabled: true\n  endpoint_url: http://h\n",
        "colab.auth_token",
        "vieneu connect",
    ),
    "an empty engine": ("local:\n  engine: ''\n", "found ''", "an installed engine"),
    "a bool for a number": (
        "budget:\n  monthly_bytes: many\n",
        "found 'many'",
        "a number of bytes",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_bad_file_is_named_by_line_and_field_and_left_alone(
    path: Path, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    text, found, remedy = WRONG[case]
    path.write_text(text.format(s=SECRET) if "{s}" in text else text, "utf-8")
    before = path.read_bytes()
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SettingsFileError) as caught:
        load_settings(path)
    assert found in caught.value.detail
    assert remedy in caught.value.remedy
    assert str(path) in caught.value.detail
    assert "\n" not in str(caught.value)
    assert SECRET not in _everything_printed(caught.value) + caplog.text
    if "is missing" not in caught.value.detail:
        with pytest.raises(SettingsFileError):
            save_settings({"backend_mode": "local"}, path)
    assert path.read_bytes() == before


def _everything_printed(error: BaseException) -> str:
    chain = [error]
    while (earlier := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(earlier)
    shown = traceback.TracebackException.from_exception(error, capture_locals=False)
    return " ".join([*map(repr, chain), *map(str, chain), *shown.format()])


def test_bytes_that_are_no_text_are_named(path: Path) -> None:
    path.write_bytes(b"colab:\n  auth_token: \xff\xfe\n")
    with pytest.raises(SettingsFileError, match="byte 22 is not UTF-8"):
        load_settings(path)


def test_a_file_of_unreasonable_size_is_refused(path: Path) -> None:
    path.write_text("# " + "x" * (1 << 20), "utf-8")
    with pytest.raises(SettingsFileError, match="larger than 1 MiB"):
        load_settings(path)


def test_a_folder_in_place_of_the_file_is_named(path: Path) -> None:
    path.mkdir()
    with pytest.raises(SettingsFileError, match="cannot be read"):
        load_settings(path)
    with pytest.raises(SettingsFileError, match="cannot be read"):
        save_settings({"backend_mode": "local"}, path)


def test_a_wrong_change_is_refused_and_not_written(path: Path) -> None:
    path.write_text(SEED, "utf-8")
    with pytest.raises(SettingsFileError, match=r"colab\.timeout_seconds"):
        save_settings({"colab.timeout_seconds": -1}, path)
    assert path.read_text("utf-8") == SEED


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
