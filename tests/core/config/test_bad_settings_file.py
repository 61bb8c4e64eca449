"""A bad settings file is named by line and field, shows no secret, and is left alone."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from settings_files import SECRET, SEED, everything_printed

from vieneu_core.config import load_settings, save_settings
from vieneu_core.errors import SettingsFileError

WRONG = {
    "a misspelt key": ("colab:\n  auth_tokn: {s}\n", "line 2, column 14", "auth_token"),
    "a misspelt section": ("colob:\n  enabled: true\n", "line 2, column 3", "colab"),
    "a key that nobody knows": ("zzzzzz: 1\n", "'zzzzzz'", "Known here: backend_mode"),
    "a wrong mode": ("backend_mode: remte\n", "line 1, column 15", "Write local or remote"),
    "a wrong number": ("colab:\n  timeout_seconds: soon\n", "line 2, column 20", "from 1 to 600"),
    "a number too large": ("colab:\n  timeout_seconds: 601\n", "found 601", "from 1 to 600"),
    "an endless time": ("colab:\n  timeout_seconds: .inf\n", "found inf", "from 1 to 600"),
    "a number without end": (
        "colab:\n  timeout_seconds: 0x" + "f" * 9_000 + "\n",
        "a number or date that does not exist",
        "in quotes",
    ),
    "a number without end as a key": (
        "? 0x" + "f" * 9_000 + "\n: 1\n",
        "a number or date that does not exist",
        "in quotes",
    ),
    "a key twice in an ordered list": (
        "local:\n  options: {{a: !!omap [b: 1, b: 2]}}\n",
        "a duplicate key",
        "Keep one of them",
    ),
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
        "has neither https:// nor a port",
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
    "lists in lists": (
        "local:\n  options: {{a: " + "[" * 60 + "]" * 60 + "}}\n",
        "nested far too deeply",
        "key: value",
    ),
    "ten values of ten values of …": (
        "local:\n  options:\n    a0: &a0 [x]\n"
        + "".join(f"    a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 20)),
        "too many values",
        "Repeat less",
    ),
    "a list that contains itself": (
        "local:\n  options:\n    a: &a [*a]\n",
        "too many values",
        "Repeat less",
    ),
    "60 000 settings": (
        "".join(f"key_{n}: 1\n" for n in range(60_000)),
        "too many values",
        "not a setting",
    ),
    "60 000 options": (
        "local:\n  options: {{" + ", ".join(f"k{n}" for n in range(60_000)) + "}}\n",
        "too many values",
        "not a setting",
    ),
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
    assert SECRET not in everything_printed(caught.value) + caplog.text
    if "is missing" not in caught.value.detail:
        with pytest.raises(SettingsFileError):
            save_settings({"backend_mode": "local"}, path)
    assert path.read_bytes() == before


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
    with pytest.raises(SettingsFileError, match="is no ordinary file"):
        save_settings({"backend_mode": "local"}, path)


def test_a_name_that_no_disk_takes_is_an_error_of_the_settings(path: Path) -> None:
    with pytest.raises(SettingsFileError, match="File name too long"):
        save_settings({"backend_mode": "local"}, path.with_name("x" * 300))


def test_a_pipe_in_place_of_the_file_is_named_and_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(SettingsFileError, match="is no ordinary file"):
        load_settings(path)
    with pytest.raises(SettingsFileError, match="is no ordinary file"):
        save_settings({"backend_mode": "local"}, path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_wrong_change_is_refused_and_not_written(path: Path) -> None:
    path.write_text(SEED, "utf-8")
    with pytest.raises(SettingsFileError, match=r"colab\.timeout_seconds"):
        save_settings({"colab.timeout_seconds": -1}, path)
    assert path.read_text("utf-8") == SEED
