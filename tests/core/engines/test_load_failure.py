from __future__ import annotations

import ssl

import pytest

from vieneu_core.engines.load_failure import first_line, none_loads
from vieneu_core.errors import MissingExtraError, ModelDownloadError, ModelLoadError
from vieneu_core.i18n import translated
from vieneu_core.models.hub_failures import HubFailures, ProxySaid
from vieneu_core.translatable import Translatable, from_parts, parts_of

WRONG = ModelLoadError("The file is damaged.")
AWAY = ModelDownloadError("The name of the hub is not found.")


def test_of_several_engines_one_whose_model_may_come_later_is_enough() -> None:
    error = none_loads({"gguf": WRONG, "sano": AWAY})

    assert type(error) is ModelDownloadError
    assert error.detail == (
        "No engine can be loaded."
        " gguf: The file is damaged. sano: The name of the hub is not found."
    )
    assert type(none_loads({"gguf": WRONG, "piper": MissingExtraError("Piper", "piper")})) is (
        ModelLoadError
    )


def test_the_reasons_of_several_engines_are_translated_between_processes_too() -> None:
    inner = Translatable("It has no {missing}.", missing="config.json")
    outer = Translatable(
        "The engine {engine} does not speak. {error}", engine="pytorch", error=inner
    )
    detail = none_loads({"pytorch": ModelLoadError(outer)}).detail
    assert translated(from_parts(str(detail), parts_of(detail)), "vi") == (
        "Không nạp được công cụ đọc nào."
        " pytorch: Công cụ đọc pytorch không đọc được. Thiếu config.json."
    )


def test_reasons_that_are_nested_too_deeply_leave_the_rest_translated() -> None:
    error = ModelLoadError(Translatable("It has no {missing}.", missing="config.json"))
    for _ in range(10):
        error = none_loads({"auto": error})
    received = from_parts(str(error.detail), parts_of(error.detail))

    assert received == error.detail
    assert translated(received, "vi").startswith("Không nạp được công cụ đọc nào. auto: Không nạp")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("", "ValueError"),
        (" \n\t\n", "ValueError"),
        ("\n  a  b\nc", "a b"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_a_message_quotes_one_bounded_line_of_an_error(said: str, line: str) -> None:
    assert first_line(ValueError(said)) == line


def test_that_none_is_installed_is_told() -> None:
    with pytest.raises(ModelLoadError, match="None is installed") as caught:
        raise none_loads({})
    assert not caught.value.transient


def test_a_certificate_may_be_accepted_once_the_clock_is_set() -> None:
    failures = HubFailures("huggingface.co", 10.0)
    chain = [ssl.SSLCertVerificationError("certificate is not yet valid")]

    error = failures.interruption(chain, "model", ProxySaid((), lambda: False))

    assert isinstance(error, ModelDownloadError)
    assert "clock" in error.remedy
