// Calls of the service: answers, problem documents (RFC 9457), streams of events and of lines.

import { language, t } from "./i18n.js";

/** Relative to the page, so that a proxy may put a prefix before it. */
const API = new URL(document.documentElement.dataset.api, document.baseURI);
/** A gateway that answers so has not reached the service. */
const GATEWAY_STATUSES = [502, 503, 504];

/** A call that the service refuses; its texts are in the language that the service answers in. */
export class Problem extends Error {
  constructor(document) {
    super(document.detail || document.title);
    this.document = document;
  }

  get title() {
    return this.document.title ?? "";
  }

  get detail() {
    return this.document.detail ?? "";
  }

  get remedy() {
    return this.document.remedy ?? "";
  }

  get status() {
    return this.document.status ?? 0;
  }

  /** Kind of the problem; empty where it is none of the service's. */
  get code() {
    return this.document.code ?? "";
  }

  get retryAfterS() {
    return this.document.retry_after_s ?? null;
  }
}

/** The service does not answer, or the connection to it broke. */
export class ConnectionLost extends Problem {
  constructor() {
    super({});
  }

  get title() {
    return t("problem.no_answer");
  }

  get remedy() {
    return t("problem.no_answer_remedy");
  }
}

/** An answer that is not the service's: a proxy answers with a page of its own. */
class Unreadable extends Problem {
  get title() {
    return t("problem.unreadable", { status: this.status });
  }

  get remedy() {
    return t("problem.no_answer_remedy");
  }
}

/** Return the URL of a path of the API. */
export function urlOf(path) {
  return new URL(path, API);
}

/**
 * Send a request with JSON or another body, and return the answer's `Response`.
 * Throws a `Problem` where the service refuses it or does not answer; a session that has ended is
 * published as the event `logged-out` of the document too.
 */
export async function send(method, path, { json, body, signal, headers = {} } = {}) {
  const given = { "Accept-Language": language(), ...headers };
  if (json !== undefined) given["Content-Type"] = "application/json";
  const content = json === undefined ? body : JSON.stringify(json);
  const options = { method, signal, headers: given, body: content, cache: "no-store" };
  let answer;
  try {
    answer = await fetch(urlOf(path), options);
  } catch (error) {
    throw signal?.aborted ? error : new ConnectionLost();
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
  const { status } = answer;
  try {
    const found = await answer.json();
    if (typeof found.code === "string") return new Problem({ ...found, status });
  } catch {
    // Not JSON, or cut off.
  }
  return GATEWAY_STATUSES.includes(status) ? new ConnectionLost() : new Unreadable({ status });
}

/** Send a request, and return the JSON of the answer; null where it has none. */
export async function call(method, path, json, options = {}) {
  const answer = await send(method, path, { json, ...options });
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
