"""Counters and histograms of speech, in a registry that is handed in."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from vieneu_colab_server.relay.metrics.labels import BACKENDS, backend_label, flag_label
from vieneu_colab_server.relay.metrics.measurement import CANCELLED, OK, Measurement, Source

FIRST_AUDIO_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0)
REAL_TIME_FACTOR_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)
CACHE_HIT_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_SPOKEN = tuple(source for source in Source if source is not Source.CACHE)


class SpeechMetrics:
    """Records what was measured of each request.

    Args:
        registry: Exposes them. One registry takes them once.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "vieneu_requests",
            "Requests for speech that have ended. outcome: ok, cancelled, or the code of the error."
            " backend: the one that spoke last, or that failed. source: live, job, preparation, or"
            " cache for a replay.",
            ("outcome", "backend", "source"),
            registry=registry,
        )
        self._in_progress = Gauge(
            "vieneu_requests_in_progress",
            "Requests for speech that are being spoken; a replay counts as live.",
            ("source",),
            registry=registry,
        )
        self._sentences = Counter(
            "vieneu_sentences",
            "Sentences spoken to their end. fallback: whether in place of the chosen backend.",
            ("backend", "fallback", "source"),
            registry=registry,
        )
        self._audio = Counter(
            "vieneu_audio_seconds",
            "Length of the audio that was spoken or replayed, in seconds.",
            ("backend", "source"),
            registry=registry,
        )
        self._first_audio = Histogram(
            "vieneu_first_audio_seconds",
            "Time to first audio of live requests that were no replay: from the request to its"
            " first samples, in seconds.",
            ("backend",),
            buckets=FIRST_AUDIO_BUCKETS_S,
            registry=registry,
        )
        self._real_time_factor = Histogram(
            "vieneu_real_time_factor",
            "Seconds waited for a second of audio, over whole requests; below 1 is faster than"
            " real time.",
            ("backend", "source"),
            buckets=REAL_TIME_FACTOR_BUCKETS,
            registry=registry,
        )
        self._fallbacks = Counter(
            "vieneu_fallbacks",
            "Requests of which a fallback spoke at least one sentence. backend: the fallback.",
            ("backend", "source"),
            registry=registry,
        )
        self._cache_hits = Counter(
            "vieneu_speech_cache_hits",
            "Sentences that were replayed from the cache of speech.",
            registry=registry,
        )
        self._cache_misses = Counter(
            "vieneu_speech_cache_misses",
            "Sentences that the cache of speech did not hold.",
            registry=registry,
        )
        self._cache_hit_s = Histogram(
            "vieneu_speech_cache_hit_seconds",
            "Time from a request to the first audio out of the cache, in seconds.",
            buckets=CACHE_HIT_BUCKETS_S,
            registry=registry,
        )
        self._begin_at_zero()

    def begin(self, source: Source) -> None:
        """Record that a request begins to be spoken; `end` follows."""
        self._in_progress.labels(source).inc()

    def end(self, measured: Measurement, begun_as: Source) -> None:
        """Record how a request went, which began as one of this source."""
        self._in_progress.labels(begun_as).dec()
        backend, source = backend_label(measured.backend), measured.source
        self._requests.labels(measured.outcome, backend, source).inc()
        for (name, fallback), n_sentences in measured.sentences.items():
            spoken = self._sentences.labels(backend_label(name), flag_label(flag=fallback), source)
            spoken.inc(n_sentences)
        for name, seconds in measured.audio_s.items():
            self._audio.labels(backend_label(name), source).inc(seconds)
        if (heard := measured.first_heard) is not None:
            name, first_audio_s = heard
            self._first_audio.labels(backend_label(name)).observe(first_audio_s)
        factor = measured.real_time_factor
        if measured.outcome == OK and factor is not None and source is not Source.CACHE:
            self._real_time_factor.labels(backend, source).observe(factor)
        if measured.fallback is not None:
            self._fallbacks.labels(backend_label(measured.fallback), source).inc()

    def cache_lookup(self, hit_s: float | None) -> None:
        """Record a lookup in the speech cache: the seconds to the first audio; None is a miss."""
        if hit_s is None:
            self._cache_misses.inc()
        else:
            self._cache_hits.inc()
            self._cache_hit_s.observe(hit_s)

    def _begin_at_zero(self) -> None:
        """Expose what will be counted before it is: a rate needs the step from 0 to 1."""
        for source in Source:
            for name in BACKENDS:
                for outcome in (OK, CANCELLED):
                    self._requests.labels(outcome, name, source)
                for fallback in (False, True):
                    self._sentences.labels(name, flag_label(flag=fallback), source)
                self._audio.labels(name, source)
        for source in _SPOKEN:
            self._in_progress.labels(source)
            for name in BACKENDS:
                self._real_time_factor.labels(name, source)
                self._fallbacks.labels(name, source)
        for name in BACKENDS:
            self._first_audio.labels(name)
