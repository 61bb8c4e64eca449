"""Cell 1 asks for secrets and checks them, before anything is installed; Colab is its stand-in."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from guard import GUARD_S
from notebook_cells import SMALL, code_of
from pydantic import SecretStr

from vieneu_core.i18n import Messages
from vieneu_core.notebook import NotebookSettings, render_notebook

FAKES = Path(__file__).parents[2] / "support/fakes"
TOKEN = "token-of-the-house-0123456789-abcdef"
AUTHTOKEN = "good-authtoken-2aBcDeF"
VI = Messages("vi", "notebook")


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.syspath_prepend(FAKES)
    yield monkeypatch
    for name in [name for name in sys.modules if name.partition(".")[0] == "google"]:
        del sys.modules[name]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Type answers at the hidden prompt, which then has no keyboard any more."""

    def type_(*answers: str) -> list[str]:
        left, prompts = list(answers), list[str]()

        def getpass(prompt: str) -> str:
            prompts.append(prompt)
            if not left:
                raise NotImplementedError
            return left.pop(0)

        monkeypatch.setattr("getpass.getpass", getpass)
        return prompts

    return type_


def run(before: dict[str, Any] | None = None, **settings: object) -> dict[str, Any]:
    """Run the cell, and return the names that it leaves."""
    made = NotebookSettings.model_validate({"source": SMALL, "tunnel": "none", **settings})
    names = before or {}
    exec(code_of(render_notebook(made))["access"], names)  # noqa: S102 - it is the cell
    return names


def failure(error: BaseException) -> list[str]:
    shown: list[str] = error._render_traceback_()  # type: ignore[attr-defined]
    return shown


def test_secrets_of_colab_are_taken_without_a_prompt(
    colab: pytest.MonkeyPatch, typed: Callable[..., list[str]]
) -> None:
    colab.setenv("COLAB_SECRET_VIENEU_TOKEN", f" {TOKEN}\n")
    colab.setenv("COLAB_SECRET_NGROK_AUTHTOKEN", AUTHTOKEN)
    prompts = typed()

    names = run(tunnel="ngrok")

    assert names["secret_of"]("VIENEU_TOKEN") == TOKEN
    assert names["secret_of"]("NGROK_AUTHTOKEN") == AUTHTOKEN
    assert prompts == []


def test_a_secret_is_in_no_variable_that_colab_shows(typed: Callable[..., list[str]]) -> None:
    typed(AUTHTOKEN, TOKEN)

    names = run(tunnel="ngrok")

    shown = " ".join(repr(value) for key, value in names.items() if key != "__builtins__")
    assert names["secret_of"]("VIENEU_TOKEN") == TOKEN
    assert TOKEN not in shown
    assert AUTHTOKEN not in shown


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("short", "chỉ có 5 ký tự, cần ít nhất 16."),
        ("x" * 15, "chỉ có 15 ký tự, cần ít nhất 16."),
        ("x" * 4097, "có 4097 ký tự, nhiều nhất là 4096."),
        ("ngrok config add-authtoken 2aBcDeF", VI("secret_chars")),
        ("mật-khẩu-của-nhà-tôi-đây", VI("secret_chars")),
        (f"{TOKEN}\x7f", VI("secret_chars")),
    ],
)
@pytest.mark.parametrize("tunnel", ["none", "ngrok"])
def test_a_wrong_secret_is_told_at_the_prompt_and_asked_again(
    tunnel: str,
    wrong: str,
    why: str,
    typed: Callable[..., list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    prompts = typed(*([AUTHTOKEN] if tunnel == "ngrok" else []), wrong, TOKEN)

    assert run(tunnel=tunnel)["secret_of"]("VIENEU_TOKEN") == TOKEN
    assert prompts[-1] == prompts[-2]
    shown = capsys.readouterr().out
    assert f"⚠️ Không dùng được VIENEU_TOKEN: {why} Hãy nhập lại." in shown
    assert wrong not in shown


def test_a_wrong_secret_of_colab_ends_the_cell_where_nobody_can_type(
    colab: pytest.MonkeyPatch, typed: Callable[..., list[str]]
) -> None:
    colab.setenv("COLAB_SECRET_VIENEU_TOKEN", "short")
    typed()

    with pytest.raises(Exception, match="VIENEU_TOKEN") as caught:
        run()
    assert "chỉ có 5 ký tự" in failure(caught.value)[0]
    assert "“secret”" in failure(caught.value)[2]


def test_a_tunnel_without_its_secret_ends_the_cell(typed: Callable[..., list[str]]) -> None:
    typed("")

    with pytest.raises(Exception, match="NGROK_AUTHTOKEN") as caught:
        run(tunnel="ngrok", language="en")
    shown = failure(caught.value)
    assert "The tunnel ngrok needs the secret NGROK_AUTHTOKEN" in shown[0]
    assert "dashboard.ngrok.com" in shown[1]


def test_cloudflared_needs_no_secret(typed: Callable[..., list[str]]) -> None:
    prompts = typed(TOKEN)

    assert run(tunnel="cloudflared")["secret_of"]("NGROK_AUTHTOKEN") is None
    assert len(prompts) == 1


def test_a_token_that_was_made_stays_over_another_run_of_the_cell(
    typed: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    typed("", "")
    names = run()
    token = names["secret_of"]("VIENEU_TOKEN")

    assert len(token) >= 43, "256 bits"
    assert run(names)["secret_of"]("VIENEU_TOKEN") == token
    assert token not in capsys.readouterr().out


def test_a_token_in_the_notebook_is_not_asked_for(typed: Callable[..., list[str]]) -> None:
    prompts = typed()

    assert run(token=SecretStr(TOKEN))["secret_of"]("VIENEU_TOKEN") == TOKEN
    assert prompts == []


@pytest.mark.parametrize(
    ("refusal", "hint"),
    [
        ("access", "secret_no_access"),
        ("silence", "secret_no_answer"),
        ("none", None),
    ],
)
def test_what_colab_refuses_is_told_and_asked_for(
    refusal: str,
    hint: str | None,
    colab: pytest.MonkeyPatch,
    typed: Callable[..., list[str]],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """As the real module raises it: NotebookAccessError, TimeoutException, SecretNotFoundError."""
    prompts = typed(TOKEN)
    if refusal == "access":
        colab.setenv("COLAB_SECRET_VIENEU_TOKEN", TOKEN)
        colab.setenv("COLAB_DENIED", "VIENEU_TOKEN")
    if refusal == "silence":
        silent = tmp_path / "page"
        silent.touch()
        colab.setenv("COLAB_PAGE", str(silent))

    assert run()["secret_of"]("VIENEU_TOKEN") == TOKEN
    assert len(prompts) == 1
    shown = capsys.readouterr().out
    hints = [VI(key, name="VIENEU_TOKEN") for key in ("secret_no_access", "secret_no_answer")]
    assert [each in shown for each in hints] == [
        hint == key for key in ("secret_no_access", "secret_no_answer")
    ]


def test_the_cell_waits_for_an_owner_who_takes_the_time_to_answer(
    colab: pytest.MonkeyPatch, typed: Callable[..., list[str]], tmp_path: Path
) -> None:
    pipe = tmp_path / "page"
    os.mkfifo(pipe)
    colab.setenv("COLAB_PAGE", str(pipe))
    prompts, found = typed(), list[str]()
    cell = threading.Thread(target=lambda: found.append(run()["secret_of"]("VIENEU_TOKEN")))
    cell.start()

    with pipe.open("w") as answer:  # returns when the cell asks
        assert cell.is_alive()
        json.dump({"exists": True, "access": True, "payload": TOKEN}, answer)
    cell.join(GUARD_S)

    assert found == [TOKEN]
    assert prompts == []
