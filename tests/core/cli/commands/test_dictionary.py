"""``vieneu dictionary``: what is in the file, what is skipped, and entries that come and go."""

from __future__ import annotations

import json

import pytest
from cli_sandbox import CliSandbox


def written(sandbox: CliSandbox) -> str:
    return (sandbox.config.parent / "dictionary.txt").read_text("utf-8")


def test_the_first_entry_makes_the_file_and_names_it_in_the_settings(sandbox: CliSandbox) -> None:
    added = sandbox.run("dictionary", "add", "Aqara", "a ca ra")
    assert added.returncode == 0, added.stderr
    path = sandbox.config.parent / "dictionary.txt"
    assert added.stdout == f"Saved in {path}.\n"
    assert written(sandbox) == "Aqara = a ca ra\n"
    assert f'dictionary: "{path}"' in sandbox.config.read_text("utf-8")
    shown = json.loads(sandbox.run("dictionary", "--json").stdout)
    assert shown == {
        "path": str(path),
        "entries": [{"line": 1, "written": "Aqara", "spoken": "a ca ra"}],
        "bad_lines": [],
    }


def test_comments_and_other_lines_stay_where_an_entry_changes_or_goes(sandbox: CliSandbox) -> None:
    path = sandbox.config.parent / "words.txt"
    path.parent.mkdir(parents=True)
    path.write_text("# Nhà\nAqara = a ca\nsai\nwifi = oai phai\n", "utf-8")
    sandbox.config.write_text(f"text:\n  dictionary: {path}\n", "utf-8")

    sandbox.run("dictionary", "add", "aqara", "a ca ra")
    assert path.read_text("utf-8") == "# Nhà\naqara = a ca ra\nsai\nwifi = oai phai\n"
    removed = sandbox.run("dictionary", "remove", "Wifi", "--lang", "vi")
    assert removed.stdout == f"Đã xóa khỏi {path}.\n"
    assert path.read_text("utf-8") == "# Nhà\naqara = a ca ra\nsai\n"
    again = sandbox.run("dictionary", "remove", "wifi")
    assert again.returncode != 0
    assert "has no entry 'wifi'" in again.stderr


def test_a_line_that_is_skipped_is_named(sandbox: CliSandbox) -> None:
    sandbox.run("dictionary", "add", "Aqara", "a ca ra")
    path = sandbox.config.parent / "dictionary.txt"
    path.write_text(written(sandbox) + "sai\n", "utf-8")
    english, vietnamese = sandbox.run("dictionary"), sandbox.run("dictionary", "--lang", "vi")
    assert [line.split() for line in english.stdout.splitlines()[1:]] == [
        ["Written", "Spoken"],
        ["Aqara", "a", "ca", "ra"],
    ]
    assert "Line 2 is skipped: The line has no =" in english.stderr
    assert "Dòng 2 bị bỏ qua: Dòng này không có dấu =" in vietnamese.stderr


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (("...", "ba chấm"), "Before the = stands no word."),
        (("Aqara", "..."), "After the = stands nothing"),
        (("Aqara=x", "a ca ra"), "It has a = or a #"),
        (("# Aqara", "a ca ra"), "It has a = or a #"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused(
    sandbox: CliSandbox, entry: tuple[str, str], reason: str
) -> None:
    refused = sandbox.run("dictionary", "add", *entry)
    assert refused.returncode != 0
    assert reason in refused.stderr
    assert not (sandbox.config.parent / "dictionary.txt").exists()


def test_a_file_that_is_no_text_is_named_and_stays(sandbox: CliSandbox) -> None:
    sandbox.run("dictionary", "add", "Aqara", "a ca ra")
    path = sandbox.config.parent / "dictionary.txt"
    path.write_bytes(b"ok\xff")
    for arguments in (("dictionary",), ("dictionary", "add", "wifi", "oai phai")):
        refused = sandbox.run(*arguments)
        assert refused.returncode != 0
        assert "byte 3 is not UTF-8" in refused.stderr
    assert path.read_bytes() == b"ok\xff"


def test_the_dictionary_is_heard_in_what_is_said(sandbox: CliSandbox) -> None:
    """By the length: the voice says what the entry has, not what is written."""
    sandbox.run("dictionary", "add", "xyz", "một hai ba bốn năm sáu bảy tám chín mười")
    for text in ("xyz", "abc"):
        said = sandbox.run("say", f"Đèn {text}.", "-o", f"{text}.wav")
        assert said.returncode == 0, said.stderr
    n_long, n_short = ((sandbox.home / f"{text}.wav").stat().st_size for text in ("xyz", "abc"))
    assert n_long > 1.5 * n_short
