/** List of the sentences of a speech: how far each is, and who spoke it. */

import { t } from "../shared/i18n.js";

const KNOWN_BACKENDS = new Set(["local", "remote", "last_resort"]);

/** Shows a speech in a list and in a progress bar. */
export class SentenceList {
  #speech = null;

  constructor(list, progress) {
    this.list = list;
    this.progress = progress;
  }

  /** Show how far a speech is; only what has changed is touched. */
  show(speech, player) {
    if (speech === null) return;
    if (speech !== this.#speech) {
      this.#speech = speech;
      this.list.replaceChildren(...speech.sentences.map((sentence) => itemOf(sentence)));
    }
    this.progress.max = speech.total;
    this.progress.value = speech.nReceived;
    speech.sentences.forEach((sentence, index) => {
      const item = this.list.children[index];
      const heard = player?.state(index) ?? null;
      // What was heard once stays so, also when the player has gone.
      if (heard === "heard") sentence.heard = sentence.state === "received";
      const isHeard = heard === "heard" || (heard === null && sentence.heard);
      const state = sentence.state === "missing" ? "missing"
        : heard === "playing" ? "playing" : isHeard ? "heard" : sentence.state;
      item.dataset.state = state;
      setText(item.lastElementChild, [t(`sentence.${state}`), ...speakerOf(sentence)].join(" · "));
    });
  }
}

function itemOf(sentence) {
  const item = document.createElement("li");
  const details = document.createElement("span");
  details.className = "details";
  item.append(Object.assign(document.createElement("span"), { textContent: sentence.text }), details);
  return item;
}

function speakerOf({ speaker }) {
  if (speaker === null) return [];
  const { backend, engine, voice } = speaker;
  const place = KNOWN_BACKENDS.has(backend) ? t(`backend.${backend}`) : backend;
  const who = t("sentence.speaker", { backend: place || engine, engine, voice });
  return speaker.stand_in ? [who, t("sentence.fallback")] : [who];
}

function setText(element, shown) {
  if (element.textContent !== shown) element.textContent = shown;
}
