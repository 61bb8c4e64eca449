"""App of the relay: the server's app over the router, and the admin's app beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route

from vieneu_colab_server.app import AddedApi, Companion, Service, create_app
from vieneu_colab_server.lifecycle import Lifecycle
from vieneu_colab_server.middleware.access_log import AccessLog
from vieneu_colab_server.problems import on_http_error
from vieneu_colab_server.relay.address_updates import RelayInbox, address_routes
from vieneu_colab_server.relay.admin_api import admin_routes
from vieneu_colab_server.relay.admin_app import admin_app
from vieneu_colab_server.relay.administration import Administration
from vieneu_colab_server.relay.cache_routes import cache_routes
from vieneu_colab_server.relay.dictionary_routes import dictionary_routes
from vieneu_colab_server.relay.event_stream import EventHistory
from vieneu_colab_server.relay.history import RelayHistory, history_routes
from vieneu_colab_server.relay.ingress import Ingress, IngressGate
from vieneu_colab_server.relay.jobs.api import backend_away, job_api
from vieneu_colab_server.relay.jobs.queue import JobQueue
from vieneu_colab_server.relay.jobs.settings import JobSettings
from vieneu_colab_server.relay.jobs.store import JobStore
from vieneu_colab_server.relay.login import AdminAccount
from vieneu_colab_server.relay.login_routes import login_routes
from vieneu_colab_server.relay.metrics.measured_backend import MeasuredBackend
from vieneu_colab_server.relay.metrics.measurement import Source
from vieneu_colab_server.relay.metrics.relay_metrics import relay_metrics
from vieneu_colab_server.relay.metrics.routes import METRICS, metrics_routes
from vieneu_colab_server.relay.metrics.speech_metrics import SpeechMetrics
from vieneu_colab_server.relay.metrics.tracing import SpeechTracing
from vieneu_colab_server.relay.notebook_routes import notebook_routes
from vieneu_colab_server.relay.openai import openai_api
from vieneu_colab_server.relay.pages.speak.routes import speak_page_routes
from vieneu_colab_server.relay.preparation import AnnouncementPreparation
from vieneu_colab_server.relay.speak.app import create_speak_api
from vieneu_colab_server.relay.speak.ended_sessions import EndedSessions
from vieneu_colab_server.relay.speak.guard import SPEAK_API
from vieneu_colab_server.relay.speak.session import SpeakSessions
from vieneu_colab_server.relay.voice_routes import voice_routes
from vieneu_colab_server.relay.voices_version import voices_version
from vieneu_colab_server.relay.wyoming import wyoming_server_class
from vieneu_colab_server.relay.wyoming.limits import WyomingLimits
from vieneu_colab_server.relay.wyoming.queued_speech import QueuedSpeech
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.backends.base import Backend
from vieneu_core.cache_builder import build_cache
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.request_pace import RequestPace

if TYPE_CHECKING:
    from vieneu_colab_server.relay.wyoming.server import WyomingServer
    from vieneu_core.speech_cache import CachedBackend, Chosen

ADMIN_PATH = "/relay"
MAX_JOBS_BYTES = 4 << 30
"""All long jobs on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WyomingOptions:
    """Where Wyoming clients are served."""

    address: str
    """``tcp://HOST:PORT`` or ``unix://PATH``."""
    advertised_as: str | None = None
    """Name for zeroconf; None advertises nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayParts:
    """What the relay app serves."""

    administration: Administration
    account: AdminAccount
    jobs_folder: Path
    """Keeps the long jobs."""
    ended_sessions: EndedSessions
    """Those of the Speak page that a log-out has ended."""
    wyoming: WyomingOptions | None = None
    """None serves no Wyoming clients."""
    tracing: SpeechTracing | None = None
    """None traces nothing."""
    companions: tuple[Companion, ...] = ()
    """What runs beside the relay."""
    ingress: Ingress | None = None
    """Where Home Assistant's ingress reaches it; None: nowhere."""


def create_relay_app(
    settings: ServerSettings, parts: RelayParts, *, clock: Clock | None = None
) -> Starlette:
    """Make the app of the relay; it loads the router, and closes it at its end.

    Its paths and its token are those of vieneu-server; the admin's paths are below `ADMIN_PATH`.

    Raises:
        ConfigurationError: the address for Wyoming clients cannot be used.
        MissingExtraError: a part of the extra ``relay`` is not installed.
    """
    clock = clock or SystemClock()
    administration = parts.administration
    router = administration.router
    metrics = relay_metrics(
        router, queue_depth=lambda: service.queue.depth, jobs=lambda: jobs.n_by_state
    )
    history = RelayHistory(router, clock=clock)

    def measured(speaks: Backend, source: Source) -> MeasuredBackend:
        return MeasuredBackend(
            speaks,
            metrics.speech,
            clock=clock,
            tracing=parts.tracing,
            on_end=history.record_speech,
            source=source,
        )

    def busy() -> bool:
        return service.queue.depth > 0  # of the service that is made below

    unheard = measured(router, Source.PREPARATION)
    cached = _cached(administration, unheard, metrics.speech, clock)
    backend = measured(cached, Source.LIVE)
    pace = RequestPace(clock)  # of all that nobody waits for: one limit of the server holds for it
    jobs = JobQueue(
        measured(router, Source.JOB),
        JobStore(
            parts.jobs_folder,
            max_total_bytes=MAX_JOBS_BYTES,
            max_owner_bytes=settings.max_job_bytes_per_token,
        ),
        clock,
        busy,
        JobSettings(max_jobs_per_token=settings.max_jobs_per_token),
        pace=pace,
        backend_away=lambda: backend_away(router),
        find_reference=lambda voice: service.uploads.find(voice),  # noqa: PLW0108 - made below
    )
    added = [
        openai_api(send_timeout_s=settings.send_timeout_s),
        AddedApi(routes=lambda _: metrics_routes(metrics.registry), prefix=METRICS),
        job_api(jobs, router),
    ]
    server = create_app(
        settings,
        backend,
        clock=clock,
        added=added,
        is_admin=parts.account.accepts_token,
        companions=parts.companions,
    )
    service: Service = server.state.service
    events = EventHistory(router, clock=clock, is_stopping=lambda: service.lifecycle.draining)
    speak = QueuedSpeech(
        backend.stream,
        service.queue,
        check_accepting=service.lifecycle.check_accepting,
        deadline_s=settings.deadline_s,
    )
    wyoming = _wyoming_server(settings, parts.wyoming, backend, speak)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        serving = _serving(wyoming, settings, service.lifecycle)
        async with server.router.lifespan_context(server), jobs, history, serving:
            following = asyncio.create_task(administration.follow(), name="follow-settings")
            try:
                yield
            finally:
                following.cancel()
                await asyncio.wait({following})
                events.close()
                metrics.unsubscribe()
        await administration.aclose()  # the router is closed by now
        if parts.tracing is not None:
            await parts.tracing.aclose()

    preparation = AnnouncementPreparation(
        cached,
        router=router,
        busy=busy,
        pace=pace,
        max_chars=settings.max_text_chars,
    )
    speak_sessions = SpeakSessions(
        service.tokens,
        clock,
        guesses=service.guesses,
        ended=parts.ended_sessions,
        password_id=lambda: parts.account.password_id,
    )
    speak_api = create_speak_api(
        settings,
        service,
        server,
        speak_sessions,
        voices_version=lambda: voices_version(router, administration.voices),
    )
    apis = [
        login_routes(parts.account, speak_sessions),
        admin_routes(administration, events),
        address_routes(RelayInbox(administration, clock=clock)),
        voice_routes(administration.voices, backend, speak),
        notebook_routes(administration.voices),
        history_routes(history),
        cache_routes(cached, preparation, administration),
        dictionary_routes(administration),
    ]
    routes = [
        Route(ADMIN_PATH, _to_the_page, include_in_schema=False),
        Mount(ADMIN_PATH, admin_app(settings, parts.account, service, apis)),
        Mount(SPEAK_API, speak_api),
        *speak_page_routes(),
        Mount("/", server),
    ]
    passed = [Middleware(AccessLog), Middleware(IngressGate, ingress=parts.ingress)]
    app = Starlette(routes=routes, lifespan=lifespan, middleware=passed)
    app.add_exception_handler(HTTPException, on_http_error)  # type: ignore[arg-type]  # of its class
    app.state.service = service
    return app


def _cached(
    administration: Administration, unheard: Backend, metrics: SpeechMetrics, clock: Clock
) -> CachedBackend:
    """Put the speech cache before the router; it is used while the settings want one.

    What is prepared is spoken by ``unheard``.
    """
    from vieneu_core.speech_cache import CachedBackend, chosen_by

    cache = build_cache(
        administration.settings,
        voices_dir=administration.voices.folder,
        clock=clock,
        on_lookup=metrics.cache_lookup,
    )

    def chosen() -> Chosen:
        return chosen_by(router, administration.settings)()  # they may change while it runs

    def enabled() -> bool:
        return administration.settings.cache.enabled

    router = administration.router
    return CachedBackend(router, cache, chosen=chosen, preparing=unheard, enabled=enabled)


def _wyoming_server(
    settings: ServerSettings, options: WyomingOptions | None, backend: Backend, speak: QueuedSpeech
) -> WyomingServer | None:
    if options is None:
        return None
    return wyoming_server_class()(
        options.address,
        speak,
        backend.voices,
        limits=WyomingLimits(max_text_chars=settings.max_text_chars),
        advertised_as=options.advertised_as,
    )


@asynccontextmanager
async def _serving(
    wyoming: WyomingServer | None, settings: ServerSettings, lifecycle: Lifecycle
) -> AsyncIterator[None]:
    """Serve Wyoming clients meanwhile; at the end their speech has the rest of the one drain."""
    if wyoming is None:
        yield
        return
    await wyoming.start()
    try:
        yield
    finally:
        left_s = settings.drain_timeout_s - lifecycle.stopping_for_s
        await wyoming.stop(within_s=max(0.0, left_s))


async def _to_the_page(_: Request) -> RedirectResponse:
    """Lead from the path without its slash; relative, for proxies that put a prefix before it."""
    return RedirectResponse(ADMIN_PATH.removeprefix("/") + "/")
