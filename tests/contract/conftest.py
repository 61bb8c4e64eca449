"""Each test of the contract runs once for each kind of backend."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from backend_cases import CASES, BackendCase

from vieneu_core.backends.base import Backend

CHUNK_DELAY_S = 0.002

pytest.register_assert_rewrite("contract_checks")  # a failure shows what was compared


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> BackendCase:
    chosen: BackendCase = request.param
    return chosen


@pytest.fixture
async def unloaded(
    case: BackendCase,
    no_leaks: None,  # noqa: ARG001 - it is checked after this one has closed
) -> AsyncIterator[Backend]:
    async with case.make(CHUNK_DELAY_S) as backend:
        yield backend


@pytest.fixture
async def backend(unloaded: Backend) -> Backend:
    await unloaded.load()
    return unloaded
