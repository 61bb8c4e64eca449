/** Texts of the page: one JSON file per language. */

const LANGUAGES = ["vi", "en"];
const KEPT = "vieneu-language";
let texts = {};
let language = "en";

/** Return the language that was chosen here, else the first of the browser's that we have. */
export function preferredLanguage() {
  const wanted = [stored(), ...navigator.languages.map((tag) => tag.split("-")[0])];
  return wanted.find((code) => LANGUAGES.includes(code)) ?? "en";
}

/** The language of the page. */
export const currentLanguage = () => language;

/** Show the whole page in a language. */
export async function useLanguage(code) {
  const answer = await fetch(new URL(`i18n/${code}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`i18n/${code}.json: ${answer.status}`);
  texts = await answer.json();
  language = code;
  document.documentElement.lang = code;
  translate(document);
  document.dispatchEvent(new Event("languagechange"));
}

/** Use a language here from now on, at later visits too. */
export async function chooseLanguage(code) {
  try {
    localStorage.setItem(KEPT, code);
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
  await useLanguage(code);
}

/** Return a text with its values; numbers are written as in the language. */
export function text(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
}

/** Show a text in an element, also after a change of the language. */
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

function translate(root) {
  for (const element of root.querySelectorAll("[data-i18n]")) show(element);
  for (const element of root.querySelectorAll("[data-i18n-label]")) {
    element.setAttribute("aria-label", text(element.dataset.i18nLabel));
  }
}

function show(element) {
  const shown = text(element.dataset.i18n, JSON.parse(element.dataset.i18nValues ?? "{}"));
  // A screen reader reads a live region again whenever its text is set.
  if (element.textContent !== shown) element.textContent = shown;
}

function written(value) {
  if (value && typeof value === "object") return text(value.key, value.values);
  if (typeof value !== "number") return String(value ?? "");
  return new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value);
}

function stored() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
