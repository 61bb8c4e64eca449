"""The token of now and the one before it: what each still opens."""

from __future__ import annotations

import random
import threading
import time

from fake_clock import FakeClock
from pydantic import SecretStr
from server_site import TOKEN

from vieneu_colab_server.tokens.rotation import TokenRotation


def test_two_rotations_leave_one_old_token() -> None:
    clock = FakeClock()
    rotation = TokenRotation(SecretStr(TOKEN), clock)
    second = rotation.rotate().get_secret_value().encode()
    third = rotation.rotate().get_secret_value().encode()

    assert [rotation.accepts(t) for t in (TOKEN.encode(), second, third, None, b"")] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert [rotation.may_change_things(t) for t in (second, third)] == [False, True]
    assert TOKEN not in repr(vars(rotation))


def test_a_new_token_that_never_arrived_can_be_asked_for_again_with_the_old_one() -> None:
    clock = FakeClock()
    rotation = TokenRotation(SecretStr(TOKEN), clock)
    rotation.rotate()  # the answer is lost
    assert rotation.may_change_things(TOKEN.encode())

    second = rotation.rotate().get_secret_value().encode()
    assert rotation.accepts(second), "it arrived"
    assert rotation.may_change_things(second)


def test_rotations_at_once_leave_the_stored_token_as_the_valid_one() -> None:
    stored: list[bytes] = []

    def keep(token: SecretStr) -> None:
        time.sleep(random.uniform(0, 0.002))
        stored.append(token.get_secret_value().encode())

    rotation = TokenRotation(SecretStr(TOKEN), FakeClock(), keep=keep)
    for _ in range(30):
        threads = [threading.Thread(target=rotation.rotate) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert rotation.current.get_secret_value().encode() == stored[-1]
