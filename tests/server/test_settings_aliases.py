"""Former names of settings, which stand in users' files."""

from __future__ import annotations

import pytest

from vieneu_colab_server.settings import ServerSettings


@pytest.mark.parametrize("name", ["HEALTH_CHECKS_PER_MINUTE", "LOOKS_PER_MINUTE"])
def test_a_former_name_of_a_variable_still_counts(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("VIENEU_SERVER_TOKEN", "t" * 32)
    monkeypatch.setenv(f"VIENEU_SERVER_{name}", "7")
    assert ServerSettings().health_checks_per_minute == 7
    assert ServerSettings(health_checks_per_minute=9).health_checks_per_minute == 9
