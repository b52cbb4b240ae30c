// The pages under test, made by the program itself, and the browser that opens them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(here, "../..");
const herdsim = process.env.HERDSIM ?? join(root, "target/debug/herdsim");
const room = mkdtempSync(join(tmpdir(), "herdsim-page-"));

export const EVIL = `</script><script>globalThis.hacked = 8</script><img src=x onerror="globalThis.hacked = 9">'שלום🐎${"w".repeat(10_000)}`;

function run(...args) {
  execFileSync(herdsim, [...args, "--quiet"], { cwd: room, stdio: ["ignore", "ignore", "inherit"] });
}

const scenario = (name) => join(root, "scenarios", `${name}.toml`);
const edit = (file, change) => writeFileSync(file, JSON.stringify(change(readFileSync(file, "utf8"))));

// What was stored is edited: names that no scenario may have, in every place.
function hostile() {
  const out = join(room, "hostile");
  const long = "a-name-as-long-as-a-name-may-be-and-then-not-a-letter-more-0000";
  run("compare", join(here, "hostile.toml"), "-o", out, "--exit-zero", "--no-plots");
  const evil = JSON.stringify(EVIL).slice(1, -1);
  for (const name of ["measured.json", "manifest.json", "expectations.json", "effects.json"]) {
    const worse = (text) => text.replaceAll(long, evil).replaceAll("an-event-with-a-long", evil)
      .replaceAll('"sign-in"', `"${evil}"`).replaceAll('"few-starts"', `"${evil}"`);
    edit(join(out, name), (text) => JSON.parse(worse(text)));
  }
  const overlay = join(room, "prod.csv");
  writeFileSync(overlay, `time,"${EVIL.replaceAll('"', '""')}"\n0,1\n10,2\n`);
  run("report", out, "--overlay", overlay);
  return out;
}

function measured() {
  const out = join(room, "measured");
  const overlay = join(room, "measured.csv");
  writeFileSync(overlay, "time,value\n60,40\n70,90\n80,55\n5000,1\n");
  run("run", scenario("quickstart"), "--duration", "2m", "--seeds", "1,2", "-o", out, "--exit-zero", "--no-plots");
  run("report", out, "--overlay", `p99=${overlay}`, "--overlay", overlay);
  return out;
}

const makers = {
  quickstart: () => {
    run("compare", scenario("quickstart"), "-o", join(room, "quickstart"), "--exit-zero");
    return join(room, "quickstart");
  },
  march: () => {
    run("run", scenario("march-2026"), "--duration", "18m", "-o", join(room, "march"), "--exit-zero");
    return join(room, "march");
  },
  instant: () => {
    run("run", join(here, "hostile.toml"), "--duration", "5s", "-o", join(room, "instant"), "--exit-zero",
      "--set", "event.an-event-with-a-long-name-that-goes-on-and-on-and-on-and-on-and.enabled=false");
    return join(room, "instant");
  },
  hostile,
  measured,
};
const made = new Map();

/** The run directory of a page. */
export function directory(name) {
  if (!made.has(name)) made.set(name, makers[name]());
  return made.get(name);
}

let browser = null;

/** Opens a page; what it says and asks for is collected. */
export async function open(name, options = {}) {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light", ...options });
  const page = await context.newPage();
  const said = [];
  const asked = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => { said.push(dialog.message()); dialog.dismiss(); });
  page.on("request", (request) => asked.push(request.url()));
  const url = pathToFileURL(join(directory(name), "report.html")).href;
  await page.goto(url);
  return { page, context, url, said, asked };
}

/** Ends the browser and clears up. */
export async function close() {
  await browser?.close();
  rmSync(room, { recursive: true, force: true });
}
