"""Cell 6: from start to the end, and the status line."""

from __future__ import annotations

import io
import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest
from colab_cells import TOKEN, TONES, answering, heard_s, run_as_cell
from guard import GUARD_S
from health_answers import health
from pydantic import SecretStr
from tunnel_programs import program

from vieneu_colab_server import colab
from vieneu_colab_server.colab.relay import RelayClosedError
from vieneu_colab_server.colab.status_cell import status_line
from vieneu_colab_server.i18n import cell_messages
from vieneu_colab_server.server_process import ServerStartError
from vieneu_core.translatable import Translatable
from vieneu_core.worker.spec import EngineSpec


@pytest.mark.usefixtures("on_colab", "no_waiting")
def test_it_is_reached_shown_and_closed(capsys: pytest.CaptureFixture[str]) -> None:
    relay = colab.start(TONES, tunnel="none", voices="vi-high, nobody", language="en")
    url, page = relay.url, relay.token_page_url
    assert url is not None
    seconds, counts = list[float](), list[int]()

    def use() -> None:
        seconds.append(heard_s(url, SecretStr(TOKEN)))
        health = relay.health()
        assert health is not None
        counts.append(health.requests_served)
        time.sleep(0.5)

    run_as_cell(relay, use)
    shown = capsys.readouterr().out

    assert seconds[0] > 0.3
    # Neither the test sentence, nor the voices, nor the checks of this cell:
    assert counts == [2], "the check and the sentence of the client"
    for reported in (
        *("The model has spoken a test sentence", "Voice prepared: vi-high", "nobody"),
        *("The server is ready", url, page, "vieneu connect", "are closed"),
        "requests · queue",
    ):
        assert reported in shown
    assert TOKEN not in shown + repr(relay)
    assert not relay.runs
    relay.close()  # without effect
    with pytest.raises(RelayClosedError, match="Run cell 5 again"):
        colab.launch(relay)


@pytest.mark.usefixtures("no_waiting")
def test_what_dies_meanwhile_is_told_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path, "ngrok")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("getpass.getpass", answering("good-token"))
    relay = colab.start(TONES, tunnel="pyngrok", token=TOKEN, language="en")
    server = relay._public.server

    def disturb() -> None:
        assert server._process is not None
        os.kill(server._process.pid, signal.SIGKILL)
        (agent,) = [
            child
            for child in psutil.Process().children()
            if child.status() != "zombie" and "fakes/ngrok" in " ".join(child.cmdline())
        ]
        agent.kill()
        give_up_at = time.monotonic() + GUARD_S
        while time.monotonic() < give_up_at and (
            "The server has restarted" not in printed.getvalue()
            or printed.getvalue().count("The server is ready") < 2
        ):
            time.sleep(0.1)
            printed.write(capsys.readouterr().out)

    printed = io.StringIO()
    run_as_cell(relay, disturb)
    shown = printed.getvalue() + capsys.readouterr().out

    assert "The server has ended and is being restarted: its process was ended by SIGKILL" in shown
    assert "The server has restarted" in shown
    assert "The tunnel is lost" in shown
    assert len(set(re.findall(r"Address: (http://127\.0\.0\.1:\d+)", shown))) == 2
    assert shown.count("The server is ready") == 2, "the banner shows the new address"


@pytest.mark.usefixtures("no_waiting")
def test_a_server_that_cannot_be_kept_running_ends_the_cell_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tmp_path / "passing_engine.py"
    engine.write_text("from tone_engine import create\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ['PYTHONPATH']}")
    monkeypatch.setattr("vieneu_colab_server.supervised_server.MAX_RESTARTS", 2)
    relay = colab.start(EngineSpec("passing_engine:create"), tunnel="none", token=TOKEN)
    engine.unlink()
    process = relay._public.server._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(ServerStartError, match="passing_engine"):
        colab.launch(relay)
    assert not relay.runs


def test_the_status_line_tells_what_is_known() -> None:
    seen = health(
        session_remaining_seconds=41_999,
        requests_served=1234,
        queue_depth=2,
        bytes_sent=25_000_000,
        gpu_memory_used_gb=3.14,
        gpu_memory_total_gb=15,
    )

    assert status_line(seen, cell_messages("en"), tunnel="ngrok") == (
        "11 h 39 min left · 1,234 requests · queue 2 · GPU 3.1 of 15.0 GB · 25.0 MB sent"
        " (2.5 % of a month of ngrok's free plan)"
    )
    assert status_line(seen, cell_messages("vi"), tunnel="cloudflared") == (
        "còn 11 giờ 39 phút · 1.234 yêu cầu · hàng đợi 2 · GPU 3,1 / 15,0 GB · đã gửi 25,0 MB"
    )
    assert status_line(
        health(),
        cell_messages("vi"),
        tunnel="ngrok",
        down_reason=Translatable("ngrok has ended the endpoint."),
    ).startswith("⚠️ đường hầm đã đóng, đang được thử mở lại: ngrok đã đóng địa chỉ này. · ")
    assert status_line(health(draining=True), cell_messages("en"), tunnel="none").startswith(
        "the session"
    )
    assert status_line(None, cell_messages("en"), tunnel="none") == "the server does not answer"
