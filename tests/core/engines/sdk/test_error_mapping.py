from __future__ import annotations

import pytest

from vieneu_core.engines.sdk.error_mapping import translate_errors
from vieneu_core.errors import SynthesisFailedError
from vieneu_core.i18n import translated


def test_an_error_of_a_library_is_quoted_in_the_language_of_the_reader() -> None:
    with (
        pytest.raises(SynthesisFailedError) as caught,
        translate_errors("The SDK failed", SynthesisFailedError),
    ):
        raise ValueError("\nbad shape\nin a layer")
    assert caught.value.detail == "The SDK failed: ValueError: bad shape"
    assert translated(caught.value.detail, "vi") == "SDK gặp lỗi: ValueError: bad shape"
