// Opens the pages of real `reluctl inspect --report` in a headless Chromium: they must draw their charts, in light and
// dark, without errors and without network.
//
//   RELUCTL=.. CHROMIUM=.. node --test tests/client/inspect_page_test.mjs
import assert from "node:assert/strict";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {checkCharts, checkPicture, open, startBrowser, stopBrowser} from "./page_testing.mjs";
import {reluctl} from "./server_testing.mjs";

const folder = mkdtempSync(join(tmpdir(), "inspect_page_test."));

function inspect(name, ...options) {
  const file = join(folder, name);
  reluctl("inspect", ...options, "--report", file);
  return file;
}

let credit, weights, other;
before(async () => {
  credit = inspect("credit.html", "deploy/models/credit_embed/1/model.onnx", "--rows",
    "deploy/models/credit_embed/rows.csv", "--label", "last");
  weights = inspect("weights.html", "deploy/models/digits_mlp/1/model.onnx");
  other = inspect("other.html", "tests/testdata/models/digits_leaky_prelu_elu/model.onnx");
  await startBrowser();
});
after(async () => {
  await stopBrowser();
  rmSync(folder, {recursive: true});
});

for (const [scheme, colour] of [["light", [0x25, 0x63, 0xc9]], ["dark", [0x6e, 0xa8, 0xff]]]) {
  test(`a network with rows, ${scheme}`, async () => {
    const {page, problems} = await open(credit, scheme);
    const ids = ["firing0", "firing1", "gradients", "bounds"];
    await checkCharts(page, ids);
    await checkPicture(page, ids, colour, `inspect-${scheme}`);
    assert.match(await page.title(), /credit_embed/);
    assert.match(await page.textContent("#facts"), /certified: .*nor if values are stored as float16/);
    assert.equal(await page.$$eval("#gradients circle", (dots) => dots.length), 3 * 3);
    assert.equal(await page.$$eval("#layers tr", (lines) => lines.length), 1 + 3);
    const neurons = await page.$$eval("#firing0 rect title",
      (tips) => tips.reduce((sum, tip) => sum + Number(/(\d+) neurons/.exec(tip.textContent)[1]), 0));
    assert.equal(neurons, 64);
    assert.deepEqual(problems, []);
    await page.close();
  });
}

test("a network without rows has no charts", async () => {
  const {page, problems} = await open(weights, "light");
  await checkCharts(page, []);
  assert.equal(await page.$$eval("#layers tr", (lines) => lines.length), 1 + 3);
  assert.match(await page.textContent("#compaction"), /is an output/);
  assert.deepEqual(problems, []);
  await page.close();
});

test("a network that is not piecewise linear", async () => {
  const {page, problems} = await open(other, "light");
  await checkCharts(page, []);
  assert.match(await page.textContent("#facts"), /parameters/);
  assert.equal(await page.$("#layers"), null);
  assert.deepEqual(problems, []);
  await page.close();
});

test("a narrow window", async () => {
  const {page, problems} = await open(credit, "light");
  await page.setViewportSize({width: 400, height: 800});
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 400, `the page is ${wide} pixels wide`);
  assert.deepEqual(problems, []);
  await page.close();
});
