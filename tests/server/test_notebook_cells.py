"""The calls of the notebook's cells, without a notebook: what they print, ask, open and close."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import aiohttp
import psutil
import pytest
from guard import GUARD_S
from pydantic import SecretStr
from tunnel_programs import program

from vieneu_colab_server import notebook
from vieneu_colab_server.notebook import runtime as runtime_module
from vieneu_colab_server.notebook.banner import BannerFacts, banner_html, banner_text, qr_svg
from vieneu_colab_server.notebook.loop_thread import LoopThread
from vieneu_colab_server.notebook.plainly import plainly
from vieneu_colab_server.notebook.relay import Relay, RelayClosedError
from vieneu_colab_server.notebook.runtime import EngineInstallError, PipRun, prepare, runtime_age_s
from vieneu_colab_server.notebook.secrets import ask_secret
from vieneu_colab_server.notebook.token_page import TokenPage
from vieneu_colab_server.notebook.watching import status_line
from vieneu_colab_server.notebook.words import WORDS, Words
from vieneu_colab_server.server import ServerStartError
from vieneu_colab_server.tunnels.errors import AuthtokenRefusedError
from vieneu_core.backends.base import BackendState, synthesize
from vieneu_core.backends.remote import RemoteBackend
from vieneu_core.errors import ConfigurationError, ModelLoadError
from vieneu_core.synthesis import SynthesisRequest
from vieneu_core.wire.schemas import HealthAnswer
from vieneu_core.worker.spec import EngineSpec

TESTS = Path(__file__).parents[1]
TONES = EngineSpec("tone_engine:create")
TOKEN = "token-of-the-house-0123456789-abcdef"
LANGUAGES = ("vi", "en")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Make a Colab of this process."""
    monkeypatch.syspath_prepend(str(TESTS / "stand_ins"))
    monkeypatch.setenv("COLAB_SECRET_VIENEU_TOKEN", TOKEN)
    yield monkeypatch
    for name in [name for name in sys.modules if name.startswith("google.colab")]:
        del sys.modules[name]


def answering(answer: str) -> Callable[[str], str]:
    return lambda _prompt: answer


def refusing(_prompt: str) -> str:
    raise EOFError


def run_as_cell(relay: Relay, then: Callable[[], None]) -> None:
    """Launch as a cell does, on the main thread; stop it as ■ does, once ``then`` has returned."""

    ended, failures = threading.Event(), list[BaseException]()

    def stop() -> None:
        time.sleep(0.5)  # the cell has begun
        try:
            then()
        except BaseException as error:  # noqa: BLE001 - it is raised where the test sees it
            failures.append(error)
        if not ended.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        notebook.launch(relay)
    finally:
        ended.set()
        stopping.join()
    for failure in failures:
        raise failure


def heard_s(url: str, token: SecretStr) -> float:
    async def hear() -> float:
        backend = RemoteBackend(url, token)
        try:
            await backend.load()
            return (await synthesize(backend, SynthesisRequest(text="Xin chào."))).seconds
        finally:
            await backend.aclose()

    return asyncio.run(hear())


# --- words ---------------------------------------------------------------------------------------


def test_every_text_takes_the_same_values_in_both_languages() -> None:
    for key, texts in WORDS.items():
        names = [{name for _, name, _, _ in Formatter().parse(t) if name} for t in texts]
        assert names[0] == names[1], key
        assert texts[0] != texts[1] or key in {"gpu_memory", "fetched"}, key


def test_numbers_and_times_are_written_as_each_language_does() -> None:
    assert Words("vi").number(12345.678, 1) == "12.345,7"
    assert Words("en").number(12345.678, 1) == "12,345.7"
    assert Words("vi").duration(3 * 3600 + 65) == "3 giờ 01 phút"
    assert Words("EN").duration(59) == "0 h 00 min"
    assert Words("fr").language == "vi"


# --- cell 3: the runtime -------------------------------------------------------------------------


class Pip:
    """Takes the place of pip."""

    def __init__(self, code: int = 0, printed: str = "") -> None:
        self.code, self.printed, self.asked = code, printed, list[str]()

    def __call__(self, arguments: Sequence[str]) -> PipRun:
        self.asked += arguments
        return PipRun(arguments, self.code, stdout=self.printed)


@pytest.mark.parametrize(
    ("asked", "gpu", "fitting", "told"),
    [
        ("auto", True, "pytorch", "There is a GPU"),
        ("auto", False, "gguf", "no GPU"),
        ("pytorch", False, "gguf", "no GPU"),
        ("gguf", True, "gguf", "There is a GPU"),
        ("espeak", False, "espeak", "Engine: espeak"),
    ],
)
def test_the_engine_that_fits_is_taken_and_a_cpu_is_warned_of(
    asked: str, gpu: bool, fitting: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(asked, language="en", gpu=gpu, pip=Pip()) == fitting
    assert told in capsys.readouterr().out


def test_what_an_engine_needs_is_installed_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = {"onnxruntime": False}
    monkeypatch.setattr(
        "vieneu_core.engines.availability.has_module", lambda name: here.get(name, True)
    )

    class Installing(Pip):
        def __call__(self, arguments: Sequence[str]) -> PipRun:
            here["onnxruntime"] = True
            return super().__call__(arguments)

    pip = Installing()
    assert prepare("gguf", language="en", gpu=False, pip=pip) == "gguf"
    assert pip.asked[-1].startswith("vieneu-core[gguf-prebuilt]==")
    assert "Installing the engine gguf" in capsys.readouterr().out
    again = Pip()
    prepare("gguf", gpu=False, pip=again)
    assert again.asked == []

    here["onnxruntime"] = False
    for failing in (Pip(code=1), Pip(code=0)):
        with pytest.raises(EngineInstallError):
            prepare("gguf", gpu=False, pip=failing)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "vi",
            (
                "❌ Không cài được bộ máy: espeak: ổ đĩa của runtime đã đầy hoặc không ghi được.",
                "   → Chọn Runtime → Disconnect and delete runtime, rồi Runtime → Run all.",
            ),
        ),
        (
            "en",
            (
                (
                    "❌ The engine cannot be installed: espeak: the disk of this runtime is full or"
                    " cannot be written."
                ),
                "   → Choose Runtime → Disconnect and delete runtime, then Runtime → Run all.",
            ),
        ),
    ],
)
def test_why_an_engine_cannot_be_installed_is_told_in_the_readers_language(
    language: str,
    told: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("vieneu_core.engines.availability.has_module", lambda _: False)
    printed = "many\nlines\n" * 20 + (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
    )
    with pytest.raises(EngineInstallError) as caught:
        prepare("espeak", language=language, pip=Pip(1, printed))

    shown = caught.value._render_traceback_()  # type: ignore[attr-defined]
    assert tuple(shown[:2]) == told
    assert shown[2].strip() == "docs/colab.md#engine_install"
    lines = capsys.readouterr().out.splitlines()
    assert "No space left on device" in lines[-1]
    assert len(lines) < 20, "the end of what pip printed"


def test_pip_is_the_one_of_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vieneu_core.engines.availability.has_module", lambda _: False)
    monkeypatch.setattr(runtime_module, "__version__", "0.0.0.dev0")  # nobody has it
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(EngineInstallError, match="mã lỗi 1"):
        prepare("espeak")


def test_an_engine_that_does_not_exist_is_told() -> None:
    with pytest.raises(ConfigurationError, match="no engine 'nonsense'"):
        prepare("nonsense")


def test_a_runtime_knows_its_age(tmp_path: Path) -> None:
    stat, uptime = tmp_path / "stat", tmp_path / "uptime"
    stat.write_text("1 (a (strange) name) S " + " ".join(["0"] * 18) + " 50000 0 0\n")
    uptime.write_text("4100.50 100.00\n")

    assert runtime_age_s(stat=stat, uptime=uptime) == pytest.approx(3600.5)
    assert runtime_age_s(stat=tmp_path / "none", uptime=uptime) == 0
    stat.write_text("nonsense")
    assert runtime_age_s(stat=stat, uptime=uptime) == 0
    assert runtime_age_s() > 0


# --- cell 4: the model ---------------------------------------------------------------------------


def test_a_model_is_fetched_by_loading_it_once(capsys: pytest.CaptureFixture[str]) -> None:
    spec = notebook.fetch_model("espeak", language="en")

    assert spec == EngineSpec("espeak", {})
    assert "The model is here: eSpeak NG" in capsys.readouterr().out


SLOW = """
import time
from tone_engine import ToneEngine
from vieneu_core.engines.base import LoadProgress

class Slow(ToneEngine):
    def load(self, progress):
        for n in range(12):
            progress(LoadProgress("weights", n * 10**7, 12 * 10**7 if n > 6 else None))
            time.sleep(0.25)
        progress(LoadProgress("warming up"))
        time.sleep(1.2)
        return super().load(progress)

def create(options):
    options.pop("model"), options.pop("codec", None)
    return Slow(options)
"""


def test_how_far_a_model_is_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    spec = notebook.fetch_model("slow:create", model=" a ", codec="", language="en")
    shown = capsys.readouterr().out

    assert spec.options == {"model": "a"}
    assert re.search(r"^weights: \d+ MB$", shown, re.MULTILINE)
    assert re.search(r"^weights: \d+ of 120 MB$", shown, re.MULTILINE)
    assert "warming up" in shown


def test_a_model_that_cannot_be_had_is_told_in_two_lines() -> None:
    with pytest.raises(ModelLoadError) as caught:
        notebook.fetch_model("gguf", model="no-such-model")

    shown = caught.value._render_traceback_()  # type: ignore[attr-defined]
    assert len(shown) == 2
    assert "no model 'no-such-model'" in shown[0]
    assert shown[1].strip().startswith("→")


def test_only_named_failures_are_shown_so() -> None:
    @plainly
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        broken()
    assert not hasattr(caught.value, "_render_traceback_")


# --- secrets -------------------------------------------------------------------------------------


def test_colabs_secrets_are_asked_first(colab: pytest.MonkeyPatch) -> None:
    colab.setattr("getpass.getpass", refusing)

    assert ask_secret("VIENEU_TOKEN", "ask_token", Words("vi")) == SecretStr(TOKEN)
    assert ask_secret("NOT_THERE", "ask_token", Words("vi")) is None


def test_then_a_person_is_asked(colab: pytest.MonkeyPatch) -> None:
    colab.setattr("getpass.getpass", answering("  typed-in  "))

    assert ask_secret("NOT_THERE", "ask_token", Words("vi")) == SecretStr("typed-in")


def test_where_nobody_can_be_asked_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoKeyboardError(Exception):
        """As a kernel raises it that a program runs."""

    def raising(_prompt: str) -> str:
        raise NoKeyboardError

    monkeypatch.setattr("getpass.getpass", raising)
    assert ask_secret("VIENEU_TOKEN", "ask_token", Words("en")) is None


# --- cells 5 and 6: from start to the end ---------------------------------------------------------


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vieneu_colab_server.notebook.watching.LOOK_EVERY_S", 0.1)


@pytest.mark.usefixtures("colab", "no_waiting")
def test_it_is_reached_shown_and_closed(capsys: pytest.CaptureFixture[str]) -> None:
    relay = notebook.start(TONES, tunnel="none", voices="vi-high, nobody", language="en")
    url, page = relay.url, relay.token_page_url
    assert url is not None
    seconds = list[float]()

    def use() -> None:
        seconds.append(heard_s(url, SecretStr(TOKEN)))
        time.sleep(0.5)

    run_as_cell(relay, use)
    shown = capsys.readouterr().out

    assert seconds[0] > 0.3
    for told in (
        *("The model has spoken a test sentence", "Voice prepared: vi-high", "nobody"),
        *("The house can speak", url, page, "vieneu connect", "requests · queue", "are closed"),
    ):
        assert told in shown
    assert TOKEN not in shown + repr(relay)
    assert not relay.runs
    relay.close()  # without effect
    with pytest.raises(RelayClosedError, match="Run cell 5 again"):
        notebook.launch(relay)


@pytest.mark.usefixtures("no_waiting")
def test_what_dies_meanwhile_is_told_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path, "cloudflared")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    relay = notebook.start(TONES, tunnel="cloudflared", token=TOKEN, language="en")
    server = relay._public.server

    def disturb() -> None:
        assert server._process is not None
        os.kill(server._process.pid, signal.SIGKILL)
        (agent,) = [
            child
            for child in psutil.Process().children()
            if child.status() != "zombie" and "cloudflared" in " ".join(child.cmdline())
        ]
        agent.kill()
        give_up_at = time.monotonic() + GUARD_S
        while time.monotonic() < give_up_at and (
            "The server runs again" not in printed.getvalue()
            or printed.getvalue().count("The house can speak") < 2
        ):
            time.sleep(0.1)
            printed.write(capsys.readouterr().out)

    printed = io.StringIO()
    run_as_cell(relay, disturb)
    shown = printed.getvalue() + capsys.readouterr().out

    assert "The server has ended and is being started again: its process was ended by SIGK" in shown
    assert "The server runs again" in shown
    assert "The tunnel is lost" in shown
    assert len(set(re.findall(r"https://\S+\.trycloudflare\.com", shown))) == 2
    assert shown.count("The house can speak") == 2, "the banner shows the new address"


@pytest.mark.usefixtures("colab")
def test_running_cell_5_again_closes_the_old_one_first(capsys: pytest.CaptureFixture[str]) -> None:
    first = notebook.start(TONES, tunnel="none")
    second = notebook.start(TONES, tunnel="none", instead_of=first)
    try:
        assert (first.runs, second.runs) == (False, True)
        assert not first._public.server.runs
        assert second.look() is not None
        assert "Đang đóng máy chủ cũ" in capsys.readouterr().out
    finally:
        second.close()


@pytest.mark.usefixtures("no_waiting")
def test_a_server_that_cannot_be_kept_running_ends_the_cell_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tmp_path / "passing_engine.py"
    engine.write_text("from tone_engine import create\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ['PYTHONPATH']}")
    monkeypatch.setattr("vieneu_colab_server.public_server.RESTART_PAUSES_S", (0.0, 0.1))
    relay = notebook.start(EngineSpec("passing_engine:create"), tunnel="none", token=TOKEN)
    engine.unlink()
    process = relay._public.server._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(ServerStartError, match="passing_engine"):
        notebook.launch(relay)
    assert not relay.runs


def test_ngrok_without_an_authtoken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", refusing)

    with pytest.raises(ConfigurationError, match="authtoken of an account"):
        notebook.start(TONES, tunnel="ngrok", token=TOKEN)


def test_a_refused_authtoken_ends_the_cell_and_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "ngrok")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("getpass.getpass", answering("bad-token-2aBcDeF"))
    before = threading.active_count()

    with pytest.raises(AuthtokenRefusedError, match="107") as caught:
        notebook.start(TONES, tunnel="ngrok", domain="my-house.ngrok.app", token=TOKEN)
    assert "2aBcDeF" not in str(caught.value)
    assert threading.active_count() <= before


@pytest.mark.parametrize(
    ("forms", "told"),
    [
        ({"tunnel": "pigeon"}, "no tunnel 'pigeon'"),
        ({"tunnel": "none", "domain": "a.ngrok.app"}, "reserved domains"),
        ({"tunnel": "none", "session_hours": 0}, "session of 0 hours"),
        ({"tunnel": "none", "callback_url": "house/hook"}, "callback URL"),
    ],
)
def test_forms_that_cannot_be_are_told(forms: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        notebook.start(TONES, token=TOKEN, **forms)  # type: ignore[arg-type]


def test_on_colab_the_session_counts_from_the_start_of_the_runtime(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab-external")
    monkeypatch.setattr("vieneu_colab_server.notebook.starting.runtime_age_s", lambda: 3600.0)
    relay = notebook.start(TONES, tunnel="none", token=TOKEN, session_hours=3)
    try:
        assert relay.ends_at is not None
        left = relay.ends_at - datetime.now(UTC)
        seen = relay.look()
        assert seen is not None
        assert seen.session_remaining_seconds == pytest.approx(2 * 3600, abs=60)
        assert left.total_seconds() == pytest.approx(2 * 3600, abs=60)
    finally:
        relay.close()
    with pytest.raises(ConfigurationError, match="its session is over"):
        notebook.start(TONES, tunnel="none", token=TOKEN, session_hours=1)


def test_an_interruption_while_it_starts_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ['PYTHONPATH']}")
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    before = threading.active_count()

    with pytest.raises(KeyboardInterrupt):
        notebook.start(EngineSpec("slow:create", {"model": "a"}), tunnel="none", token=TOKEN)
    timer.join()
    assert threading.active_count() < before


def test_a_loop_of_its_own_returns_what_the_work_returns_and_ends_with_it() -> None:
    loop, ended = LoopThread(), list[str]()

    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    async def endless() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            ended.append("ended")

    assert loop.call(work()) == "done"
    loop.begin(endless())
    loop.call(work())
    loop.close()
    loop.close()
    assert ended == ["ended"]


# --- what is seen --------------------------------------------------------------------------------

FACTS = BannerFacts(
    url="https://a<b>.ngrok.app",
    token_page_url="http://127.0.0.1:4711/secret-path",
    ends_at=datetime(2026, 11, 25, 20, 0, tzinfo=UTC),
    engine="pytorch · VieNeu-TTS · Tesla T4",
    told_house=False,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_banner_says_what_to_do_next(language: str) -> None:
    words = Words(language)
    made, plain = banner_html(FACTS, words), banner_text(FACTS, words)

    assert "a&lt;b&gt;.ngrok.app" in made
    assert "<b>.ngrok" not in made
    assert 'data-port="4711" data-path="/secret-path"' in " ".join(made.split())
    assert "vieneu connect https://a<b>.ngrok.app" in plain
    assert "25.11.2026" in plain
    told = BannerFacts(
        url=FACTS.url, token_page_url="", ends_at=None, engine="espeak", told_house=True
    )
    assert words("next_told") in banner_text(told, words)
    assert words("no_end") in banner_text(told, words)


def test_the_qr_code_is_drawn_without_anything_from_elsewhere() -> None:
    drawn = qr_svg("https://abc.ngrok.app")

    assert drawn.startswith("<svg")
    assert "http://" not in drawn.replace("http://www.w3.org", "")


def health(**fields: object) -> HealthAnswer:
    return HealthAnswer.model_validate(
        {
            "status": "ok",
            "model_loaded": True,
            "uptime_seconds": 1.0,
            "version": "0.1.0",
            "wire_version": "1.0",
            "state": BackendState.READY,
            **fields,
        }
    )


def test_the_status_line_tells_what_is_known() -> None:
    seen = health(
        session_remaining_seconds=41_999,
        requests_served=1234,
        queue_depth=2,
        bytes_sent=25_000_000,
        gpu_memory_used_gb=3.14,
        gpu_memory_total_gb=15,
    )

    assert status_line(seen, Words("en"), tunnel="ngrok") == (
        "11 h 39 min left · 1,234 requests · queue 2 · GPU 3.1 of 15.0 GB · 25.0 MB sent"
        " (2.5 % of a month of ngrok's free plan)"
    )
    assert status_line(seen, Words("vi"), tunnel="cloudflared") == (
        "còn 11 giờ 39 phút · 1.234 yêu cầu · hàng đợi 2 · GPU 3,1 / 15,0 GB · đã gửi 25,0 MB"
    )
    assert status_line(health(draining=True), Words("en"), tunnel="none").startswith("the session")
    assert status_line(None, Words("en"), tunnel="none") == "the server does not answer"


@pytest.fixture
async def page() -> AsyncIterator[TokenPage]:
    page = TokenPage(lambda: SecretStr("a<token>"), Words("vi"))
    await page.open()
    yield page
    await page.close()


async def test_the_token_is_on_its_page_and_nowhere_else(page: TokenPage) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(page.url) as answer:
            text = await answer.text()
            assert answer.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        async with session.get(page.url[:-1]) as answer:
            assert answer.status == 404
    assert '<code id="token">a&lt;token&gt;</code>' in text
    assert 'lang="vi"' in text
    assert page.url.startswith("http://127.0.0.1:")
    await page.close()
    assert page.url == ""
