// Voices: the custom ones, those of the active backend, and a form that adds one.

import { call, Problem, send } from "../shared/api.js";
import { formatBytes, language, onLanguage, t, tOr } from "../shared/i18n.js";
import { confirmed, make, onPress, onSubmit, run, showProblem } from "../shared/outcome.js";

const MAX_FILE_BYTES = 3_000_000;
/** As base64 it is a third larger; the service takes 4 MiB. */

export function setUpVoices({ onChange }) {
  const outcome = document.getElementById("voices-outcome");
  const form = document.getElementById("voice-form");
  const usable = document.getElementById("usable");
  const player = document.getElementById("player");
  let own = [];
  let version = "";

  usable.addEventListener("toggle", () => usable.open && loadUsable());
  onSubmit(form, document.getElementById("voice-outcome"), async (data) => {
    const file = data.get("file");
    if (file.size > MAX_FILE_BYTES) {
      const most = formatBytes(MAX_FILE_BYTES);
      throw new Problem({ title: t("voices.too_large"), remedy: t("voices.too_large_remedy", { most }) });
    }
    const added = await call("POST", "voices", {
      audio_base64: await base64Of(file),
      transcript: data.get("transcript"),
      name: data.get("name"),
      language: data.get("language"),
    });
    form.reset();
    await load();
    return t("voices.added", { name: added.name });
  });
  onLanguage(() => {
    draw();
    if (usable.open) loadUsable();
  });

  /** Follow what is usable, whoever changed it; what is said of an action stays. */
  async function show(status) {
    if (status.voices_version === version) return;
    version = status.voices_version;
    await load();
  }

  async function load() {
    try {
      const before = JSON.stringify(own);
      own = (await call("GET", "voices")).voices;
      // Drawn where they differ: the focus stays on its button.
      if (JSON.stringify(own) !== before) draw();
      document.getElementById("no-voices").hidden = own.length > 0;
      if (usable.open) await drawUsable();
    } catch (problem) {
      if (problem instanceof Problem) showProblem(outcome, problem);
      return;
    }
    onChange();
  }

  async function loadUsable() {
    await run(usable, outcome, drawUsable);
  }

  async function drawUsable() {
    const { voices } = await call("GET", "voices/usable");
    const list = document.getElementById("usable-voices");
    const shown = JSON.stringify([voices, language()]);
    if (list.dataset.shown === shown) return;
    list.dataset.shown = shown;
    const items = voices.map((voice) => {
      const path = `voices/${encodeURIComponent(voice.id)}/sample`;
      return drawVoice(voice, [listenButton(voice, t("voices.sample"), "POST", path)]);
    });
    list.replaceChildren(...items);
  }

  function draw() {
    const items = own.map((voice) => {
      const path = `voices/${encodeURIComponent(voice.id)}`;
      const remove = make("button", { type: "button", className: "danger", text: t("voices.delete") });
      remove.setAttribute("aria-label", t("voices.delete_name", { name: voice.name }));
      onPress(remove, outcome, () => removeVoice(voice, path));
      return drawVoice(voice, [listenButton(voice, t("voices.listen"), "GET", `${path}/clip`), remove]);
    });
    document.getElementById("own-voices").replaceChildren(...items);
  }

  async function removeVoice(voice, path) {
    const question = t("voices.delete_question", { name: voice.name });
    if (!(await confirmed(question, t("voices.delete")))) return "";
    await call("DELETE", path);
    await load();
    document.getElementById("voices-heading").focus();
    return t("voices.deleted", { name: voice.name });
  }

  function listenButton(voice, text, method, path) {
    const button = make("button", { type: "button", text });
    button.setAttribute("aria-label", `${text}: ${voice.name}`);
    onPress(button, outcome, async () => {
      const answer = await send(method, path);
      if (player.src) URL.revokeObjectURL(player.src);
      player.src = URL.createObjectURL(await answer.blob());
      player.hidden = false;
      // A browser may forbid sound that begins after a while; the control is there then.
      await player.play().catch(() => {});
    });
    return button;
  }

  return { show };
}

function drawVoice(voice, buttons) {
  const language = tOr(`language_name.${voice.language}`, voice.language);
  const name = make("span", { className: "name", text: voice.name });
  const about = make("span", { className: "muted", text: ` · ${voice.id} · ${language}` });
  name.append(about);
  return make("li", { "data-voice": voice.id }, name, ...buttons);
}

function base64Of(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result.split(",")[1] ?? ""));
    reader.addEventListener("error", () => reject(new Problem({ title: t("voices.unreadable") })));
    reader.readAsDataURL(file);
  });
}
