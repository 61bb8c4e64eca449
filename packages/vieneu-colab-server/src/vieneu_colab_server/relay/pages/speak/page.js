/** Start of the page: language, login, and which part is shown. */

import { call, Problem } from "../shared/api.js";
import { loadTexts, offerLanguages, onLanguage, say, sayNothing, t } from "../shared/i18n.js";
import { hideError, showError } from "./errors.js";
import { JobsView } from "./jobs_view.js";
import { SpeakView } from "./speak_view.js";
import { Voices } from "./voices.js";

const AGAIN_MS = 2_000;
const CHECK_EVERY_MS = 15_000;
const PARTS = ["speak", "jobs"];
const CONTENTS = "#main";
const element = (id) => document.getElementById(id);
const voices = new Voices();
let isLoggedIn = false;
let lastPart = "speak";
let shownVoices = "";
let speakView;
let jobsView;

await loadTexts(new URL("texts.json", import.meta.url));
offerLanguages(element("page-language"));
speakView = new SpeakView(voices);
jobsView = new JobsView(voices);
onLanguage(() => showPart());
element("login-form").addEventListener("submit", logIn);
element("log-out").addEventListener("click", logOut);
addEventListener("hashchange", () => {
  // The browser itself follows the link to the contents; the focus may have moved on since.
  if (location.hash !== CONTENTS) showPart({ moveFocus: true });
});
document.addEventListener("logged-out", () => setLoggedIn(false));
document.addEventListener("visibilitychange", followVoices);
setInterval(followVoices, CHECK_EVERY_MS);
for (const part of document.querySelectorAll("header, main, footer")) part.hidden = false;
await load();

/** Ask the relay what the page must know; again while it is starting. */
async function load() {
  let isAgain = false;
  try {
    const service = await call("GET", "page");
    setLoggedIn(true);
    say(element("version"), "version", { version: service.version });
    use(service);
    if (voices.all.length === 0) say(element("speak-status"), "loading");
    await voices.load();
    shownVoices = service.voices_version;
    for (const part of PARTS) hideError(errorOf(part));
    if (element("speak-status").dataset.i18n === "loading") sayNothing(element("speak-status"));
    use(await call("GET", "page"));
  } catch (error) {
    isAgain = !error.code || error.retryAfterS !== null;
    if (error instanceof Problem && error.status === 401) return;
    setLoggedIn(true);
    showError(errorOf(shownPart()), error);
  }
  if (isAgain) setTimeout(load, AGAIN_MS);
}

function use(service) {
  speakView.use(service);
  jobsView.use(service);
}

/** Offer the voices of now: another backend may speak, or a voice was added. */
async function followVoices() {
  if (!isLoggedIn || document.hidden || shownVoices === "") return;
  try {
    const service = await call("GET", "page");
    if (service.voices_version === shownVoices) return;
    use(service);
    await voices.load();
    shownVoices = service.voices_version;
  } catch {
    // Asked again a little later.
  }
}

async function logIn(event) {
  event.preventDefault();
  try {
    await call("POST", "login", { token: element("token").value.trim() });
  } catch (error) {
    showError(element("login-error"), error);
    element("token").focus();
    return;
  }
  hideError(element("login-error"));
  element("token").value = "";
  await load();
  element("main").focus({ preventScroll: true }); // the header stays in view
}

async function logOut() {
  try {
    await call("POST", "logout");
  } catch (error) {
    showError(errorOf(shownPart()), error);
    return;
  }
  setLoggedIn(false);
  element("token").focus();
}

function setLoggedIn(value) {
  isLoggedIn = value;
  element("log-out").hidden = !value;
  showPart();
}

/** Return the part that the address names; the link to the contents names none. */
function shownPart() {
  if (location.hash !== CONTENTS) {
    const hash = location.hash.slice(1);
    lastPart = PARTS.includes(hash) ? hash : "speak";
  }
  return lastPart;
}

/** Where an error of a part is shown. */
function errorOf(part) {
  return element({ speak: "speak-error", jobs: "job-error" }[part]);
}

function showPart({ moveFocus = false } = {}) {
  const shown = shownPart();
  element("login").hidden = isLoggedIn;
  for (const part of PARTS) {
    element(part).hidden = !isLoggedIn || part !== shown;
    const link = element(`to-${part}`);
    link.hidden = !isLoggedIn;
    if (part === shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  jobsView.follow(isLoggedIn && shown === "jobs");
  const title = isLoggedIn ? `${shown}.title` : "login.title";
  document.title = `${t(title)} – VieNeu Relay`;
  if (moveFocus) element("main").focus();
}
