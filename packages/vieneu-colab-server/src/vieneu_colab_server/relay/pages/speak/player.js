/** Player of samples as they arrive, without gaps (Web Audio). */

const AHEAD_S = 20;
// Each scheduled piece costs the audio thread a little at every block: few, long ones.
const PIECE_S = 1;
const FIRST_START_S = 0.1;
const CHECK_MS = 100;
const RATE_KEPT = "vieneu.rate";
const USUAL_RATE_HZ = 24_000;

/** Plays one speech; `prepare` is called within a click, as browsers demand. */
export class Player {
  #context = null;
  #rate = USUAL_RATE_HZ;
  #waiting = [];
  #playing = [];
  #nextS = 0;
  #timer = null;
  #times = new Map();
  #ended = null;
  #complete = false;

  /** @param onChange called when another sentence is heard */
  constructor(onChange) {
    this.onChange = onChange;
  }

  /** Ask the browser for sound. */
  prepare() {
    this.#open(Number(stored()) || USUAL_RATE_HZ);
    this.#timer = setInterval(() => this.#tick(), CHECK_MS);
  }

  /** Play samples of this rate from now on. */
  async useRate(rateHz) {
    this.#rate = rateHz;
    if (this.#context === null || this.#context.sampleRate === rateHz || this.#playing.length) return;
    // The browser would resample each piece by itself, audibly.
    const before = this.#context;
    this.#open(rateHz);
    await Promise.race([this.#context.resume(), new Promise((done) => setTimeout(done, 500))]);
    if (this.#context?.state === "running") {
      before.close();
      keep(rateHz);
    } else {
      this.#context?.close();
      this.#context = before;
    }
  }

  /** Forget what was not yet heard of a sentence: it comes again. */
  restart(sentence) {
    if (this.#context === null) return;
    this.#waiting = this.#waiting.filter((piece) => piece.sentence !== sentence);
    const dropped = this.#playing.filter((piece) => piece.sentence === sentence);
    this.#playing = this.#playing.filter((piece) => piece.sentence !== sentence);
    for (const piece of dropped) piece.source.stop();
    const firstS = Math.min(...dropped.map((piece) => piece.startS), this.#nextS);
    this.#nextS = Math.max(firstS, this.#context.currentTime);
    this.#times.delete(sentence);
  }

  /** Play samples of a sentence after all before. */
  push(sentence, samples) {
    const last = this.#waiting.at(-1);
    if (last?.sentence === sentence && last.length < PIECE_S * this.#rate && this.#isAhead()) {
      last.parts.push(samples);
      last.length += samples.length;
    } else {
      this.#waiting.push({ sentence, parts: [samples], length: samples.length });
    }
    this.#schedule();
  }

  /** Return a promise of the end of what is heard; nothing more is pushed. */
  finish() {
    this.#complete = true;
    return new Promise((resolve) => {
      this.#ended = resolve;
      this.#tick();
    });
  }

  /** Be silent now. */
  stop() {
    clearInterval(this.#timer);
    for (const piece of this.#playing) piece.source.stop();
    this.#playing = [];
    this.#waiting = [];
    this.#context?.close();
    this.#context = null;
    this.#ended?.();
  }

  /** Whether a sentence is "playing" or "heard"; null before. */
  state(sentence) {
    const time = this.#times.get(sentence);
    const nowS = this.#context?.currentTime;
    if (time === undefined || nowS === undefined || nowS < time.startS) return null;
    const isLast = this.#waiting.every((piece) => piece.sentence !== sentence);
    return isLast && nowS >= time.endS ? "heard" : "playing";
  }

  #open(rateHz) {
    try {
      this.#context = new AudioContext({ sampleRate: rateHz });
    } catch {
      this.#context = new AudioContext();
    }
    this.#context.resume();
  }

  #isAhead() {
    return this.#nextS - this.#context.currentTime > PIECE_S;
  }

  #schedule() {
    const context = this.#context;
    while (context !== null && this.#waiting.length > 0) {
      if (this.#nextS - context.currentTime > AHEAD_S) return;
      const piece = this.#waiting.shift();
      const buffer = context.createBuffer(1, Math.max(1, piece.length), this.#rate);
      const channel = buffer.getChannelData(0);
      let at = 0;
      for (const part of piece.parts) {
        for (const sample of part) channel[at++] = sample / 32768;
      }
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(context.destination);
      if (this.#nextS < context.currentTime + 0.02) {
        // On the grid of samples: between two of them the browser would interpolate.
        const startS = context.currentTime + FIRST_START_S;
        this.#nextS = Math.ceil(startS * this.#rate) / this.#rate;
      }
      source.start(this.#nextS);
      const startS = this.#nextS;
      this.#nextS += piece.length / this.#rate;
      this.#playing.push({ sentence: piece.sentence, source, startS, endS: this.#nextS });
      const known = this.#times.get(piece.sentence);
      this.#times.set(piece.sentence, { startS: known?.startS ?? startS, endS: this.#nextS });
    }
  }

  #tick() {
    this.#schedule();
    const nowS = this.#context?.currentTime ?? 0;
    this.#playing = this.#playing.filter((piece) => piece.endS > nowS);
    this.onChange();
    if (this.#complete && this.#playing.length === 0 && this.#waiting.length === 0) {
      this.#ended?.();
    }
  }
}

function stored() {
  try {
    return localStorage.getItem(RATE_KEPT);
  } catch {
    return null;
  }
}

function keep(rateHz) {
  try {
    localStorage.setItem(RATE_KEPT, String(rateHz));
  } catch {
    // Asked again at the next visit.
  }
}
