/** One job in the list. */

import { Problem, urlOf } from "../shared/api.js";
import { language, t } from "../shared/i18n.js";
import { hideError, showError } from "./errors.js";

const MOST_NOTES = 5;
const ENDED = new Set(["done", "failed", "cancelled"]);

/** Return a job's name for people. */
export function nameOf(job) {
  if (job.spec.name) return job.spec.name;
  const created = new Date(job.created_at);
  // One format for both has the time before the date in Vietnamese.
  const written = (form) => new Intl.DateTimeFormat(language(), form).format(created);
  const date = written({ year: "numeric", month: "long", day: "numeric" });
  return t(`jobs.unnamed_${job.spec.kind}`, { date, time: written({ timeStyle: "short" }) });
}

/** Shows a job; its elements stay, so that the focus does too. */
export class JobItem {
  constructor(job, act) {
    this.job = job;
    this.element = make("li", "job");
    this.title = make("h3");
    this.count = make("p", "hint");
    this.bar = make("progress");
    this.problem = make("div", "error");
    this.notes = make("ul", "hint");
    this.audio = download();
    this.subtitles = download();
    this.buttons = {
      retry: button(() => act("retry")),
      cancel: button(() => act("cancel")),
      remove: button(() => act("remove")),
    };
    const actions = make("div", "actions");
    actions.append(this.audio, this.subtitles, ...Object.values(this.buttons));
    this.element.append(this.title, this.count, this.bar, this.problem, this.notes, actions);
  }

  /** Show how far the job is. */
  show(job = this.job) {
    // The list states no notes: those that are known are kept.
    const notes = job.notes.length > 0 || job.n_notes === 0 ? job.notes : this.job.notes;
    this.job = { ...job, notes };
    const name = nameOf(job);
    const isDone = job.state === "done";
    setText(this.title, name);
    setText(this.count, [this.#countText(), ...this.#lengthText()].join(" · "));
    this.bar.max = job.n_sentences;
    this.bar.value = job.n_done;
    this.bar.setAttribute("aria-label", t("jobs.progress", { name }));
    this.bar.hidden = ENDED.has(job.state);
    this.#showProblem();
    this.#showNotes();
    const { format } = job.spec;
    this.#showLink(this.audio, "audio", t("jobs.audio", { format: format.toUpperCase() }), isDone);
    this.#showLink(this.subtitles, "subtitles", t("jobs.subtitles"), isDone);
    this.#showButton("retry", job.state === "failed");
    this.#showButton("cancel", !ENDED.has(job.state));
    this.#showButton("remove", ENDED.has(job.state));
  }

  #countText() {
    const { state, joining, n_done: n, n_sentences: total } = this.job;
    const shown = joining && state === "running" ? "joining" : state;
    return t("jobs.count", { state: t(`jobs.state_${shown}`), n, total });
  }

  #lengthText() {
    const { seconds, spec } = this.job;
    if (seconds === null || seconds === undefined) return [];
    const whole = Math.round(seconds);
    const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const length = parts.map((part) => String(part).padStart(2, "0")).join(":");
    return [t("jobs.length", { format: spec.format.toUpperCase(), length })];
  }

  #showProblem() {
    const { problem } = this.job;
    const shown = this.problem.error?.document ?? null;
    if (!problem) hideError(this.problem);
    else if (shown?.detail !== problem.detail) showError(this.problem, new Problem(problem));
  }

  #showNotes() {
    const { notes, n_notes: total } = this.job;
    this.notes.hidden = total === 0;
    const lines = notes.slice(0, MOST_NOTES).map((note) => t(`jobs.note_${note.kind}`, {
      line: note.line,
      seconds: Math.round((note.late_s ?? 0) * 10) / 10,
    }));
    const rest = total - lines.length;
    if (rest > 0 && lines.length > 0) lines.push(t("jobs.more_notes", { n: rest }));
    if (total > 0) lines.unshift(t("jobs.notes", { n: total }));
    const shown = [...this.notes.children].map((item) => item.textContent);
    if (shown.join("\n") === lines.join("\n")) return;
    this.notes.replaceChildren(...lines.map((line) => Object.assign(make("li"), { textContent: line })));
  }

  #showLink(link, path, label, isShown) {
    link.href = urlOf(`jobs/${this.job.id}/${path}`);
    this.#show(link, label, isShown);
  }

  #showButton(act, isShown) {
    this.#show(this.buttons[act], t(`jobs.${act}`), isShown);
  }

  #show(element, label, isShown) {
    setText(element, label);
    element.setAttribute("aria-label", t("jobs.of", { action: label, name: nameOf(this.job) }));
    element.hidden = !isShown;
  }
}

function make(kind, className = "") {
  return Object.assign(document.createElement(kind), { className });
}

function button(onClick) {
  const made = Object.assign(make("button", "quiet"), { type: "button" });
  made.addEventListener("click", onClick);
  return made;
}

function download() {
  return Object.assign(make("a", "button quiet"), { download: "" });
}

function setText(element, shown) {
  if (element.textContent !== shown) element.textContent = shown;
}
