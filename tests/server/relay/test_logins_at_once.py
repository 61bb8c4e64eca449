"""Logins and new passwords of the admin at the same moment, each on a thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fake_clock import FakeClock

from vieneu_colab_server.relay import login
from vieneu_colab_server.relay.login import AdminAccount, LoginRefusedError

PASSWORD = "một mật khẩu dài"


@pytest.fixture
def account(tmp_path: Path) -> AdminAccount:
    return AdminAccount(tmp_path / "admin.json", clock=FakeClock())


def test_a_login_with_the_former_password_that_was_under_way_opens_nothing(
    account: AdminAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.set_password(PASSWORD)

    def while_another_is_chosen(*_: object) -> bytes:
        monkeypatch.undo()
        hashed = login._hash(PASSWORD, bytes.fromhex(account._kept.salt))  # type: ignore[union-attr]  # there is one
        account.set_password(f"{PASSWORD} mới")
        return hashed

    monkeypatch.setattr(login, "_hash", while_another_is_chosen)
    with pytest.raises(LoginRefusedError):
        account.log_in(PASSWORD)


def test_of_passwords_that_are_chosen_at_once_the_kept_one_holds(
    account: AdminAccount, tmp_path: Path
) -> None:
    passwords = [f"{PASSWORD} {number}" for number in range(8)]
    with ThreadPoolExecutor(len(passwords)) as threads:
        list(threads.map(account.set_password, passwords))

    again = AdminAccount(tmp_path / "admin.json", clock=FakeClock())
    assert again.password_id == account.password_id
