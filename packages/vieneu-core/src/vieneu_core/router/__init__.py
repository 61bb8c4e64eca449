"""Routing of requests: to the admin's choice, and to fallbacks when that fails."""

from vieneu_core.router.breaker import BreakerPolicy, CircuitBreaker, CircuitState
from vieneu_core.router.events import (
    BackendLoading,
    BackendRecovered,
    BackendStateChanged,
    BackendSwitched,
    CircuitClosed,
    CircuitOpened,
    DefaultVoiceMissing,
    ErrorReport,
    FailedBack,
    FailedOver,
    QuotaWarning,
    RemoteLost,
    RouterEvent,
    ServerOutdated,
    SessionExpired,
    SessionExpiring,
    SpokenByFallback,
    WorkerRestarted,
)
from vieneu_core.router.policy import LAST_RESORT, Mode, RouterPolicy
from vieneu_core.router.quota import QuotaStatus, TunnelQuota
from vieneu_core.router.router import Router
from vieneu_core.router.session_countdown import SessionPolicy
from vieneu_core.router.status import BackendStatus, RouterStatus

__all__ = [
    "LAST_RESORT",
    "BackendLoading",
    "BackendRecovered",
    "BackendStateChanged",
    "BackendStatus",
    "BackendSwitched",
    "BreakerPolicy",
    "CircuitBreaker",
    "CircuitClosed",
    "CircuitOpened",
    "CircuitState",
    "DefaultVoiceMissing",
    "ErrorReport",
    "FailedBack",
    "FailedOver",
    "Mode",
    "QuotaStatus",
    "QuotaWarning",
    "RemoteLost",
    "Router",
    "RouterEvent",
    "RouterPolicy",
    "RouterStatus",
    "ServerOutdated",
    "SessionExpired",
    "SessionExpiring",
    "SessionPolicy",
    "SpokenByFallback",
    "TunnelQuota",
    "WorkerRestarted",
]
