"""Which reference audio may be used, and that no name leads anywhere else."""

from __future__ import annotations

import base64
import io
import os
import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from server_site import Site, serving

from vieneu_colab_server.reference_clips import MAX_FILE_BYTES, Samples
from vieneu_core.errors import ReferenceAudioError
from vieneu_core.testing.scripted import ScriptedBackend

RATE = 16_000


def clip(seconds: float, fmt: str = "WAV") -> bytes:
    file = io.BytesIO()
    wave = 0.3 * np.sin(np.arange(round(seconds * RATE)) * 0.1)
    soundfile.write(file, wave, RATE, format=fmt)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A samples folder with good files, and traps in and around it."""
    (tmp_path / "secret.wav").write_bytes(clip(1))
    inside = tmp_path / "voices"
    (inside / "deep").mkdir(parents=True)
    (inside / "vinh.wav").write_bytes(clip(4))
    (inside / "giọng nữ.flac").write_bytes(clip(4, "FLAC"))
    (inside / "deep" / "lan.wav").write_bytes(clip(4))
    (inside / "long.wav").write_bytes(clip(15.5))
    (inside / "text.wav").write_text("not audio")
    (inside / "link-out.wav").symlink_to(tmp_path / "secret.wav")
    (inside / "link-in.wav").symlink_to(inside / "vinh.wav")
    (inside / "link-up").symlink_to(tmp_path)
    os.mkfifo(inside / "pipe.wav")
    return inside


@pytest.mark.parametrize(
    "sample",
    [
        "vinh.wav",
        "samples/vinh.wav",
        "./vinh.wav",
        "deep/lan.wav",
        "deep//lan.wav",
        "giọng nữ.flac",
    ],
)
def test_files_inside_the_folder_are_used(folder: Path, sample: str) -> None:
    got = Samples(folder, max_seconds=15).clip(sample)

    assert (got.sample_rate_hz, round(got.seconds, 2)) == (RATE, 4.0)


@pytest.mark.parametrize(
    "sample",
    [
        "../secret.wav",
        "deep/../../secret.wav",
        "samples/../../secret.wav",
        "samples/../vinh.wav",
        "/etc/passwd.wav",
        "//vinh.wav",
        "~/vinh.wav",
        "file:///etc/hostname.wav",
        "http://localhost/vinh.wav",
        "https://example.com/a.wav",
        "ftp:x.wav",
        "link-out.wav",
        "link-in.wav",
        "link-up/secret.wav",
        "link-up/voices/vinh.wav",
        "pipe.wav",
        "deep/.",
        ".",
        "..",
        "samples/.",
        "vinh.wav/x.wav",
        "vinh.wav\0.wav",
        "vinh\n.wav",
        "..\\secret.wav",
        "C:\\vinh.wav",
        "none.wav",
        "x" * 5_000 + ".wav",
        "a/" * 2_000 + "x.wav",
        "\udce9.wav",
        "text.wav",
        "long.wav",
    ],
)
def test_nothing_else_is(folder: Path, sample: str) -> None:
    with pytest.raises(ReferenceAudioError) as refused:
        Samples(folder, max_seconds=15).clip(sample)

    assert str(folder) not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_devices_are_not_opened(tmp_path: Path) -> None:
    with pytest.raises(ReferenceAudioError):
        Samples(Path("/dev"), max_seconds=15).clip("./zero")

    (tmp_path / "huge.wav").touch()
    os.truncate(tmp_path / "huge.wav", MAX_FILE_BYTES + 1)
    with pytest.raises(ReferenceAudioError):
        Samples(tmp_path, max_seconds=15).clip("huge.wav")


def test_a_refusal_does_not_tell_whether_a_file_exists_elsewhere(folder: Path) -> None:
    samples, said = Samples(folder, max_seconds=15), set()
    for name in ("../secret.wav", "../nothing.wav", "link-out.wav", "nothing.wav"):
        with pytest.raises(ReferenceAudioError) as refused:
            samples.clip(name)
        said.add(str(refused.value).replace(repr(name), "?"))

    assert len(said) == 1


@given(
    st.lists(
        st.sampled_from(["..", ".", "", "deep", "link-up", "voices", "secret.wav", "vinh.wav", "~"])
    )
)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_path_reaches_the_file_outside(folder: Path, parts: list[str]) -> None:
    try:
        got = Samples(folder, max_seconds=15).clip("/".join(parts))
    except ReferenceAudioError:
        return
    assert got.seconds > 3, "the secret lasts one second"


def test_a_link_that_appears_in_a_race_is_not_followed(folder: Path) -> None:
    samples, done = Samples(folder, max_seconds=15), threading.Event()
    target, secret = folder / "race.wav", folder.parent / "secret.wav"

    def flip() -> None:
        while not done.is_set():
            part = folder / "part"
            part.symlink_to(secret)
            part.replace(target)
            part.write_bytes(clip(4))
            part.replace(target)

    racer = threading.Thread(target=flip)
    racer.start()
    try:
        lengths = set()
        for _ in range(200):
            try:
                lengths.add(round(samples.clip("race.wav").seconds))
            except ReferenceAudioError:
                lengths.add(0)
    finally:
        done.set()
        racer.join()

    assert lengths <= {0, 4}


@pytest.mark.parametrize("fmt", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("prefix", ["", "data:audio/x;base64,"])
def test_audio_may_be_sent_along(fmt: str, prefix: str) -> None:
    sent = prefix + base64.b64encode(clip(3, fmt)).decode()

    got = Samples(None, max_seconds=15).clip(sent)

    assert got.seconds == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "not base64!",
        "AAAA",
        "data:audio/wav,AAAA",
        "data:text/html;base64,AAAA",
        "data:audio/wav;base64,%%%",
        "data:../../secret.wav",
        base64.b64encode(clip(15.5)).decode(),
        base64.b64encode(clip(3)[:40]).decode(),
        "ế",
    ],
)
def test_audio_sent_along_that_cannot_be_used(sent: str) -> None:
    with pytest.raises(ReferenceAudioError):
        Samples(None, max_seconds=15).clip(sent)


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_any_text_is_a_clip_or_a_named_error(sample: str) -> None:
    with pytest.raises(ReferenceAudioError):
        Samples(None, max_seconds=15).clip(sample)


def test_random_bytes_are_a_named_error() -> None:
    rng = random.Random(1)
    for magic in (b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"ID3", b""):
        data = base64.b64encode(magic + rng.randbytes(500)).decode()
        with pytest.raises(ReferenceAudioError):
            Samples(None, max_seconds=15).clip(data)


async def test_the_clip_reaches_the_backend_decoded(folder: Path) -> None:
    backend = ScriptedBackend(clones=True)
    body = {
        "text": "Một.",
        "voice_sample_path": "samples/vinh.wav",
        "voice_transcript": "Vịnh đây.",
    }

    async with (
        serving(backend, samples_dir=folder) as site,
        site.post("/tts/synthesize", json=body) as response,
    ):
        assert (await response.json())["voice"] == "reference"

    reference = backend.record.requests[0].reference
    assert reference is not None
    assert (reference.transcript, round(reference.seconds, 2)) == ("Vịnh đây.", 4.0)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"voice_sample_path": "vinh.wav"}, "invalid_request"),
        ({"voice_transcript": "Vịnh đây."}, "invalid_request"),
        ({"voice_sample_path": "vinh.wav", "voice_transcript": "x"}, "reference_audio"),
        ({"voice_sample_path": "x", "voice_transcript": "x" * 5_000}, "text_too_long"),
    ],
)
async def test_samples_that_are_refused(site: Site, fields: dict[str, Any], code: str) -> None:
    async with site.post("/tts/stream", json={"text": "Một.", **fields}) as response:
        assert (await site.problem(response)).code == code
        assert response.status == 422


async def test_an_engine_that_cannot_clone_says_so(folder: Path) -> None:
    body = {"text": "Một.", "voice_sample_path": "vinh.wav", "voice_transcript": "Vịnh đây."}

    async with (
        serving(ScriptedBackend(), samples_dir=folder) as site,
        site.post("/tts/stream", json=body) as response,
    ):
        assert (await site.problem(response)).code == "cloning_unsupported"
