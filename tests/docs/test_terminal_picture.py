"""The picture in README.md is made of what the commands print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from guard import GUARD_S
from terminals import need_terminal

ROOT = Path(__file__).parents[2]


def words_of(picture: Path) -> str:
    drawn = ET.fromstring(picture.read_text("utf-8"))  # noqa: S314 - our own file
    texts = [text.text or "" for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    return " ".join(" ".join(texts).replace("\xa0", " ").split())


@pytest.mark.slow
def test_it_can_be_made_again(tmp_path: Path) -> None:
    need_terminal()
    picture = tmp_path / "terminal.svg"
    script = ROOT / "docs/terminal_picture.py"
    subprocess.run([sys.executable, script, picture], check=True, cwd=tmp_path, timeout=GUARD_S)
    reported = words_of(picture)

    assert "vieneu status" in reported
    assert "instead of remote" in reported, "the server is gone, and the local backend speaks"
    assert "rror:" not in reported


def test_it_loads_nothing_from_elsewhere() -> None:
    picture = ROOT / "docs/assets/terminal.svg"

    assert "docs/assets/terminal.svg" in (ROOT / "README.md").read_text("utf-8")
    assert not re.search(r"url\(.?http|href=|@import|@font-face", picture.read_text("utf-8"))
    assert "instead of remote" in words_of(picture)
