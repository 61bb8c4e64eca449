/** Speech of one text: streamed sentence by sentence, and continued after a lost connection. */

import { ConnectionLost, Problem, send } from "../shared/api.js";
import { AUDIO, FRAMES, frames, SENTENCE, SENTENCE_END, START } from "./frames.js";

const CHECK_EVERY_MS = 1_000;
const CHECK_TIMEOUT_MS = 5_000;
const LONGEST_WAIT_MS = 10 * 60_000;

/**
 * Speech of given sentences. Events: "change"; "lost", "back" and "wait" with details.
 *
 * `request` holds the fields of POST /tts/stream besides text and request id.
 */
export class Speech extends EventTarget {
  #stopping = new AbortController();
  #waitedMs = 0;
  #streamRateHz = 0;

  constructor(sentences, request, player) {
    super();
    this.request = request;
    this.player = player;
    this.rateHz = 0;
    this.sentences = sentences.map((text) => ({ text, state: "waiting", speaker: null, pieces: [] }));
  }

  get nReceived() {
    return this.sentences.filter((sentence) => sentence.state === "received").length;
  }

  get total() {
    return this.sentences.length;
  }

  get stopped() {
    return this.#stopping.signal.aborted;
  }

  get seconds() {
    const nSamples = this.pieces.reduce((sum, piece) => sum + piece.length, 0);
    return this.rateHz === 0 ? 0 : nSamples / this.rateHz;
  }

  /** All samples so far. */
  get pieces() {
    return this.sentences.flatMap((sentence) => sentence.pieces);
  }

  /** Index of the first sentence that was not received whole. */
  get next() {
    const found = this.sentences.findIndex((sentence) => sentence.state !== "received");
    return found === -1 ? this.total : found;
  }

  /** Receive what is missing. Throws what the user must know; nothing received is lost. */
  async receive() {
    this.#waitedMs = 0;
    while (this.next < this.total) {
      try {
        await this.#stream(this.next);
      } catch (error) {
        if (this.stopped) return;
        this.#giveUpSentence();
        if (error instanceof ConnectionLost) await this.#reconnect();
        else await this.#waitOut(error);
        if (this.stopped) return;
      }
    }
  }

  /** Stop receiving; the relay stops speaking. */
  stop() {
    this.#stopping.abort();
    this.#giveUpSentence();
  }

  async #stream(first) {
    const { signal } = this.#stopping;
    const answer = await send("POST", "tts/stream", {
      json: {
        ...this.request,
        text: this.sentences.slice(first).map((sentence) => sentence.text),
        request_id: newId(),
      },
      headers: { Accept: FRAMES },
      signal,
    });
    for await (const frame of frames(answer, signal)) {
      if (this.stopped) return;
      if (frame.type === START) {
        this.#streamRateHz = frame.content.sample_rate_hz;
        this.rateHz ||= this.#streamRateHz;
        await this.player.useRate(this.rateHz);
      } else {
        this.#take(frame, first + frame.sentence);
      }
    }
    if (this.next < this.total) throw new Error("fewer sentences than were asked for");
  }

  #take(frame, index) {
    const sentence = this.sentences[index];
    if (sentence === undefined) return;
    if (frame.type === SENTENCE) {
      if (sentence.pieces.length > 0) this.player.restart(index);
      Object.assign(sentence, { state: "speaking", speaker: frame.content, pieces: [] });
    } else if (frame.type === AUDIO) {
      const samples = resampled(frame.content, this.#streamRateHz, this.rateHz);
      sentence.pieces.push(samples);
      this.player.push(index, samples);
    } else if (frame.type === SENTENCE_END) {
      sentence.state = "received";
    }
    this.#waitedMs = 0;
    this.dispatchEvent(new Event("change"));
  }

  #giveUpSentence() {
    for (const sentence of this.sentences) {
      if (sentence.state === "speaking" || sentence.state === "waiting") sentence.state = "missing";
    }
    this.dispatchEvent(new Event("change"));
  }

  async #reconnect() {
    this.dispatchEvent(new Event("lost"));
    do {
      await this.#pause(CHECK_EVERY_MS);
      if (this.stopped) return;
      if (this.#waitedMs > LONGEST_WAIT_MS) throw new ConnectionLost();
    } while (!(await isReady()));
    this.dispatchEvent(new Event("back"));
  }

  async #waitOut(error) {
    // Busy, loading or too many requests: the relay says when to come again.
    const isPassing = error instanceof Problem && error.retryAfterS !== null;
    if (!isPassing || this.#waitedMs > LONGEST_WAIT_MS) throw error;
    const seconds = Math.max(1, error.retryAfterS);
    this.dispatchEvent(new CustomEvent("wait", { detail: { error, seconds } }));
    await this.#pause(1_000 * seconds);
  }

  async #pause(ms) {
    this.#waitedMs += ms;
    const { signal } = this.#stopping;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
    });
  }
}

// Another backend may have another rate once the connection is back.
function resampled(samples, fromHz, toHz) {
  if (fromHz === toHz) return samples;
  const step = fromHz / toHz;
  return Int16Array.from({ length: Math.floor(samples.length / step) }, (_, at) => {
    const from = Math.floor(at * step);
    const part = at * step - from;
    return samples[from] * (1 - part) + (samples[from + 1] ?? samples[from]) * part;
  });
}

async function isReady() {
  try {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
    return (await fetch(new URL("readyz", document.baseURI), { signal, cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
