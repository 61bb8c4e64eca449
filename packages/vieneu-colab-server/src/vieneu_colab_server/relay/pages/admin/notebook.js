// The form of the notebook, as the service describes it, and the file.

import { call, Problem, send } from "../shared/api.js";
import { formatLanguage, onLanguage, t, tOr } from "../shared/i18n.js";
import { make, onSubmit, showProblem } from "../shared/outcome.js";

const FIRST = new Set(["language", "engine", "tunnel", "session_hours", "drive_cache"]);
const INGRESS = "/hassio_ingress/";
const FILE_NAME = "vieneu_relay.ipynb";

export function setUpNotebook() {
  const form = document.getElementById("notebook-form");
  const outcome = document.getElementById("notebook-outcome");
  let fields = [];

  onSubmit(form, outcome, async () => {
    const answer = await send("POST", "notebook", { json: choicesOf(form, fields) });
    download(await answer.blob());
    return t("notebook.done", { file: FILE_NAME });
  }, { running: t("working") });
  form.addEventListener("change", () => showFitting(form, fields));
  onLanguage(() => {
    const typed = new Map(fields.map((field) => [field.name, valueOf(form, field)]));
    draw(typed);
  });

  async function load() {
    if (fields.length) return;
    try {
      fields = (await call("GET", "notebook")).fields;
    } catch (problem) {
      if (problem instanceof Problem) showProblem(outcome, problem);
      return;
    }
    draw(new Map());
  }

  function draw(typed) {
    const first = fields.filter((field) => FIRST.has(field.name));
    const more = fields.filter((field) => !FIRST.has(field.name));
    const drawn = (field) => drawField(field, typed.get(field.name));
    document.getElementById("notebook-fields").replaceChildren(...first.map(drawn));
    document.getElementById("notebook-more").replaceChildren(...more.map(drawn));
    showFitting(form, fields);
  }

  /** Offer the voices that are there now; what was chosen or typed stays. */
  async function loadVoices() {
    if (!fields.length) return;
    let now;
    try {
      now = (await call("GET", "notebook")).fields.find((field) => field.kind === "samples");
    } catch (problem) {
      if (problem instanceof Problem) showProblem(outcome, problem);
      return;
    }
    const before = fields.find((field) => field.kind === "samples");
    if (JSON.stringify(now) === JSON.stringify(before)) return;
    const drawn = drawField(now, valueOf(form, before));
    const drawnBefore = form.querySelector(`[data-field="${before.name}"]`);
    const focused = drawnBefore.contains(document.activeElement) ? document.activeElement.value : null;
    drawnBefore.replaceWith(drawn);
    if (focused !== null) drawn.querySelector(`[value="${CSS.escape(focused)}"]`)?.focus();
    fields = fields.map((field) => (field === before ? now : field));
    showFitting(form, fields);
  }

  return { load, loadVoices };
}

function idOf(field) {
  return `notebook-${field.name.replaceAll("_", "-")}`;
}

function drawField(field, typed) {
  if (field.kind === "samples") return drawSamples(field, typed ?? []);
  const id = idOf(field);
  const label = make("label", { for: id, text: t(`notebook.field.${field.name}`) });
  const helpText = tOr(`notebook.help.${field.name}`, "");
  const input = drawInput(field, typed ?? initialValue(field));
  input.id = id;
  input.name = field.name;
  const help = helpText ? [make("p", { className: "help", id: `${id}-help`, text: helpText })] : [];
  if (helpText) input.setAttribute("aria-describedby", `${id}-help`);
  help.push(...drawLicences(field));
  if (field.kind === "flag") {
    const text = make("div", {}, label, ...help);
    return make("div", { className: "check", "data-field": field.name }, input, text);
  }
  return make("div", { className: "field", "data-field": field.name }, label, input, ...help);
}

/** List the licences of what can be written, since it is downloaded without another question. */
function drawLicences(field) {
  const licences = Object.entries(field.licences);
  if (!licences.length) return [];
  const lines = licences.map(([name, licence]) => make("li", { text: `${name}: ${licence}` }));
  return [
    make("p", { className: "help", text: t("notebook.licences") }),
    make("ul", { className: "help", id: `${idOf(field)}-licences` }, ...lines),
  ];
}

/** Draw a box for each voice that can be carried. */
function drawSamples(field, chosen) {
  const id = idOf(field);
  const legend = make("legend", { text: t(`notebook.field.${field.name}`) });
  const help = make("p", { className: "help", id: `${id}-help`, text: t("notebook.help.samples") });
  const boxes = field.choices.map((choice, n) => {
    const box = make("input", { type: "checkbox", id: `${id}-${n}`, name: field.name, value: choice });
    box.checked = chosen.includes(choice);
    const label = make("label", { for: box.id, text: field.labels[choice] ?? choice });
    return make("div", { className: "check" }, box, label);
  });
  const names = { "data-field": field.name, "aria-describedby": help.id };
  return make("fieldset", names, legend, ...boxes, help);
}

function initialValue(field) {
  if (field.name === "callback_url") {
    // Colab reaches only what is public; browsers know no better sign of that than https. It has no
    // session of Home Assistant, whose ingress asks for one.
    const isReached = location.protocol === "https:" && !location.pathname.includes(INGRESS);
    return isReached ? new URL("api/address", location.href).href : "";
  }
  return field.kind === "list" ? field.default.join(", ") : (field.default ?? "");
}

function drawInput(field, value) {
  if (field.kind === "choice") {
    const select = make("select");
    for (const choice of field.choices) {
      select.append(new Option(nameOf(field, choice), choice));
    }
    select.value = value;
    return select;
  }
  const types = { flag: "checkbox", hours: "number", secret: "password" };
  const input = make("input", { type: types[field.kind] ?? "text", autocomplete: "off" });
  if (field.kind === "flag") {
    input.checked = Boolean(value);
    return input;
  }
  if (field.kind === "hours") {
    Object.assign(input, { min: 0.5, max: field.maximum, step: 0.5, required: true });
  } else {
    input.spellcheck = false;
    if (field.maximum) input.maxLength = field.maximum;
  }
  input.value = value;
  return input;
}

function nameOf(field, choice) {
  if (field.name === "language") return formatLanguage(choice);
  return field.labels[choice] ?? tOr(`notebook.choice.${field.name}.${choice}`, choice);
}

/** Show only the fields that the chosen tunnel allows. */
function showFitting(form, fields) {
  const tunnel = form.elements.namedItem("tunnel")?.value;
  for (const field of fields) {
    const fits = !field.tunnels || field.tunnels.includes(tunnel);
    const isEmpty = field.kind === "samples" && !field.choices.length;
    form.querySelector(`[data-field="${field.name}"]`).hidden = !fits || isEmpty;
    if (field.kind === "samples") limitBoxes(form, field);
  }
}

/** Once as many voices are chosen as a notebook carries, no other one can be. */
function limitBoxes(form, field) {
  const isFull = valueOf(form, field).length >= field.maximum;
  for (const box of boxesOf(form, field)) box.disabled = isFull && !box.checked;
}

function boxesOf(form, field) {
  return [...form.querySelectorAll(`[data-field="${field.name}"] input`)];
}

function valueOf(form, field) {
  if (field.kind === "samples") {
    const checked = boxesOf(form, field).filter((box) => box.checked);
    return checked.map((box) => box.value);
  }
  const input = form.elements.namedItem(field.name);
  return field.kind === "flag" ? input.checked : input.value;
}

/** Return what was chosen; what was left empty has its default. */
function choicesOf(form, fields) {
  const choices = {};
  for (const field of fields) {
    if (form.querySelector(`[data-field="${field.name}"]`).hidden) continue;
    const value = valueOf(form, field);
    const isEmpty = typeof value === "string" && !value.trim();
    if (field.kind === "flag") choices[field.name] = value;
    else if (field.kind === "samples") choices[field.name] = value;
    else if (isEmpty) continue;
    else if (field.kind === "hours") choices[field.name] = Number(value);
    else if (field.kind === "list") choices[field.name] = listOf(value);
    else choices[field.name] = value.trim();
  }
  return choices;
}

function listOf(text) {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
}

function download(blob) {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: FILE_NAME }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
