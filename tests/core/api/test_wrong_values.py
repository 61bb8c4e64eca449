"""Wrong values: each public name works with them or raises a named error of ours.

Each argument of each public constructor, function and method gets each wrong value in turn, the
others being right. What could be made is then used, since a wrong value must not surface later.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from backend_cases import CASES as BACKENDS
from backend_cases import BackendCase
from public_cases import CASES, Case
from wrong_values import settled, tried, wrong_values

import vieneu_core
from vieneu_core import BackendStatus, SynthesisRequest, synthesize

pytestmark = pytest.mark.usefixtures("home")

WITHOUT_ARGUMENTS_OF_A_CALLER = {
    "Backend": "an interface",
    "AudioFormat": "an enumeration: Python itself names the value",
    "BackendState": "likewise",
    "Mode": "likewise",
    "BackendError": "an error, as VieneuError",
    "ConfigurationError": "likewise",
    "RequestError": "likewise",
}
EVENTS = {cls.__name__ for cls in vieneu_core.RouterEvent.__subclasses__()} | {"RouterEvent"}
"""Plain values without a method."""


def test_every_public_name_is_covered() -> None:
    covered = {case.name.split(".")[0] for case in CASES}
    covered |= EVENTS | set(WITHOUT_ARGUMENTS_OF_A_CALLER)

    assert sorted(set(vieneu_core.__all__) - covered) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_wrong_argument_is_a_named_error_or_works(case: Case) -> None:
    async def made(changes: Mapping[str, object]) -> None:
        right = {name: make() for name, make in case.right.items() if name not in changes}
        await settled(case.use(await settled(case.call(**right, **changes))))

    if case.call != BackendStatus.of:
        assert await tried(lambda: made({})) is None or case.call is synthesize
    for name in case.right:
        for value in wrong_values():
            error = await tried(lambda name=name, value=value: made({name: value}))  # type: ignore[misc]
            assert error is None or str(error), (name, value)


@pytest.mark.parametrize("kind", [c for c in BACKENDS if c.tones], ids=lambda case: case.name)
async def test_a_request_that_can_be_made_is_spoken_or_refused_by_every_backend(
    kind: BackendCase,
) -> None:
    async with kind.make(0.0) as backend:
        await backend.load()
        for name in ("text", "voice", "language", "request_id"):
            for value in ("", "a\0b", "\ud800", "x" * 200):
                await tried(
                    lambda name=name, value=value: synthesize(  # type: ignore[misc]
                        backend, SynthesisRequest(**{"text": "Xin chào.", name: value})
                    )
                )
        assert (await synthesize(backend, "Xin chào.")).seconds > 0
