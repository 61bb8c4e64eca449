// What the router has done, the newest first.

import { formatDuration, formatNumber, formatTime, t, tOr } from "../shared/i18n.js";
import { make } from "../shared/outcome.js";
import { backendName } from "./backends.js";

const MOST = 100;
const UNSHOWN = new Set(["BackendLoading"]);
/** Its progress is shown in the card of the backend. */

export function setUpEvents() {
  const list = document.getElementById("event-list");
  const none = document.getElementById("no-events");
  let last = "";

  function add(id, event) {
    last = id;
    if (UNSHOWN.has(event.event)) return;
    none.hidden = true;
    const time = make("time", { datetime: event.time, text: formatTime(event.time) });
    const text = make("span", { className: "text", text: textOf(event) });
    if (event.cause) text.append(make("span", { className: "muted", text: ` ${event.cause.detail}` }));
    list.prepend(make("li", { "data-event": event.event }, time, text));
    while (list.children.length > MOST) list.lastElementChild.remove();
  }

  /** Forget them: they are sent again, in another language. */
  function clear() {
    last = "";
    list.replaceChildren();
    none.hidden = false;
  }

  return {
    add,
    clear,
    get last() {
      return last;
    },
  };
}

function textOf(event) {
  const values = {
    ...event,
    name: event.backend ? backendName(event.backend) : "",
    from: event.from_backend ? backendName(event.from_backend) : "",
    to: event.to_backend ? backendName(event.to_backend) : "",
    mode: event.mode ? backendName(event.mode) : "",
    state: event.state ? t(`state.${event.state}`) : "",
    sentence: (event.sentence ?? 0) + 1,
    left: formatDuration(event.remaining_s ?? 0),
    factor: formatNumber(event.real_time_factor ?? 0, 1),
    percent: formatNumber((event.used ?? 0) * 100),
  };
  const known = tOr(`event.${event.event}`, "");
  return known ? t(`event.${event.event}`, values) : event.event;
}
