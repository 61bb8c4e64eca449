/** The part of the page that speaks a text. */

import { call, send } from "../shared/api.js";
import { onLanguage, say, sayNothing } from "../shared/i18n.js";
import { hideError, showError, words } from "./errors.js";
import { Player } from "./player.js";
import { ReferenceForm } from "./reference_form.js";
import { SentenceList } from "./sentence_list.js";
import { Speech } from "./speech.js";
import { offerVoices } from "./voices.js";
import { samplesOf, save, wavOf } from "./wav.js";

const element = (id) => document.getElementById(id);

/** Controls of the part; `voices` are the relay's, `service` is the answer of GET /page. */
export class SpeakView {
  #service = null;
  #speech = null;
  #player = null;
  #reference = new ReferenceForm("", "reference.hint");
  #list = new SentenceList(element("sentences"), element("speak-progress"));

  constructor(voices) {
    offerVoices(voices, element("language"), element("voice"));
    this.voices = voices;
    element("speak-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    element("speak-stop").addEventListener("click", () => this.#stop());
    element("speak-continue").addEventListener("click", () => this.#continue());
    element("text").addEventListener("input", () => this.#showLength());
    element("speed").addEventListener("input", () => this.#showSpeed());
    this.#reference.addEventListener("change", () => {
      element("voice").disabled = this.#reference.hasFile;
    });
    for (const button of document.querySelectorAll("#result button")) {
      button.addEventListener("click", () => this.#download(button));
    }
    onLanguage(() => this.#list.show(this.#speech, this.#player));
    // A page that is left must not let the relay speak on.
    addEventListener("pagehide", () => this.#speech?.stop());
    this.#showSpeed();
  }

  /** Use what the relay states of itself. */
  use(service) {
    this.#service = service;
    this.#reference.use(service);
    this.#showLength();
  }

  async #start() {
    // Browsers allow sound only from within a click.
    this.#player?.stop();
    this.#speech?.stop();
    const player = new Player(() => this.#list.show(this.#speech, this.#player));
    player.prepare();
    this.#player = player;
    this.#speech = null;
    this.#reset();
    this.#setBusy(true);
    try {
      const request = await this.#request();
      const found = await call("POST", "sentences", { text: element("text").value });
      if (this.#player !== player) return;
      this.#speech = this.#followed(new Speech(found.sentences, request, player));
    } catch (error) {
      if (this.#player === player) this.#fail(error);
      return;
    }
    await this.#receive();
  }

  async #continue() {
    element("speak-continue").hidden = true;
    hideError(element("speak-error"));
    this.#setBusy(true);
    await this.#receive();
  }

  async #receive() {
    const speech = this.#speech;
    try {
      await speech.receive();
    } catch (error) {
      if (speech === this.#speech) this.#fail(error);
      return;
    }
    if (speech.stopped || speech !== this.#speech) return;
    this.#status("speak.playing");
    this.#showResult();
    await this.#player.finish();
    if (speech.stopped || speech !== this.#speech) return;
    this.#list.show(speech, this.#player);
    this.#player.stop();
    this.#status("speak.done", { seconds: Math.round(speech.seconds * 10) / 10 });
    this.#setBusy(false);
  }

  #followed(speech) {
    const ifCurrent = (act) => (event) => speech === this.#speech && act(event);
    element("speech").hidden = false;
    this.#list.show(speech, this.#player);
    let nReceived = 0;
    speech.addEventListener("change", ifCurrent(() => {
      if (speech.nReceived > nReceived) this.#status("speak.speaking");
      nReceived = speech.nReceived;
      this.#list.show(speech, this.#player);
    }));
    speech.addEventListener("lost", ifCurrent(() => {
      this.#status("speak.lost", { missing: ranges(speech), next: speech.next + 1 });
      this.#showResult();
    }));
    speech.addEventListener("back", ifCurrent(() => {
      this.#status("speak.back", { next: speech.next + 1 });
    }));
    speech.addEventListener("wait", ifCurrent(async ({ detail: { error, seconds } }) => {
      this.#status("speak.waiting", { detail: await words(error), seconds: Math.ceil(seconds) });
    }));
    return speech;
  }

  #stop() {
    const speech = this.#speech;
    speech?.stop();
    this.#list.show(speech, this.#player);
    this.#player?.stop();
    this.#player = null;
    this.#setBusy(false);
    if (speech !== null) {
      this.#status("speak.stopped");
      this.#showResult();
    } else {
      sayNothing(element("speak-status"));
    }
  }

  #fail(error) {
    showError(element("speak-error"), error);
    const some = (this.#speech?.nReceived ?? 0) > 0;
    // What was received is heard to its end.
    if (!some) this.#player?.stop();
    if (this.#speech !== null) {
      element("speak-continue").hidden = false;
      this.#status("speak.failed");
      this.#showResult();
    } else {
      sayNothing(element("speak-status"));
    }
    this.#setBusy(false, { canStop: some });
  }

  #status(key, values = {}) {
    const { nReceived: n, total } = this.#speech;
    say(element("speak-status"), key, { n, total, ...values });
  }

  #setBusy(isBusy, { canStop = isBusy } = {}) {
    element("speak-start").disabled = isBusy;
    element("speak-stop").disabled = !canStop;
  }

  #reset() {
    hideError(element("speak-error"));
    element("speak-continue").hidden = true;
    element("speech").hidden = true;
    element("result").hidden = true;
    say(element("speak-status"), "speak.starting");
  }

  #showResult() {
    const { pieces, rateHz } = this.#speech;
    element("result").hidden = pieces.length === 0;
    if (pieces.length === 0) return;
    const audio = element("again");
    URL.revokeObjectURL(audio.src);
    audio.src = URL.createObjectURL(wavOf(pieces, rateHz));
  }

  async #download(button) {
    const { pieces, rateHz } = this.#speech;
    const { format } = button.dataset;
    button.disabled = true;
    try {
      let file = wavOf(pieces, rateHz);
      if (format !== "wav") {
        const path = `speech-file?format=${format}&rate=${rateHz}`;
        const headers = { "Content-Type": "application/octet-stream" };
        const answer = await send("POST", path, { body: samplesOf(pieces), headers });
        file = await answer.blob();
      }
      hideError(element("speak-error"));
      save(file, `vieneu.${format}`);
    } catch (error) {
      showError(element("speak-error"), error);
    } finally {
      button.disabled = false;
    }
  }

  async #request() {
    return {
      voice: element("voice").value || null,
      language: element("language").value,
      speed: Number(element("speed").value),
      ...(await this.#reference.fields()),
    };
  }

  #showLength() {
    if (this.#service === null) return;
    const n = [...element("text").value].length;
    const most = this.#service.max_text_chars;
    element("text-length").classList.toggle("warning", n > most);
    say(element("text-length"), n > most ? "speak.too_long" : "speak.length", { n, most });
  }

  #showSpeed() {
    say(element("speed-value"), "speed_value", { speed: Number(element("speed").value) });
  }
}

/** Return the numbers of the sentences that are missing: "4", or "4–7". */
function ranges(speech) {
  const first = speech.next + 1;
  return first === speech.total ? String(first) : `${first}–${speech.total}`;
}
