// What came of an action, next to what caused it, in an element that screen readers read.

import { Problem } from "./api.js";
import { t } from "./i18n.js";

/** Make an element with text and children. */
export function make(tag, { text, className, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Write a text where it differs: what is read or selected there stays. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show a problem in an element with `aria-live`. */
export function showProblem(outcome, problem) {
  const lines = [make("strong", { text: problem.title || t("problem.unknown") })];
  for (const text of [problem.detail, problem.remedy]) {
    if (text) lines.push(make("span", { text }));
  }
  outcome.className = "outcome problem";
  outcome.replaceChildren(...lines);
}

/** Show that an action succeeded. */
export function showDone(outcome, text) {
  outcome.className = "outcome done";
  outcome.replaceChildren(make("span", { text }));
}

/** Show that an action is running. */
export function showRunning(outcome, text) {
  outcome.className = "outcome running";
  outcome.replaceChildren(make("span", { text }));
}

export function clearOutcome(outcome) {
  outcome.className = "outcome";
  outcome.replaceChildren();
}

/**
 * Run an action, and show what came of it. A control that is pressed again meanwhile does nothing;
 * it keeps the focus, which a disabled one would lose.
 * `action` returns the text of success, or nothing to show none.
 */
export async function run(control, outcome, action, { running } = {}) {
  if (control.getAttribute("aria-disabled") === "true") return false;
  control.setAttribute("aria-disabled", "true");
  showRunning(outcome, running ?? t("working"));
  try {
    const text = await action();
    if (text) showDone(outcome, text);
    else clearOutcome(outcome);
    return true;
  } catch (error) {
    if (error.name === "AbortError") clearOutcome(outcome);
    else if (error instanceof Problem) showProblem(outcome, error);
    else {
      console.error(error);
      showProblem(outcome, new Problem({ title: t("problem.unknown"), detail: error.message }));
    }
    return false;
  } finally {
    control.removeAttribute("aria-disabled");
  }
}

/** Call an action for each press of a button; its outcome is shown in an element. */
export function onPress(button, outcome, action, options) {
  button.addEventListener("click", () => run(button, outcome, action, options));
}

/** Call an action for each submission of a form; what was typed stays. */
export function onSubmit(form, outcome, action, options) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const control = event.submitter ?? form.querySelector("button[type=submit]");
    run(control, outcome, () => action(new FormData(form)), options);
  });
}

/** Ask before an action that cannot be undone; resolves to the answer. */
export function confirmed(question, label) {
  const dialog = make("dialog", { "aria-label": question, className: "question" });
  const yes = make("button", { text: label, type: "submit", value: "yes", className: "danger" });
  const no = make("button", { text: t("cancel"), type: "submit", value: "no" });
  const form = make("form", { method: "dialog" }, no, yes);
  dialog.append(make("p", { text: question }), form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
