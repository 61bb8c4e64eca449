/** Voices of the relay, in the page's lists. */

import { call } from "../shared/api.js";
import { formatLanguage, onLanguage, t } from "../shared/i18n.js";

const DEFAULT_LANGUAGE = "vi";
/** What was chosen in a list and is not offered now. */
const missing = new WeakMap();

/** All voices, the default one first. */
export class Voices extends EventTarget {
  all = [];

  /** Ask the relay for them. */
  async load() {
    this.all = (await call("GET", "voices")).voices;
    this.dispatchEvent(new Event("change"));
  }

  get languages() {
    return [...new Set([DEFAULT_LANGUAGE, ...this.all.map((voice) => voice.language)])];
  }

  /** Return a voice's name for people. */
  name(id) {
    return this.all.find((voice) => voice.id === id)?.name || id;
  }
}

/** Keep a list of languages and a list of their voices filled in. */
export function offerVoices(voices, languageList, voiceList) {
  const fill = () => {
    setOptions(languageList, voices.languages.map((code) => [code, capital(formatLanguage(code))]));
    fillVoices(voices, voiceList, languageList.value);
  };
  voices.addEventListener("change", fill);
  onLanguage(fill);
  languageList.addEventListener("change", () => fillVoices(voices, voiceList, languageList.value));
}

/** Fill a list with the voices of a language; without one, with all, after those of `first`. */
export function fillVoices(voices, list, language = null, first = []) {
  const offered = voices.all.filter((voice) => language === null || voice.language === language);
  const options = offered.map((voice) => [voice.id, voice.name || voice.id]);
  setOptions(list, language === null ? [...first, ...options] : [["", t("default_voice")], ...options]);
}

/** Fill a list; what was chosen stays, or is chosen again once it is offered again. */
function setOptions(list, options) {
  const shown = [...list.options].map((option) => [option.value, option.text]);
  if (JSON.stringify(shown) === JSON.stringify(options)) return;
  const chosen = missing.get(list) ?? list.value;
  list.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  if (options.some(([value]) => value === chosen)) {
    list.value = chosen;
    missing.delete(list);
  } else if (chosen) {
    missing.set(list, chosen);
    list.addEventListener("change", () => missing.delete(list), { once: true });
  }
}

const capital = (word) => word.charAt(0).toLocaleUpperCase() + word.slice(1);
