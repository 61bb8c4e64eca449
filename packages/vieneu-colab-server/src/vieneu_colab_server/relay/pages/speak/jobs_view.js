/** The part of the page for long texts: jobs that go on without the page. */

import { call, send } from "../shared/api.js";
import { onLanguage, say, t } from "../shared/i18n.js";
import { hideError, Mistake, showError } from "./errors.js";
import { JobItem, nameOf } from "./job_item.js";
import { JobWatch } from "./job_watch.js";
import { ReferenceForm } from "./reference_form.js";
import { fillVoices, offerVoices } from "./voices.js";

const MAX_FILE_BYTES = 2 << 20;
// As the relay reads a turn: relay/jobs/script.py.
const TURN = /^\s*([^\s:\uff1a][^:\uff1a]{0,39})[:\uff1a](?:\s|$)/;
const MOST_SPEAKERS = 64;
const element = (id) => document.getElementById(id);

/** Controls of the part. */
export class JobsView {
  #items = new Map();
  #reference = new ReferenceForm("job-", "jobs.reference_hint");
  /** Ends once the text of the chosen file is there. */
  #reading = Promise.resolve();
  #watch = new JobWatch((job) => this.#update(job), (jobs) => this.#showAll(jobs));

  constructor(voices) {
    this.voices = voices;
    offerVoices(voices, element("job-language"), element("job-voice"));
    element("job-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(event.submitter);
    });
    element("job-file").addEventListener("change", () => {
      this.#reading = this.#readFile();
    });
    element("job-text").addEventListener("input", () => this.#showSpeakers());
    this.#reference.addEventListener("change", () => {
      element("job-voice").disabled = this.#reference.hasFile;
      this.#showSpeakers();
    });
    element("job-speed").addEventListener("input", () => this.#showSpeed());
    for (const radio of document.querySelectorAll("[name=kind]")) {
      radio.addEventListener("change", () => this.#showKind());
    }
    const showAgain = () => {
      this.#showSpeakers();
      for (const item of this.#items.values()) item.show();
    };
    voices.addEventListener("change", showAgain);
    onLanguage(showAgain);
    this.#showKind();
    this.#showSpeed();
  }

  /** Use what the relay states of itself. */
  use(service) {
    this.#reference.use(service);
  }

  /** Follow the jobs while they are seen. */
  follow(isShown) {
    this.#watch.use(isShown);
  }

  get #kind() {
    return document.querySelector("[name=kind]:checked").value;
  }

  async #submit(button) {
    button.disabled = true;
    await this.#reading;
    try {
      const job = await call("POST", "jobs", await this.#body());
      hideError(element("job-error"));
      say(element("job-status"), "jobs.created", { name: nameOf(job) });
      this.#update(job);
      this.#watch.refresh();
    } catch (error) {
      showError(element("job-error"), error);
    } finally {
      button.disabled = false;
    }
  }

  async #body() {
    const lists = [...document.querySelectorAll("#speaker-voices select")];
    const isDialogue = this.#kind === "dialogue";
    // Who has no voice here speaks with that of the recording.
    const chosen = lists.map((list) => [list.dataset.speaker, list.value]).filter(([, voice]) => voice);
    return {
      [this.#kind]: element("job-text").value,
      name: element("job-name").value,
      language: element("job-language").value,
      voice: isDialogue ? null : element("job-voice").value || null,
      voices: isDialogue ? Object.fromEntries(chosen) : {},
      speed: Number(element("job-speed").value),
      format: element("job-format").value,
      fallback: element("job-fallback").value,
      ...(await this.#reference.fields()),
    };
  }

  async #readFile() {
    const [file] = element("job-file").files;
    if (file === undefined) return;
    const isCurrent = () => element("job-file").files[0] === file;
    try {
      const text = await textOf(file);
      if (!isCurrent()) return;
      element("job-text").value = text;
      hideError(element("job-file-error"));
    } catch (error) {
      if (!isCurrent()) return;
      showError(element("job-file-error"), error);
      element("job-file").value = ""; // else the same file, once mended, could not be chosen again
      return;
    }
    if (/\.srt$/i.test(file.name)) document.querySelector("[name=kind][value=srt]").checked = true;
    element("job-name").value ||= file.name.replace(/\.[^.]*$/, "").slice(0, 100);
    this.#showKind();
  }

  #showKind() {
    say(element("job-hint"), `jobs.hint_${this.#kind}`);
    // Each speaker of a dialogue has a voice, which has a language.
    for (const id of ["job-voice-field", "job-language-field"]) {
      element(id).hidden = this.#kind === "dialogue";
    }
    this.#showSpeakers();
  }

  #showSpeakers() {
    const speakers = this.#kind === "dialogue" ? speakersOf(element("job-text").value) : [];
    element("speakers").hidden = speakers.length === 0;
    const known = new Map([...element("speaker-voices").children].map((field) => [field.dataset.speaker, field]));
    const fields = speakers.map((name, index) => known.get(name) ?? speakerField(name, index));
    element("speaker-voices").replaceChildren(...fields);
    const own = this.#reference.hasFile ? [["", t("jobs.speaker_reference")]] : [];
    fields.forEach((field, index) => {
      const list = field.querySelector("select");
      const isNew = list.options.length === 0;
      fillVoices(this.voices, list, null, own);
      if (isNew) this.#choose(list, index);
    });
  }

  /** Choose a voice for a new speaker: another one for each, in the language where there is one. */
  #choose(list, index) {
    const language = element("job-language").value;
    const others = this.voices.all.filter((voice) => voice.language !== language);
    const foreign = new Set(others.map((voice) => voice.id));
    const options = [...list.options];
    const own = options.filter((option) => option.value && !foreign.has(option.value));
    const offered = own.length > 0 ? options.filter((option) => !foreign.has(option.value)) : options;
    if (offered.length > 0) list.value = offered[index % offered.length].value;
  }

  #showSpeed() {
    say(element("job-speed-value"), "speed_value", { speed: Number(element("job-speed").value) });
  }

  #showAll(jobs) {
    const ids = new Set(jobs.map((job) => job.id));
    for (const [id, item] of this.#items) {
      if (!ids.has(id)) this.#drop(id, item);
    }
    for (const job of jobs) this.#update(job);
  }

  #update(job) {
    let item = this.#items.get(job.id);
    if (item === undefined) {
      item = new JobItem(job, (act) => this.#act(job.id, act));
      this.#items.set(job.id, item);
      element("job-list").prepend(item.element);
    } else if (item.job.state !== job.state && (job.state === "done" || job.state === "failed")) {
      const key = job.state === "done" ? "jobs.finished" : "jobs.ended_failed";
      say(element("job-status"), key, { name: nameOf(job) });
    }
    item.show(job);
    element("no-jobs").hidden = this.#items.size > 0;
  }

  async #act(id, act) {
    try {
      if (act === "retry") this.#update(await call("POST", `jobs/${id}/retry`));
      else await call("DELETE", `jobs/${id}`);
      hideError(element("job-error"));
    } catch (error) {
      showError(element("job-error"), error);
    }
    this.#watch.refresh();
  }

  #drop(id, item) {
    const hadFocus = item.element.contains(document.activeElement);
    item.element.remove();
    this.#items.delete(id);
    element("no-jobs").hidden = this.#items.size > 0;
    if (hadFocus) element("main").focus();
  }
}

function speakersOf(script) {
  const names = new Map();
  for (const line of script.split(/\r\n?|\n/)) {
    const name = TURN.exec(line)?.[1].trim();
    if (name && names.size < MOST_SPEAKERS) {
      const folded = name.normalize("NFC").replace(/\s+/g, " ").toLowerCase();
      if (!names.has(folded)) names.set(folded, name);
    }
  }
  return [...names.values()];
}

function speakerField(name, index) {
  const field = document.createElement("div");
  field.dataset.speaker = name;
  const label = Object.assign(document.createElement("label"), { textContent: name });
  const list = document.createElement("select");
  list.id = `speaker-${Date.now()}-${index}`;
  list.dataset.speaker = name;
  label.htmlFor = list.id;
  field.append(label, list);
  return field;
}

/** Return the text of a file; the relay knows in which encoding it is. */
async function textOf(file) {
  if (file.size > MAX_FILE_BYTES) {
    throw new Mistake("jobs.file_too_large", { most: MAX_FILE_BYTES >> 20 });
  }
  const headers = { "Content-Type": "application/octet-stream" };
  const answer = await send("POST", "file-text", { body: await file.arrayBuffer(), headers });
  return (await answer.json()).text;
}
