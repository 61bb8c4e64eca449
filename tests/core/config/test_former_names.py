"""A section of a file may still have its former name."""

from __future__ import annotations

from pathlib import Path

import pytest

from vieneu_core.config import QuotaSettings, Settings, load_settings, save_settings
from vieneu_core.errors import ConfigurationError, SettingsFileError

FORMER = "# mine\nbudget:  # of ngrok\n  monthly_requests: 7\n"


def test_the_former_name_is_read(path: Path) -> None:
    path.write_text(FORMER, "utf-8")
    assert load_settings(path).quota == QuotaSettings(monthly_requests=7)
    assert Settings.model_validate({"budget": {"monthly_requests": 7}}) == load_settings(path)


@pytest.mark.parametrize("name", ["budget.monthly_requests", "quota.monthly_requests"])
def test_a_change_by_either_name_is_made_where_the_value_stands(path: Path, name: str) -> None:
    for text in (FORMER, FORMER.replace("budget", "quota")):
        path.write_text(text, "utf-8")
        assert save_settings({name: 8}, path).quota.monthly_requests == 8
        assert path.read_text("utf-8") == text.replace("7", "8")


def test_a_new_section_gets_the_present_name(path: Path) -> None:
    save_settings({"budget.monthly_bytes": 9}, path)
    assert "quota:\n  monthly_bytes: 9\n" in path.read_text("utf-8")
    assert "budget" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("budget:\n  monthly_bytes: many\n", "line 2, column 18, budget.monthly_bytes: found"),
        ("budget:\n  months: 1\n", "line 2, column 11, budget: found 'months'"),
        ("budget: 5\n", "line 1, column 9, budget: found"),
    ],
)
def test_a_wrong_value_is_named_as_the_file_names_it(path: Path, text: str, where: str) -> None:
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsFileError) as caught:
        load_settings(path)
    assert f"{path}, {where}" in caught.value.detail
    assert path.read_text("utf-8") == text


def test_both_names_at_once_are_refused(path: Path) -> None:
    path.write_text(f"quota:\n  monthly_bytes: 1\n{FORMER}", "utf-8")
    with pytest.raises(SettingsFileError) as caught:
        load_settings(path)
    reason = "budget: budget is the former name of quota, and both are given."
    assert caught.value.detail == f"{path}, line 5, column 3, {reason}"
    assert caught.value.remedy.startswith("Keep one of them.")
    with pytest.raises(ConfigurationError, match="former name"):
        Settings.model_validate({"quota": {}, "budget": {}})


def test_a_blank_section_states_nothing(path: Path) -> None:
    path.write_text(f"quota:\n{FORMER}", "utf-8")
    assert load_settings(path).quota.monthly_requests == 7
