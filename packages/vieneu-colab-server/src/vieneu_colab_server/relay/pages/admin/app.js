// Admin page: which view is shown, and what keeps it current.

import { call, eventsAfter, Problem } from "../shared/api.js";
import { language, loadTexts, offerLanguages, onLanguage } from "../shared/i18n.js";
import { clearOutcome, showProblem } from "../shared/outcome.js";
import { setUpAccount } from "./account.js";
import { setUpBackends } from "./backends.js";
import { setUpCache } from "./cache.js";
import { setUpChart } from "./chart.js";
import { setUpConnection } from "./connection.js";
import { setUpDictionary } from "./dictionary.js";
import { setUpEvents } from "./events.js";
import { setUpLogin } from "./login.js";
import { setUpNotebook } from "./notebook.js";
import { setUpSession } from "./session.js";
import { setUpVoices } from "./voices.js";

const STATUS_EVERY_MS = 2_000;
const HISTORY_EVERY_MS = 15_000;
const RECONNECT_MS = 2_000;

const page = document.getElementById("page");
const statusOutcome = document.getElementById("status-outcome");

await loadTexts(new URL("texts.json", import.meta.url));
offerLanguages(document.getElementById("language"));

const login = setUpLogin({ onLogin: open });
const account = setUpAccount({ onLogout: () => location.reload() });
const voices = setUpVoices({ onChange: offerVoices });
const cache = setUpCache();
const chart = setUpChart();
const dictionary = setUpDictionary();
const notebook = setUpNotebook();
const events = setUpEvents();
const viewers = [
  account,
  setUpSession(),
  setUpBackends({ refresh }),
  setUpConnection({ refresh }),
  voices,
];

let isOpen = false;
let asking = null;
let askAgain = false;
let following = null;
let shown = null;

document.addEventListener("logged-out", () => {
  if (isOpen) close();
});
document.addEventListener("visibilitychange", () => (isWatched() ? watch() : unwatch()));
onLanguage(() => {
  if (!isOpen) return;
  refresh();
  events.clear();
  unwatch();
  watch();
});
setInterval(() => isWatched() && refresh(), STATUS_EVERY_MS);
setInterval(() => {
  if (!isWatched()) return;
  chart.load();
  cache.refresh().catch(() => {}); // what is wrong is shown with the status
}, HISTORY_EVERY_MS);
await login.begin();

/** Offer the voices that are there now wherever one can be chosen. */
function offerVoices() {
  cache.loadVoices();
  notebook.loadVoices();
}

/** Show the page of somebody who is logged in. */
function open() {
  isOpen = true;
  page.hidden = false;
  document.getElementById("log-out").hidden = false;
  refresh();
  watch();
  for (const part of [cache, chart, dictionary, notebook]) part.load();
}

/** Show the login in place of the page; what was typed there stays. */
function close() {
  isOpen = false;
  page.hidden = true;
  document.getElementById("log-out").hidden = true;
  unwatch();
  for (const viewer of viewers) viewer.close?.();
  login.show();
}

function isWatched() {
  return isOpen && document.visibilityState === "visible";
}

/** Ask for the status; a call while an answer is awaited asks once more after it. */
async function refresh() {
  if (asking) {
    askAgain = true;
    return asking;
  }
  asking = askForStatus();
  try {
    await asking;
  } finally {
    asking = null;
  }
  if (askAgain) {
    askAgain = false;
    return refresh();
  }
}

async function askForStatus() {
  const wanted = language();
  try {
    const status = await call("GET", "status");
    if (shown === null) page.dataset.ready = "true";
    shown = status;
    clearOutcome(statusOutcome);
    if (wanted === language()) for (const viewer of viewers) viewer.show(status);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    // Read by screen readers once, not every two seconds.
    if (statusOutcome.dataset.text !== problem.title || !statusOutcome.firstChild) {
      showProblem(statusOutcome, problem);
      statusOutcome.dataset.text = problem.title;
    }
  }
}

/**
 * Follow the events while the page is seen. A hidden page holds no connection: browsers open only a
 * few to one host, and many pages may be open.
 */
async function watch() {
  if (following || !isWatched()) return;
  const mine = (following = new AbortController());
  refresh();
  while (following === mine) {
    try {
      for await (const { id, data } of eventsAfter("events", events.last, mine.signal)) {
        events.add(id, data);
        refresh();
      }
    } catch (problem) {
      if (problem.name !== "AbortError" && !(problem instanceof Problem)) console.warn(problem);
      if (problem.status === 401) return;
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

function unwatch() {
  following?.abort();
  following = null;
}
