"""All failures of VieNeu Relay, as one tree of exceptions.

::

    VieneuError
    ├── ConfigurationError            settings: the admin corrects them
    │   ├── SettingsFileError         file, line and field are named
    │   ├── MissingExtraError         an optional package is not installed
    │   └── PlayerError               no program of this machine could play the speech
    ├── RequestError                  the request is invalid: no failover, no breaker count
    │   ├── EmptyTextError
    │   │   └── NothingToSayError     only pictures, marks or tags; a router answers with silence
    │   ├── TextTooLongError
    │   ├── InvalidRequestError       a field is out of its range
    │   │   └── TextEncodingError     bytes that are no text in a known encoding
    │   ├── BodyTooLargeError
    │   ├── VoiceNotFoundError
    │   ├── ReferenceAudioError
    │   ├── CloningUnsupportedError
    │   ├── WatermarkUnavailableError
    │   ├── RequestConflictError      one request id, two different bodies
    │   └── OutputError               standard output cannot be written
    ├── AddressUpdateError            an address update of a server is not accepted
    │   ├── AddressUpdateForgedError
    │   ├── AddressUpdateStaleError
    │   └── UnsafeEndpointError
    └── BackendError                  a backend failed: the router uses the next one
        ├── BackendUnavailableError   it cannot take a request now
        │   ├── BackendNotConfiguredError
        │   ├── BackendNotLoadedError
        │   ├── BackendLoadingError
        │   ├── BackendBusyError
        │   │   └── RateLimitedError
        │   ├── BackendDrainingError
        │   ├── CircuitOpenError
        │   └── SessionEndingError
        ├── BackendConnectionError    the connection to it failed
        │   ├── HostNotFoundError
        │   ├── TlsError
        │   ├── BackendTimeoutError
        │   │   ├── ConnectTimeoutError
        │   │   ├── FirstByteTimeoutError
        │   │   ├── StreamStalledError
        │   │   ├── TooSlowError
        │   │   └── DeadlineExceededError
        │   └── StreamInterruptedError
        ├── TunnelError               the tunnel's edge answered instead of the server
        │   ├── TunnelOfflineError
        │   ├── TunnelUpstreamError
        │   ├── TunnelLimitError
        │   └── TunnelQuotaError
        ├── AuthenticationError
        ├── AdminTokenRequiredError   the token is valid, but only for speech
        ├── WireVersionError
        │   ├── ServerTooOldError
        │   └── ServerTooNewError
        ├── BadResponseError          it answered, but not as requested
        │   ├── RedirectRefusedError
        │   ├── NotVieneuServerError
        │   └── BadAudioError
        ├── InternalServerError
        ├── EngineError               the model or its process failed
        │   ├── ModelLoadError
        │   │   ├── ModelDownloadError
        │   │   └── MissingLibraryError
        │   ├── DeviceMemoryError
        │   ├── SynthesisFailedError
        │   │   ├── EndlessSentenceError
        │   │   └── UnpronounceableError
        │   ├── WorkerStartError
        │   └── WorkerDiedError
        └── AllBackendsFailedError    contains the failure of each

Each class states what a caller needs to decide: a stable ``code`` (the same on the wire, so that
the client raises the class that the server raised), whether it is ``transient``, its
``consequence`` for a circuit breaker, and a ``remedy``. This module imports
only `installation` and `translatable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import ClassVar

from vieneu_core.installation import extra_command
from vieneu_core.translatable import Translatable


class Consequence(StrEnum):
    """Effect of a failure on the circuit breaker of its backend."""

    NONE = "none"
    """Says nothing about the backend's health."""
    COUNT = "count"
    """One failure towards opening the circuit."""
    OPEN = "open"
    """Opens the circuit at once: the next request would fail the same way."""
    PAUSE = "pause"
    """Healthy, but busy: send nothing for ``retry_after_s``, then continue."""
    UNTIL_ADMIN = "until_admin"
    """Stop all requests until an admin acts."""


class VieneuError(Exception):
    """Base class of all errors that VieNeu Relay raises on purpose.

    ``detail`` says what failed and where; ``remedy`` what to do next. ``str()`` contains both.
    Neither may contain a secret: they reach logs, dashboards and the wire.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "VieNeu Relay failed"
    default_remedy: ClassVar[str] = "See the log for the cause."
    transient: ClassVar[bool] = False
    consequence: ClassVar[Consequence] = Consequence.NONE

    def __init__(
        self, detail: str, *, remedy: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = self.default_remedy if remedy is None else remedy
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.detail} {self.remedy}".strip()


# --- settings ------------------------------------------------------------------------------


class ConfigurationError(VieneuError):
    """The settings are invalid."""

    code = "configuration"
    title = "Wrong configuration"
    default_remedy = "Correct the settings and start again."


class SettingsFileError(ConfigurationError):
    """A settings file cannot be read, or contains an invalid value."""

    code = "settings_file"
    title = "Wrong settings file"
    default_remedy = "Correct the file; it was not changed."


class MissingExtraError(ConfigurationError):
    """An optional part of VieNeu Relay is not installed; the remedy contains the command for it.

    ``wrong`` are packages that are installed, but in versions that do not fit.
    """

    code = "missing_extra"
    title = "Optional package missing"

    def __init__(
        self,
        feature: str,
        extra: str,
        *,
        package: str = "vieneu-core",
        wrong: Iterable[object] = (),
    ) -> None:
        named = ", ".join(map(str, wrong))
        super().__init__(
            Translatable(
                "{feature} needs other versions of packages, by the extra {extra} of {package}:"
                " {named}.",
                feature=feature,
                extra=extra,
                package=package,
                named=named,
            )
            if named
            else Translatable(
                "{feature} needs packages that are not installed: the extra {extra} of {package}.",
                feature=feature,
                extra=extra,
                package=package,
            ),
            remedy=Translatable("Install them: {command}", command=extra_command(extra, package)),
        )


class PlayerError(ConfigurationError):
    """No program on this machine could play the speech; the detail contains the reason of each."""

    code = "player"
    title = "No player could play"
    default_remedy = "Check this machine's sound, or write a file: vieneu say -o FILE.wav TEXT"


# --- the caller's fault --------------------------------------------------------------------


class RequestError(VieneuError):
    """The request itself is invalid: no other backend is tried, because each would refuse it."""

    code = "request"
    title = "Wrong request"
    default_remedy = "Correct the request and send it again."


class EmptyTextError(RequestError):
    """The text has nothing that can be spoken."""

    code = "empty_text"
    title = "Nothing to say"
    default_remedy = "Give a text with at least one letter or digit."


class NothingToSayError(EmptyTextError):
    """The text has content, but nothing that is spoken: an emoji, a rule, a tag.

    Backends raise it; `Router.stream` answers such a text with a short silence.
    """

    code = "nothing_to_say"
    title = "Only signs, no words"


class TextTooLongError(RequestError):
    """The text is longer than the backend accepts."""

    code = "text_too_long"
    title = "Text too long"
    default_remedy = "Send a shorter text, or several requests."


class InvalidRequestError(RequestError):
    """A field of the request is missing, of the wrong type or out of its range."""

    code = "invalid_request"
    title = "Invalid request"


class TextEncodingError(InvalidRequestError):
    """Bytes are not certain to be text in a known encoding; the detail names the byte."""

    code = "text_encoding"
    title = "Unknown text encoding"
    default_remedy = "Save the text as UTF-8 and try again."


class BodyTooLargeError(RequestError):
    """The request body is larger than the server accepts."""

    code = "body_too_large"
    title = "Request body too large"
    default_remedy = "Send less: reference audio as FLAC or Opus, or a shorter clip."


class VoiceNotFoundError(RequestError):
    """There is no such voice; the detail lists those that exist."""

    code = "voice_not_found"
    title = "Unknown voice"
    default_remedy = "Choose one of the voices listed."


class ReferenceAudioError(RequestError):
    """The reference audio cannot be used (format, length, or path)."""

    code = "reference_audio"
    title = "Unusable reference audio"
    default_remedy = "Give 3 to 15 seconds of clear speech as WAV, FLAC, OGG or MP3."


class CloningUnsupportedError(RequestError):
    """The engine has fixed voices and cannot speak with reference audio."""

    code = "cloning_unsupported"
    title = "Voice cloning is not possible here"
    default_remedy = "Choose a preset voice, or an engine that can clone voices."


class WatermarkUnavailableError(RequestError):
    """A requested watermark cannot be created."""

    code = "watermark_unavailable"
    title = "Watermark not available"
    default_remedy = (
        "Send the request without a watermark, or install the extra watermark at the engine."
    )


class RequestConflictError(RequestError):
    """The request id is in use for a different request."""

    code = "request_conflict"
    title = "Request id used twice"
    default_remedy = "Use a new request id for each new request."


class OutputError(RequestError):
    """Standard output cannot be written: a full disk, or a closed stream."""

    code = "output"
    title = "Output cannot be written"
    default_remedy = "Free space on the disk, or send the output elsewhere."


# --- pairing -------------------------------------------------------------------------------


class AddressUpdateError(VieneuError):
    """The address update of a server was refused; nothing was changed."""

    code = "announcement"
    title = "Address update refused"
    default_remedy = "Nothing was changed. Connect by hand: vieneu connect URL"


class AddressUpdateForgedError(AddressUpdateError):
    """The address update is not signed with the current token."""

    code = "announcement_forged"
    title = "Address update not signed"
    default_remedy = "If your server has a new token, connect by hand: vieneu connect URL"


class AddressUpdateStaleError(AddressUpdateError):
    """The address update is too old or was received before, or the clocks differ."""

    code = "announcement_stale"
    title = "Address update out of date"
    default_remedy = "Set the clock of this machine, and start the server again."


class UnsafeEndpointError(AddressUpdateError):
    """The address update contains an address to which the token must not be sent."""

    code = "unsafe_endpoint"
    title = "Address of the update refused"
    default_remedy = "Give the server an https address, or connect by hand: vieneu connect URL"


# --- backends ------------------------------------------------------------------------------


class BackendError(VieneuError):
    """A backend failed. ``backend`` is its name, once that is known."""

    code = "backend"
    title = "Speech backend failed"
    default_remedy = "Another backend continues if one is ready."
    transient = True
    consequence = Consequence.COUNT

    def __init__(
        self,
        detail: str,
        *,
        remedy: str | None = None,
        retry_after_s: float | None = None,
        backend: str | None = None,
    ) -> None:
        super().__init__(detail, remedy=remedy, retry_after_s=retry_after_s)
        self.backend = backend


class BackendUnavailableError(BackendError):
    """The backend cannot take a request now."""

    code = "unavailable"
    title = "Backend not available"
    consequence = Consequence.NONE


class BackendNotConfiguredError(BackendUnavailableError):
    """No such backend has been set up."""

    code = "not_configured"
    title = "Backend not configured"
    default_remedy = "Connect one: vieneu connect URL"
    transient = False


class BackendNotLoadedError(BackendUnavailableError):
    """The backend is set up, but its model is not loaded."""

    code = "not_loaded"
    title = "Model not loaded"
    default_remedy = "Load the backend first."
    transient = False


class BackendLoadingError(BackendUnavailableError):
    """The model is being loaded."""

    code = "loading"
    title = "Model still loading"
    default_remedy = "Wait until it is ready; no action is needed."
    consequence = Consequence.PAUSE


class BackendBusyError(BackendUnavailableError):
    """The backend's queue is full, or the wait in it would be too long."""

    code = "busy"
    title = "Backend busy"
    default_remedy = "Try again in a moment."
    consequence = Consequence.PAUSE


class RateLimitedError(BackendBusyError):
    """The server's own limit of requests per minute is reached."""

    code = "rate_limited"
    title = "Too many requests"
    default_remedy = "Wait, or raise the server's limit."


class BackendDrainingError(BackendUnavailableError):
    """The backend finishes its running requests and accepts no new ones."""

    code = "draining"
    title = "Backend shutting down"
    default_remedy = "Start a new session, then reconnect."
    consequence = Consequence.PAUSE


class CircuitOpenError(BackendUnavailableError):
    """The circuit breaker is open after failures, and pauses requests for a while."""

    code = "circuit_open"
    title = "Circuit breaker open"
    default_remedy = "It will be retried automatically."


class SessionEndingError(BackendUnavailableError):
    """The remote session would end before the end of this speech."""

    code = "session_ending"
    title = "Remote session about to end"
    default_remedy = "Start a new Colab session, then reconnect."


class BackendConnectionError(BackendError):
    """The connection to the backend failed."""

    code = "connection"
    title = "Connection failed"
    default_remedy = "Check that the server is running and that the URL is current."


class HostNotFoundError(BackendConnectionError):
    """The host name does not resolve (a fresh quick tunnel may need up to a minute)."""

    code = "host_not_found"
    title = "Host name not found"
    default_remedy = "Check the URL; the name of a new tunnel may be unknown for a minute."


class TlsError(BackendConnectionError):
    """The server's certificate was not accepted."""

    code = "tls"
    title = "Certificate not accepted"
    default_remedy = "Check the URL and this machine's clock; verification is never switched off."
    transient = False
    consequence = Consequence.OPEN


class BackendTimeoutError(BackendConnectionError):
    """The backend took too long."""

    code = "timeout"
    title = "Backend too slow"


class ConnectTimeoutError(BackendTimeoutError):
    """The connection was not established within the time limit."""

    code = "connect_timeout"
    title = "No connection in time"


class FirstByteTimeoutError(BackendTimeoutError):
    """Connected, but no response within the time limit."""

    code = "first_byte_timeout"
    title = "No answer in time"


class StreamStalledError(BackendTimeoutError):
    """Audio began, but then nothing arrived within the time limit."""

    code = "stalled"
    title = "Audio stalled"


class TooSlowError(BackendTimeoutError):
    """Audio arrives more slowly than the least allowed rate."""

    code = "too_slow"
    title = "Audio too slow"
    consequence = Consequence.OPEN


class DeadlineExceededError(BackendTimeoutError):
    """The whole request took longer than its deadline."""

    code = "deadline"
    title = "Deadline passed"


class StreamInterruptedError(BackendConnectionError):
    """The stream ended before its end mark."""

    code = "interrupted"
    title = "Audio interrupted"


class TunnelError(BackendError):
    """The tunnel provider answered, not the server behind it."""

    code = "tunnel"
    title = "Tunnel failed"


class TunnelOfflineError(TunnelError):
    """The tunnel no longer exists."""

    code = "tunnel_offline"
    title = "Tunnel offline"
    default_remedy = "Start the notebook's server cell again and connect to the URL that it shows."
    consequence = Consequence.OPEN


class TunnelUpstreamError(TunnelError):
    """The tunnel is open, but the server behind it does not answer."""

    code = "tunnel_upstream"
    title = "Server behind the tunnel does not answer"
    default_remedy = "Check the notebook: the server is starting or has stopped."


class TunnelLimitError(TunnelError):
    """The tunnel's rate limit is reached; it resets within a minute."""

    code = "tunnel_limit"
    title = "Tunnel rate limit reached"
    default_remedy = "It resets within a minute."
    consequence = Consequence.PAUSE


class TunnelQuotaError(TunnelError):
    """The tunnel's monthly quota is used up."""

    code = "tunnel_quota"
    title = "Tunnel quota used up"
    default_remedy = "Use the other tunnel provider, or wait for the new month."
    transient = False
    consequence = Consequence.PAUSE


class AuthenticationError(BackendError):
    """The server rejects the token (a reset runtime has a new one)."""

    code = "authentication"
    title = "Token not accepted"
    default_remedy = "Copy the current token from the notebook and connect again."
    transient = False
    consequence = Consequence.UNTIL_ADMIN


class AdminTokenRequiredError(BackendError):
    """The token is valid for speech only; this needs the server's admin token."""

    code = "admin_token_required"
    title = "Admin token required"
    default_remedy = "Use the admin token of the server: VIENEU_ADMIN_TOKEN=… vieneu rotate-token"


class WireVersionError(BackendError):
    """Client and server speak different versions of the protocol."""

    code = "wire_version"
    title = "Versions do not match"
    default_remedy = "Install the same version of VieNeu Relay on both sides."
    transient = False
    consequence = Consequence.OPEN  # not until an admin acts: the server may be upgraded meanwhile


class ServerTooOldError(WireVersionError):
    """The server is older than this client accepts."""

    code = "server_too_old"
    title = "Server too old"
    default_remedy = "Create a new notebook with this version, or upgrade vieneu-colab-server."


class ServerTooNewError(WireVersionError):
    """The server is newer than this client understands."""

    code = "server_too_new"
    title = "Server too new"
    default_remedy = "Upgrade vieneu-core on this machine."


class BadResponseError(BackendError):
    """The response is not as requested (a web page instead of audio, damaged frames)."""

    code = "bad_response"
    title = "Unusable response"
    default_remedy = "Check that the URL leads to a VieNeu server."


class RedirectRefusedError(BadResponseError):
    """The server redirects; following it would send the token to another host."""

    code = "redirect_refused"
    title = "Redirect refused"
    default_remedy = "Connect to the server's own URL."


class NotVieneuServerError(BadResponseError):
    """The response does not come from a VieNeu server."""

    code = "not_vieneu_server"
    title = "Not a VieNeu server"


class BadAudioError(BadResponseError):
    """Valid audio that cannot be the requested speech: far too short, or silent."""

    code = "bad_audio"
    title = "Invalid audio"
    default_remedy = "The sentence is spoken by another backend if one is ready."


class InternalServerError(BackendError):
    """The server failed unexpectedly, without a specific error."""

    code = "internal"
    title = "Server failed"
    default_remedy = "See the server's log."


# --- engines -------------------------------------------------------------------------------


class EngineError(BackendError):
    """The model or its process failed."""

    code = "engine"
    title = "Engine failed"


class ModelLoadError(EngineError):
    """The model could not be loaded."""

    code = "model_load"
    title = "Model not loadable"
    default_remedy = "Check the engine's settings and files: vieneu doctor"
    transient = False
    consequence = Consequence.OPEN


class ModelDownloadError(ModelLoadError):
    """A model could not be downloaded, for a reason that may pass: no network, the hub is away."""

    code = "model_download"
    title = "Model not downloaded"
    default_remedy = "Check the network and start again; the download resumes where it stopped."
    transient = True


class MissingLibraryError(ModelLoadError):
    """A package of the engine does not load, because the system lacks a library that it needs."""

    code = "missing_library"
    title = "System library missing"
    default_remedy = "Install the library that is named, or choose another engine."


class DeviceMemoryError(EngineError):
    """The device has too little memory."""

    code = "device_memory"
    title = "Out of memory"
    default_remedy = "Use a smaller model, or free memory on the device."


class SynthesisFailedError(EngineError):
    """The engine could not synthesize this sentence."""

    code = "synthesis_failed"
    title = "Sentence not spoken"


class EndlessSentenceError(SynthesisFailedError):
    """The engine does not end this sentence, however often it draws it; another engine may."""

    code = "endless_sentence"
    title = "Sentence without an end"
    default_remedy = "Another voice speaks it if there is one; otherwise write it differently."
    transient = False


class UnpronounceableError(SynthesisFailedError):
    """The engine has no phonemes for this sentence (a foreign script, say); another may."""

    code = "unpronounceable"
    title = "Sentence cannot be pronounced"
    default_remedy = "Another voice speaks it if there is one; otherwise write it in Latin letters."
    consequence = Consequence.NONE
    transient = False


class WorkerStartError(EngineError):
    """The system lacks memory, processes or open files to start the engine's process."""

    code = "worker_start"
    title = "Engine process not started"
    default_remedy = (
        "Free memory, end programs that are not needed, or raise the limits of processes and of"
        " open files (ulimit -u, ulimit -n)."
    )
    consequence = Consequence.OPEN


class WorkerDiedError(EngineError):
    """The engine's process ended while in use; it is restarted automatically."""

    code = "worker_died"
    title = "Engine process died"
    default_remedy = "It is restarted automatically."


class AllBackendsFailedError(BackendError):
    """Every backend in the fallback order failed; ``causes`` contains each failure."""

    code = "all_backends_failed"
    title = "No backend could speak"
    default_remedy = "See the cause of each; vieneu doctor shows what this machine can run."

    def __init__(
        self,
        detail: str,
        *,
        causes: tuple[BackendError, ...] = (),
        remedy: str | None = None,
        retry_after_s: float | None = None,
        backend: str | None = None,
    ) -> None:
        super().__init__(detail, remedy=remedy, retry_after_s=retry_after_s, backend=backend)
        self.causes = causes

    def __str__(self) -> str:
        each = (f"{c.backend or 'backend'}: {c.detail.rstrip('.')}" for c in self.causes)
        reasons = "; ".join(each)
        return f"{self.detail} {reasons + '.' if reasons else ''} {self.remedy}".replace("  ", " ")


def all_error_classes() -> Iterator[type[VieneuError]]:
    """Yield each class of the tree once, the root first."""
    pending: list[type[VieneuError]] = [VieneuError]
    while pending:
        cls = pending.pop(0)
        yield cls
        pending.extend(cls.__subclasses__())


def error_class(code: str) -> type[VieneuError] | None:
    """Return the class with this ``code``, or None if it is unknown."""
    return next((cls for cls in all_error_classes() if cls.code == code), None)
