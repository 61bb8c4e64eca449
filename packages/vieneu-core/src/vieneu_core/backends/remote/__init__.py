"""Client of a VieNeu server: `RemoteBackend`, with audio streamed over HTTP."""

from __future__ import annotations

from vieneu_core.backends.remote.backend import RemoteBackend
from vieneu_core.backends.remote.retry import RetryPolicy
from vieneu_core.backends.remote.server_admin import ServerAdmin
from vieneu_core.backends.remote.timeouts import RemoteTimeouts

__all__ = ["RemoteBackend", "RemoteTimeouts", "RetryPolicy", "ServerAdmin"]
