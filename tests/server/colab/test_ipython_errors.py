"""Short tracebacks."""

from __future__ import annotations

import pytest

from vieneu_colab_server.colab.ipython_errors import short_traceback


def test_only_named_failures_are_shown_so() -> None:
    @short_traceback
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        broken()
    assert not hasattr(caught.value, "_render_traceback_")
