// Reminder before the session on Colab ends: at 30 minutes, and urgently at 5.

import { formatDuration, t } from "../shared/i18n.js";

const SOON_S = 30 * 60;
const URGENT_S = 5 * 60;

export function setUpSession() {
  const reminder = document.getElementById("session-reminder");
  const alert = document.getElementById("session-alert");
  let level = "";

  function show(status) {
    const remaining = status.session_remaining_s;
    const reached = levelOf(status);
    reminder.hidden = !reached;
    reminder.classList.toggle("urgent", reached === "urgent");
    const text = reached ? t(`session.${reached}`, { left: formatDuration(remaining) }) : "";
    if (reminder.textContent !== text) reminder.textContent = text;
    // Read by screen readers when a limit is reached, not with each second.
    if (reached !== level) alert.textContent = text;
    level = reached;
  }

  function close() {
    reminder.hidden = true;
    level = alert.textContent = "";
  }

  return { show, close };
}

function levelOf(status) {
  const remaining = status.session_remaining_s;
  if (!status.remote.enabled || remaining === null || remaining <= 0) return "";
  if (remaining <= URGENT_S) return "urgent";
  return remaining <= SOON_S ? "soon" : "";
}
