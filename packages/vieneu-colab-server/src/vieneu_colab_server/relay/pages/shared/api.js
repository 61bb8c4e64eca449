// Calls of the service: answers, problem documents (RFC 9457), streams of events and of lines.

import { language, t } from "./i18n.js";

/** A call that failed; title, detail and remedy are in the language of the reader. */
export class Problem extends Error {
  constructor({ title = "", detail = "", remedy = "", status = 0, code = "" }) {
    super(detail || title);
    Object.assign(this, { title, detail, remedy, status, code });
  }
}

/** Paths of the service, relative to the page, so that a proxy may put a prefix before them. */
export function urlOf(path) {
  return new URL(`api/${path}`, new URL(".", location.href.split("#")[0]));
}

/**
 * Send a request, and return the answer's `Response`.
 * Throws a `Problem` where the service refuses it or does not answer; a session that has ended is
 * published as the event `logged-out` of the document too.
 */
export async function send(method, path, { body, signal, headers = {} } = {}) {
  const options = { method, signal, headers: { "Accept-Language": language(), ...headers } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(urlOf(path), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: t("problem.no_answer"), remedy: t("problem.no_answer_remedy") });
  }
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  // A server on Colab that refuses its token is no end of this session.
  if (problem.code === "login_refused" && !path.startsWith("login")) {
    document.dispatchEvent(new Event("logged-out"));
  }
  throw problem;
}

async function problemOf(answer) {
  try {
    return new Problem({ ...(await answer.json()), status: answer.status });
  } catch {
    // A proxy answers with a page of its own.
    const title = t("problem.unreadable", { status: answer.status });
    return new Problem({ title, remedy: t("problem.no_answer_remedy"), status: answer.status });
  }
}

/** Send a request, and return the JSON of the answer; null where it has none. */
export async function call(method, path, body, options = {}) {
  const answer = await send(method, path, { body, ...options });
  return answer.status === 204 ? null : answer.json();
}

/** Yield each line of an answer as it arrives. */
export async function* linesOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (kept + value).split("\n");
      kept = lines.pop();
      yield* lines;
    }
    if (kept) yield kept;
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * Yield the events after an id, as `{ id, data }`. `EventSource` would do, but cannot state the
 * language, and does not say why it fails.
 */
export async function* eventsAfter(path, lastId, signal) {
  const headers = { Accept: "text/event-stream", "Last-Event-ID": lastId };
  let id = lastId;
  for await (const line of linesOf(await send("GET", path, { signal, headers }))) {
    if (line.startsWith("id: ")) id = line.slice(4);
    else if (line.startsWith("data: ")) yield { id, data: JSON.parse(line.slice(6)) };
  }
}
