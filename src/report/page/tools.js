// What goes with tables and texts: copying them, finding in them, light and dark.

function themeButton() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (name, redraw) => {
    theme = name === "dark" ? DARK : LIGHT;
    document.documentElement.dataset.theme = name;
    button.setAttribute("aria-pressed", String(name === "dark"));
    if (redraw) render();
  };
  const button = make("button", { type: "button", id: "theme",
    click: () => apply(theme === DARK ? "light" : "dark", true) }, "Dark");
  apply(dark.matches ? "dark" : "light", false);
  dark.addEventListener("change", () => apply(dark.matches ? "dark" : "light", true));
  let before = null;
  addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme;
    state.printing = true;
    apply("light", true);
  });
  addEventListener("afterprint", () => {
    state.printing = false;
    apply(before, true);
  });
  return button;
}

async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { class: "away", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const label = button.textContent;
  button.textContent = done ? "Copied" : "Not copied: select and copy by hand";
  setTimeout(() => { button.textContent = label; }, 1500);
}

const tsv = (table) => [...table.rows].map((row) => [...row.cells]
  .map((cell) => (cell.querySelector(".name") ?? cell).textContent.replace(/\s+/g, " ").trim()).join("\t")).join("\n") + "\n";

function copyButtons() {
  for (const holder of document.querySelectorAll(".table")) {
    const table = holder.querySelector("table");
    const button = make("button", { type: "button", class: "copy", click: () => copy(tsv(table), button) }, "Copy as TSV");
    holder.prepend(button);
  }
}

// In the timeline of each variant, a button that shows the line's stretch in the charts.
function showButtons() {
  for (const section of document.querySelectorAll("section.variant")) {
    const run = DATA.runs.find((one) => one.variant === VARIANTS[Number(section.dataset.variant)]);
    const rows = section.querySelector("tbody")?.rows ?? [];
    if (!run || rows.length !== run.timeline.length) continue;
    run.timeline.forEach(([what, from, to], n) => {
      const label = `Show ${what} in the charts`;
      rows[n].cells[0].append(make("button", { type: "button", class: "show", "aria-label": label, click: () => show(from, to) }, "show"));
    });
  }
}

function show(from, to) {
  const end = to ?? from;
  const margin = Math.max(60, (end - from) * 0.5, 5 * DATA.column);
  const [min, max] = [Math.max(0, from - margin), Math.min(DATA.duration, end + margin)];
  zoom({ min: START + min, max: START + max });
  document.getElementById("charts").scrollIntoView();
}

// The lines of its own that a scenario has, each under the head of its table.
function withHeads(lines) {
  const kept = new Set();
  let head = null;
  for (const line of lines) {
    if (line.textContent.startsWith("[")) head = line;
    if (line.className !== "own") continue;
    if (head) kept.add(head);
    kept.add(line);
  }
  return kept;
}

function scenarioElement({ variant, lines }, n) {
  const base = DATA.resolved[0].lines;
  const pre = make("pre", { tabindex: "0" });
  let own = 0;
  const add = (text, differs) => {
    const line = make("code", differs ? { class: "own" } : {});
    line.textContent = `${text}\n`;
    pre.append(line);
  };
  for (const piece of lines) {
    if (typeof piece !== "string") base.slice(piece[0], piece[0] + piece[1]).forEach((text) => add(text, false));
    else {
      add(piece, n > 0);
      own += n > 0 ? 1 : 0;
    }
  }
  const search = make("input", { type: "search", placeholder: "find in lines", "aria-label": "Find in lines" });
  const only = make("input", { type: "checkbox" });
  const filter = () => {
    const words = search.value.toLowerCase();
    const differing = only.checked ? withHeads(pre.children) : null;
    for (const line of pre.children) {
      line.hidden = !line.textContent.toLowerCase().includes(words) || (differing !== null && !differing.has(line));
    }
  };
  search.addEventListener("input", filter);
  only.addEventListener("change", filter);
  const whole = () => [...pre.children].map((line) => line.textContent).join("");
  const button = make("button", { type: "button", click: () => copy(whole(), button) }, "Copy");
  const tools = make("div", { class: "tools" }, search, button);
  if (n > 0) tools.append(make("label", {}, only, " only what differs"));
  const note = n > 0 ? ` · ${own} ${own === 1 ? "line differs" : "lines differ"} from the first` : "";
  return make("details", {}, make("summary", {}, named(variant), note), tools, pre);
}
