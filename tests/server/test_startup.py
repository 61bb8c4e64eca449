"""An app that does not start: its error ends the command, and no traceback is logged of ours."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from server_site import TOKEN

from vieneu_colab_server.app import Companion, Service
from vieneu_colab_server.launch import EXIT_UNEXPECTED, launch
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.errors import ConfigurationError
from vieneu_core.testing import ScriptedBackend


def failing(error: Exception) -> Companion:
    @asynccontextmanager
    async def companion(_: Service) -> AsyncIterator[None]:
        raise error
        yield

    return companion


def start(error: Exception) -> None:
    settings = ServerSettings(port=0, token=TOKEN)
    launch(settings, ScriptedBackend(), lambda _: None, companions=[failing(error)])


def test_an_error_of_ours_is_raised_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    error = ConfigurationError("The companion cannot be used.")

    with caplog.at_level(logging.INFO), pytest.raises(ConfigurationError) as caught:
        start(error)

    assert caught.value is error
    assert "Traceback" not in caplog.text


def test_any_other_is_logged_and_has_not_the_code_of_wrong_settings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(SystemExit) as caught:
        start(ZeroDivisionError("a bug"))

    assert caught.value.code == EXIT_UNEXPECTED
    assert "ZeroDivisionError: a bug" in caplog.text
