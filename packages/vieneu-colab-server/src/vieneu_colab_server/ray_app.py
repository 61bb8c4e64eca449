"""The server on Ray Serve: one address, any number of replicas of the engine, on any nodes.

``serve run vieneu_colab_server.ray_app:build engine=gguf max_replicas=4``, or ``import_path`` in a
configuration of Serve, deploys it; ``python -m vieneu_colab_server.ray_app engine=gguf`` runs it on
this machine alone. See docs/scaling.md.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError
from starlette.types import ASGIApp

from vieneu_colab_server.engine_options import engine_options
from vieneu_colab_server.exit_codes import exiting_on_failure
from vieneu_colab_server.listening_port import open_port
from vieneu_colab_server.replicas.arguments import RayAppArguments
from vieneu_colab_server.replicas.engine_replica import EngineReplica
from vieneu_colab_server.replicas.ingress import ENGINE_DEPLOYMENT, ingress_app, ingress_settings
from vieneu_core.credentials import host_in_url
from vieneu_core.errors import ConfigurationError, MissingExtraError, ModelLoadError
from vieneu_core.translatable import Translatable
from vieneu_core.validation import reasons_of

if TYPE_CHECKING:
    from ray.serve import Application

APP_NAME = "vieneu"
_ROUTER = "vieneu_colab_server.replicas.voice_affinity.VoiceAffinity"
_INGRESS_REQUESTS = 1_000
"""Requests of all kinds that Serve gives an ingress at once; the app refuses speech before."""
_RESOURCE_SHARE = 0.001
"""Part of a resource that an ingress takes: it is only asked whether a node has it."""
_AVERAGED_OVER_S = 15.0
"""Seconds of which the requests are averaged for the number of replicas."""
_USAGE_VARIABLE = "RAY_USAGE_STATS_ENABLED"


def build(args: Mapping[str, object]) -> Application:
    """Return the application: replicas of the engine, behind ingresses with the server's own app.

    Args:
        args: Members of `RayAppArguments`, as ``args`` of the application states them.

    Raises:
        ConfigurationError: one of them is unknown, or invalid.
        MissingExtraError: ray is not installed.
    """
    arguments = _valid(args)
    placed = arguments.ingress_resource
    _check_installed()
    from ray import serve
    from ray.serve.config import AutoscalingConfig, RequestRouterConfig

    def asgi_app() -> ASGIApp:
        return ingress_app(arguments)

    engine = serve.deployment(
        name=ENGINE_DEPLOYMENT,
        max_ongoing_requests=arguments.max_ongoing_requests,
        max_queued_requests=arguments.max_queued_requests,
        autoscaling_config=AutoscalingConfig(
            min_replicas=arguments.min_replicas,
            max_replicas=arguments.max_replicas,
            target_ongoing_requests=arguments.target_ongoing_requests,
            upscale_delay_s=arguments.upscale_delay_s,
            downscale_delay_s=arguments.downscale_delay_s,
            look_back_period_s=_AVERAGED_OVER_S,
        ),
        ray_actor_options={
            "num_cpus": arguments.replica_cpus,
            "num_gpus": arguments.replica_gpus,
        },
        graceful_shutdown_timeout_s=arguments.drain_timeout_s,
        health_check_period_s=5,
        request_router_config=RequestRouterConfig(request_router_class=_ROUTER),
    )(EngineReplica)
    ingress = serve.deployment(
        name="Ingress",
        num_replicas=arguments.ingress_replicas,
        max_ongoing_requests=_INGRESS_REQUESTS,
        ray_actor_options={
            "num_cpus": arguments.ingress_cpus,
            "resources": {} if placed is None else {placed: _RESOURCE_SHARE},
        },
        graceful_shutdown_timeout_s=arguments.drain_timeout_s,
    )(serve.ingress(asgi_app)())
    return ingress.bind(engine.bind(arguments))


@contextmanager
def serving(args: Mapping[str, object]) -> Iterator[str]:
    """Run the application in a Ray of this machine alone, until the context ends.

    Ray's usage statistics are off, and its dashboard is not started. The address is that of the
    server's settings (``VIENEU_SERVER_HOST``, ``VIENEU_SERVER_PORT``).

    Args:
        args: As for `build`.

    Yields:
        The URL.

    Raises:
        ConfigurationError: an argument or a setting is invalid, or there is no token.
        MissingExtraError: ray is not installed.
        ModelLoadError: the application could not be started.
    """
    os.environ[_USAGE_VARIABLE] = "0"  # before Ray is imported
    environment = dict(os.environ)
    settings = ingress_settings(_valid(args))
    os.environ.update(environment)  # the ingress, another process, takes the secrets from there
    app = build(args)
    open_port(settings).close()  # names an address that cannot be used; Ray would not
    import ray
    from ray import serve

    ray.init(address="local", include_dashboard=False, log_to_driver=False)
    try:
        try:
            serve.start(http_options={"host": settings.host, "port": settings.port})
            serve.run(app, name=APP_NAME, route_prefix="/")
        except (RuntimeError, TimeoutError) as error:
            raise ModelLoadError(
                "The application could not be started on Ray.",
                remedy="See the logs in /tmp/ray/session_latest/logs/serve.",
            ) from error
        yield f"http://{host_in_url(settings.host)}:{settings.port}"
    finally:
        serve.shutdown()
        ray.shutdown()


def main() -> None:
    """Run the application on this machine until a signal comes; see the module."""
    stopped = threading.Event()
    with exiting_on_failure(), serving(engine_options(sys.argv[1:])) as url:
        for each in (signal.SIGINT, signal.SIGTERM):  # now, since Ray takes them for itself
            signal.signal(each, lambda *_: stopped.set())
        sys.stdout.write(f"Listening on {url}\n")
        sys.stdout.flush()
        stopped.wait()


def _valid(args: Mapping[str, object]) -> RayAppArguments:
    try:
        return RayAppArguments.model_validate(dict(args))
    except ValidationError as err:
        raise ConfigurationError(
            Translatable("Wrong arguments: {named}.", named=reasons_of(err)),
            remedy="Correct the arguments of the application.",
        ) from None


def _check_installed() -> None:
    try:
        from ray import serve  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtraError("Ray Serve", "ray", package="vieneu-colab-server") from error


if __name__ == "__main__":
    main()
