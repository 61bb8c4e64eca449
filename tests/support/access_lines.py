"""Lines of the access log during a test."""

from __future__ import annotations

import logging

import pytest

LOGGER = "vieneu_colab_server.middleware.access_log"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, LOGGER)
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.name == LOGGER]
