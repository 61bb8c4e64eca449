from __future__ import annotations

import ssl

import pytest

from vieneu_core.engines.load_failure import none_loads
from vieneu_core.errors import MissingExtraError, ModelDownloadError, ModelLoadError
from vieneu_core.models.hub_failures import HubFailures, ProxySaid

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
