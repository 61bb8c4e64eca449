"""The ingress: the server's own app, as an ASGI app that Ray Serve runs."""

from __future__ import annotations

from starlette.types import ASGIApp

from vieneu_colab_server.app import create_app
from vieneu_colab_server.cli import TOKEN_FILE_VARIABLE, make_settings
from vieneu_colab_server.middleware.proxy import TrustedProxy
from vieneu_colab_server.replicas.arguments import RayAppArguments
from vieneu_colab_server.replicas.backend import ReplicasBackend
from vieneu_colab_server.replicas.serve_log import log_with_serve
from vieneu_colab_server.sending import SentInParts
from vieneu_colab_server.settings import ServerSettings
from vieneu_core.backends import ReadingBackend
from vieneu_core.errors import ConfigurationError
from vieneu_core.text import DictionaryFile
from vieneu_core.translatable import Translatable

ENGINE_DEPLOYMENT = "Engine"


def ingress_app(arguments: RayAppArguments) -> ASGIApp:
    """Return the app of one ingress, with the settings of this process's environment.

    Raises:
        ConfigurationError: a setting is invalid, or there is no token.
    """
    from vieneu_colab_server.replicas.calls import ReplicaCalls

    log_with_serve()
    settings = ingress_settings(arguments)
    calls = ReplicaCalls(ENGINE_DEPLOYMENT, retry_after_s=settings.retry_after_s)
    backend = ReadingBackend(
        ReplicasBackend(calls), dictionary=DictionaryFile.named(arguments.dictionary)
    )
    app = create_app(settings, backend, paces=False)
    return TrustedProxy(SentInParts(app))


def ingress_settings(arguments: RayAppArguments) -> ServerSettings:
    """Return the settings of an ingress. Its queue is Serve's: it takes what that may hold.

    Raises:
        ConfigurationError: a setting is invalid, or there is no token: each ingress would make one
            of its own, which nobody knows.
    """
    limits = {"max_queue": 0, "max_concurrent": arguments.most_requests}
    settings, new_token = make_settings(limits, None)
    if new_token:
        raise ConfigurationError(
            "The ingress has no token.",
            remedy=Translatable(
                "Set {variable} to a file with the token, on each node.",
                variable=TOKEN_FILE_VARIABLE,
            ),
        )
    return settings
