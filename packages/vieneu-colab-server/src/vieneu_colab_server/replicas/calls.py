"""Calls of replicas through a handle of Ray Serve; its errors become ours here."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from typing import Any

from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException
from ray.serve.handle import DeploymentHandle

from vieneu_colab_server.replicas.engine_replica import Description, chunks_of
from vieneu_colab_server.replicas.running_count import RunningCount
from vieneu_core.audio.pcm import AudioChunk
from vieneu_core.clock import Clock, SystemClock
from vieneu_core.errors import (
    BackendBusyError,
    BackendError,
    BackendUnavailableError,
    InternalServerError,
    ModelLoadError,
    VieneuError,
    WorkerDiedError,
)
from vieneu_core.synthesis import SynthesisRequest

_LOGGER = logging.getLogger(__name__)
_RUNNING = "RUNNING"


class ReplicaCalls:
    """Calls the replicas of a deployment, from inside of its application.

    Args:
        deployment: Name of the deployment.
        retry_after_s: When a request that found all replicas taken may try again.
        clock: Time.
    """

    def __init__(
        self, deployment: str, *, retry_after_s: float, clock: Clock | None = None
    ) -> None:
        self._deployment = deployment
        self._retry_after_s = retry_after_s
        self._handle: DeploymentHandle | None = None
        self._running = RunningCount(self._count_running, clock or SystemClock())

    async def describe(self) -> Description:
        """Ask a replica for its engine; waits until there is one.

        Raises:
            ModelLoadError: none could load its engine.
            BackendError: the replica was lost.
        """
        try:
            found: Description = await self._found().describe.remote()
        except (RayError, RayServeException) as error:
            raise self._own(error) from error
        return found

    async def speak(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """Speak a request on one replica, that of its voice if it is not busier than others.

        Raises:
            BackendBusyError: too many requests wait for a replica already.
            WorkerDiedError: the replica, or its node, was lost.
            VieneuError: as the replica's backend.
        """
        handle = self._found().options(stream=True, session_id=_voice_of(request))
        answer = handle.speak.remote(request)
        ended = False
        try:
            async for chunk in chunks_of(answer):
                yield chunk
            ended = True
        except VieneuError:
            ended = True
            raise
        except (RayError, RayServeException) as error:
            ended = True
            raise self._own(error) from error
        finally:
            if not ended:
                answer.cancel()

    async def n_running(self) -> int:
        """Return how many replicas run, by Serve's controller; none while there is no deployment.

        Raises:
            BackendUnavailableError: the controller cannot be asked.
        """
        return await self._running.get()

    def _count_running(self) -> int | BackendError:
        """Ask the controller, without a limit of time: Ray has none for this."""
        try:
            app = serve.status().applications.get(serve.get_replica_context().app_name)
        except Exception as error:  # noqa: BLE001 - Ray's, its RPC's, or of a half-made answer
            _LOGGER.warning("Serve's controller cannot be asked (%s).", type(error).__name__)
            return BackendUnavailableError("The replicas cannot be counted.")
        deployment = None if app is None else app.deployments.get(self._deployment)
        return 0 if deployment is None else deployment.replica_states.get(_RUNNING, 0)

    def _found(self) -> DeploymentHandle[Any]:
        if self._handle is None:
            self._handle = serve.get_deployment_handle(self._deployment)
        return self._handle

    def _own(self, error: Exception) -> BackendError:
        """Return our error for one of Ray's."""
        if isinstance(error, BackPressureError):
            return BackendBusyError(
                "All replicas are taken, and too many requests wait for one.",
                retry_after_s=self._retry_after_s,
            )
        if isinstance(error, DeploymentUnavailableError):
            return ModelLoadError(
                "No replica could load its engine.",
                remedy="See the reason with: serve status",
            )
        if isinstance(error, RayTaskError):  # a bug in the replica
            _LOGGER.error("A replica failed unexpectedly.", exc_info=error)
            return InternalServerError("A replica failed unexpectedly.")
        return WorkerDiedError("The replica that spoke was lost.")


def _voice_of(request: SynthesisRequest) -> str:
    """Return what the beginning of the prompts of a request depends on."""
    if request.reference is not None:
        return request.reference.content_id
    return request.voice or request.language
