/** Calls of the relay's API, and its errors. */

import { currentLanguage, text } from "./texts.js";

const API = new URL("speak/api/", document.baseURI);

/** The relay does not answer, or the connection to it broke. */
export class ConnectionLost extends Error {}

/** The relay answers with an error: a problem document (RFC 9457). */
export class Problem extends Error {
  constructor(document) {
    super(document.detail);
    this.document = document;
    this.status = document.status;
    this.code = document.code;
    this.retryAfterS = document.retry_after_s ?? null;
  }
}

/** Something that the user can correct, as a text of this page. */
export class Mistake extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/** Return the address of a path of the API. */
export const address = (path) => new URL(path, API).href;

/** Send a request; return the answer once it is known to be good. */
export async function send(method, path, { json, body, headers = {}, signal } = {}) {
  const given = { "Accept-Language": currentLanguage(), ...headers };
  if (json !== undefined) given["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address(path), {
      method,
      headers: given,
      body: json === undefined ? body : JSON.stringify(json),
      signal,
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch (error) {
    throw signal?.aborted ? error : new ConnectionLost();
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

/** Send a request; return the JSON of the answer. */
export async function call(method, path, options) {
  const answer = await send(method, path, options);
  return answer.status === 204 ? null : answer.json();
}

/** Return what the relay says of a problem, in the language of the page. */
export async function words(error) {
  if (error instanceof Mistake) return text(error.key, error.values);
  if (error instanceof ConnectionLost) return text("no_answer");
  if (!(error instanceof Problem)) return text("not_understood");
  const { document } = error;
  let shown = document;
  if (currentLanguage() !== "en") {
    try {
      shown = await call("POST", "problem-text", { json: document });
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

document.addEventListener("languagechange", () => {
  for (const element of document.querySelectorAll(".error")) {
    if (element.error) showError(element, element.error);
  }
});

async function problemOf(answer) {
  let found = null;
  try {
    found = await answer.json();
  } catch {
    // Something between us and the relay answered.
  }
  if (typeof found?.code !== "string" || typeof found.detail !== "string") {
    return answer.status >= 502 && answer.status <= 504 ? new ConnectionLost() : new Error();
  }
  if (answer.status === 401 && found.code === "login_refused") {
    document.dispatchEvent(new Event("loggedout"));
  }
  return new Problem(found);
}
