"""Every error class has its answer, and no answer tells what it should not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from server_site import Site, serving

from vieneu_colab_server.problems import STATUS_OF, problem_response, status_of
from vieneu_core import errors
from vieneu_core.errors import (
    BackendError,
    MissingExtraError,
    RequestError,
    VieneuError,
    all_error_classes,
)
from vieneu_core.testing.scripted import ScriptedBackend
from vieneu_core.wire.problem import parse_problem

# A test of another part may have made classes of its own.
OURS = [cls for cls in all_error_classes() if cls.__module__ == VieneuError.__module__]
EXPECTED = {
    "VieneuError": 500,
    "ConfigurationError": 500,
    "SettingsFileError": 500,
    "MissingExtraError": 500,
    "PlayerError": 500,
    "RequestError": 400,
    "EmptyTextError": 422,
    "NothingToSayError": 422,
    "TextTooLongError": 422,
    "InvalidRequestError": 422,
    "TextEncodingError": 422,
    "BodyTooLargeError": 413,
    "VoiceNotFoundError": 404,
    "ReferenceAudioError": 422,
    "CloningUnsupportedError": 422,
    "WatermarkUnavailableError": 422,
    "RequestConflictError": 409,
    "OutputError": 400,
    "AdminTokenRequiredError": 403,
    "AddressUpdateError": 403,
    "AddressUpdateForgedError": 403,
    "AddressUpdateStaleError": 403,
    "UnsafeEndpointError": 403,
    "BackendError": 502,
    "BackendUnavailableError": 503,
    "BackendNotConfiguredError": 503,
    "BackendNotLoadedError": 503,
    "BackendLoadingError": 503,
    "BackendBusyError": 503,
    "RateLimitedError": 429,
    "BackendDrainingError": 503,
    "CircuitOpenError": 503,
    "SessionEndingError": 503,
    "BackendConnectionError": 502,
    "HostNotFoundError": 502,
    "TlsError": 502,
    "BackendTimeoutError": 504,
    "ConnectTimeoutError": 504,
    "FirstByteTimeoutError": 504,
    "StreamStalledError": 504,
    "TooSlowError": 504,
    "DeadlineExceededError": 504,
    "StreamInterruptedError": 502,
    "TunnelError": 502,
    "TunnelOfflineError": 502,
    "TunnelUpstreamError": 502,
    "TunnelLimitError": 502,
    "TunnelQuotaError": 502,
    "AuthenticationError": 401,
    "WireVersionError": 426,
    "ServerTooOldError": 426,
    "ServerTooNewError": 426,
    "BadResponseError": 502,
    "RedirectRefusedError": 502,
    "NotVieneuServerError": 502,
    "BadAudioError": 502,
    "InternalServerError": 500,
    "EngineError": 500,
    "ModelLoadError": 503,
    "ModelDownloadError": 503,
    "MissingLibraryError": 503,
    "DeviceMemoryError": 500,
    "SynthesisFailedError": 500,
    "EndlessSentenceError": 500,
    "UnpronounceableError": 422,
    "WorkerStartError": 500,
    "WorkerDiedError": 500,
    "AllBackendsFailedError": 503,
}


def made(cls: type[VieneuError]) -> VieneuError:
    if cls is MissingExtraError:
        return MissingExtraError("Speech", "cli")
    return cls("It failed.", remedy="Do this.", retry_after_s=1.5)


def test_every_class_has_the_status_that_is_expected_of_it() -> None:
    assert {cls.__name__: int(status_of(made(cls))) for cls in OURS} == EXPECTED


def test_the_table_names_only_classes_whose_status_differs_from_the_one_above() -> None:
    def above(cls: type[VieneuError]) -> type[VieneuError]:
        return next(base for base in cls.__mro__[1:] if base in STATUS_OF)

    named = [cls for cls in STATUS_OF if cls is not VieneuError]
    redundant = {cls.__name__ for cls in named if STATUS_OF[cls] == STATUS_OF[above(cls)]}

    assert redundant == {"ConfigurationError"}, "named for the reader, as a root of its own"


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_the_client_makes_the_same_class_of_every_answer(cls: type[VieneuError]) -> None:
    error = made(cls)
    response = problem_response(error)

    again = parse_problem(bytes(response.body), backend="remote")

    assert response.media_type == "application/problem+json"
    assert again.detail == error.detail
    if issubclass(cls, RequestError | BackendError):
        assert type(again) is cls
        assert again.remedy == "Do this."
        assert again.retry_after_s == 1.5
        assert response.headers["Retry-After"] == "2"
    elif issubclass(cls, errors.AddressUpdateError):
        assert type(again) is RequestError, "whoever sends one is told that it was refused"
    else:
        assert isinstance(again, errors.InternalServerError)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/health/", 404),
        ("GET", "//health", 404),
        ("GET", "/tts/stream", 405),
        ("DELETE", "/health", 405),
    ],
)
async def test_unknown_paths_and_methods_are_problems_too(
    site: Site, method: str, path: str, status: int
) -> None:
    async with site.session.request(method, site.url + path) as response:
        problem = await site.problem(response)

    assert (response.status, problem.code) == (status, "request")
    assert ("Allow" in response.headers) == (status == 405)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/voices", "GET, POST"),
        ("POST", "/livez", "GET, HEAD"),
        ("GET", "/tts/stream", "POST"),
    ],
)
async def test_all_methods_of_a_path_are_named(
    site: Site, method: str, path: str, allowed: str
) -> None:
    async with site.session.request(method, site.url + path) as response:
        assert (response.status, response.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_probe_may_be_a_head_request(site: Site, path: str) -> None:
    async with site.session.head(site.url + path, headers={"Authorization": ""}) as response:
        assert (response.status, await response.read()) == (200, b"")


@pytest.mark.parametrize("path", ["/tts/synthesize", "/tts/stream"])
@pytest.mark.parametrize(
    ("body", "reported"),
    [
        ({"language": "fr"}, "'fr' is not one of: vi, en."),
        ({"language": ""}, "'' is not one of: vi, en."),
        ({"voice": ""}, "The id of the voice is empty."),
    ],
)
async def test_what_nobody_speaks_is_refused(
    site: Site, path: str, body: dict[str, str], reported: str
) -> None:
    async with site.post(path, json={"text": "a", **body}) as response:
        problem = await site.problem(response)

    assert (response.status, problem.code) == (422, "invalid_request")
    assert reported in problem.detail


async def test_a_language_with_its_region_is_taken(site: Site) -> None:
    async with site.post("/tts/synthesize", json={"text": "a", "language": "vi-VN"}) as response:
        assert response.status == 200


@pytest.mark.parametrize("field", ["text", "voice", "language"])
async def test_half_a_character_is_refused(site: Site, field: str) -> None:
    body = {"text": "a", field: "\ud800"}

    async with site.post("/tts/synthesize", json=body) as response:
        problem = await site.problem(response)

    assert (response.status, problem.code) == (422, "invalid_request")
    assert field in problem.detail


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"{", 422),
        (b"", 422),
        (b"[]", 422),
        (b'{"text": "\xff"}', 400),
        (b"[" * 200_000, 400),
    ],
)
async def test_a_body_that_is_no_json_object(site: Site, data: bytes, status: int) -> None:
    json_type = {"Content-Type": "application/json"}

    async with site.post("/tts/stream", data=data, headers=json_type) as response:
        assert (await site.problem(response)).code == "invalid_request"
        assert response.status == status


async def test_a_huge_wrong_input_is_not_sent_back(site: Site) -> None:
    secret = "SECRET-" * 2_000
    body = {"text": [{"a": secret}] * 12, "speed": secret, "voice": {secret: secret}}

    async with site.post("/tts/stream", json=body) as response:
        text = await response.text()

    assert response.status == 422
    assert "SECRET" not in text
    assert len(text) < 4_000


async def test_an_unexpected_error_tells_nothing_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(ScriptedBackend):
        async def voices(self) -> Any:
            raise ZeroDivisionError("secret /path")

    async with serving(Broken()) as site, site.get("/voices") as response:
        problem = await site.problem(response)

    assert (response.status, problem.code) == (500, "internal")
    assert "secret" not in json.dumps(problem.model_dump())
    assert "ZeroDivisionError" in caplog.text


async def test_an_unexpected_error_of_speech_is_a_problem_too() -> None:
    class Broken(ScriptedBackend):
        def stream(self, request: Any) -> Any:
            raise ZeroDivisionError("secret /path", request)

    async with serving(Broken()) as site, site.post("/tts/stream", json={"text": "a"}) as response:
        assert (await site.problem(response)).code == "internal"
        assert response.status == 500
