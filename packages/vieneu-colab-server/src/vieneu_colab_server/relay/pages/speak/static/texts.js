/** Texts of the page in the language of its reader. */

const KEPT = "vieneu-language";
let languages = {};
let language = "en";

/** Load the texts, and use the language that was chosen here, else the browser's first that is there. */
export async function loadTexts() {
  const answer = await fetch(new URL("texts.json", import.meta.url));
  if (!answer.ok) throw new Error(`texts.json: ${answer.status}`);
  languages = await answer.json();
  const wanted = [stored(), ...navigator.languages.map((tag) => tag.split("-")[0])];
  use(wanted.find((code) => code in languages) ?? "en");
}

/** Fill a `select` with the languages. */
export function offerLanguages(select) {
  for (const [code, { name }] of Object.entries(languages)) {
    const option = new Option(name, code);
    option.lang = code;
    select.add(option);
  }
  select.value = language;
}

/** The language of the page. */
export const currentLanguage = () => language;

function use(code) {
  language = code;
  document.documentElement.lang = code;
  translate(document);
  document.dispatchEvent(new Event("languagechange"));
}

/** Show the whole page in a language from now on, at later visits too. */
export function chooseLanguage(code) {
  try {
    localStorage.setItem(KEPT, code);
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
  use(code);
}

/** Return a text with its values; numbers are written as in the language. */
export function text(key, values = {}) {
  return (languages[language]?.texts[key] ?? key).replace(
    /\{(\w+)\}/g,
    (_, name) => written(values[name]),
  );
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
