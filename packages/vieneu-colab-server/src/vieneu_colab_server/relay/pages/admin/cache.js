// The speech cache, and the preparation of announcements.

import { call, linesOf, Problem, send } from "../shared/api.js";
import { formatBytes, formatNumber, onLanguage, t } from "../shared/i18n.js";
import {
  confirmed,
  make,
  onPress,
  onSubmit,
  run,
  setText,
  showProblem,
  showRunning,
} from "../shared/outcome.js";

export function setUpCache() {
  const enabled = document.getElementById("cache-enabled");
  const clear = document.getElementById("cache-clear");
  const switched = document.getElementById("cache-switch-outcome");
  const form = document.getElementById("cache-form");
  const outcome = document.getElementById("cache-outcome");
  const progress = document.getElementById("cache-progress");
  const stop = document.getElementById("cache-stop");
  const failed = document.getElementById("cache-failed");
  let state = null;
  let stopping = null;

  stop.addEventListener("click", () => stopping?.abort());
  onLanguage(() => {
    if (state) load();
  });
  enabled.addEventListener("click", (event) => {
    if (isSwitching()) event.preventDefault();
  });
  enabled.addEventListener("change", async () => {
    const isWanted = enabled.checked;
    const isDone = await run(enabled, switched, async () => {
      show(await call("PUT", "cache", { enabled: isWanted }));
      return isWanted ? t("cache.on_now") : t("cache.off_now");
    });
    if (!isDone) enabled.checked = !isWanted;
  });
  onPress(clear, switched, async () => {
    if (!(await confirmed(t("cache.clear_question"), t("cache.clear")))) return "";
    await call("DELETE", "cache");
    await refresh();
    return t("cache.cleared");
  });
  onSubmit(form, outcome, async (data) => {
    const lines = data.get("announcements").split("\n");
    const announcements = lines.map((line) => line.trim()).filter(Boolean);
    const body = { announcements, speed: Number(data.get("speed")) };
    if (data.get("voice")) body.voice = data.get("voice");
    stopping = new AbortController();
    failed.replaceChildren();
    Object.assign(progress, { max: announcements.length, value: 0, hidden: false });
    const counts = { prepared: 0, present: 0, failed: 0, silent: 0, untried: 0 };
    try {
      const answer = await send("POST", "cache/prepare", { json: body, signal: stopping.signal });
      stop.hidden = false;
      for await (const line of linesOf(answer)) {
        if (line) take(JSON.parse(line), announcements, counts);
      }
    } catch (problem) {
      if (problem.name !== "AbortError") throw problem;
      return t("cache.stopped", { n: progress.value, of: announcements.length });
    } finally {
      stop.hidden = progress.hidden = true;
      await load();
    }
    const done = t("cache.done", counts);
    return counts.untried ? `${done} ${t("cache.untried", counts)}` : done;
  });

  function take(outcomeOfOne, announcements, counts) {
    counts[outcomeOfOne.outcome] += 1;
    progress.value = outcomeOfOne.number;
    showRunning(outcome, t("cache.running", { n: progress.value, of: announcements.length }));
    if (!outcomeOfOne.problem || counts.untried > 1) return; // the same for all of them
    const { detail, remedy } = outcomeOfOne.problem;
    const text = make("span", { className: "text", text: announcements[outcomeOfOne.number - 1] });
    const why = make("span", { className: "muted", text: `${detail} ${remedy}` });
    failed.append(make("li", {}, text, why));
  }

  function isSwitching() {
    return enabled.getAttribute("aria-disabled") === "true";
  }

  async function load() {
    try {
      await refresh();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      showProblem(outcome, problem);
      return;
    }
    await loadVoices();
  }

  /** Show the state of now: speech is stored, and another admin may turn the cache on or off. */
  async function refresh() {
    show(await call("GET", "cache"));
  }

  function show(now) {
    state = now;
    if (!isSwitching()) enabled.checked = state.enabled;
    form.hidden = !state.enabled;
    clear.hidden = state.entries === 0;
    setText(document.getElementById("cache-state"), stateText(state));
    const note = document.getElementById("cache-problem");
    note.hidden = !state.problem;
    const lines = state.problem ? [state.problem.detail, state.problem.remedy] : [];
    note.replaceChildren(...lines.map((text) => make("p", { text })));
  }

  /** Offer the voices that can be used now; those of before stay where they cannot be listed. */
  async function loadVoices() {
    const select = document.getElementById("cache-voice");
    const chosen = select.value;
    let voices = [];
    try {
      ({ voices } = await call("GET", "voices/usable"));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (select.options.length) return;
    }
    const options = voices.map((voice) => new Option(voice.name, voice.id));
    select.replaceChildren(new Option(t("cache.default_voice"), ""), ...options);
    select.value = voices.some((voice) => voice.id === chosen) ? chosen : "";
  }

  return { load, loadVoices, refresh };
}

function stateText({ entries, bytes, hits, misses }) {
  const n = hits + misses;
  const rate = formatNumber(n ? (hits / n) * 100 : 0);
  return t("cache.state", { entries, size: formatBytes(bytes), hits, rate });
}
