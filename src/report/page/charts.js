// How a panel is drawn. Nothing here knows what is shown; texts are set as text, never as markup.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const START = (DATA.start_ms ?? 0) / 1000;
const HAS_START = DATA.start_ms !== null;
const COLUMNS = DATA.columns;
// The beginnings of the columns, and the end of the last.
const XS = Array.from({ length: COLUMNS + 1 }, (_, n) => START + Math.min(n * DATA.column, DATA.duration));
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
  172800, 604800, 1209600, 2592000, 7776000, 31536000];
const SHADES = "-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

// Okabe and Ito's colours, and four more for the outcomes; in the dark a little lighter.
const LIGHT = {
  palette: ["#d55e00", "#0072b2", "#009e73", "#b8528f", "#e69f00", "#56b4e9", "#222222", "#8a7a00",
    "#8c2d04", "#7a3b9a", "#1b5e20", "#888888"],
  heat: ["#d2e21b", "#9bd93c", "#5ec962", "#2ab07f", "#21918c", "#2c718e", "#3b528b", "#472d7b", "#440154"],
  births: ["#d6e6f4", "#9ecae1", "#4292c6", "#084594", "#05123a"],
  ink: "#222222", grey: "#5f5f5f", grid: "#e6e6e6", paper: "#ffffff", band: "rgba(230,159,0,0.18)",
  mark: "rgba(60,60,60,0.7)",
};
const DARK = {
  palette: ["#ff8a3d", "#4aa8e0", "#2fc79a", "#e59ac2", "#f2b63c", "#8fd0f5", "#eeeeee", "#d9c84a",
    "#d98a66", "#bd93d8", "#86c98a", "#a0a0a0"],
  heat: ["#3b2a63", "#3f4285", "#335f8d", "#26798e", "#1f968b", "#2ab07f", "#5ec962", "#a5db36", "#fde725"],
  births: ["#17304a", "#1f5686", "#3f8fcb", "#9ccbee", "#f3f9ff"],
  ink: "#e8e8e8", grey: "#a8adb5", grid: "#2c323b", paper: "#171b21", band: "rgba(242,182,60,0.17)",
  mark: "rgba(220,220,220,0.6)",
};
// Whether midnight (UTC) lies within the run: then every panel tells the dates.
const MIDNIGHT = HAS_START && Math.floor(START / 86400) !== Math.floor((START + DATA.duration) / 86400);
const DASHES = [[], [7, 3], [2, 3]];

let theme = LIGHT;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// The other side of `pack.rs`.
function unpack(text) {
  const values = [];
  let last = 0;
  for (const part of text.split(" ").filter((part) => part !== "")) {
    const [token, times = "1"] = part.split("*");
    for (let n = parseInt(times, 36); n > 0; n--) {
      if (token !== "_") last += parseInt(token, 36);
      values.push(token === "_" ? null : last);
    }
  }
  return values;
}

// One value a column; the last once more at the end, so that its step is drawn.
function valuesOf(series) {
  if (!series.values) {
    const values = unpack(series.data).map((value) => (value === null ? null : value / series.parts));
    series.values = [...values, values.length > 0 ? values[values.length - 1] : null];
  }
  return series.values;
}

const plain = (value) => value.toLocaleString("en", { maximumSignificantDigits: value < 100 ? 2 : 21,
  maximumFractionDigits: value < 100 ? 1 : 0 });

function latency(micros) {
  const figures = (value) => (value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : value.toFixed(0));
  if (micros < 999.5) return `${figures(micros)} µs`;
  if (micros < 999500) return `${figures(micros / 1e3)} ms`;
  return `${figures(micros / 1e6)} s`;
}

function offset(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [[Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "m"], [whole % 60, "s"]];
  return parts.filter(([n]) => n > 0).map(([n, unit]) => n + unit).join("") || "0s";
}

const FORMATS = {
  us: latency,
  share: (value) => `${plain(value * 100)}%`,
  per_s: (value) => `${plain(value)}/s`,
  count: plain,
  s: offset,
};

const two = (n) => String(n).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function clock(x, seconds = true) {
  if (!HAS_START) return offset(x);
  const at = new Date(x * 1000);
  const minute = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return seconds ? `${minute}:${two(at.getUTCSeconds())}` : minute;
}

function instant(x) {
  if (!HAS_START) return offset(x);
  const at = new Date(x * 1000);
  return `${two(at.getUTCDate())} ${MONTHS[at.getUTCMonth()]} ${clock(x)} UTC`;
}

// Ticks of the time axis; a new day says its date.
function timeLabels(ticks, dates) {
  let day = null;
  const fine = ticks.length > 1 && ticks[1] - ticks[0] < 60;
  return ticks.map((x) => {
    const label = clock(x, fine);
    if (!dates) return label;
    const at = new Date(x * 1000);
    const today = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
    const text = today === day ? label : `${label}\n${today}`;
    day = today;
    return text;
  });
}

// Powers of ten, and 2 and 5 of each where there is room for them.
function logTicks(u, axis, min, max) {
  const between = Math.log10(max / min) < 3 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = 10 ** Math.floor(Math.log10(min)); power <= max; power *= 10) {
    ticks.push(...between.map((n) => n * power).filter((tick) => tick >= min && tick <= max));
  }
  return ticks.length > 0 ? ticks : [min, max];
}

function mix(from, to, part) {
  const channel = (text, n) => parseInt(text.slice(1 + 2 * n, 3 + 2 * n), 16);
  const mixed = [0, 1, 2].map((n) => Math.round(channel(from, n) + (channel(to, n) - channel(from, n)) * part));
  return `rgb(${mixed.join(",")})`;
}

function gradient(stops) {
  return Array.from({ length: SHADES.length }, (_, n) => {
    const at = (Math.max(0, n - 1) / (SHADES.length - 2)) * (stops.length - 1);
    const below = Math.min(Math.floor(at), stops.length - 2);
    return mix(stops[below], stops[below + 1], at - below);
  });
}

// A box in canvas pixels, cut to the plot, at least a pixel wide and high.
function box(u, x0, x1, y0, y1) {
  const { left, top, width, height } = u.bbox;
  const [l, r] = [u.valToPos(x0, "x", true), u.valToPos(x1, "x", true)].map(Math.round);
  const [t, b] = [u.valToPos(y1, "y", true), u.valToPos(y0, "y", true)].map(Math.round);
  const [cl, cr] = [Math.max(l, left), Math.min(Math.max(r, l + 1), left + width)];
  const [ct, cb] = [Math.max(t, top), Math.min(Math.max(b, t + 1), top + height)];
  if (cr > cl && cb > ct) u.ctx.fillRect(cl, ct, cr - cl, cb - ct);
}

function drawHeat(u, heat) {
  const colours = gradient(theme.heat);
  heat.cells.forEach((column, n) => {
    if (column === null) return;
    const [lowest, shades] = column;
    for (let place = 0; place < shades.length; place++) {
      const shade = SHADES.indexOf(shades[place]);
      if (shade > 0) {
        u.ctx.fillStyle = colours[shade];
        box(u, XS[n], XS[n + 1], heat.floors[lowest + place], heat.floors[lowest + place + 1]);
      }
    }
  });
}

function drawBirths(u, heat) {
  const colours = gradient(theme.births);
  heat.cells.forEach((row, n) => {
    const from = START + n * heat.width;
    for (let place = 0; place < row.length; place++) {
      const shade = SHADES.indexOf(row[place]);
      if (shade > 0) {
        u.ctx.fillStyle = colours[shade];
        const phase = (at) => (at / row.length) * heat.lifetime;
        box(u, from, Math.min(from + heat.width, START + DATA.duration), phase(place), phase(place + 1));
      }
    }
  });
}

// Events of the run on every panel: a band while one lasts, a line where it begins.
function drawBands(u, events) {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
  u.ctx.fillStyle = theme.band;
  for (const [, from, to] of events) {
    if (to === null) continue;
    const [l, r] = [from, to].map((at) => u.valToPos(START + at, "x", true));
    u.ctx.fillRect(l, top, Math.max(1, r - l), height);
  }
  u.ctx.restore();
}

function drawMarks(u, events) {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.strokeStyle = theme.mark;
  u.ctx.lineWidth = devicePixelRatio;
  u.ctx.setLineDash([3 * devicePixelRatio, 2 * devicePixelRatio]);
  for (const [, from] of events) {
    const x = Math.round(u.valToPos(START + from, "x", true)) + 0.5;
    if (x < left || x > left + width) continue;
    u.ctx.beginPath();
    u.ctx.moveTo(x, top);
    u.ctx.lineTo(x, top + height);
    u.ctx.stroke();
  }
  u.ctx.restore();
}

function say(u, text) {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.fillStyle = theme.grey;
  u.ctx.font = `${13 * devicePixelRatio}px system-ui, sans-serif`;
  u.ctx.textAlign = "center";
  u.ctx.textBaseline = "middle";
  u.ctx.fillText(text, left + width / 2, top + height / 2);
  u.ctx.restore();
}

const stepped = () => uPlot.paths.stepped({ align: 1 });

// A value between two that are missing makes no line.
function alone(u, series) {
  const values = u.data[series];
  const none = (n) => values[n] === null || values[n] === undefined;
  return values.map((_, n) => n).filter((n) => !none(n) && none(n - 1) && none(n + 1));
}

function lineSeries(series, wide) {
  const colour = theme.palette[series.colour % theme.palette.length];
  const one = {
    label: series.name, stroke: colour, width: wide ? 3 : 1.5, dash: DASHES[series.dash ?? 0],
    points: { show: true, filter: alone, size: wide ? 6 : 4, fill: colour }, paths: stepped(),
  };
  if (series.fill) one.fill = colour + "66";
  if (series.measured) {
    Object.assign(one, { width: 2.5, paths: uPlot.paths.linear(), spanGaps: true,
      points: { show: true, size: 8, width: 2, fill: theme.paper, stroke: colour } });
  }
  return one;
}

// Sums from the first series on; drawn from the last, each over the one above it.
function stackedSeries(shown) {
  const sums = [];
  let below = XS.map(() => 0);
  for (const series of shown) {
    const values = valuesOf(series);
    below = below.map((sum, n) => sum + (values[n] ?? 0));
    sums.push(below);
  }
  const drawn = shown.map((series, n) => {
    const colour = theme.palette[series.colour % theme.palette.length];
    return { data: sums[n], series: { label: series.name, stroke: colour, fill: colour, width: 0.5,
      points: { show: false }, paths: stepped() } };
  });
  return drawn.reverse();
}

// What uPlot is to draw: for each drawn series its data and its options.
function drawnSeries(panel, hidden) {
  const shown = panel.series.filter((series) => !hidden.has(series.name));
  const measured = shown.filter((series) => series.measured);
  // The chosen variant is wide, and lies under the others.
  const own = shown.filter((series) => !series.measured)
    .sort((a, b) => Number(b.wide ?? false) - Number(a.wide ?? false));
  const lines = (list) => list.map((series) => ({ data: valuesOf(series), series: lineSeries(series, series.wide) }));
  // What lies on other colours has an edge in the colour of the paper.
  const cased = (list) => list.flatMap((series) => {
    const casing = { ...lineSeries(series), stroke: theme.paper, width: series.measured ? 6 : 4, dash: [],
      points: { show: false } };
    return [{ data: valuesOf(series), series: casing }, ...lines([series])];
  });
  if (panel.kind === "stack") return [...stackedSeries(own), ...cased(measured)];
  return [...(panel.kind === "heat" ? cased(own) : lines(own)), ...cased(measured)];
}

const nothing = (panel) => panel.kind !== "heat" && panel.kind !== "births"
  && !panel.series.some((series) => valuesOf(series).some((value) => value !== null && value !== 0));

function emptyText(panel) {
  if (COLUMNS === 0) return "the run lasts no time";
  if (panel.heat && panel.heat.cells.every((cell) => cell === null)) return "no request ended";
  if (panel.lanes) return null;
  return nothing(panel) ? panel.empty ?? "nothing, all the time" : null;
}

function yAxis(panel, range, narrow) {
  const format = FORMATS[panel.unit];
  const axis = {
    scale: "y", size: narrow ? 50 : 64, stroke: theme.grey, gap: 4, font: "12px system-ui, sans-serif",
    grid: { stroke: theme.grid, width: 1 }, ticks: { show: false },
    values: (u, ticks) => ticks.map((tick) => (tick === null ? "" : format(tick))),
  };
  if (panel.log) Object.assign(axis, { splits: logTicks, filter: (u, ticks) => ticks });
  if (panel.kind === "births") axis.splits = () => [0, 0.25, 0.5, 0.75, 1].map((part) => part * range[1]);
  return axis;
}

// A chart in `place`; `range` is that of y, `hooks` are told of cursor and zoom.
function chart(panel, { place, range, hidden, events, hooks, height, width, first }) {
  const narrow = width < 600;
  const dates = MIDNIGHT || (HAS_START && first);
  const drawn = drawnSeries(panel, hidden);
  const empty = emptyText(panel);
  const under = (u) => {
    drawBands(u, events);
    if (panel.kind === "heat") drawHeat(u, panel.heat);
    if (panel.kind === "births") drawBirths(u, panel.heat);
  };
  const over = (u) => {
    drawMarks(u, events);
    if (panel.lanes) drawLanes(u, panel.lanes);
    if (empty) say(u, empty);
  };
  const options = {
    width, height, legend: { show: false }, padding: [8, narrow ? 20 : 26, 0, 0],
    cursor: { sync: { key: "run", setSeries: false }, drag: { x: true, y: false }, y: panel.kind !== "lanes",
      points: { size: 6 }, focus: { prox: -1 } },
    scales: { x: { time: false }, y: { range: () => range, distr: panel.log ? 3 : 1, log: 10 } },
    axes: [
      { stroke: theme.grey, incrs: STEPS, space: narrow ? 58 : 70, size: dates ? 44 : 28,
        values: (u, ticks) => timeLabels(ticks, dates),
        font: "12px system-ui, sans-serif", grid: { stroke: theme.grid, width: 1 }, ticks: { stroke: theme.grid } },
      panel.lanes ? { scale: "y", size: narrow ? 50 : 64, splits: () => [], stroke: theme.grey } : yAxis(panel, range, narrow),
    ],
    series: [{}, ...drawn.map((one) => one.series)],
    hooks: { drawAxes: [under], draw: [over], setCursor: [hooks.cursor], setScale: [hooks.scale] },
  };
  const fallback = XS.map(() => null);
  const data = [XS, ...drawn.map((one) => one.data)];
  if (drawn.length === 0) {
    options.series.push({ show: true, stroke: "transparent", points: { show: false } });
    data.push(fallback);
  }
  return new uPlot(options, data, place);
}

const ROW = 20;

// Events and stretches in rows, so that no name lies over another.
function packLanes(timeline, width, gutter) {
  const measure = document.createElement("canvas").getContext("2d");
  measure.font = "12px system-ui, sans-serif";
  const pixels = (at) => (at / Math.max(DATA.duration, 1)) * (width - gutter);
  const ends = [];
  const items = [];
  for (const [what, from, to, times] of timeline) {
    const name = times > 1 ? `${what} ×${times}` : what;
    const label = name.length > 42 ? `${name.slice(0, 41)}…` : name;
    const wide = measure.measureText(label).width + 14;
    const left = pixels(from);
    // On the side where it has room; where neither has enough it is cut when it is drawn.
    const right = width - gutter - left;
    const before = wide > right && left > right;
    const begin = before ? Math.max(0, left - wide) : left;
    const end = Math.max(before ? left : left + Math.min(wide, right), times > 0 || to !== null ? pixels(to ?? DATA.duration) : 0);
    let row = ends.findIndex((other) => other <= begin);
    if (row < 0) row = ends.length;
    ends[row] = end + 4;
    items.push({ label, from, to, stretch: times > 0, row, before });
  }
  const rows = Math.min(ends.length, 14);
  return { items: items.filter((item) => item.row < rows), rows, left: items.filter((item) => item.row >= rows).length };
}

// The text, cut with an ellipsis where it would be wider than `room`.
function fitted(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  const letters = [...text];
  while (letters.length > 0 && ctx.measureText(`${letters.join("")}…`).width > room) letters.pop();
  return letters.length > 0 ? `${letters.join("").trimEnd()}…` : "";
}

function drawLanes(u, lanes) {
  const ratio = devicePixelRatio;
  const { left, top, width } = u.bbox;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, u.bbox.height);
  u.ctx.clip();
  u.ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  u.ctx.textBaseline = "middle";
  for (const item of lanes.items) {
    const y = top + (item.row * ROW + 2) * ratio;
    const middle = y + ((ROW - 4) / 2) * ratio;
    const x = u.valToPos(START + item.from, "x", true);
    const lasts = item.stretch || item.to !== null;
    const end = lasts ? u.valToPos(START + (item.to ?? DATA.duration), "x", true) : x;
    u.ctx.fillStyle = item.stretch ? theme.palette[5] : theme.palette[4];
    u.ctx.globalAlpha = 0.45;
    u.ctx.fillRect(x, y, Math.max(3 * ratio, end - x), (ROW - 4) * ratio);
    u.ctx.globalAlpha = 1;
    u.ctx.fillStyle = theme.ink;
    u.ctx.fillRect(x, y, 2 * ratio, (ROW - 4) * ratio);
    u.ctx.textAlign = item.before ? "right" : "left";
    // The name of what began before the stretch that is shown stands at its edge.
    const at = item.before ? x - 5 * ratio : Math.max(x, end > left ? left - 2 * ratio : x) + 6 * ratio;
    const edge = left + width;
    if (at < left || x > edge) continue;
    u.ctx.fillText(fitted(u.ctx, item.label, item.before ? at - left : edge - at), at, middle);
  }
  u.ctx.restore();
}
