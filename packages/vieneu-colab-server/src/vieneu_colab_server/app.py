"""HTTP app for any backend. It creates no engine, opens no port, and has no module state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from vieneu_colab_server import __version__
from vieneu_colab_server.idempotency import Recorder
from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_colab_server.middleware.access_log import AccessLog
from vieneu_colab_server.middleware.auth import BearerAuth
from vieneu_colab_server.middleware.body_limit import BodyLimit
from vieneu_colab_server.middleware.rate_limit import SPEECH_PATHS, PerMinute, RateLimit
from vieneu_colab_server.middleware.shared_counts import SharedCounts, check_storage
from vieneu_colab_server.middleware.traffic import CountTraffic, Traffic
from vieneu_colab_server.middleware.wire_version import ClientVersionCheck, WireVersionHeader
from vieneu_colab_server.openapi import install_openapi
from vieneu_colab_server.problems import ErrorForm, add_error_handlers, use_error_form
from vieneu_colab_server.recording import ReplayLimits
from vieneu_colab_server.reference_clips import Samples
from vieneu_colab_server.routes.admin import admin_routes
from vieneu_colab_server.routes.health import health_routes
from vieneu_colab_server.routes.speech import SendLimits, speech_routes
from vieneu_colab_server.routes.voices import voice_routes
from vieneu_colab_server.settings import ServerSettings
from vieneu_colab_server.speech_queue import SpeechQueue
from vieneu_colab_server.speech_service import SpeechService
from vieneu_colab_server.streaming_response import warm_up
from vieneu_colab_server.tokens.guess_throttling import Guesses
from vieneu_colab_server.tokens.rotation import TokenRotation
from vieneu_colab_server.tokens.set_up import made_tokens
from vieneu_colab_server.uploaded_voices import UploadedVoices
from vieneu_core.backends.base import Backend
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.wire.routes import OPEN_PATHS


@dataclass(frozen=True, slots=True)
class Service:
    """Parts with the lifetime of an app, as ``app.state.service``."""

    lifecycle: Lifecycle
    speech: SpeechService
    uploads: UploadedVoices
    queue: SpeechQueue
    recorder: Recorder
    tokens: TokenRotation
    guesses: Guesses
    traffic: Traffic
    shared_counts: SharedCounts | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the backend while the server already responds; close everything at the end."""
        self.lifecycle.start()
        try:
            await asyncio.to_thread(warm_up)
            if self.shared_counts is not None:
                await self.shared_counts.connect()
            yield
        finally:
            self.lifecycle.stop()
            await self.recorder.aclose()
            await self.lifecycle.aclose()
            if self.shared_counts is not None:
                await self.shared_counts.aclose()


Companion = Callable[[Service], AbstractAsyncContextManager[None]]
"""Runs beside a server, from its start to its end, such as its advertisement in the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedApi:
    """An API beside the server's own, on the same parts."""

    routes: Callable[[Service], APIRouter]
    prefix: str
    """Beginning of all its paths, such as ``/v1/``."""
    speech_paths: frozenset[str] = frozenset()
    """Paths whose requests count as requests for speech."""
    error_form: ErrorForm | None = None
    """Form of its errors; None: problem documents."""


def create_app(  # noqa: PLR0913 - its parts, by keyword
    settings: ServerSettings,
    backend: Backend,
    *,
    clock: Clock | None = None,
    added: Sequence[AddedApi] = (),
    is_admin: Callable[[bytes], bool] | None = None,
    paces: bool = True,
    companions: Sequence[Companion] = (),
) -> FastAPI:
    """Create the app that serves a backend; the app loads the backend, and closes it at its end.

    Args:
        settings: Settings of the server.
        backend: The backend.
        clock: Time.
        added: APIs beside the server's own.
        is_admin: Tells the admin token where the settings have none.
        paces: Whether requests wait where one engine could not make all speech in time; False for a
            backend with a queue of its own.
        companions: What runs beside the server.

    Raises:
        ConfigurationError: a token in a file cannot be used.
        RateStorageError: the Redis of the rate limits does not answer.
    """
    clock = SystemClock() if clock is None else clock
    tokens = made_tokens(settings, clock, is_admin=is_admin)
    service = _service(settings, backend, clock, tokens, paces=paces)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running(), AsyncExitStack() as beside:
            for companion in companions:
                await beside.enter_async_context(companion(service))
            yield

    app = FastAPI(
        title="VieNeu speech server",
        version=__version__,
        description="Vietnamese speech over HTTP. Every request but the probes needs the token.",
        lifespan=lifespan,
        middleware=_middleware(
            settings, service, SPEECH_PATHS.union(*(api.speech_paths for api in added))
        ),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # clients refuse redirects, which could send the token elsewhere
    )
    app.state.service = service
    for router in (*_routers(settings, service), *(api.routes(service) for api in added)):
        # include_router wraps a router as a whole: the access log could not name its routes.
        app.routes.extend(router.routes)
    add_error_handlers(app)
    for api in added:
        if api.error_form is not None:
            use_error_form(app, api.prefix, api.error_form)
    install_openapi(app)
    return app


def _service(
    settings: ServerSettings, backend: Backend, clock: Clock, tokens: TokenRotation, *, paces: bool
) -> Service:
    lifecycle = Lifecycle(
        backend,
        clock,
        session_limit_s=settings.session_limit_s,
        session_drain_s=settings.session_drain_s,
        loading_retry_after_s=settings.loading_retry_after_s,
    )
    queue = SpeechQueue(
        max_waiting=settings.max_queue,
        max_running=settings.max_concurrent,
        retry_after_s=settings.retry_after_s,
        paces=paces,
        clock=clock,
    )
    limits = ReplayLimits(
        keep_s=settings.replay_keep_s,
        grace_s=settings.replay_grace_s,
        deadline_s=settings.deadline_s,
        max_recording_bytes=settings.max_recording_bytes,
        max_total_bytes=settings.max_replay_bytes,
    )
    recorder = Recorder(queue, limits)
    uploads = UploadedVoices(max_seconds=settings.max_reference_s)
    speech = SpeechService(
        backend,
        lifecycle,
        recorder,
        Samples(settings.samples_dir, max_seconds=settings.max_reference_s),
        uploads,
        max_text_chars=settings.max_text_chars,
    )
    guesses = Guesses(
        clock,
        per_minute=settings.failed_logins_per_minute,
        most_held=settings.max_connections // 2,
    )
    return Service(
        lifecycle,
        speech,
        uploads,
        queue,
        recorder,
        tokens,
        guesses,
        Traffic(),
        _shared_counts(settings, clock),
    )


def _shared_counts(settings: ServerSettings, clock: Clock) -> SharedCounts | None:
    """Return what counts requests together with other servers; blocking: Redis has to answer."""
    uri = settings.rate_limit_storage
    if uri is None:
        return None
    counts = SharedCounts(uri, clock)
    check_storage(uri)
    return counts


def _middleware(
    settings: ServerSettings, service: Service, speech_paths: frozenset[str]
) -> list[Middleware]:
    """Return what every request passes before its body is parsed, the outermost first."""
    return [
        Middleware(CountTraffic, traffic=service.traffic),
        Middleware(AccessLog),
        Middleware(WireVersionHeader),
        Middleware(
            BearerAuth,
            tokens=service.tokens,
            guesses=service.guesses,
        ),
        Middleware(ClientVersionCheck),
        Middleware(
            RateLimit,
            speech=PerMinute(settings.requests_per_minute),
            health_checks=PerMinute(settings.health_checks_per_minute),
            speech_paths=speech_paths,
            exempt=OPEN_PATHS,
            shared=service.shared_counts,
        ),
        Middleware(
            BodyLimit,
            max_bytes=settings.max_body_bytes,
            timeout_s=settings.body_timeout_s,
            max_total_bytes=settings.max_total_body_bytes,
            bodiless=OPEN_PATHS,
        ),
    ]


def _routers(settings: ServerSettings, service: Service) -> list[APIRouter]:
    limits = SendLimits(send_timeout_s=settings.send_timeout_s, send_within_s=settings.deadline_s)
    return [
        speech_routes(service.speech, limits),
        voice_routes(service.speech, service.lifecycle, service.uploads, tokens=service.tokens),
        health_routes(service.lifecycle, service.queue, service.traffic),
        admin_routes(service.tokens, service.lifecycle),
    ]
