"""Exit codes: systemd starts a service again unless a person has to mend something first."""

from __future__ import annotations

import errno
import os
import re
import socket
from pathlib import Path

import pytest

from vieneu_colab_server.exit_codes import (
    EXIT_CONFIGURATION,
    EXIT_ENGINE,
    EXIT_FORCED,
    EXIT_MAY_PASS,
    EXIT_TUNNEL,
    exiting_on_failure,
)
from vieneu_colab_server.i18n import LANGUAGE_VARIABLE
from vieneu_colab_server.launch import EXIT_UNEXPECTED
from vieneu_colab_server.relay.jobs.folder import locked, storage_error
from vieneu_colab_server.tokens.file import TokenNotKeptError
from vieneu_colab_server.tunnels.errors import TunnelOpenError
from vieneu_core import errors

UNITS = sorted((Path(__file__).parents[2] / "deploy").glob("*.service"))


def code_of(error: BaseException) -> object:
    with pytest.raises(SystemExit) as caught, exiting_on_failure():
        raise error
    return caught.value.code


def wrong_settings(cause: BaseException | None) -> errors.ConfigurationError:
    error = errors.ConfigurationError("It cannot be used.")
    error.__cause__ = cause
    return error


def of_system(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    "cause",
    [
        *map(of_system, (errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.ENETUNREACH)),
        *map(of_system, (errno.EMFILE, errno.ENOMEM, errno.ENOSPC)),
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    ],
    ids=str,
)
def test_settings_that_only_the_moment_makes_wrong_are_tried_again(cause: OSError) -> None:
    assert code_of(wrong_settings(cause)) == EXIT_MAY_PASS
    kept = TokenNotKeptError("It cannot be written.")
    kept.__cause__ = cause
    assert code_of(wrong_settings(kept)) == EXIT_MAY_PASS


@pytest.mark.parametrize(
    "cause",
    [None, ValueError("no"), *map(of_system, (errno.EACCES, errno.ENOENT, errno.EROFS))],
    ids=str,
)
def test_settings_that_a_person_has_to_correct_are_not(cause: BaseException | None) -> None:
    assert code_of(wrong_settings(cause)) == EXIT_CONFIGURATION


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ModelDownloadError("The name huggingface.co is not found."), EXIT_MAY_PASS),
        (errors.WorkerStartError("Too many open files."), EXIT_MAY_PASS),
        (errors.DeviceMemoryError("Another program has it."), EXIT_MAY_PASS),
        (errors.HostNotFoundError("There is no network."), EXIT_MAY_PASS),
        (storage_error(of_system(errno.ENOSPC)), EXIT_MAY_PASS),
        (errors.ModelLoadError("There is no such engine."), EXIT_ENGINE),
        (errors.AuthenticationError("The token is wrong."), EXIT_ENGINE),
        (errors.SynthesisFailedError("The model says nothing."), EXIT_ENGINE),
        (errors.OutputError("The disk is full."), EXIT_CONFIGURATION),
        (errors.MissingExtraError("It", "relay"), EXIT_CONFIGURATION),
        (TunnelOpenError("It is away."), EXIT_TUNNEL),
    ],
    ids=lambda given: type(given).__name__,
)
def test_each_failure_has_its_code(error: errors.VieneuError, code: int) -> None:
    assert code_of(error) == code


def test_of_several_backends_one_that_may_come_back_is_enough() -> None:
    away, wrong = errors.ConnectTimeoutError("x"), errors.ModelLoadError("x")

    assert code_of(errors.AllBackendsFailedError("x", causes=(wrong, away))) == EXIT_MAY_PASS
    assert code_of(errors.AllBackendsFailedError("x", causes=(wrong, wrong))) == EXIT_ENGINE


def test_the_jobs_of_a_relay_that_still_ends_are_waited_for(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(errors.ConfigurationError) as caught:
        locked(tmp_path)

    assert code_of(caught.value) == EXIT_MAY_PASS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_service_starts_again_after_what_may_pass(unit: Path) -> None:
    text = unit.read_text("utf-8")
    prevented = re.search(r"^RestartPreventExitStatus=(.*)$", text, re.MULTILINE)
    assert prevented is not None
    final = set(map(int, prevented[1].split()))

    assert {EXIT_CONFIGURATION, EXIT_ENGINE} < final
    assert not {EXIT_MAY_PASS, EXIT_TUNNEL, EXIT_FORCED, EXIT_UNEXPECTED} & final
    assert "StartLimitIntervalSec=0" in text, "for as long as it takes"
    assert UNITS[1:]


@pytest.mark.parametrize(
    ("language", "cause"),
    [("vi", "local: Văn bản trống. "), ("en", "Nobody spoke. local: The text is empty. ")],
)
def test_a_failure_of_several_backends_names_the_cause_of_each(
    language: str,
    cause: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(LANGUAGE_VARIABLE, language)
    causes = (errors.ModelLoadError("The text is empty.", backend="local"),)

    code_of(errors.AllBackendsFailedError("Nobody spoke.", causes=causes))

    assert cause in capsys.readouterr().err
