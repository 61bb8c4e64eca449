/** Follows the jobs of the relay: the list now and then, the running job by its events. */

import { call, urlOf } from "../shared/api.js";

const LIST_EVERY_MS = 15_000;

/** Follows them while the page is seen: a browser has few connections to one server. */
export class JobWatch {
  #isShown = false;
  #timer = null;
  #events = null;
  #followed = null;

  constructor(onJob, onList) {
    this.onJob = onJob;
    this.onList = onList;
    document.addEventListener("visibilitychange", () => this.use(this.#isShown));
  }

  /** Begin or end to follow. */
  use(isShown) {
    this.#isShown = isShown;
    clearInterval(this.#timer);
    this.#timer = null;
    if (isShown && !document.hidden) {
      this.#timer = setInterval(() => this.refresh(), LIST_EVERY_MS);
      this.refresh();
    } else {
      this.#close();
    }
  }

  /** Ask for the list now. */
  async refresh() {
    let jobs;
    try {
      ({ jobs } = await call("GET", "jobs"));
    } catch {
      return; // Asked again a little later.
    }
    this.onList(jobs);
    const running = jobs.find((job) => ["running", "paused"].includes(job.state))
      ?? jobs.find((job) => job.state === "queued");
    if (running?.id !== this.#followed) this.#follow(running?.id ?? null);
  }

  #follow(id) {
    this.#close();
    if (id === null || this.#timer === null) return;
    this.#followed = id;
    this.#events = new EventSource(urlOf(`jobs/${id}/events`));
    this.#events.addEventListener("progress", (event) => this.onJob(JSON.parse(event.data)));
    this.#events.addEventListener("end", (event) => {
      this.onJob(JSON.parse(event.data));
      this.#close();
      this.refresh();
    });
    this.#events.addEventListener("error", () => {
      if (this.#events?.readyState === EventSource.CLOSED) this.#close();
    });
  }

  #close() {
    this.#events?.close();
    this.#events = null;
    this.#followed = null;
  }
}
