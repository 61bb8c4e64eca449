/** The fields for a recording whose voice is used: a file, its transcript, and consent. */

import { say } from "../shared/i18n.js";
import { Mistake } from "./errors.js";
import { recordingOf } from "./recording.js";

const element = (id) => document.getElementById(id);

/** Fields whose ids begin with `prefix`; "change" is dispatched where a file is chosen or removed. */
export class ReferenceForm extends EventTarget {
  #maxSeconds = 0;

  constructor(prefix, hintKey) {
    super();
    this.hintKey = hintKey;
    this.hint = element(`${prefix}reference-hint`);
    this.file = element(`${prefix}reference-file`);
    this.transcript = element(`${prefix}transcript`);
    this.consent = element(`${prefix}consent`);
    this.remove = element(`${prefix}reference-remove`);
    this.file.addEventListener("change", () => this.#show());
    this.remove.addEventListener("click", () => this.#clear());
  }

  /** Use what the relay states of itself. */
  use(service) {
    this.#maxSeconds = service.max_reference_s;
    const key = service.clones ? this.hintKey : "reference.unavailable";
    say(this.hint, key, { seconds: service.max_reference_s });
    this.file.disabled = !service.clones;
  }

  get hasFile() {
    return this.file.files.length > 0;
  }

  /** Return the fields of a request; none where nothing is entered. Throws Mistake. */
  async fields() {
    const [file] = this.file.files;
    const transcript = this.transcript.value.trim();
    if (file === undefined && transcript === "") return {};
    if (file === undefined) throw new Mistake("reference.no_file");
    if (transcript === "") throw new Mistake("reference.no_transcript");
    if (!this.consent.checked) throw new Mistake("reference.no_consent");
    const sample = await recordingOf(file, this.#maxSeconds);
    return { voice: null, voice_sample_path: sample, voice_transcript: transcript };
  }

  #clear() {
    this.file.value = "";
    this.transcript.value = "";
    this.consent.checked = false;
    this.#show();
    this.file.focus();
  }

  #show() {
    this.remove.hidden = !this.hasFile;
    this.dispatchEvent(new Event("change"));
  }
}
