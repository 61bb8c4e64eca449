/** Errors as texts of the page, also after a change of the language. */

import { call, Problem } from "../shared/api.js";
import { language, onLanguage, t } from "../shared/i18n.js";

/** Something that the user can correct, as a text of this page. */
export class Mistake extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/** Return what an error says, in the language of the page. */
export async function words(error) {
  if (error instanceof Mistake) return t(error.key, error.values);
  if (!(error instanceof Problem)) return t("not_understood");
  if (!error.code) return `${error.title}. ${error.remedy}`;
  let shown = error;
  if (language() !== "en") {
    try {
      shown = await call("POST", "problem-text", error.document);
    } catch {
      // English is better than nothing.
    }
  }
  return [shown.detail, shown.remedy].filter(Boolean).join(" ");
}

/** Show an error in an element, also after a change of the language. */
export async function showError(element, error) {
  element.error = error;
  const shown = await words(error);
  if (element.error !== error) return;
  const paragraph = document.createElement("p");
  paragraph.textContent = shown;
  element.replaceChildren(paragraph);
  element.hidden = false;
}

/** Show no error. */
export function hideError(element) {
  element.error = null;
  element.hidden = true;
  element.replaceChildren();
}

onLanguage(() => {
  for (const element of document.querySelectorAll(".error")) {
    if (element.error) showError(element, element.error);
  }
});
