"""What faults on the way to a server do: one function each. `System.heal` undoes all of it."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import suppress
from datetime import timedelta

from chaos.fault_kind import Strike
from chaos.system import System
from fault_line import Moment

from vieneu_core.errors import BackendError
from vieneu_core.wire.routes import HEALTH

SLOW_S = 1.0


# --- its name -----------------------------------------------------------------------------------


async def forget_name(system: System, _: Moment, __: random.Random) -> None:
    """Let the tunnel end, and its name with it."""
    system.names.error = socket.EAI_NONAME
    system.lose_connections()


async def fail_names_late(system: System, _: Moment, __: random.Random) -> None:
    """Let no name server know an answer, and say so late."""
    system.names.error, system.names.takes_s = socket.EAI_AGAIN, SLOW_S
    system.lose_connections()


async def silence_names(system: System, _: Moment, __: random.Random) -> None:
    """Let no name server answer."""
    system.names.go_silent()
    system.lose_connections()


async def slow_names(system: System, _: Moment, __: random.Random) -> None:
    """Let each name be resolved late."""
    system.names.takes_s = SLOW_S
    system.lose_connections()


# --- TLS ----------------------------------------------------------------------------------------


def show_certificate(name: str) -> Strike:
    """Return what moves the tunnel to where another certificate is shown."""

    async def strike(system: System, _: Moment, __: random.Random) -> None:
        system.edge.certificate = getattr(system.edge, name)
        system.lose_connections()

    return strike


async def refuse_handshakes(system: System, _: Moment, __: random.Random) -> None:
    """Let an edge that does not know the name answer."""
    system.edge.refuses = True
    system.lose_connections()


async def hang_handshakes(system: System, _: Moment, __: random.Random) -> None:
    """Let every connection be accepted, and no handshake be answered."""
    system.edge.hangs = True
    system.lose_connections()


async def send_alert(system: System, _: Moment, __: random.Random) -> None:
    """End the connections with a fatal alert; new ones are possible at once."""
    await system.edge.alert()


# --- clocks -------------------------------------------------------------------------------------


def set_server_clock(offset: timedelta) -> Strike:
    """Return what sets the calendar time of the server's machine, whose health is then asked."""

    async def strike(system: System, _: Moment, __: random.Random) -> None:
        system.set_server_clock(offset)
        await _check(system)

    return strike


def set_own_clock(offset: timedelta) -> Strike:
    """Return what sets the calendar time of the router's machine, which then asks for health."""

    async def strike(system: System, _: Moment, __: random.Random) -> None:
        system.clock.offset = offset
        await _check(system)

    return strike


# --- health checks ------------------------------------------------------------------------------


async def leave_health_unanswered(system: System, _: Moment, __: random.Random) -> None:
    """Let the server speak, and be too busy to say how it is."""
    system.tunnel.unanswered = HEALTH
    system.in_background(asyncio.create_task(_check(system)))


async def _check(system: System) -> None:
    """Ask for the remote's health, and with it for the rest of its session."""
    with suppress(BackendError):  # no answer
        await system.router.check("remote")
