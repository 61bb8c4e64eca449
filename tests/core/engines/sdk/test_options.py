"""The options of the engine ``sdk``: what is wrong is named, with what would be right."""

from __future__ import annotations

import pytest

from vieneu_core.engines.sdk import create
from vieneu_core.errors import ModelLoadError


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"mode": "v9"}, "v3turbo"),
        ({"modell": "x"}, "It has: mode, model"),
        ({"offline": 3}, "true or false"),
        ({"temperature": -1}, "from 0 to 5"),
        ({"mode": "v3nano", "temperature": 1.0}, "This mode takes: .*steps"),
        ({"mode": "standard", "precision": "int8"}, "This mode takes: .*temperature"),
    ],
)
def test_a_wrong_option_is_told_with_what_is_right(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ModelLoadError, match=told):
        create(wrong)
