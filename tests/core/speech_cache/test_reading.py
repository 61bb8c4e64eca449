"""A sentence is stored as it is read; the pauses around it belong to the text it stands in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cache_rig import CacheRig, cache_rig, spoken_by

from vieneu_core.audio.pauses import NATURAL_PAUSES, Pauses
from vieneu_core.router import RouterPolicy
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.text.user_dictionary import UserDictionary

LINES = "Đây là câu 11 nhé.\nCòn đây là câu 12 nhé."
PARAGRAPHS = LINES.replace("\n", "\n\n")
SENTENCES = tuple(LINES.split("\n"))


def set_pauses(rig: CacheRig, pauses: Pauses) -> None:
    rig.router.set_policy(RouterPolicy(retry_for_s=0.0, pauses=pauses))


async def test_replayed_speech_has_the_pauses_of_the_first_speaking(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        set_pauses(rig, NATURAL_PAUSES)
        first = await rig.speak(LINES)
        again = await rig.speak(LINES)
    assert not first.speakers[0].cached
    assert again.speakers[0].cached
    assert again.pcm == first.pcm


async def test_pauses_are_those_of_the_text_at_hand_not_of_what_is_stored(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        bare = await rig.speak(LINES)
        set_pauses(rig, NATURAL_PAUSES)
        natural = await rig.speak(LINES)
        paragraphs = await rig.speak(PARAGRAPHS)
        set_pauses(rig, replace(NATURAL_PAUSES, sentence_s=1.0))
        longer = await rig.speak(LINES)

        assert rig.n_asked == 2, "two passages, spoken once"
        assert all(speech.speakers[0].cached for speech in (natural, paragraphs, longer))
        assert all(spoken_by(speech, "remote", *SENTENCES) for speech in (natural, longer))
    # 0.5 s less what the tones have themselves.
    assert 0.3 < natural.seconds - bare.seconds < 0.5
    assert paragraphs.seconds > natural.seconds
    assert longer.seconds - natural.seconds == pytest.approx(0.5, abs=0.001)


async def test_only_sentences_with_a_changed_entry_are_spoken_anew(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.router.reading.use(UserDictionary.parse("mục = câu 13"))
        await rig.speak("Đây là mục nhé.")
        await rig.speak(SENTENCES[0])
        await rig.router.reading.use(UserDictionary.parse("mục = câu 14"))

        changed = await rig.speak("Đây là mục nhé.")
        assert not changed.speakers[0].cached
        assert spoken_by(changed, "remote", "Đây là câu 14 nhé.")
        assert (await rig.speak(SENTENCES[0])).speakers[0].cached
        as_spoken = await rig.speak("Đây là câu 14 nhé.")
        assert as_spoken.speakers[0].cached, "what is said counts, not how it was written"


async def test_a_sentence_is_stored_as_it_was_read_though_the_entry_has_changed_since(
    tmp_path: Path,
) -> None:
    async with cache_rig(tmp_path) as rig:
        await rig.router.reading.use(UserDictionary.parse("mục = câu 14"))
        request = rig.backend.stream(SynthesisRequest(text="Đây là mục nhé."))
        first = await anext(request)
        await rig.router.reading.use(UserDictionary.parse("mục = câu 15"))
        chunks = [first, *[chunk async for chunk in request]]
        assert chunks[-1].final
        await rig.backend.flush()

        changed = await rig.speak("Đây là mục nhé.")
        assert not changed.speakers[0].cached
        assert spoken_by(changed, "remote", "Đây là câu 15 nhé.")
        before = await rig.speak("Đây là câu 14 nhé.")
        assert before.speakers[0].cached
        assert spoken_by(before, "remote", "Đây là câu 14 nhé.")
