"""Secrets from Colab, or typed."""

from __future__ import annotations

import pytest
from colab_cells import TOKEN, answering, refusing
from pydantic import SecretStr

from vieneu_colab_server.colab.secrets import ask_secret


def test_colabs_secrets_are_asked_first(on_colab: pytest.MonkeyPatch) -> None:
    on_colab.setattr("getpass.getpass", refusing)

    assert ask_secret("VIENEU_TOKEN", "Token: ") == SecretStr(TOKEN)
    assert ask_secret("NOT_THERE", "Token: ") is None


def test_then_a_person_is_asked(on_colab: pytest.MonkeyPatch) -> None:
    on_colab.setattr("getpass.getpass", answering("  typed-in  "))

    assert ask_secret("NOT_THERE", "Token: ") == SecretStr("typed-in")


def test_where_nobody_can_be_asked_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoKeyboardError(Exception):
        """As a kernel raises it that a program runs."""

    def raising(_prompt: str) -> str:
        raise NoKeyboardError

    monkeypatch.setattr("getpass.getpass", raising)
    assert ask_secret("VIENEU_TOKEN", "Token: ") is None
