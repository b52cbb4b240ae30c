// The report page as a reader meets it: opened from the disk, by mouse, by keys, on a phone, without scripts.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { EVIL, close, open } from "./pages.js";

after(close);

// Whether each canvas shows more than one colour.
const painted = (page) => page.$$eval("canvas", (all) => all.map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const pixels = new Uint32Array(data.buffer);
  return pixels.some((pixel) => pixel !== pixels[0]);
}));

// What a panel's canvas shows, as text to compare.
const picture = (page, key) => page.$eval(`[data-key="${key}"] canvas`, (canvas) => canvas.toDataURL());

const pressed = (locator) => locator.getAttribute("aria-pressed");
// Room kept for a scrollbar makes the page narrower than its window, which is nothing to scroll to.
const sideways = (page) => page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth));

test("no two of thirty-six variants look alike", async () => {
  const { page, context } = await open("quickstart");
  const looks = await page.evaluate(() => Array.from({ length: 36 }, (_, n) => {
    const { colour, dash } = lookOf(n);
    return `${theme.palette[colour % theme.palette.length]} ${DASHES[dash]}`;
  }));
  assert.equal(new Set(looks).size, 36);
  await context.close();
});

for (const name of ["quickstart", "march", "instant", "hostile", "measured"]) {
  test(`${name}: opens from a disk, draws everything, asks for nothing`, async () => {
    const { page, context, url, said, asked } = await open(name);
    assert.deepEqual(said, [], "nothing to complain of");
    assert.deepEqual(asked.map((one) => one.split("#")[0]), [url], "only the page itself");
    const canvases = await painted(page);
    assert.ok(canvases.length > 5, `${canvases.length} canvases`);
    assert.ok(canvases.every(Boolean), "every canvas shows something");
    await context.close();
  });

  test(`${name}: fits a phone`, async () => {
    const { page, context, said } = await open(name, { viewport: { width: 390, height: 800 } });
    assert.equal(await sideways(page), 0, "no scrolling sideways");
    assert.deepEqual(said, []);
    await context.close();
  });

  test(`${name}: without scripts there are verdicts and tables`, async () => {
    const { page, context, said } = await open(name, { javaScriptEnabled: false });
    assert.deepEqual(said, []);
    assert.ok(await page.locator("table").count() > 1);
    assert.ok(await page.locator("#verdicts").isVisible());
    assert.equal(await page.locator("canvas").count(), 0);
    assert.ok(await page.locator("noscript p").isVisible());
    await context.close();
  });
}

test("without scripts there are pictures", async () => {
  const { page, context } = await open("quickstart", { javaScriptEnabled: false });
  const pictures = page.locator("figure svg");
  assert.ok(await pictures.count() >= 1);
  assert.ok(await pictures.first().isVisible());
  assert.ok((await page.locator("figure svg title").first().textContent()).length > 10);
  await context.close();
});

test("headings are in order and the skip link leads to the verdicts", async () => {
  const { page, context } = await open("quickstart");
  const levels = await page.$$eval("h1,h2,h3,h4,h5,h6", (all) => all.map((heading) => Number(heading.tagName[1])));
  assert.equal(levels[0], 1);
  assert.equal(levels.filter((level) => level === 1).length, 1);
  levels.slice(1).forEach((level, n) => assert.ok(level <= levels[n] + 1, `h${levels[n]} then h${level}`));
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  assert.ok(await page.locator(".skip").evaluate((link) => link.getBoundingClientRect().left >= 0), "seen when focused");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "verdicts");
  await context.close();
});

test("a line is hidden and shown by its button, by keys too", async () => {
  const { page, context } = await open("quickstart");
  const before = await picture(page, "latency");
  const p99 = page.locator('[data-key="latency"] .key', { hasText: "p99" });
  assert.equal(await pressed(p99), "true");
  await p99.click();
  assert.equal(await pressed(p99), "false");
  const without = await picture(page, "latency");
  assert.notEqual(without, before);
  await p99.focus();
  await page.keyboard.press("Enter");
  assert.equal(await pressed(p99), "true");
  assert.notEqual(await picture(page, "latency"), without, "there again");
  const focus = await p99.evaluate((button) => getComputedStyle(button).outlineStyle);
  assert.notEqual(focus, "none", "the focus is seen");
  await context.close();
});

test("another variant shows another course, on the same scales", async () => {
  const { page, context } = await open("quickstart");
  const [herd, starts] = [await picture(page, "latency"), await picture(page, "starts")];
  const jitter = page.locator(".pick", { hasText: /^jitter$/ });
  await jitter.focus();
  await page.keyboard.press("Space");
  assert.equal(await pressed(jitter), "true");
  assert.equal(await pressed(page.locator(".pick", { hasText: "no-jitter" })), "false");
  assert.notEqual(await picture(page, "latency"), herd);
  assert.notEqual(await picture(page, "starts"), starts);
  const shown = await page.$$eval("section.variant", (all) => all.filter((one) => !one.hidden).map((one) => one.querySelector("h3").textContent));
  assert.equal(shown.length, 1);
  assert.match(shown[0], /^jitter · seed 1$/);
  await context.close();
});

test("variants lie over each other, one measure at a time", async () => {
  const { page, context } = await open("quickstart");
  const before = await picture(page, "variants");
  const jitter = page.locator('[data-key="variants"] .key', { hasText: /^jitter/ });
  await jitter.click();
  assert.equal(await pressed(jitter), "false");
  const one = await picture(page, "variants");
  assert.notEqual(one, before);
  await jitter.click();
  await page.locator('[data-key="variants"] select').selectOption({ label: "Connections started in each second" });
  assert.notEqual(await picture(page, "variants"), before);
  assert.match(await page.locator('[data-key="variants"] h3').textContent(), /Connections started/);
  await context.close();
});

test("a class, a node and a seed can be chosen", async () => {
  const { page, context } = await open("march");
  const choose = async (label, key) => {
    const before = await page.locator(`[data-key="${key}"] h3`).textContent();
    const select = page.getByLabel(label, { exact: true });
    const other = await select.evaluate((one) => [...one.options].find((option) => !option.selected).value);
    await select.selectOption(other);
    const now = await page.locator(`[data-key="${key}"] h3`).textContent();
    assert.notEqual(now, before);
    assert.ok(now.includes(other));
  };
  await choose("Request class", "rates");
  await choose("Postgres node", "starts");
  await context.close();
  const seeds = await open("measured");
  const before = await picture(seeds.page, "latency");
  await seeds.page.getByLabel("Seed", { exact: true }).selectOption("2");
  assert.notEqual(await picture(seeds.page, "latency"), before);
  await seeds.context.close();
});

test("the cursor moves in step and tells values; stretches can be shown", async () => {
  const { page, context } = await open("quickstart");
  await page.locator('[data-key="latency"] .plot').focus();
  await page.keyboard.press("Home");
  for (let n = 0; n < 6; n++) await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator("#readout").textContent(), "1m");
  assert.match(await page.locator('[data-key="latency"] .key', { hasText: "p99" }).textContent(), /p99\d/);
  assert.match(await page.locator('[data-key="cpu"] .key').first().textContent(), /\d%$/, "in the other panels too");
  const before = await picture(page, "cpu");
  assert.ok(await page.locator("#whole").isDisabled());
  await page.locator(".show:visible").first().click();
  assert.ok(await page.locator("#whole").isEnabled());
  assert.notEqual(await picture(page, "cpu"), before, "zoomed");
  await page.locator("#whole").click();
  assert.ok(await page.locator("#whole").isDisabled());
  await context.close();
});

test("a drag zooms all panels, a double click shows all again", async () => {
  const { page, context } = await open("quickstart");
  const over = page.locator('[data-key="latency"] .u-over');
  await over.scrollIntoViewIfNeeded();
  const { x, y, width } = await over.boundingBox();
  const before = await picture(page, "starts");
  await page.mouse.move(x + width * 0.4, y + 50);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.6, y + 60, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(() => !document.getElementById("whole").disabled);
  assert.notEqual(await picture(page, "starts"), before);
  await page.mouse.dblclick(x + width * 0.5, y + 50);
  await page.waitForFunction(() => document.getElementById("whole").disabled);
  await context.close();
});

test("light and dark, by the system and by the button", async () => {
  const { page, context } = await open("quickstart");
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const button = page.locator("#theme");
  const [light, chart] = [await paper(), await picture(page, "latency")];
  assert.equal(await pressed(button), "false");
  await button.click();
  assert.equal(await pressed(button), "true");
  assert.notEqual(await paper(), light);
  assert.notEqual(await picture(page, "latency"), chart, "the charts too");
  await context.close();
  const dark = await open("quickstart", { colorScheme: "dark" });
  assert.equal(await pressed(dark.page.locator("#theme")), "true");
  await dark.context.close();
});

test("a table is copied as tab-separated values", async () => {
  const { page, context, said } = await open("quickstart");
  await page.evaluate(() => {
    navigator.clipboard.writeText = async (text) => { globalThis.copied = text; };
  });
  const button = page.locator(".table .copy").first();
  await button.focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => globalThis.copied !== undefined);
  const rows = (await page.evaluate(() => globalThis.copied)).trimEnd().split("\n").map((row) => row.split("\t"));
  assert.equal(rows[0][0], "variant");
  assert.deepEqual(rows.map((row) => row[0]), ["variant", "no-jitter", "jitter"]);
  assert.ok(rows.every((row) => row.length === rows[0].length));
  assert.equal(await button.textContent(), "Copied");
  assert.deepEqual(said, []);
  await context.close();
});

test("the resolved scenario is searched, and tells what differs", async () => {
  const { page, context } = await open("quickstart");
  const jitter = page.locator("details").nth(1);
  await jitter.locator("summary").click();
  const lines = jitter.locator("pre code:visible");
  const all = await lines.count();
  assert.ok(all > 20);
  await jitter.getByLabel("only what differs").check();
  assert.deepEqual((await lines.allTextContents()).map((line) => line.split(" ")[0]), ["[service.api.pool.primary]\n", "max_lifetime_jitter"]);
  await jitter.getByLabel("only what differs").uncheck();
  await jitter.getByLabel("Find in lines").fill("max_connections");
  assert.equal(await lines.count(), 1);
  await context.close();
});

test("names that mean harm stay names", async () => {
  const { page, context } = await open("hostile");
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  assert.equal(await page.locator("img, script:not(#data)").count(), 2, "the page's own two scripts");
  assert.equal(await page.locator("svg, iframe, object, embed, base, form").count(), 0);
  assert.match(await page.locator("h1").textContent(), /^<\/script><script>globalThis\.hacked = 1/);
  const names = await page.locator(".pick").allTextContents();
  assert.ok(names.includes(EVIL), "whole, as text");
  await page.locator(".pick").nth(1).click();
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  assert.equal(await sideways(page), 0);
  const high = await page.evaluate(() => document.documentElement.scrollHeight);
  assert.ok(high < 12_000, `${high} pixels: long names do not blow up the page`);
  await context.close();
});

test("measured values lie over the simulated ones, or have a chart of their own", async () => {
  const { page, context } = await open("measured");
  const over = page.locator('[data-key="latency"] .key', { hasText: "measured: value" });
  assert.equal(await over.count(), 1);
  const before = await picture(page, "latency");
  await over.click();
  assert.notEqual(await picture(page, "latency"), before);
  assert.equal(await page.locator('[data-key="measured-0"]').count(), 1);
  assert.ok(await page.getByText("1 value outside the run left out").first().isVisible());
  await context.close();
});

test("a name that has no room is cut, and a claim keeps its colon", async () => {
  const { page, context } = await open("quickstart", { viewport: { width: 390, height: 800 } });
  const cut = await page.evaluate(() => {
    const ctx = document.createElement("canvas").getContext("2d");
    const name = "breaker of session-reads at frontend-api open";
    const wide = ctx.measureText(name).width;
    const [short, none] = [fitted(ctx, name, wide / 2), fitted(ctx, name, 0)];
    return { whole: fitted(ctx, name, wide) === name, short, fits: ctx.measureText(short).width <= wide / 2, none };
  });
  assert.ok(cut.whole && cut.fits && /^breaker.*…$/.test(cut.short) && cut.none === "", JSON.stringify(cut));
  const claims = await page.locator(".verdicts p > .claim:first-child").allTextContents();
  assert.ok(claims.length > 0 && claims.every((claim) => claim.endsWith(":")), claims.join("\n"));
  await context.close();
});
