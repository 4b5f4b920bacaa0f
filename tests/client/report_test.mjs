// Opens the page of a real `reluctl load --report` in a headless Chromium: it
// must draw its charts, in light and dark, without errors and without network.
//
//   RELUD=.. RELUCTL=.. CHROMIUM=.. node --test tests/client/report_test.mjs
import assert from "node:assert/strict";
import {mkdtempSync, readFileSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {checkCharts, checkPicture, open, startBrowser, stopBrowser} from "./page_testing.mjs";
import {reluctl, startServer, stopServer} from "./server_testing.mjs";

const folder = mkdtempSync(join(tmpdir(), "report_test."));
function load(address, name, ...options) {
  const file = join(folder, name);
  reluctl("load", "digits_mlp", "--server", address, "--report", file, "--warmup", "0", "--duration", "0.3",
    "--window", "0.1", ...options);
  return file;
}

let single;
let sweep;
before(async () => {
  const address = await startServer("deploy/models");
  single = load(address, "single.html", "--concurrency", "4");
  sweep = load(address, "sweep.html", "--concurrency", "1,2,4");
  await startBrowser();
});
after(async () => {
  await stopBrowser();
  stopServer();
  rmSync(folder, {recursive: true});
});

for (const [scheme, colour] of [["light", [0x25, 0x63, 0xc9]], ["dark", [0x6e, 0xa8, 0xff]]]) {
  test(`one step, ${scheme}`, async () => {
    const {page, problems} = await open(single, scheme);
    const ids = ["percentiles", "distribution", "throughput", "latency"];
    await checkCharts(page, ids);
    await checkPicture(page, ids, colour, `single-${scheme}`);
    assert.match(await page.textContent("#tiles"), /throughput.*p99/);
    assert.equal(await page.isVisible("#choice"), false);
    assert.deepEqual(problems, []);
    await page.close();
  });

  test(`a sweep, ${scheme}`, async () => {
    const {page, problems} = await open(sweep, scheme);
    const ids = ["sweep", "percentiles", "distribution", "throughput", "latency"];
    await checkCharts(page, ids);
    await checkPicture(page, ids, colour, `sweep-${scheme}`);
    const before = await page.textContent("#tiles");
    await page.selectOption("#step", "0");
    assert.notEqual(await page.textContent("#tiles"), before);
    await checkCharts(page, ids);
    assert.equal(await page.$$eval("#sweep circle", (dots) => dots.length), 3 * 3);
    assert.deepEqual(problems, []);
    await page.close();
  });
}

test("a narrow window", async () => {
  const {page, problems} = await open(single, "light");
  await page.setViewportSize({width: 400, height: 800});
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 400, `the page is ${wide} pixels wide`);
  assert.deepEqual(problems, []);
  await page.close();
});
