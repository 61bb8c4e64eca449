from __future__ import annotations

import pytest

from vieneu_core import errors
from vieneu_core.cli.exit_codes import ExitCode, exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SettingsFileError("x"), ExitCode.CONFIGURATION),
        (errors.VoiceNotFoundError("x"), ExitCode.REQUEST),
        (errors.AuthenticationError("x"), ExitCode.AUTHENTICATION),
        (errors.TunnelOfflineError("x"), ExitCode.BACKEND),
        (errors.VieneuError("x"), ExitCode.UNEXPECTED),
    ],
)
def test_exit_codes_follow_the_kind_of_error(error: errors.VieneuError, code: ExitCode) -> None:
    assert exit_code(error) is code
