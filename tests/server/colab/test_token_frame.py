"""The token in the cell: a frame, and another way where no browser opens it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import cast

import pytest
from colab_cells import TOKEN, TONES, run_as_cell
from guard import GUARD_S
from pydantic import SecretStr

from vieneu_colab_server import colab
from vieneu_colab_server.colab.relay import Relay
from vieneu_colab_server.colab.status_cell import CHECKS_BEFORE_PLAN_B, TokenHandOver
from vieneu_colab_server.colab.token_frame import hand_over, show_token_frame
from vieneu_colab_server.i18n import cell_messages


@pytest.fixture
def evaluated(on_colab: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The scripts that Colab evaluates, and never saves."""
    path = tmp_path / "evaluated"
    path.touch()
    on_colab.setenv("COLAB_EVALUATED", str(path))
    return path


@pytest.mark.usefixtures("no_waiting")
def test_the_other_way_is_taken_where_no_browser_opens_the_frame(
    evaluated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    relay = colab.start(TONES, tunnel="none", language="en")

    def use() -> None:
        give_up_at = time.monotonic() + GUARD_S
        while not evaluated.read_text() and time.monotonic() < give_up_at:
            relay.health()

    run_as_cell(relay, use)
    (script,) = [json.loads(line) for line in evaluated.read_text().splitlines()]

    assert TOKEN in script
    assert TOKEN not in capsys.readouterr().out


class Shown:
    """What the hand-over sees of a relay whose page a browser has opened."""

    token_page_url = "http://127.0.0.1:4711/secret-path"
    token_page_opened = False
    token = SecretStr(TOKEN)
    messages = cell_messages("en")


def test_the_other_way_is_not_taken_where_the_frame_was_opened(evaluated: Path) -> None:
    shown = Shown()
    hand = TokenHandOver(cast("Relay", shown))
    for n in range(CHECKS_BEFORE_PLAN_B + 5):
        shown.token_page_opened = n > 1
        hand.show()
    assert evaluated.read_text() == ""

    late = TokenHandOver(cast("Relay", Shown()))
    for n in range(CHECKS_BEFORE_PLAN_B + 5):
        assert bool(evaluated.read_text()) is (n > CHECKS_BEFORE_PLAN_B)
        late.show()
    assert len(evaluated.read_text().splitlines()) == 1, "once"


def test_outside_of_colab_there_is_only_the_link(capsys: pytest.CaptureFixture[str]) -> None:
    show_token_frame("http://127.0.0.1:1/x")
    hand_over(SecretStr(TOKEN), cell_messages("vi"))

    assert capsys.readouterr().out == ""


def test_no_text_of_a_token_ends_the_script(evaluated: Path) -> None:
    hand_over(SecretStr('a"</script>`${x}\\'), cell_messages("vi"))

    (script,) = [json.loads(line) for line in evaluated.read_text().splitlines()]
    assert '"token": "a\\"</script>`${x}\\\\"' in script
