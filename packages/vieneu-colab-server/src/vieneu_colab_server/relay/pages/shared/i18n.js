// Texts of a page in the language of its reader; numbers, times and languages as that one writes them.

const STORED = "vieneu-language";
const listeners = new Set();
let languages = {};
let current = "en";

/** The language that the reader chose; else the first of the browser's that there is; else English. */
function wantedLanguage() {
  const chosen = stored();
  if (chosen in languages) return chosen;
  const tags = navigator.languages.map((tag) => tag.split("-")[0].toLowerCase());
  return tags.find((tag) => tag in languages) ?? "en";
}

function stored() {
  try {
    return localStorage.getItem(STORED) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
}

/** Load the texts of a page, in all languages, from a URL. */
export async function loadTexts(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error("The texts of this page cannot be loaded.");
  languages = await answer.json();
  use(wantedLanguage());
}

/** Show another language from now on, and keep the choice in this browser. */
function chooseLanguage(wanted) {
  try {
    localStorage.setItem(STORED, wanted);
  } catch {
    // It holds until the page is closed.
  }
  use(wanted);
  for (const listener of listeners) listener();
}

/** Call a function after each change of the language. */
export function onLanguage(listener) {
  listeners.add(listener);
}

export function language() {
  return current;
}

function use(wanted) {
  current = wanted;
  document.documentElement.lang = wanted;
  translate(document.documentElement);
}

/** Return a text with its values filled in; numbers are written as the language writes them. */
export function t(key, values = {}) {
  const found = lookUp(key);
  if (found === undefined) {
    console.error(`There is no text ${key}.`);
    return key;
  }
  return found.replace(/\{(\w+)\}/g, (_, name) => written(values[name] ?? ""));
}

function written(value) {
  if (typeof value !== "number") return String(value);
  return new Intl.NumberFormat(current, { maximumFractionDigits: 2 }).format(value);
}

/** Return a text, or another one where there is no such text. */
export function tOr(key, other) {
  return lookUp(key) ?? other;
}

function lookUp(key) {
  return languages[current]?.texts[key];
}

/** Show a text in an element from now on, in whatever language is chosen later. */
export function say(element, key, values = {}) {
  element.dataset.i18n = key;
  element.dataset.i18nValues = JSON.stringify(values);
  show(element);
}

/** Let an element be empty. */
export function sayNothing(element) {
  delete element.dataset.i18n;
  element.textContent = "";
}

function show(element) {
  const text = t(element.dataset.i18n, JSON.parse(element.dataset.i18nValues ?? "{}"));
  // A screen reader reads a live region again whenever its text is set.
  if (element.textContent !== text) element.textContent = text;
}

/** Write the texts into all elements that name a key: `data-i18n`, `data-i18n-label`, … */
function translate(root) {
  for (const element of root.querySelectorAll("[data-i18n]")) show(element);
  for (const element of root.querySelectorAll("[data-i18n-label]")) {
    element.setAttribute("aria-label", t(element.dataset.i18nLabel));
  }
  for (const element of root.querySelectorAll("[data-i18n-placeholder]")) {
    element.setAttribute("placeholder", t(element.dataset.i18nPlaceholder));
  }
}

/** Fill a `select` with the languages, and follow its choice. */
export function offerLanguages(select) {
  const options = Object.entries(languages).map(([code, { name }]) => {
    const option = new Option(name, code);
    option.lang = code;
    return option;
  });
  select.replaceChildren(...options);
  select.value = current;
  select.addEventListener("change", () => chooseLanguage(select.value));
}

export function formatNumber(value, digits = 0) {
  return new Intl.NumberFormat(current, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** Return the name of a language, such as `vi`; its code where the browser knows no names. */
export function formatLanguage(code) {
  try {
    return new Intl.DisplayNames([current], { type: "language" }).of(code);
  } catch {
    return code;
  }
}

/** Return a duration in its two largest units, rounded down. */
export function formatDuration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  if (!minutes) return t("format.seconds", { seconds: whole });
  if (minutes < 60) return t("format.minutes", { minutes });
  return t("format.hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

export function formatTime(iso) {
  const time = new Date(iso);
  return new Intl.DateTimeFormat(current, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(time);
}

export function formatMinute(time) {
  return new Intl.DateTimeFormat(current, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(time);
}

/** Return a size in MB or GB (of 1000). */
export function formatBytes(bytes) {
  return bytes < 1e9 ? `${formatNumber(bytes / 1e6, 1)} MB` : `${formatNumber(bytes / 1e9, 2)} GB`;
}
