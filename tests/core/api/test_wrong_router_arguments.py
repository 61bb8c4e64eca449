"""Wrong arguments of the router's methods: a named error, and it still speaks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial

import pytest
from wrong_values import drained, settled, tried, wrong_values

from vieneu_core import Router, ScriptedBackend, synthesize

pytestmark = pytest.mark.usefixtures("home")

METHODS = {
    "set_mode": "mode",
    "set_fallback": "enabled",
    "set_policy": "policy",
    "set_local": "local",
    "set_remote": "remote",
    "set_last_resort": "last_resort",
    "load_backend": "name",
    "unload_backend": "name",
    "check": "name",
    "probe": "name",
    "stream": "request",
    "subscribe": "callback",
}


def test_every_method_of_the_router_with_an_argument_is_covered() -> None:
    taking = {
        name
        for name, method in inspect.getmembers(Router, inspect.isfunction)
        if not name.startswith("_") and len(inspect.signature(method).parameters) > 1
    }

    assert taking == set(METHODS)


@pytest.mark.parametrize(("method", "argument"), METHODS.items())
async def test_a_wrong_argument_of_the_router_is_a_named_error_or_works(
    method: str, argument: str
) -> None:
    for value in wrong_values():
        router = Router(local=ScriptedBackend(name="local"), remote=ScriptedBackend(name="remote"))
        async with router:
            result = await tried(
                partial(used, partial(getattr(router, method), **{argument: value}))
            )
            assert result is None or str(result), (method, value)
            if method != "unload_backend" or result is not None:
                assert (await synthesize(router, "Xin chào.")).seconds > 0, "it still speaks"


async def used(call: Callable[[], object]) -> None:
    result = call()
    if inspect.isasyncgen(result):
        await drained(result)
    else:
        await settled(result)
