// The user's dictionary: its content in a text box, saved as a whole, with what is wrong by line.

import { call, Problem } from "../shared/api.js";
import { formatNumber, onLanguage, t } from "../shared/i18n.js";
import { confirmed, make, onPress, onSubmit, setText, showProblem } from "../shared/outcome.js";

export function setUpDictionary() {
  const form = document.getElementById("dictionary-form");
  const box = document.getElementById("dictionary-text");
  const outcome = document.getElementById("dictionary-outcome");
  const badLines = document.getElementById("dictionary-lines");
  let stored = null;

  onLanguage(() => stored && load());
  onSubmit(form, outcome, async () => {
    take(await call("PUT", "dictionary", { text: box.value, version: stored?.version ?? "" }));
    return t("dictionary.saved", { n: formatNumber(stored.entries) });
  });
  onPress(document.getElementById("dictionary-reload"), outcome, async () => {
    if (isChanged() && !(await confirmed(t("dictionary.question"), t("dictionary.reload")))) return "";
    stored = null;
    take(await call("GET", "dictionary"));
    return "";
  });

  function isChanged() {
    return stored !== null && box.value !== stored.text;
  }

  async function load() {
    try {
      take(await call("GET", "dictionary"));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      showProblem(outcome, problem);
    }
  }

  /** Show what the file holds; what was typed and not saved stays, and belongs to its version. */
  function take(given) {
    const answer = { ...given, text: given.text.replace(/\r\n?/g, "\n") }; // as a text box has it
    if (isChanged() && answer.text !== box.value) {
      stored = { ...answer, text: stored.text, version: stored.version };
    } else {
      stored = answer;
      if (box.value !== answer.text) box.value = answer.text;
    }
    setText(document.getElementById("dictionary-file"), t("dictionary.file", { path: answer.path }));
    const note = document.getElementById("dictionary-problem");
    note.hidden = !answer.problem;
    const lines = answer.problem ? [answer.problem.detail, answer.problem.remedy] : [];
    note.replaceChildren(...lines.map((text) => make("p", { text })));
    document.getElementById("dictionary-skipped").hidden = answer.bad_lines.length === 0;
    badLines.replaceChildren(...answer.bad_lines.map(drawBadLine));
  }

  function drawBadLine({ line, reason }) {
    const go = make("button", { type: "button", text: t("dictionary.line", { line }) });
    go.addEventListener("click", () => selectLine(line));
    return make("li", {}, go, make("span", { className: "text", text: reason }));
  }

  function selectLine(line) {
    const lines = box.value.split("\n");
    const begin = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    box.focus();
    box.setSelectionRange(begin, begin + (lines[line - 1] ?? "").length);
  }

  return { load };
}
