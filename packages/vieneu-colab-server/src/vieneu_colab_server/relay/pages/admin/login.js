// Login by the password, or by the one-time code in the fragment of the address.

import { call } from "../shared/api.js";
import { t } from "../shared/i18n.js";
import { onSubmit, run, showProblem } from "../shared/outcome.js";

const CODE = "#code=";

/** Set up both views; `begin` shows the one that is needed, or calls `onLogin`. */
export function setUpLogin({ onLogin }) {
  const view = document.getElementById("login");
  const choose = document.getElementById("choose");
  const form = document.getElementById("login-form");
  const outcome = document.getElementById("login-outcome");
  const later = document.getElementById("choose-later");

  // The code leaves the address bar, and the history, before anything else happens.
  let code = takeCode();
  addEventListener("hashchange", async () => {
    code = takeCode();
    if (code) await begin();
  });

  onSubmit(form, outcome, async (data) => {
    await call("POST", "login", { password: data.get("password") });
    form.reset();
    enter();
  });
  onSubmit(
    document.getElementById("choose-form"),
    document.getElementById("choose-outcome"),
    async (data) => {
      await call("POST", "password", { password: data.get("password") });
      document.getElementById("choose-form").reset();
      enter();
    },
  );
  later.addEventListener("click", enter);
  for (const box of document.querySelectorAll("[data-shows]")) {
    box.addEventListener("change", () => {
      document.getElementById(box.dataset.shows).type = box.checked ? "text" : "password";
    });
  }

  function enter() {
    view.hidden = choose.hidden = true;
    onLogin();
    document.getElementById("main").focus({ preventScroll: true }); // the header stays in view
  }

  function show() {
    choose.hidden = true;
    view.hidden = false;
    document.getElementById("password").focus();
  }

  function askForPassword(hasPassword) {
    view.hidden = true;
    choose.hidden = false;
    later.hidden = !hasPassword;
    document.getElementById("first-password").focus();
  }

  async function begin() {
    if (code && (await spendCode())) return;
    const isRefused = Boolean(outcome.firstChild);
    try {
      const state = await call("GET", "login");
      document.getElementById("login-first").hidden = state.has_password || isRefused;
      if (!state.logged_in) show();
      else if (state.has_password) enter();
      else askForPassword(false);
    } catch (problem) {
      show();
      if (!isRefused) showProblem(outcome, problem);
    }
  }

  /** Log in with the code; false where it is refused, which is shown. */
  async function spendCode() {
    const body = { code };
    code = "";
    const action = async () => {
      const answer = await call("POST", "login/code", body);
      askForPassword(answer.has_password);
    };
    return run(form, outcome, action, { running: t("login.running") });
  }

  return { begin, show };
}

function takeCode() {
  if (!location.hash.startsWith(CODE)) return "";
  const code = decodeURIComponent(location.hash.slice(CODE.length));
  history.replaceState(null, "", location.pathname + location.search);
  return code;
}
