"""English text for English voices: symbols as words, numbers as digits."""

from __future__ import annotations

import pytest

from vieneu_core.errors import EmptyTextError
from vieneu_core.text.spoken import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It is 25°C outside.", "It is 25 degrees Celsius outside."),
        ("1°C, 1 km/h and 1 kg", "1 degree Celsius, 1 kilometer per hour and 1 kilogram"),
        (
            "Humidity 85% & CO₂ ≥ 800 ppm",
            "Humidity 85 percent and CO2 greater than or equal to 800 parts per million",
        ),
        ("₫500, 5⅔ cups and ½ cup", "500 dong, 5 and 2 thirds cups and a half cup"),
        ("£5, $1.5 million and €1", "5 pounds, 1.5 million dollars and 1 euro"),
        ("Light: 350 lx", "Light: 350 lux"),
        ("-5 to 3-5 people", "minus 5 to 3 to 5 people"),
        ("Kitchen → hall", "Kitchen to hall"),
        ("`code` **bold** 👍 ｆｕｌｌ 𝗯𝗼𝗹𝗱", "code bold full bold"),
        ("35 µg/m³ of dust", "35 micrograms per cubic meter of dust"),
        ("Room 5 x 3", "Room 5 times 3"),
        ("Is 5 < 6?", "Is 5 less than 6?"),
        ("a 12:30 train", "a 12:30 train"),
        ("§ 3, ‰, ™", "section 3, per mille"),
        ("Well [sigh], it's done", "Well, it's done"),
    ],
)
def test_symbols_become_words(written: str, said: str) -> None:
    assert spoken(written, "en-US") == said


@pytest.mark.parametrize("text", ["...", "👍", "[sigh]", "—"])
def test_what_cannot_be_pronounced_is_an_error(text: str) -> None:
    with pytest.raises(EmptyTextError):
        spoken(text, "en")
