"""One span for each request, without what was said; and none where nobody asked for it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from contextlib import aclosing

import pytest
from guard import GUARD_S
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client import CollectorRegistry
from router_rig import lost

from vieneu_colab_server.relay.metrics import tracing
from vieneu_colab_server.relay.metrics.measured_backend import MeasuredBackend
from vieneu_colab_server.relay.metrics.measurement import Measurement
from vieneu_colab_server.relay.metrics.speech_metrics import SpeechMetrics
from vieneu_colab_server.relay.metrics.tracing import SpeechTracing, tracing_from_environment
from vieneu_core.errors import BackendConnectionError
from vieneu_core.synthesis import ReferenceAudio, SynthesisRequest, collect
from vieneu_core.testing.scripted import ScriptedBackend, ScriptStep

SECRET = "Mật khẩu là 1234."
REQUEST = SynthesisRequest(text=(SECRET, "Câu hai."), voice="vi-tone", request_id="req-secret")
CLIP = ReferenceAudio(pcm=bytes(48_000), sample_rate_hz=24_000, transcript="Xin chào.")


class Traced:
    """A measured backend whose spans are kept."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.scripted = ScriptedBackend(name="local", clones=True)
        self.backend = MeasuredBackend(
            self.scripted,
            SpeechMetrics(CollectorRegistry()),
            tracing=SpeechTracing(self.provider),
        )

    @property
    def span(self) -> ReadableSpan:
        (span,) = self.exporter.get_finished_spans()
        return span


def status_of(traced: Traced) -> StatusCode:
    return traced.span.status.status_code


@pytest.fixture
async def traced() -> Traced:
    traced = Traced()
    await traced.scripted.load()
    return traced


async def test_a_span_says_who_spoke_how_much_and_how_soon_but_not_what(traced: Traced) -> None:
    speech = await collect(traced.backend.stream(REQUEST))

    span, attributes = traced.span, dict(traced.span.attributes or {})
    assert span.name == "speech.request"
    first_audio_s = attributes.pop("speech.first_audio_s")
    assert isinstance(first_audio_s, float)
    assert first_audio_s >= 0
    assert attributes == {
        "speech.source": "live",
        "speech.voice_kind": "named",
        "speech.outcome": "ok",
        "speech.backend": "local",
        "speech.fallback": False,
        "speech.n_sentences": 2,
        "speech.seconds": pytest.approx(speech.seconds, abs=0.001),
    }
    assert span.status.status_code is StatusCode.UNSET
    written = span.to_json()
    assert not any(secret in written for secret in (SECRET, "1234", "vi-tone", "req-secret"))


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (SynthesisRequest(text="Một."), "default"),
        (SynthesisRequest(text="Một.", voice="vi-tone"), "named"),
        (SynthesisRequest(text="Một.", reference=CLIP), "reference"),
    ],
)
async def test_the_kind_of_the_voice_is_told_and_not_its_name(
    traced: Traced, request_: SynthesisRequest, kind: str
) -> None:
    await collect(traced.backend.stream(request_))

    assert (traced.span.attributes or {})["speech.voice_kind"] == kind


async def test_a_failure_is_an_error_of_its_code_and_a_cancelled_request_is_none(
    traced: Traced,
) -> None:
    traced.scripted.script = [ScriptStep(error=lost("at https://user:secret@host"))]
    with pytest.raises(BackendConnectionError):
        await collect(traced.backend.stream(REQUEST))
    assert status_of(traced) is StatusCode.ERROR
    assert (traced.span.attributes or {})["error.type"] == "connection"
    assert "secret@" not in traced.span.to_json()

    traced.exporter.clear()
    async with aclosing(traced.backend.stream(REQUEST)) as chunks:
        await anext(chunks)
    assert status_of(traced) is StatusCode.UNSET
    assert (traced.span.attributes or {})["speech.outcome"] == "cancelled"


async def test_the_span_stands_under_that_of_the_caller(traced: Traced) -> None:
    tracer = traced.provider.get_tracer("caller")
    with tracer.start_as_current_span("http") as caller:
        await collect(traced.backend.stream(REQUEST))

    ours = next(s for s in traced.exporter.get_finished_spans() if s.name == "speech.request")
    assert ours.parent is not None
    assert ours.parent.span_id == caller.get_span_context().span_id


# --- the environment ---------------------------------------------------------------------


class _Entry:
    def __init__(self, exporter: object) -> None:
        self._exporter = exporter

    def load(self) -> object:
        return lambda: self._exporter


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, InMemorySpanExporter]:
    """Exporters that are installed, by name."""
    exporters = {"otlp_proto_http": InMemorySpanExporter(), "console": InMemorySpanExporter()}

    def entry_points(*, group: str, name: str) -> tuple[_Entry, ...]:
        assert group == "opentelemetry_traces_exporter"
        return (_Entry(exporters[name]),) if name in exporters else ()

    monkeypatch.setattr(tracing, "entry_points", entry_points)
    return exporters


@pytest.mark.parametrize(
    ("environ", "used"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, {"otlp_proto_http"}),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h/v1/traces"}, {"otlp_proto_http"}),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, {"otlp_proto_http"}),
        ({"OTEL_TRACES_EXPORTER": "console"}, {"console"}),
        ({"OTEL_TRACES_EXPORTER": "otlp, console"}, {"otlp_proto_http", "console"}),
        ({"OTEL_TRACES_EXPORTER": "otlp,zipkin"}, {"otlp_proto_http"}),
    ],
)
async def test_the_standard_variables_choose_the_exporters(
    installed: dict[str, InMemorySpanExporter],
    environ: dict[str, str],
    used: set[str],
) -> None:
    found = tracing_from_environment(environ)
    assert found is not None
    backend = MeasuredBackend(ScriptedBackend(), SpeechMetrics(CollectorRegistry()), tracing=found)
    async with backend:
        await collect(backend.stream(REQUEST))
    await found.aclose()  # sends what is left
    await found.aclose()

    assert {name for name, each in installed.items() if each.get_finished_spans()} == used
    for name in used:
        (span,) = installed[name].get_finished_spans()
        assert span.resource.attributes["service.name"] == "vieneu-relay"


async def test_a_service_name_of_the_user_is_kept(
    installed: dict[str, InMemorySpanExporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "kitchen")
    found = tracing_from_environment(
        {"OTEL_SERVICE_NAME": "kitchen", "OTEL_TRACES_EXPORTER": "otlp"}
    )
    assert found is not None
    backend = MeasuredBackend(ScriptedBackend(), SpeechMetrics(CollectorRegistry()), tracing=found)
    async with backend:
        await collect(backend.stream(REQUEST))
    await found.aclose()

    (span,) = installed["otlp_proto_http"].get_finished_spans()
    assert span.resource.attributes["service.name"] == "kitchen"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_SERVICE_NAME": "kitchen"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"},
    ],
)
@pytest.mark.usefixtures("installed")
def test_nothing_is_traced_where_nobody_asked_for_it(environ: dict[str, str]) -> None:
    assert tracing_from_environment(environ) is None


@pytest.mark.usefixtures("installed")
def test_an_exporter_that_is_missing_is_logged_and_speech_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environ = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with caplog.at_level(logging.WARNING):
        assert tracing_from_environment(environ) is None

    assert "otlp_proto_grpc" in caplog.text
    assert "extra otel" in caplog.text


def test_an_exporter_that_cannot_be_set_up_is_logged(
    installed: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        def load(self) -> object:
            raise ValueError("OTEL_EXPORTER_OTLP_TIMEOUT=soon")

    assert installed
    monkeypatch.setattr(tracing, "entry_points", lambda **_: (Broken(),))
    assert tracing_from_environment({"OTEL_TRACES_EXPORTER": "otlp"}) is None
    assert "could not be set up" in caplog.text


async def test_a_provider_that_is_there_already_is_used_and_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traced = Traced()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: traced.provider)
    found = tracing_from_environment({})
    assert found is not None
    found.begin(REQUEST).end(Measurement())
    await found.aclose()
    found.begin(REQUEST).end(Measurement())

    assert len(traced.exporter.get_finished_spans()) == 2


def run(code: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=GUARD_S
    )
    result: dict[str, object] = json.loads(done.stdout)
    return result


def test_without_opentelemetry_there_is_no_trace_and_nothing_of_it_is_loaded() -> None:
    result = run(
        "import sys, json\n"
        "from vieneu_colab_server.relay.metrics.measured_backend import MeasuredBackend\n"
        "loaded = [m for m in sys.modules if m.startswith('opentelemetry')]\n"
        "sys.modules['opentelemetry'] = None\n"
        "from vieneu_colab_server.relay.metrics.tracing import tracing_from_environment\n"
        "found = tracing_from_environment({'OTEL_TRACES_EXPORTER': 'otlp'})\n"
        "print(json.dumps({'loaded': loaded, 'found': found is not None}))\n"
    )
    assert result == {"loaded": [], "found": False}


def test_with_the_interface_alone_there_is_no_trace() -> None:
    result = run(
        "import sys, json\n"
        "sys.modules['opentelemetry.sdk'] = None\n"
        "from vieneu_colab_server.relay.metrics.tracing import tracing_from_environment\n"
        "found = tracing_from_environment({'OTEL_TRACES_EXPORTER': 'otlp'})\n"
        "print(json.dumps({'found': found is not None}))\n"
    )
    assert result == {"found": False}
