"""Traces of requests for OpenTelemetry: one span for each, without what was said.

The packages are optional, and loaded only where a trace is wanted. Exporters are found, and they,
the sampler, the batches and the name of the service are set up, by OpenTelemetry's own variables:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from vieneu_colab_server import __version__
from vieneu_colab_server.relay.metrics.measurement import CANCELLED, OK, Measurement
from vieneu_core.synthesis import SynthesisRequest

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, TracerProvider

SPAN_NAME = "speech.request"
SERVICE_NAME = "vieneu-relay"
_SCOPE = "vieneu_colab_server.relay"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_EXPORTER_OF_PROTOCOL = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
_LOGGER = logging.getLogger(__name__)


class SpeechTracing:
    """Makes a span of each request for speech.

    Args:
        provider: OpenTelemetry's maker of tracers.
        close: Sends what is left, and ends the exporters; blocking. None leaves that to others.
    """

    def __init__(
        self, provider: TracerProvider, *, close: Callable[[], object] | None = None
    ) -> None:
        self._tracer = provider.get_tracer(_SCOPE, __version__)
        self._close = close

    def begin(self, request: SynthesisRequest) -> SpeechSpan:
        """Begin the span of a request, under the span of the caller where there is one.

        It is not made the current one: a stream is consumed in whichever context its reader has.
        """
        return SpeechSpan(
            self._tracer.start_span(
                SPAN_NAME, attributes={"speech.voice_kind": _voice_kind(request)}
            )
        )

    async def aclose(self) -> None:
        """Send what is left. Closing twice changes nothing."""
        close, self._close = self._close, None
        if close is not None:
            await asyncio.to_thread(close)


class SpeechSpan:
    """The span of one request."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def end(self, measured: Measurement) -> None:
        """End the span with what was measured."""
        from opentelemetry.trace import StatusCode

        self._span.set_attributes(
            {
                "speech.source": measured.source.value,
                "speech.outcome": measured.outcome,
                "speech.backend": measured.backend,
                "speech.fallback": measured.fallback is not None,
                "speech.n_sentences": measured.n_sentences,
                "speech.seconds": round(measured.seconds, 3),
            }
        )
        if measured.first_audio_s is not None:
            self._span.set_attribute("speech.first_audio_s", round(measured.first_audio_s, 6))
        if measured.outcome not in {OK, CANCELLED}:
            self._span.set_attribute("error.type", measured.outcome)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def tracing_from_environment(environ: Mapping[str, str]) -> SpeechTracing | None:
    """Return the tracing that OpenTelemetry's standard variables ask for, or None.

    Where the process is run by ``opentelemetry-instrument``, or a program has set a provider, spans
    go there. Else they go to the exporters that the variables name, and nowhere where none is
    named. What is wrong with the variables is logged: speech works without a trace.

    Args:
        environ: The environment, to decide; OpenTelemetry itself reads that of the process.
    """
    try:
        from opentelemetry import trace
    except ImportError:
        if _wanted(environ):
            _LOGGER.warning("No traces: OpenTelemetry is not installed. %s", _INSTALL)
        return None
    present = trace.get_tracer_provider()
    if not isinstance(present, trace.ProxyTracerProvider):
        return SpeechTracing(present)
    return _tracing_of_ours(environ) if _wanted(environ) else None


_INSTALL = "Install the extra otel of vieneu-colab-server."


def _wanted(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return any(environ.get(name, "").strip() for name in ("OTEL_TRACES_EXPORTER", *_ENDPOINTS))


def _tracing_of_ours(environ: Mapping[str, str]) -> SpeechTracing | None:
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _LOGGER.warning("No traces: OpenTelemetry's SDK is not installed. %s", _INSTALL)
        return None
    exporters = list(_exporters(environ))
    if not exporters:
        return None
    named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    provider = TracerProvider(
        resource=Resource.create({} if named else {"service.name": SERVICE_NAME})
    )
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return SpeechTracing(provider, close=provider.shutdown)


def _exporters(environ: Mapping[str, str]) -> Iterator[SpanExporter]:
    for wanted in (environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp").split(","):
        name = _exporter_name(wanted.strip(), environ)
        if name == "none":
            continue
        found = entry_points(group="opentelemetry_traces_exporter", name=name)
        if not found:
            _LOGGER.warning("No traces by %s: its exporter is not installed. %s", name, _INSTALL)
            continue
        try:
            exporter: SpanExporter = next(iter(found)).load()()
        except Exception:
            # Any error: an exporter is another project's code, and reads variables of its own.
            _LOGGER.exception("No traces by %s: its exporter could not be set up.", name)
        else:
            yield exporter


def _exporter_name(wanted: str, environ: Mapping[str, str]) -> str:
    """Return the name under which an exporter is registered; ``otlp`` is one for each protocol."""
    if wanted != "otlp":
        return wanted
    protocols = (environ.get(name, "").strip() for name in _PROTOCOLS)
    protocol = next(filter(None, protocols), "http/protobuf")
    return _EXPORTER_OF_PROTOCOL.get(protocol, protocol)


def _voice_kind(request: SynthesisRequest) -> str:
    if request.reference is not None:
        return "reference"
    return "default" if request.voice is None else "named"
