"""Mapping of ngrok's refusals to errors, for both ways to run its agent.

Source: https://github.com/ngrok/ngrok-docs (errors/), commit 56a5f99 of 2026-08-07.
"""

from __future__ import annotations

import re

from pydantic import SecretStr

from vieneu_colab_server.tunnels.errors import (
    AccountSuspendedError,
    AddressHeldError,
    AgentTooOldError,
    AuthtokenRefusedError,
    DevDomainMissingError,
    DomainRefusedError,
    EmailUnverifiedError,
    MachineRefusedError,
    SecondAgentError,
    TunnelNetworkError,
    TunnelOpenError,
    TunnelPlanError,
    TunnelProgramError,
    TunnelQuotaUsedError,
    TunnelRateError,
    TunnelTimeoutError,
)
from vieneu_core.translatable import Translatable

START_TIMEOUT_S = 60.0
"""Longest time for an agent to connect."""
HIDDEN = "•••"
_LONGEST = 300
_CODE = re.compile(r"err_ngrok_(\d{1,6})", re.IGNORECASE)
_UNREACHED = (
    *("no such host", "dial tcp", "i/o timeout", "network is unreachable", "failed to dial"),
    # of the package ngrok
    *("failed to establish tcp connection", "tls handshake error", "failed to start ngrok session"),
    *("failed to send authentication request", "transport error", "error reading rpc response"),
)


def late(start_timeout_s: float) -> TunnelTimeoutError:
    """Return the error for an agent that was not connected in time."""
    return TunnelTimeoutError(
        Translatable(
            "The ngrok agent was not connected after {start_timeout_s:g} s.",
            start_timeout_s=start_timeout_s,
        )
    )


def refusal(said: str, authtoken: SecretStr) -> TunnelOpenError:
    """Return the error for what an agent said, without the authtoken, which agents repeat."""
    said = " ".join(said.replace(authtoken.get_secret_value(), HIDDEN).split())
    for found in _CODE.finditer(said):
        known = _known(int(found[1]), found[0].upper())
        if known is not None:
            return known
    if any(sign in said.lower() for sign in _UNREACHED):
        return TunnelNetworkError("ngrok cannot be reached from this machine.")
    if "binary was not found" in said:
        return TunnelProgramError("There is no ngrok agent at the path that was named.")
    return TunnelOpenError(Translatable("ngrok opens no tunnel: {said}", said=said[:_LONGEST]))


def _known(number: int, code: str) -> TunnelOpenError | None:
    """Return the error for a documented code; None for a rare one, whose text says enough."""
    match number:
        case 334:
            return AddressHeldError(
                Translatable(
                    "Another session of your ngrok account holds this address ({code}).", code=code
                )
            )
        case 121 | 120 | 9042:
            return AgentTooOldError(
                Translatable(
                    "ngrok no longer serves this version of its agent ({code}).", code=code
                )
            )
        case 15013 | 15002:
            return DevDomainMissingError(
                Translatable("Your ngrok account has no dev domain yet ({code}).", code=code)
            )
        case 9009:
            return TunnelPlanError(
                Translatable(
                    "ngrok's free plan does not allow an HTTP proxy before the agent ({code}).",
                    code=code,
                )
            )
    return (
        _of_the_account(number, code) or _of_a_limit(number, code) or _of_the_domain(number, code)
    )


def _of_the_account(number: int, code: str) -> TunnelOpenError | None:
    match number:
        case 105 | 106 | 107 | 300 | 4018 | 15014:
            return AuthtokenRefusedError(
                Translatable("ngrok does not accept the authtoken ({code}).", code=code)
            )
        case 123 | 382:
            return EmailUnverifiedError(
                Translatable(
                    "The e-mail address of your ngrok account is not verified ({code}).", code=code
                )
            )
        case 115 | 116 | 127 | 9040:
            return MachineRefusedError(
                Translatable(
                    "ngrok accepts no agent from the internet address of this machine ({code}).",
                    code=code,
                )
            )
        case 102 | 103 | 337 | 338 | 8014:
            return AccountSuspendedError(
                Translatable("Your ngrok account is suspended or blocked ({code}).", code=code)
            )
    return None


def _of_a_limit(number: int, code: str) -> TunnelOpenError | None:
    if number in {108, 348}:
        return SecondAgentError(
            Translatable(
                "Your ngrok account already runs as many agents as its plan allows ({code}).",
                code=code,
            )
        )
    if number in {349, 351}:
        return TunnelRateError(
            Translatable("ngrok was opened too often in a short time ({code}).", code=code)
        )
    if number in {324, 350, *range(725, 734), *range(735, 741)}:
        return TunnelQuotaUsedError(
            Translatable("A limit of your ngrok account is reached ({code}).", code=code)
        )
    return None


_DOMAINS = frozenset(
    {
        *(308, 309, 310, 313, 314, 315, 316, 317, 318, 319, 320, 321, 322),
        *(326, 327, 328, 329, 330, 331, 347, 354, 355, 381, 396, 397),
        *range(9031, 9039),
    }
)


def _of_the_domain(number: int, code: str) -> TunnelOpenError | None:
    if number not in _DOMAINS:
        return None
    return DomainRefusedError(
        Translatable("Your ngrok account cannot use this domain ({code}).", code=code)
    )
