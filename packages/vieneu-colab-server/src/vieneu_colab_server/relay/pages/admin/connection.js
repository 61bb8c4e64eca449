// The server on Google Colab: its address and token, and the quota of its tunnel.

import { call } from "../shared/api.js";
import { formatBytes, formatNumber, t } from "../shared/i18n.js";
import { confirmed, onPress, onSubmit, setText } from "../shared/outcome.js";

export function setUpConnection({ refresh }) {
  const form = document.getElementById("connect-form");
  const url = document.getElementById("endpoint-url");
  const token = document.getElementById("endpoint-token");
  const outcome = document.getElementById("connection-outcome");
  let isTyped = false;
  let saved = "";
  url.addEventListener("input", () => (isTyped = true));

  onSubmit(form, outcome, async () => {
    await sendTyped("connect");
    token.value = "";
    isTyped = false;
    await refresh();
    return t("connection.connected");
  });
  onPress(document.getElementById("test-connection"), outcome, async () => {
    if (saved && url.value.trim() === saved && !token.value) return testSaved();
    if (!form.reportValidity()) return "";
    const { engine, model } = await sendTyped("connect/test");
    return t("connection.tested", { server: [engine, model].filter(Boolean).join(", ") });
  });
  onPress(document.getElementById("rotate-token"), outcome, async () => {
    if (!(await confirmed(t("connection.rotate_question"), t("connection.rotate")))) return "";
    await call("POST", "rotate-token");
    return t("connection.rotated");
  });
  onPress(document.getElementById("disconnect"), outcome, async () => {
    const label = t("connection.disconnect");
    if (!(await confirmed(t("connection.disconnect_question"), label))) return "";
    await call("POST", "disconnect");
    await refresh();
    return t("connection.disconnected");
  });

  /** Send what is typed; without a token the saved one counts. Marks a URL that fails. */
  async function sendTyped(path) {
    url.removeAttribute("aria-invalid");
    const body = { url: url.value.trim() };
    if (token.value) body.token = token.value;
    try {
      return await call("POST", path, body);
    } catch (problem) {
      url.setAttribute("aria-invalid", "true");
      throw problem;
    }
  }

  function show(status) {
    const remote = status.remote;
    const isConnected = remote.enabled && Boolean(remote.endpoint_url);
    saved = isConnected ? remote.endpoint_url : "";
    const state = isConnected
      ? t("connection.state", { url: remote.endpoint_url })
      : t("connection.none");
    setText(document.getElementById("connection-state"), state);
    if (!isTyped && document.activeElement !== url) url.value = remote.endpoint_url ?? "";
    const help = remote.has_token ? t("connection.token_kept") : t("connection.token_help");
    setText(document.getElementById("token-help"), help);
    for (const id of ["rotate-token", "disconnect"]) {
      document.getElementById(id).hidden = !isConnected;
    }
    showQuota(status.quota);
  }

  return { show };
}

async function testSaved() {
  const answer = await call("POST", "backends/remote/test");
  const seconds = formatNumber(answer.seconds, 1);
  return t("backend.tested", { seconds, voice: answer.voice, engine: answer.engine });
}

function showQuota(quota) {
  document.getElementById("quota").hidden = !quota;
  if (!quota) return;
  setText(document.getElementById("quota-heading"), t("quota.heading", { month: quota.month }));
  document.getElementById("quota-meter").value = Math.min(1, quota.used);
  const text = t("quota.used", {
    requests: formatNumber(quota.requests),
    most_requests: formatNumber(quota.monthly_requests),
    bytes: formatBytes(quota.bytes),
    most_bytes: formatBytes(quota.monthly_bytes),
    percent: formatNumber(quota.used * 100, 1),
  });
  setText(document.getElementById("quota-text"), text);
}
