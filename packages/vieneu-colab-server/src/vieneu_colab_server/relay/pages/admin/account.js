// The admin's account: another password, and log-out.

import { call } from "../shared/api.js";
import { t } from "../shared/i18n.js";
import { onPress, onSubmit, setText } from "../shared/outcome.js";

export function setUpAccount({ onLogout }) {
  const outcome = document.getElementById("account-outcome");
  const form = document.getElementById("password-form");
  onSubmit(form, outcome, async (data) => {
    await call("POST", "password", { password: data.get("password") });
    form.reset();
    document.getElementById("new-password").type = "password";
    return t("account.changed");
  });
  const logOut = document.getElementById("log-out");
  onPress(logOut, document.getElementById("log-out-outcome"), async () => {
    await call("POST", "logout");
    onLogout();
  });

  function show(status) {
    setText(document.getElementById("version"), t("account.version", status));
  }

  return { show };
}
