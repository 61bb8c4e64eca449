"""Cell 5: the forms, the session, and what ends the start."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from colab_cells import SLOW, TOKEN, TONES, answering, refusing
from tunnel_programs import program

from vieneu_colab_server import colab
from vieneu_colab_server.tunnels.errors import AuthtokenRefusedError
from vieneu_core.errors import ConfigurationError
from vieneu_core.worker.spec import EngineSpec


@pytest.mark.usefixtures("on_colab")
def test_running_cell_5_again_closes_the_old_one_first(capsys: pytest.CaptureFixture[str]) -> None:
    first = colab.start(TONES, tunnel="none")
    second = colab.start(TONES, tunnel="none", instead_of=first)
    try:
        assert (first.runs, second.runs) == (False, True)
        assert not first._public.server.runs
        assert second.health() is not None
        assert "Đang đóng máy chủ cũ" in capsys.readouterr().out
    finally:
        second.close()


def test_ngrok_without_an_authtoken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", refusing)

    with pytest.raises(ConfigurationError, match="authtoken of an account"):
        colab.start(TONES, tunnel="ngrok", token=TOKEN)


def test_a_refused_authtoken_ends_the_cell_and_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "ngrok")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("getpass.getpass", answering("bad-token-2aBcDeF"))
    before = threading.active_count()

    with pytest.raises(AuthtokenRefusedError, match="107") as caught:
        colab.start(TONES, tunnel="pyngrok", domain="my-house.ngrok.app", token=TOKEN)
    assert "2aBcDeF" not in str(caught.value)
    assert threading.active_count() <= before


@pytest.mark.parametrize(
    ("forms", "reported"),
    [
        ({"tunnel": "pigeon"}, "no tunnel 'pigeon'"),
        ({"tunnel": "none", "domain": "a.ngrok.app"}, "reserved domains"),
        ({"tunnel": "none", "session_hours": 0}, "session of 0 hours"),
        ({"tunnel": "none", "callback_url": "house/hook"}, "callback URL"),
    ],
)
def test_forms_that_cannot_be_are_told(forms: dict[str, object], reported: str) -> None:
    with pytest.raises(ConfigurationError, match=reported):
        colab.start(TONES, token=TOKEN, **forms)  # type: ignore[arg-type]


def test_on_colab_the_session_counts_from_the_start_of_the_runtime(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def runtime_age() -> float:
        return 3600.0

    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab-external")
    monkeypatch.setattr(
        import_module("vieneu_colab_server.colab.start"), "runtime_age_s", runtime_age
    )
    relay = colab.start(TONES, tunnel="none", token=TOKEN, session_hours=3)
    try:
        assert relay.ends_at is not None
        left = relay.ends_at - datetime.now(UTC)
        seen = relay.health()
        assert seen is not None
        assert seen.session_remaining_seconds == pytest.approx(2 * 3600, abs=60)
        assert left.total_seconds() == pytest.approx(2 * 3600, abs=60)
    finally:
        relay.close()
    with pytest.raises(ConfigurationError, match="its session is over"):
        colab.start(TONES, tunnel="none", token=TOKEN, session_hours=1)


def test_an_interruption_while_it_starts_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ['PYTHONPATH']}")
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    before = threading.active_count()

    with pytest.raises(KeyboardInterrupt):
        colab.start(EngineSpec("slow:create", {"model": "a"}), tunnel="none", token=TOKEN)
    timer.join()
    assert threading.active_count() < before
