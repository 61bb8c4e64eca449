// Charts of the last hour: latency of health checks, and time to first audio. Drawn as SVG.

import { call, Problem } from "../shared/api.js";
import { formatMinute, formatNumber, language, onLanguage, t } from "../shared/i18n.js";
import { clearOutcome, make, showProblem } from "../shared/outcome.js";
import { backendName } from "./backends.js";

const SVG = "http://www.w3.org/2000/svg";
const KINDS = ["latency_ms", "first_audio_ms"];
const BACKENDS = ["local", "remote", "last_resort"];
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const HEIGHT = 176;
const EDGE = { left: 64, right: 12, top: 10, bottom: 26 };
const TICKS_EVERY_MIN = 15;
const NARROW = { width: 420, ticks_every_min: 30 };
const MOST_GAP_MS = 5 * MINUTE_MS;
/** Points that are further apart are not joined: nothing was measured between them. */

export function setUpChart() {
  const box = document.getElementById("charts");
  const outcome = document.getElementById("chart-outcome");
  let history = null;
  new ResizeObserver(() => history && draw()).observe(box);
  onLanguage(() => history && draw());

  async function load() {
    try {
      history = await call("GET", "history");
      clearOutcome(outcome);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (!outcome.firstChild) showProblem(outcome, problem);
      return;
    }
    draw();
  }

  function draw() {
    // The latency of the local voice is none: it is in the same machine.
    const series = Object.fromEntries(KINDS.map((kind) => [kind, seriesOf(history.minutes, kind)]));
    delete series.latency_ms.local;
    delete series.latency_ms.last_resort;
    const until = Date.parse(history.until);
    box.replaceChildren(...KINDS.map((kind) => figure(kind, series[kind], until, box.clientWidth)));
    fillTable(document.getElementById("chart-table"), series);
  }

  return { load };
}

/** Return the points of each backend: `{ time, mean, highest, n }`. */
function seriesOf(minutes, kind) {
  const series = {};
  for (const name of BACKENDS) {
    const points = minutes
      .filter((minute) => name in minute[kind])
      .map((minute) => ({ time: Date.parse(minute.time), ...minute[kind][name] }));
    if (points.length) series[name] = points;
  }
  return series;
}

function figure(kind, series, until, width) {
  const caption = make("figcaption", { text: t(`chart.${kind}`) });
  const names = Object.keys(series);
  if (!names.length) {
    return make("figure", { className: "chart" }, caption, make("p", { className: "muted", text: t("chart.none") }));
  }
  const drawing = drawChart(series, until, Math.max(240, width));
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", `${t(`chart.${kind}`)}. ${summary(series)}`);
  const legend = make("ul", { className: "legend" }, ...names.map(legendItem));
  return make("figure", { className: "chart" }, caption, drawing, legend);
}

/** Say in words what a chart shows. */
function summary(series) {
  return Object.entries(series)
    .map(([name, points]) => {
      const n = points.reduce((sum, point) => sum + point.n, 0);
      const total = points.reduce((sum, point) => sum + point.mean * point.n, 0);
      return t("chart.summary", {
        name: backendName(name),
        mean: formatNumber(total / n),
        highest: formatNumber(Math.max(...points.map((point) => point.highest))),
        n: formatNumber(n),
      });
    })
    .join(" ");
}

function drawChart(series, until, width) {
  const svg = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "drawing" });
  const values = Object.values(series).flatMap((points) => points.map((point) => point.mean));
  const top = roundUp(Math.max(...values, 1));
  const x = (time) =>
    EDGE.left + ((time - (until - HOUR_MS)) / HOUR_MS) * (width - EDGE.left - EDGE.right);
  const y = (value) => HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  for (const part of [0, 0.5, 1]) {
    const at = y(top * part);
    const className = part ? "grid" : "axis";
    svg.append(shape("line", { x1: EDGE.left, x2: width - EDGE.right, y1: at, y2: at, class: className }));
    const label = shape("text", { x: EDGE.left - 6, y: at + 4, "text-anchor": "end" });
    label.textContent = `${new Intl.NumberFormat(language()).format(top * part)} ms`;
    svg.append(label);
  }
  const step = width < NARROW.width ? NARROW.ticks_every_min : TICKS_EVERY_MIN;
  for (let ago = 60; ago >= 0; ago -= step) {
    const time = until - ago * MINUTE_MS;
    const anchor = ago === 60 ? "start" : ago === 0 ? "end" : "middle";
    const label = shape("text", { x: x(time), y: HEIGHT - 8, "text-anchor": anchor });
    label.textContent = formatMinute(time);
    svg.append(label);
  }
  for (const [name, points] of Object.entries(series)) {
    const group = shape("g", { class: `series ${name}` });
    for (const run of runsOf(points)) {
      const path = run.map((point) => `${x(point.time).toFixed(1)},${y(point.mean).toFixed(1)}`);
      group.append(shape("polyline", { points: path.join(" ") }));
      for (const point of run) group.append(mark(name, x(point.time), y(point.mean)));
    }
    svg.append(group);
  }
  return svg;
}

function runsOf(points) {
  const runs = [];
  let before = -Infinity;
  for (const point of points) {
    if (point.time - before > MOST_GAP_MS) runs.push([]);
    runs.at(-1).push(point);
    before = point.time;
  }
  return runs;
}

/** A mark of its own for each backend: colour alone tells too few people apart. */
function mark(name, x, y) {
  if (name === "local") return shape("circle", { cx: x, cy: y, r: 3.5, class: "mark" });
  if (name === "remote") {
    return shape("rect", { x: x - 3.5, y: y - 3.5, width: 7, height: 7, class: "mark" });
  }
  return shape("path", { d: `M${x} ${y - 4.5}l4.5 8h-9z`, class: "mark" });
}

function legendItem(name) {
  const svg = shape("svg", { viewBox: "0 0 26 14", "aria-hidden": "true" });
  const group = shape("g", { class: `series ${name}` });
  group.append(shape("polyline", { points: "1,7 25,7" }), mark(name, 13, 7));
  svg.append(group);
  return make("li", {}, svg, make("span", { text: backendName(name) }));
}

function fillTable(table, series) {
  const columns = KINDS.flatMap((kind) => Object.keys(series[kind]).map((name) => [kind, name]));
  const head = make("tr", {}, make("th", { scope: "col", text: t("chart.time") }));
  for (const [kind, name] of columns) {
    const text = t("chart.column", { what: t(`chart.${kind}`), name: backendName(name) });
    head.append(make("th", { scope: "col", className: "number", text }));
  }
  const times = columns.flatMap(([kind, name]) => series[kind][name].map((point) => point.time));
  const rows = [...new Set(times)].sort((a, b) => b - a);
  const body = rows.map((time) => {
    const row = make("tr", {}, make("th", { scope: "row", text: formatMinute(time) }));
    for (const [kind, name] of columns) {
      const point = series[kind][name].find((each) => each.time === time);
      const text = point ? `${formatNumber(point.mean)} ms` : "–";
      row.append(make("td", { className: "number", text }));
    }
    return row;
  });
  const caption = make("caption", { className: "visually-hidden", text: t("chart.heading") });
  table.replaceChildren(caption, make("thead", {}, head), make("tbody", {}, ...body));
}

function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= value);
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
