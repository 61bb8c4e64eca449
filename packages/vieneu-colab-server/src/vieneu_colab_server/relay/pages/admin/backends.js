// The mode, and the backends as they are now.

import { call } from "../shared/api.js";
import { formatBytes, formatDuration, formatNumber, onLanguage, t } from "../shared/i18n.js";
import { make, onPress, setText } from "../shared/outcome.js";

const GOOD = new Set(["ready"]);
const EMBEDDED = new Set(["espeak", "embedded", "sano"]);
const BAD = new Set(["unreachable", "unauthorized", "failed", "expired"]);

export function setUpBackends({ refresh }) {
  const cards = new Map();
  const modeOutcome = document.getElementById("mode-outcome");
  for (const button of document.querySelectorAll("[data-mode]")) {
    onPress(button, modeOutcome, async () => {
      await call("POST", "mode", { mode: button.dataset.mode });
      await refresh();
    });
  }
  onLanguage(() => cards.forEach((card) => card.translate()));

  function show(status) {
    for (const button of document.querySelectorAll("[data-mode]")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === status.mode));
    }
    showActive(status);
    showSettingsNotes(status);
    showLocalVoice(status);
    const names = status.backends.map((backend) => backend.name);
    for (const name of cards.keys()) {
      if (!names.includes(name)) {
        cards.get(name).element.remove();
        cards.delete(name);
      }
    }
    for (const backend of status.backends) {
      if (!cards.has(backend.name)) {
        const card = makeCard(backend.name, refresh);
        cards.set(backend.name, card);
        document.getElementById("backends").append(card.element);
      }
      cards.get(backend.name).show(backend, status);
    }
  }

  return { show };
}

export function backendName(name) {
  return t(`backend.${name}`);
}

function showActive(status) {
  setText(document.getElementById("active"), t("mode.active", { name: backendName(status.active) }));
  const fallback = document.getElementById("fallback");
  fallback.hidden = !status.fallback_active;
  const names = { active: backendName(status.active), chosen: backendName(status.mode) };
  setText(fallback, status.fallback_active ? t("mode.fallback", names) : "");
}

function showSettingsNotes({ settings_error: error, needs_restart: names }) {
  const note = document.getElementById("settings-notes");
  const lines = error ? [t("mode.settings_error"), error.detail, error.remedy] : [];
  if (names.length > 0) lines.push(t("mode.needs_restart", { names: names.join(", ") }));
  note.hidden = lines.length === 0;
  if (note.dataset.shown === lines.join("\n")) return;
  note.dataset.shown = lines.join("\n");
  note.replaceChildren(...lines.map((text) => make("p", { text })));
}

/** Name the command for a better local voice while only the embedded one is there. */
function showLocalVoice(status) {
  const local = status.backends.find((backend) => backend.name === "local");
  document.getElementById("local-voice").hidden = !EMBEDDED.has(local?.health?.engine);
}

/** Make the card of a backend; its parts stay, so that the focus does. */
function makeCard(name, refresh) {
  const heading = make("h3", { id: `backend-${name}` });
  const badge = make("span", { className: "badge" });
  const facts = make("dl", { className: "facts" });
  const problem = make("div", { className: "note", hidden: "" });
  const outcome = make("div", { className: "outcome", "aria-live": "polite" });
  const buttons = { test: testBackend, load: loadBackend, unload: unloadBackend };
  const row = make("div", { className: "row" });
  for (const [action, perform] of Object.entries(buttons)) {
    const button = make("button", { type: "button", "data-action": action });
    onPress(button, outcome, () => perform(name).finally(refresh), {});
    row.append(button);
  }
  const element = make(
    "article",
    { className: "backend", "aria-labelledby": heading.id, "data-backend": name },
    make("header", {}, heading, badge),
    facts,
    problem,
    outcome,
    row,
  );

  function translate() {
    setText(heading, backendName(name));
    for (const button of row.children) setText(button, t(`backend.${button.dataset.action}`));
  }

  function show(backend, status) {
    element.classList.toggle("active", backend.name === status.active);
    setText(badge, t(`state.${backend.state}`));
    badge.className = `badge ${toneOf(backend.state)}`;
    fill(facts, factsOf(backend, status));
    const error = backend.last_error;
    problem.hidden = !error;
    const lines = error ? [error.detail, error.remedy].filter(Boolean) : [];
    if (problem.dataset.shown !== lines.join("\n")) {
      problem.dataset.shown = lines.join("\n");
      problem.replaceChildren(
        make("strong", { text: t("backend.last_error") }),
        ...lines.map((text) => make("p", { text })),
      );
    }
    row.hidden = backend.state === "not_configured";
  }

  translate();
  return { element, show, translate };
}

async function testBackend(name) {
  const answer = await call("POST", `backends/${name}/test`);
  const seconds = formatNumber(answer.seconds, 1);
  return t("backend.tested", { seconds, voice: answer.voice, engine: answer.engine });
}

async function loadBackend(name) {
  await call("POST", `backends/${name}/load`);
  return t("backend.loaded");
}

async function unloadBackend(name) {
  await call("POST", `backends/${name}/unload`);
  return t("backend.unloaded");
}

function toneOf(state) {
  if (GOOD.has(state)) return "good";
  if (BAD.has(state)) return "bad";
  return ["loading", "degraded", "slow", "paused", "draining"].includes(state) ? "busy" : "";
}

/** Return label and value of all that is known of a backend. */
function factsOf(backend, status) {
  const health = backend.health ?? {};
  const isRemote = backend.name === "remote";
  const values = {
    loading: loadingText(health.loading),
    circuit: backend.circuit === "closed" ? null : t(`circuit.${backend.circuit}`),
    engine: health.engine,
    model: health.model,
    accelerator: health.accelerator,
    gpu_memory: memoryText(health),
    latency: isRemote && isKnown(health.latency_ms) ? `${formatNumber(health.latency_ms)} ms` : null,
    queue: isKnown(health.queue_depth) ? formatNumber(health.queue_depth) : null,
    restarts: isKnown(health.worker_restarts) ? formatNumber(health.worker_restarts) : null,
    uptime: uptimeText(backend, health),
    remaining:
      isRemote && isKnown(status.session_remaining_s)
        ? formatDuration(status.session_remaining_s)
        : null,
    missing_voice: health.missing_voice,
    version: health.version,
    checked: isKnown(backend.checked_s_ago)
      ? t("format.ago", { duration: formatDuration(backend.checked_s_ago) })
      : null,
  };
  return Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [t(`fact.${name}`), value]);
}

/** Health is as old as the last check; a backend that is ready has run on since. */
function uptimeText(backend, health) {
  if (!isKnown(health.uptime_s)) return null;
  const since = GOOD.has(backend.state) ? (backend.checked_s_ago ?? 0) : 0;
  return formatDuration(health.uptime_s + since);
}

function loadingText(loading) {
  if (!loading) return null;
  if (!isKnown(loading.done_bytes)) return t("backend.loading_model");
  const done = formatBytes(loading.done_bytes);
  if (!isKnown(loading.total_bytes)) return done;
  return t("backend.downloaded", { done, total: formatBytes(loading.total_bytes) });
}

function memoryText(health) {
  if (!isKnown(health.gpu_memory_used_gb)) return null;
  const used = formatNumber(health.gpu_memory_used_gb, 1);
  if (!isKnown(health.gpu_memory_total_gb)) return `${used} GB`;
  return t("backend.memory", { used, total: formatNumber(health.gpu_memory_total_gb, 1) });
}

function isKnown(value) {
  return value !== null && value !== undefined;
}

function fill(list, rows) {
  const shown = JSON.stringify(rows);
  if (list.dataset.shown === shown) return;
  list.dataset.shown = shown;
  const parts = rows.flatMap(([name, value]) => [
    make("dt", { text: name }),
    make("dd", { text: value }),
  ]);
  list.replaceChildren(...parts);
}
