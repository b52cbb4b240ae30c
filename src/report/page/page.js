// What the reader can do: choose a variant, hide a line, move the cursor, zoom, copy a table.

const VARIANTS = [...new Set(DATA.runs.map((run) => run.variant))];
const SEEDS = [...new Set(DATA.runs.map((run) => run.seed))];
const NAMES = { service: "Service", class: "Request class", node: "Postgres node" };

const state = { variant: 0, seed: SEEDS[0], of: {}, hidden: {}, measure: 0, zoom: null, charts: [], printing: false };

const runOf = (variant) => DATA.runs.find((run) => run.variant === VARIANTS[variant] && run.seed === state.seed)
  ?? DATA.runs.find((run) => run.variant === VARIANTS[variant]);
const hiddenIn = (key) => (state.hidden[key] ??= new Set());

// The names among which a reader chooses, over all runs.
function subjects(by) {
  const all = DATA.runs.flatMap((run) => run.panels).filter((panel) => panel.by === by);
  return [...new Set(all.map((panel) => panel.of))];
}

// The subject with the most of what its panels count: an idle service has little to say.
function busiest(by) {
  const weight = (of) => {
    const key = { service: "queue", class: "failures", node: "starts" }[by];
    const panels = DATA.runs.flatMap((run) => run.panels).filter((panel) => panel.key === key && panel.of === of);
    const series = panels.flatMap((panel) => panel.series);
    return series.reduce((sum, one) => sum + (one.total ?? Math.max(0, ...valuesOf(one))), 0);
  };
  const names = subjects(by);
  return names.reduce((best, name) => (weight(name) > weight(best) ? name : best), names[0]);
}

const chosen = (panel) => panel.of === state.of[panel.by];
const same = (panel) => (other) => other.key === panel.key && other.of === panel.of && other.node === panel.node;

// Measured values belong to the panels of their kind; without one they get a chart of their own.
function withMeasured(panel) {
  const overlays = DATA.overlays.filter((overlay) => overlay.panel === panel.key);
  const series = overlays.flatMap((overlay) => overlay.series.map(measuredSeries));
  return series.length > 0 ? { ...panel, series: [...panel.series, ...series] } : panel;
}

function measuredSeries(series, n) {
  const values = [...series.data, null];
  return { name: `measured: ${series.name}`, colour: [6, 9, 10, 8][n % 4], dash: 0, measured: true, values };
}

function ownCharts(run) {
  const homeless = DATA.overlays.filter((overlay) => !run.panels.some((panel) => panel.key === overlay.panel));
  return homeless.map((overlay, n) => ({
    key: `measured-${n}`, by: "measured", of: overlay.name, kind: "lines", unit: "count",
    title: `Measured: ${overlay.name}`, series: overlay.series.map(measuredSeries),
  }));
}

const greatest = (values) => values.reduce((most, value) => (value > most ? value : most), 0);

// The scale of a panel holds what it shows of every variant: equal heights mean equal values.
function rangeOf(panel, hidden) {
  const peers = [panel, ...DATA.runs.flatMap((run) => run.panels.filter(same(panel)))];
  if (panel.kind === "births") return [0, panel.heat.lifetime];
  if (panel.kind === "heat") {
    const cells = peers.flatMap((peer) => peer.heat.cells.filter((cell) => cell !== null));
    if (cells.length === 0) return [1e3, 1e6];
    const floors = peers.reduce((longest, peer) => (peer.heat.floors.length > longest.length ? peer.heat.floors : longest), []);
    const lowest = cells.reduce((least, [bucket]) => Math.min(least, bucket), Infinity);
    const measured = panel.series.filter((series) => series.measured).map((series) => greatest(valuesOf(series)));
    return [floors[lowest], Math.max(floors[floors.length - 1], ...measured) * 1.05];
  }
  const shown = (peer) => peer.series.filter((series) => !hidden.has(series.name));
  const most = (peer) => {
    if (peer.kind !== "stack") return greatest(shown(peer).map((series) => greatest(valuesOf(series))));
    const sums = XS.map((_, n) => shown(peer).reduce((sum, series) => sum + (series.measured ? 0 : valuesOf(series)[n] ?? 0), 0));
    return greatest(sums);
  };
  const measured = panel.series.filter((series) => series.measured).map((series) => greatest(valuesOf(series)));
  const top = greatest([...peers.map(most), ...measured]);
  if (panel.log) return [Math.max(1, least(peers.flatMap(shown))) / 1.3, Math.max(10, top) * 1.3];
  if (panel.unit === "share" && top <= 1) return [0, 1];
  return [0, top > 0 ? top * 1.06 : 1];
}

function least(series) {
  const positive = series.flatMap((one) => valuesOf(one)).filter((value) => value > 0);
  return positive.reduce((lowest, value) => Math.min(lowest, value), Infinity);
}

function swatch(series, kind) {
  const mark = make("span", { class: kind === "stack" && !series.measured ? "swatch square" : "swatch", "aria-hidden": "true" });
  const colour = theme.palette[series.colour % theme.palette.length];
  mark.style.borderTopColor = colour;
  mark.style.borderTopStyle = ["solid", "dashed", "dotted"][series.dash ?? 0];
  if (kind === "stack" && !series.measured) mark.style.backgroundColor = colour;
  return mark;
}

function named(name, className = "name") {
  const element = make("bdi", { class: className, title: name });
  element.textContent = name;
  return element;
}

// A button for each series: hides and shows it, and tells its value at the cursor.
function legend(panel, key, redraw) {
  const hidden = hiddenIn(key);
  const items = panel.series.map((series) => {
    const value = make("span", { class: "value" });
    const totals = [];
    if (series.total !== undefined) totals.push(plain(series.total));
    if (series.most) totals.push(`at most ${plain(series.most)}`);
    const note = totals.length > 0 ? make("span", { class: "quiet" }, ` (${totals.join(", ")})`) : "";
    const button = make("button", { type: "button", class: "key", "aria-pressed": String(!hidden.has(series.name)),
      click: () => {
        if (!hidden.delete(series.name)) hidden.add(series.name);
        button.setAttribute("aria-pressed", String(!hidden.has(series.name)));
        redraw();
      } }, swatch(series, panel.kind), named(series.name), note, value);
    return { series, button, value };
  });
  return { items, element: make("div", { class: "legend" }, ...items.map((item) => item.button)) };
}

function colourBar(panel) {
  const stops = panel.kind === "births" ? theme.births : theme.heat;
  const bar = make("span", { class: "bar", "aria-hidden": "true" });
  bar.style.backgroundImage = `linear-gradient(to right, ${stops.join(", ")})`;
  const what = panel.kind === "births" ? "births" : `requests in ${offset(DATA.column)} and a latency bucket`;
  return make("span", { class: "scale" }, "1 ", bar, ` ${plain(panel.heat.most)} ${what}`);
}

function noteOf(panel) {
  const column = offset(DATA.column);
  if (panel.kind === "births") return `one column a lifetime of ${offset(panel.heat.lifetime)}; upwards the time within it`;
  if (panel.note && DATA.column <= 10) return panel.note;
  if (panel.note) return `${panel.note}; a column is ${column}`;
  if (panel.lanes || DATA.column <= 10) return "";
  if (panel.unit === "us") return `lines: the highest of the 10 s values in each column of ${column}`;
  return `the highest 10 s of each column of ${column}`;
}

function heightOf(panel) {
  if (panel.lanes) return panel.lanes.rows * ROW + 52;
  if (nothing(panel)) return 96;
  return { heat: 320, births: 220, stack: 200 }[panel.kind] ?? 180;
}

// A panel with its heading, legend and chart.
function panelElement(panel, events) {
  const key = `${panel.key} ${panel.node ?? ""}`;
  const place = make("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart", "aria-label": spoken(panel), keydown: onKey });
  const one = { panel, key, place, events, u: null };
  one.legend = legend(panel, key, () => draw(one));
  const title = make("h3", {});
  title.textContent = panel.title;
  if (panel.of) title.append(" · ", named(panel.of));
  const head = make("div", { class: "head" }, title, make("span", { class: "quiet" }, noteOf(panel)));
  if (panel.heat) head.append(colourBar(panel));
  one.element = make("section", { class: "panel", "data-key": panel.key }, head, one.legend.element, place);
  return one;
}

function spoken(panel) {
  const format = FORMATS[panel.unit];
  const most = panel.series.map((series) => `${series.name} at most ${format(greatest(valuesOf(series)))}`);
  return `${panel.title}. ${most.join(", ")}. Arrow keys move the cursor.`;
}

// A sheet of paper is narrower than most windows.
const widthOf = (place) => Math.max(260, state.printing ? 700 : Math.floor(place.clientWidth));

function draw(one) {
  one.u?.destroy();
  const hidden = hiddenIn(one.key);
  const width = widthOf(one.place);
  if (one.panel.lanes) one.panel.lanes = packLanes(one.panel.timeline, width, width < 600 ? 60 : 80);
  one.u = chart(one.panel, {
    place: one.place, first: one === state.charts[0], hidden, events: one.events, width, height: heightOf(one.panel),
    range: one.panel.lanes ? [0, 1] : rangeOf(one.panel, hidden),
    hooks: { cursor: (u) => onCursor(one, u), scale: onScale },
  });
  if (state.zoom) one.u.setScale("x", state.zoom);
}

function onCursor(one, u) {
  const index = u.cursor.idx;
  const readout = document.getElementById("readout");
  const there = index !== null && index !== undefined && u.cursor.left >= 0;
  if (readout) readout.textContent = there ? instant(XS[index]) : "";
  for (const { series, value } of one.legend.items) {
    const found = there ? valuesOf(series)[index] : null;
    value.textContent = found === null || found === undefined ? "" : FORMATS[one.panel.unit](found);
  }
}

let zooming = false;

function onScale(u, scale) {
  if (scale !== "x" || zooming) return;
  const { min, max } = u.scales.x;
  if (min === null || max === null) return;
  const whole = min <= XS[0] && max >= XS[COLUMNS];
  if (state.zoom?.min === min && state.zoom?.max === max) return;
  zoom(whole ? null : { min, max }, u);
}

// Shows a stretch of time in every chart; null is the whole run.
function zoom(stretch, from = null) {
  state.zoom = stretch;
  zooming = true;
  const shown = stretch ?? { min: XS[0], max: XS[COLUMNS] };
  for (const { u } of state.charts) {
    if (u && u !== from) u.setScale("x", shown);
  }
  zooming = false;
  document.getElementById("whole").disabled = stretch === null;
}

function zoomBy(factor) {
  const { min, max } = state.zoom ?? { min: XS[0], max: XS[COLUMNS] };
  const cursor = state.charts.find(({ u }) => u?.cursor.left >= 0)?.u;
  const middle = cursor ? cursor.posToVal(cursor.cursor.left, "x") : (min + max) / 2;
  const wide = Math.min((max - min) * factor, XS[COLUMNS] - XS[0]);
  const begin = Math.max(XS[0], Math.min(middle - wide / 2, XS[COLUMNS] - wide));
  zoom(wide >= XS[COLUMNS] - XS[0] ? null : { min: begin, max: begin + wide });
}

// The cursor by keys, in step in all charts.
function onKey(event) {
  const u = state.charts.find(({ place }) => place === event.currentTarget)?.u;
  if (!u) return;
  const index = u.cursor.idx ?? -1;
  const far = event.shiftKey ? 10 : 1;
  const { min, max } = state.zoom ?? { min: XS[0], max: XS[COLUMNS] };
  const first = XS.findIndex((x) => x >= min);
  const last = XS.findLastIndex((x) => x <= max);
  const moved = { ArrowLeft: index - far, ArrowRight: index + far, Home: first, End: last }[event.key];
  if (event.key === "Escape") zoom(null);
  if (event.key === "+") zoomBy(0.5);
  if (event.key === "-") zoomBy(2);
  if (moved === undefined) return;
  event.preventDefault();
  const to = Math.max(first, Math.min(last, moved));
  for (const { u: other } of state.charts) {
    other.setCursor({ left: other.valToPos(XS[to], "x") + 0.01, top: 10 });
  }
}

// What can be held against each other: a line a variant.
function measures() {
  const panels = runOf(state.variant).panels.filter(chosen);
  const of = (panel) => {
    if (panel.kind === "births" || panel.series.length === 0) return [];
    if (panel.kind === "stack") return [{ panel, series: null, label: panel.title.split(",")[0] }];
    if (panel.kind === "heat") return [{ panel, series: "p99", label: "p99 latency" }, { panel, series: "p50", label: "p50 latency" }];
    return panel.series.map((series) => ({ panel, series: series.name, label: `${panel.title.split(",")[0]}: ${series.name}` }));
  };
  return panels.flatMap(of);
}

// Neighbours differ in their dashes, and each round of the palette turns them on: no two look alike until both are
// used up.
function lookOf(n) {
  return { colour: n, dash: (Math.floor(n / theme.palette.length) + (n % 2)) % DASHES.length };
}

function overVariants(measure) {
  const line = (variant, n) => {
    const panel = runOf(n).panels.find(same(measure.panel));
    const picked = panel?.series.filter((series) => measure.series === null || series.name === measure.series) ?? [];
    const values = XS.map((_, x) => picked.reduce((sum, series) => {
      const value = valuesOf(series)[x];
      return value === null || value === undefined ? sum : (sum ?? 0) + value;
    }, null));
    return { name: variant, ...lookOf(n), values, wide: n === state.variant };
  };
  return {
    key: "variants", kind: "lines", unit: measure.panel.unit, log: measure.panel.kind === "heat",
    title: `Variants over each other: ${measure.label}`, of: measure.panel.of, series: VARIANTS.map(line),
  };
}

function timelinePanel(run) {
  if (run.timeline.length === 0) return null;
  return { key: "timeline", kind: "lanes", unit: "count", title: "Events, and what was not as usual", series: [],
    timeline: run.timeline, lanes: { items: [], rows: 1 }, heat: null };
}

function render() {
  for (const { u } of state.charts) u?.destroy();
  const run = runOf(state.variant);
  const events = run.timeline.filter(([, , , times]) => times === 0);
  const list = [];
  if (VARIANTS.length > 1) {
    const all = measures();
    state.measure = Math.min(state.measure, Math.max(0, all.length - 1));
    if (all.length > 0) list.push(overVariants(all[state.measure]));
  }
  const own = run.panels.filter(chosen).map((panel) => ({ ...panel, log: panel.kind === "heat" }));
  list.push(timelinePanel(run), ...own.map(withMeasured), ...ownCharts(run));
  state.charts = list.filter((panel) => panel !== null).map((panel) => panelElement(panel, events));
  document.getElementById("plots").replaceChildren(...state.charts.map((one) => one.element));
  if (list[0]?.key === "variants") state.charts[0].element.querySelector(".head").append(measureChoice());
  state.charts.forEach(draw);
  document.querySelectorAll("section.variant").forEach((section) => {
    section.hidden = section.dataset.variant !== String(state.variant);
  });
}

function measureChoice() {
  const options = measures().map(({ label }, n) => {
    const option = make("option", { value: String(n) });
    option.textContent = label;
    option.selected = n === state.measure;
    return option;
  });
  const select = make("select", { "aria-label": "Measure", change: () => {
    state.measure = Number(select.value);
    render();
    document.querySelector("[data-key=variants] select").focus();
  } }, ...options);
  return make("label", { class: "choice" }, "Measure ", select);
}

// One of several: buttons of which one is pressed.
function buttons(label, names, pressed, choose) {
  const all = names.map((name, n) => make("button", { type: "button", class: "pick", "aria-pressed": String(n === pressed()),
    click: () => {
      choose(n);
      all.forEach((button, other) => button.setAttribute("aria-pressed", String(other === pressed())));
    } }, named(name)));
  return make("div", { class: "group", role: "group", "aria-label": label }, make("span", { class: "quiet" }, label), ...all);
}

function choice(label, names, value, choose) {
  const options = names.map((name) => {
    const option = make("option", { value: name });
    option.textContent = name.length > 60 ? `${name.slice(0, 59)}…` : name;
    option.selected = name === value;
    return option;
  });
  const change = () => choose(names[select.selectedIndex]);
  const select = make("select", { "aria-label": label, change }, ...options);
  return make("label", { class: "choice" }, `${label} `, select);
}

function toolbar() {
  const bar = make("div", { class: "toolbar", role: "toolbar", "aria-label": "Charts" });
  if (VARIANTS.length > 1) {
    bar.append(buttons("Variant", VARIANTS, () => state.variant, (n) => { state.variant = n; render(); }));
  }
  if (SEEDS.length > 1) {
    bar.append(choice("Seed", SEEDS.map(String), String(state.seed), (seed) => { state.seed = Number(seed); render(); }));
  }
  for (const by of Object.keys(NAMES)) {
    const names = subjects(by);
    state.of[by] = busiest(by);
    if (names.length > 1) bar.append(choice(NAMES[by], names, state.of[by], (name) => { state.of[by] = name; render(); }));
  }
  const zoomButton = (text, label, click) => make("button", { type: "button", "aria-label": label, click }, text);
  const whole = make("button", { type: "button", id: "whole", click: () => zoom(null) }, "Whole run");
  whole.disabled = true;
  bar.append(make("div", { class: "group" }, zoomButton("+", "Zoom in", () => zoomBy(0.5)),
    zoomButton("−", "Zoom out", () => zoomBy(2)), whole), make("output", { id: "readout" }));
  return bar;
}

function onResize() {
  for (const one of state.charts) {
    const width = widthOf(one.place);
    if (one.u && Math.abs(one.u.width - width) > 1) draw(one);
  }
}

function main() {
  document.querySelector("header").prepend(themeButton());
  copyButtons();
  showButtons();
  if (DATA.resolved.length > 0) {
    const section = document.getElementById("resolved");
    section.append(...DATA.resolved.map(scenarioElement));
    section.hidden = false;
  }
  const panels = document.getElementById("panels");
  if (DATA.runs.length === 0) return;
  const hint = "Drag to zoom, double-click for the whole run. In a chart: arrow keys move the cursor, + and − zoom.";
  const left = DATA.seeds_left_out > 0 ? ` ${DATA.seeds_left_out} further seeds are in the tables, for want of room not in the charts.` : "";
  panels.append(toolbar(), make("p", { class: "quiet hint" }, hint + left), make("div", { id: "plots" }));
  render();
  new ResizeObserver(onResize).observe(panels);
}

main();
