"""Time limit of the wait for a backend's next chunk: short where another one can speak."""

from __future__ import annotations

from vieneu_core.router.alternatives import Alternatives
from vieneu_core.router.outbox import Outbox
from vieneu_core.router.policy import RouterPolicy
from vieneu_core.router.received_sentence import ReceivedSentence
from vieneu_core.router.tracked_backend import TrackedBackend

_USUAL = 1.5
"""A first audio may take this many times as long as is usual."""
_LEAST_FIRST_S = 0.5
"""A first audio is awaited for so many seconds after a sign, however long the listener waits."""
_LEAST_NEXT_S = 1.0
"""As `_LEAST_FIRST_S`, for audio that follows other audio: it shows that the backend works."""
_MOST_DOUBLED = 2
"""Failures of all backends, after which each is awaited as if there were no other."""


class ChunkTimeout:
    """The time limit of each wait of one attempt.

    Args:
        tracked: The backend.
        policy: Time limits.
        outbox: What the listener has not yet heard.
        alternatives: Other backends of the request.
        turn_in_s: Estimated seconds until the backend has made the speech that it makes now.
        sentence_s: Estimated length of the sentence in seconds.
    """

    def __init__(  # noqa: PLR0913 - its parts, all by keyword
        self,
        tracked: TrackedBackend,
        *,
        policy: RouterPolicy,
        outbox: Outbox,
        alternatives: Alternatives,
        turn_in_s: float,
        sentence_s: float,
    ) -> None:
        self._policy = policy
        self._outbox = outbox
        self._tracked = tracked
        self._alternatives = alternatives
        self._turn_in_s = turn_in_s
        self._sentence_s = sentence_s

    def turn_is_shown(self) -> None:
        """Record that from now on signs of the backend tell when its turn comes."""
        self._turn_in_s = 0.0

    def seconds(self, sentence: ReceivedSentence) -> float:
        """Return the longest wait for the next chunk of a sentence, in seconds."""
        if self._alternatives.replaceable(self._tracked):
            longest_s = self._until_replaced_s(sentence)
        else:
            longest_s = self._until_late_other_s(sentence)
        return min(self._policy.stall_s, longest_s + self._outbox.ahead_s)

    def _until_late_other_s(self, sentence: ReceivedSentence) -> float:
        """Return the longest wait where other backends were asked, and at best would be late.

        Each time this one is awaited longer: it may only be slow.
        """
        policy = self._policy
        other_in_s = self._alternatives.other_in_s(self._tracked, self._sentence_s)
        if other_in_s is None or not self._is_asked_once_more:
            return policy.stall_s
        turn_s = min(self._turn_in_s, max(policy.latest_start_s, other_in_s))
        usual_s = max(self._usual_s(sentence), policy.first_audio_s) + turn_s
        return max(usual_s, other_in_s) * 2.0**self._alternatives.n_failures

    @property
    def _is_asked_once_more(self) -> bool:
        """Whether the backend is sure to be asked again if it is given up now."""
        n_failures = self._alternatives.n_failures
        if not self._policy.retry_for_s or n_failures >= _MOST_DOUBLED:
            return False
        return not (n_failures and self._alternatives.none_left(self._tracked))

    def _until_replaced_s(self, sentence: ReceivedSentence) -> float:
        policy = self._policy
        silent_s = sentence.silent_s(self._outbox.dry_s)
        if sentence.waits:
            return max(0.0, policy.latest_turn_s - silent_s)
        longest_s = self._usual_s(sentence)
        if not sentence.waited_s:
            return min(longest_s + self._turn_in_s, max(longest_s, policy.latest_start_s))
        # Signs or audio came: all waits together are limited.
        least_s = _LEAST_FIRST_S if sentence.first_audio_s is None else _LEAST_NEXT_S
        return min(longest_s, max(least_s, policy.latest_start_s - silent_s))

    def _usual_s(self, sentence: ReceivedSentence) -> float:
        longest_s = self._policy.replaceable_stall_s
        if sentence.first_audio_s is not None:
            return longest_s
        known_s = self._tracked.speed.usual_first_audio_s
        return max(longest_s, self._policy.first_audio_s if known_s is None else _USUAL * known_s)
