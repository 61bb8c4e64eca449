"""Routing of requests: to the admin's choice, and to fallbacks when that fails."""

from vieneu_core.router.breaker import BreakerPolicy, CircuitBreaker, CircuitState
from vieneu_core.router.events import (
    BackendLoading,
    BackendRecovered,
    BackendStateChanged,
    BackendSwitched,
    BackendTooSlow,
    CircuitClosed,
    CircuitOpened,
    DefaultVoiceMissing,
    ErrorReport,
    FailedBack,
    FailedOver,
    LocalLost,
    QuotaWarning,
    RemoteLost,
    RouterEvent,
    SentenceSkipped,
    ServerOutdated,
    SessionExpired,
    SessionExpiring,
    SpokenByFallback,
    WorkerRestarted,
)
from vieneu_core.router.monthly_tunnel_quota import QuotaStatus, TunnelQuota
from vieneu_core.router.policy import LAST_RESORT, Mode, RouterPolicy, SlowEngine
from vieneu_core.router.router import Router
from vieneu_core.router.session_countdown import SessionPolicy
from vieneu_core.router.status import BackendStatus, Pause, RouterStatus

__all__ = [
    "LAST_RESORT",
    "BackendLoading",
    "BackendRecovered",
    "BackendStateChanged",
    "BackendStatus",
    "BackendSwitched",
    "BackendTooSlow",
    "BreakerPolicy",
    "CircuitBreaker",
    "CircuitClosed",
    "CircuitOpened",
    "CircuitState",
    "DefaultVoiceMissing",
    "ErrorReport",
    "FailedBack",
    "FailedOver",
    "LocalLost",
    "Mode",
    "Pause",
    "QuotaStatus",
    "QuotaWarning",
    "RemoteLost",
    "Router",
    "RouterEvent",
    "RouterPolicy",
    "RouterStatus",
    "SentenceSkipped",
    "ServerOutdated",
    "SessionExpired",
    "SessionExpiring",
    "SessionPolicy",
    "SlowEngine",
    "SpokenByFallback",
    "TunnelQuota",
    "WorkerRestarted",
]
