"""Pauses and the user's dictionary are part of what is stored, and of what is looked up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

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
        bare = await rig.speak(LINES)
        set_pauses(rig, NATURAL_PAUSES)
        first = await rig.speak(LINES)
        again = await rig.speak(LINES)
    assert not first.speakers[0].cached
    assert again.speakers[0].cached
    assert again.pcm == first.pcm
    assert 0.3 < first.seconds - bare.seconds < 0.5, "0.5 s less what the tones have themselves"


async def test_another_pause_is_another_entry_and_the_old_one_is_kept(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        set_pauses(rig, NATURAL_PAUSES)
        natural = await rig.speak(LINES)
        paragraphs = await rig.speak(PARAGRAPHS)
        assert not paragraphs.speakers[0].cached, "the same sentences, with a longer pause"
        assert paragraphs.seconds > natural.seconds
        set_pauses(rig, replace(NATURAL_PAUSES, sentence_s=1.0))
        assert not (await rig.speak(LINES)).speakers[0].cached
        set_pauses(rig, replace(NATURAL_PAUSES, question_s=1.0))  # there is no question
        assert (await rig.speak(LINES)).pcm == natural.pcm
        assert rig.n_asked == 3 * 2  # two passages each


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


async def test_what_changed_while_it_was_spoken_is_not_stored(tmp_path: Path) -> None:
    async with cache_rig(tmp_path) as rig:
        request = rig.backend.stream(SynthesisRequest(text="Đây là mục nhé."))
        first = await anext(request)
        await rig.router.reading.use(UserDictionary.parse("mục = câu 15"))
        chunks = [first, *[chunk async for chunk in request]]
        await rig.backend.flush()
        assert chunks[-1].final
        assert rig.backend.cache.stats().stored == 0
