"""Choice of a replica: the one of the voice, which still has the beginning of its prompts.

An engine keeps the common beginning of two prompts in its KV cache, and that is the voice. So the
requests of one voice go to one replica, as long as it has no more to do than the others: a voice
that everybody uses must not wait beside idle replicas.

Serve's own ways were not used. Multiplexing waits up to two seconds for the replica of a model,
since loading one takes longer; its consistent hashing fills one replica before the next.
"""

from __future__ import annotations

import hashlib

from ray.serve.request_router import FIFOMixin, PendingRequest, RequestRouter, RunningReplica

_MOST_AHEAD = 1
"""Requests that the voice's replica may have more than the one with the fewest."""


class VoiceAffinity(FIFOMixin, RequestRouter):  # type: ignore[misc]  # Ray's types are not read
    """Ranks the replicas for a request, whose session id is its voice.

    Every ingress ranks them alike, by their ids alone (rendezvous hashing): when one is added or
    removed, only the voices of that one move.
    """

    async def choose_replicas(
        self,
        candidate_replicas: list[RunningReplica],
        pending_request: PendingRequest | None = None,
    ) -> list[list[RunningReplica]]:
        """Return the replicas in ranks, the most preferred first; a full one refuses."""
        if pending_request is not None:
            # Between two tries, while all are full.
            pending_request.routing_context.should_backoff = True
        if not candidate_replicas:
            return []
        voice = "" if pending_request is None else pending_request.metadata.session_id
        home = max(candidate_replicas, key=lambda one: _rank(voice, one.replica_id.unique_id))
        if len(candidate_replicas) == 1:
            return [[home]]
        others = [one for one in candidate_replicas if one is not home]
        fewest = min(map(self._n_ongoing, others))
        if self._n_ongoing(home) <= fewest + _MOST_AHEAD:
            return [[home], others]
        return [others, [home]]

    def _n_ongoing(self, replica: RunningReplica) -> int:
        """Return the requests that a replica has, as far as this ingress knows."""
        return self.replica_queue_len_cache.get(replica.replica_id) or 0


def _rank(voice: str, replica: str) -> bytes:
    return hashlib.sha256(f"{voice}\n{replica}".encode()).digest()
