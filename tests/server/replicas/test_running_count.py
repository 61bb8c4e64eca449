"""How many replicas run: Serve's controller may fail, or never answer."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from fake_clock import FakeClock
from guard import GUARD_S
from waiting import until

from vieneu_colab_server.replicas.running_count import KEEP_S
from vieneu_core.errors import BackendUnavailableError

if find_spec("ray") is None:
    pytest.skip("ray is not installed: nox -s ray", allow_module_level=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Ray's own, when it is imported
    from ray import serve
    from ray.exceptions import RayActorError, RayError
    from ray.serve.exceptions import RayServeException
    from ray.serve.schema import (
        ApplicationStatus,
        ApplicationStatusOverview,
        DeploymentStatus,
        DeploymentStatusOverview,
        DeploymentStatusTrigger,
        ServeStatus,
    )

    from vieneu_colab_server.replicas.calls import ReplicaCalls


def status_of(states: dict[str, int], deployment: str = "Engine", app: str = "app") -> ServeStatus:
    found = DeploymentStatusOverview(
        status=DeploymentStatus.HEALTHY,
        status_trigger=DeploymentStatusTrigger.CONFIG_UPDATE_COMPLETED,
        replica_states=states,
        message="",
    )
    overview = ApplicationStatusOverview(
        status=ApplicationStatus.RUNNING,
        message="",
        last_deployed_time_s=0.0,
        deployments={deployment: found},
    )
    return ServeStatus(applications={app: overview})


@dataclass
class Controller:
    """Serve's controller, which answers as long as it is there."""

    answer: ServeStatus | Exception = field(default_factory=lambda: status_of({"RUNNING": 2}))
    there: threading.Event = field(default_factory=threading.Event)
    n_asked: int = 0

    def status(self) -> ServeStatus:
        self.n_asked += 1
        self.there.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Iterator[Controller]:
    made = Controller()
    made.there.set()
    monkeypatch.setattr(serve, "status", made.status)
    monkeypatch.setattr(serve, "get_replica_context", lambda: SimpleNamespace(app_name="app"))
    yield made
    made.there.set()


def calls(clock: FakeClock | None = None) -> ReplicaCalls:
    return ReplicaCalls("Engine", retry_after_s=1.0, clock=clock or FakeClock())


async def test_a_controller_that_does_not_answer_takes_no_thread_of_the_loop(
    controller: Controller,
) -> None:
    """Audio that is being heard is encoded in the threads of the loop."""
    controller.there.clear()
    counted = calls()
    with ThreadPoolExecutor(1) as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        checks = [asyncio.create_task(counted.n_running()) for _ in range(3)]
        await until(lambda: controller.n_asked)
        for check in checks[:2]:
            check.cancel()
        try:
            async with asyncio.timeout(GUARD_S):
                await asyncio.to_thread(lambda: "encoded")
            assert controller.n_asked == 1
        finally:
            controller.there.set()
        assert await checks[2] == 2


async def test_an_answer_is_given_again_for_a_moment(controller: Controller) -> None:
    clock = FakeClock()
    counted = calls(clock)
    assert [await counted.n_running() for _ in range(3)] == [2, 2, 2]
    assert controller.n_asked == 1

    controller.answer = status_of({"RUNNING": 1, "STARTING": 1})
    await clock.advance(KEEP_S)
    assert await counted.n_running() == 1


@pytest.mark.parametrize(
    "answer",
    [
        ServeStatus(),
        status_of({"RUNNING": 2}, app="another"),
        status_of({"RUNNING": 2}, deployment="another"),
        status_of({"STARTING": 2}),
    ],
)
async def test_while_it_is_deployed_anew_none_runs(
    controller: Controller, answer: ServeStatus
) -> None:
    controller.answer = answer
    assert await calls().n_running() == 0


@pytest.mark.parametrize(
    "error",
    [RayActorError(), RayServeException("no controller"), RayError(), ConnectionError("no GCS")],
)
async def test_a_controller_that_fails_is_an_error_of_ours(
    controller: Controller, error: Exception
) -> None:
    controller.answer = error
    with pytest.raises(BackendUnavailableError, match="cannot be counted"):
        await calls().n_running()
