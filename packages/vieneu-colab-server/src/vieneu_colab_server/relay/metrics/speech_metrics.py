"""Counters and histograms of speech, in a registry that is handed in."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from vieneu_colab_server.relay.metrics.labels import BACKENDS, backend_label, flag_label
from vieneu_colab_server.relay.metrics.measurement import CANCELLED, OK, Measurement

FIRST_AUDIO_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0)
REAL_TIME_FACTOR_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)
CACHE_HIT_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class SpeechMetrics:
    """Records what was measured of each request.

    Args:
        registry: Exposes them. One registry takes them once.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "vieneu_requests",
            "Requests for speech that have ended. outcome: ok, cancelled, or the code of the error."
            " backend: the one that spoke last, or that failed.",
            ("outcome", "backend"),
            registry=registry,
        )
        self._in_progress = Gauge(
            "vieneu_requests_in_progress",
            "Requests for speech that are being spoken.",
            registry=registry,
        )
        self._sentences = Counter(
            "vieneu_sentences",
            "Sentences spoken to their end. fallback: whether in place of the chosen backend.",
            ("backend", "fallback"),
            registry=registry,
        )
        self._audio = Counter(
            "vieneu_audio_seconds",
            "Length of the audio that was made, in seconds.",
            ("backend",),
            registry=registry,
        )
        self._first_audio = Histogram(
            "vieneu_first_audio_seconds",
            "Time to first audio: from the request to its first samples, in seconds.",
            ("backend",),
            buckets=FIRST_AUDIO_BUCKETS_S,
            registry=registry,
        )
        self._real_time_factor = Histogram(
            "vieneu_real_time_factor",
            "Seconds waited for a second of audio, over whole requests; below 1 is faster than"
            " real time.",
            ("backend",),
            buckets=REAL_TIME_FACTOR_BUCKETS,
            registry=registry,
        )
        self._fallbacks = Counter(
            "vieneu_fallbacks",
            "Requests of which a fallback spoke at least one sentence. backend: the fallback.",
            ("backend",),
            registry=registry,
        )
        self._cache_hits = Counter(
            "vieneu_speech_cache_hits",
            "Requests that were served from the cache of speech.",
            registry=registry,
        )
        self._cache_misses = Counter(
            "vieneu_speech_cache_misses",
            "Requests that the cache of speech did not hold.",
            registry=registry,
        )
        self._cache_hit_s = Histogram(
            "vieneu_speech_cache_hit_seconds",
            "Time from a request to the first audio out of the cache, in seconds.",
            buckets=CACHE_HIT_BUCKETS_S,
            registry=registry,
        )
        self._begin_at_zero()

    def begin(self) -> None:
        """Record that a request begins to be spoken; `end` follows."""
        self._in_progress.inc()

    def end(self, measured: Measurement) -> None:
        """Record how a request went."""
        self._in_progress.dec()
        backend = backend_label(measured.backend)
        self._requests.labels(measured.outcome, backend).inc()
        for (name, fallback), n_sentences in measured.sentences.items():
            self._sentences.labels(backend_label(name), flag_label(flag=fallback)).inc(n_sentences)
        for name, seconds in measured.audio_s.items():
            self._audio.labels(backend_label(name)).inc(seconds)
        if measured.audio_s and measured.first_audio_s is not None:
            first = backend_label(next(iter(measured.audio_s)))
            self._first_audio.labels(first).observe(measured.first_audio_s)
        factor = measured.real_time_factor
        if measured.outcome == OK and factor is not None:
            self._real_time_factor.labels(backend).observe(factor)
        if measured.fallback is not None:
            self._fallbacks.labels(backend_label(measured.fallback)).inc()

    def cache_lookup(self, hit_s: float | None) -> None:
        """Record a lookup in the speech cache: the seconds to the first audio; None is a miss."""
        if hit_s is None:
            self._cache_misses.inc()
        else:
            self._cache_hits.inc()
            self._cache_hit_s.observe(hit_s)

    def _begin_at_zero(self) -> None:
        """Expose what will be counted before it is: a rate needs the step from 0 to 1."""
        for name in BACKENDS:
            self._requests.labels(OK, name)
            self._requests.labels(CANCELLED, name)
            self._audio.labels(name)
            self._first_audio.labels(name)
            self._real_time_factor.labels(name)
            self._fallbacks.labels(name)
            for fallback in (False, True):
                self._sentences.labels(name, flag_label(flag=fallback))
