// Opens the picture of a real `reluctl activity --picture` in a headless Chromium: of a server that has seen a drift, with
// its calibration and without one.
//
//   RELUD=.. RELUCTL=.. CHROMIUM=.. node --test tests/client/activity_picture_test.mjs
import assert from "node:assert/strict";
import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {open, startBrowser, stopBrowser} from "./page_testing.mjs";
import {reluctl, startServer, stopServer} from "./server_testing.mjs";

const rows = "deploy/models/digits_mlp/rows.csv";
const folder = mkdtempSync(join(tmpdir(), "activity_picture_test."));
const models = join(folder, "models");
let drifted, plain, neurons;

// The rows with one column in another unit.
function otherUnit(column, factor) {
  const [header, ...lines] = readFileSync(rows, "utf8").trim().split("\n");
  const file = join(folder, "rows.csv");
  writeFileSync(file, [header, ...lines.map((line) =>
    line.split(",").map((value, i) => i === column ? value * factor : value).join(","))].join("\n"));
  return file;
}

before(async () => {
  for (const name of ["digits_mlp", "mnist_256x128"]) cpSync(`deploy/models/${name}`, join(models, name), {recursive: true});
  reluctl("calibrate", join(models, "digits_mlp/1/model.onnx"), rows, "--label", "last", "--window", "32");
  const server = ["--server", await startServer(models, "--activity-sample-every=1")];
  reluctl("infer", "digits_mlp", "--input", otherUnit(20, 30), "--label", "last", ...server);
  reluctl("infer", "mnist_256x128", "--input", "deploy/models/mnist_256x128/rows.csv", "--label", "last", ...server);
  [drifted, plain] = ["digits_mlp", "mnist_256x128"].map((name) => {
    const file = join(folder, `${name}.svg`);
    reluctl("activity", name, "--picture", file, ...server);
    return file;
  });
  neurons = Object.fromEntries(["digits_mlp", "mnist_256x128"].map((name) => [name,
    JSON.parse(reluctl("activity", name, "--output", "json", ...server)).layers
      .reduce((sum, layer) => sum + layer.firing_rate.length, 0)]));
  await startBrowser();
});
after(async () => {
  await stopBrowser();
  stopServer();
  rmSync(folder, {recursive: true});
});

// Marks that reach out of the picture, and text over other text.
const faultsOf = (page) => page.evaluate(() => {
  const image = document.documentElement, frame = image.getBoundingClientRect(), found = [];
  if (image.localName !== "svg" || document.querySelector("parsererror")) return ["no picture"];
  if (/NaN|[^a-z]inf/.test(image.outerHTML)) found.push("a number that is none");
  const boxes = [...image.querySelectorAll("text, rect")].map((mark) => [mark.textContent || mark.localName,
    mark.getBoundingClientRect(), mark.localName]);
  for (const [name, box] of boxes) {
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) {
      found.push(`"${name}" reaches out`);
    }
  }
  const texts = boxes.filter(([, , kind]) => kind === "text");
  texts.forEach(([a, p], i) => texts.slice(i + 1).forEach(([b, q]) => {
    if (p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom) found.push(`"${a}" and "${b}" overlap`);
  }));
  return found;
});
const tipsOf = (page) => page.evaluate(() => [...document.querySelectorAll("rect > title")].map((tip) => tip.textContent));

test("the picture of a drift", async () => {
  const {page, problems} = await open(drifted, "light");
  assert.deepEqual(await faultsOf(page), []);
  const tips = await tipsOf(page);
  assert.equal(tips.filter((tip) => / on in /.test(tip)).length, neurons.digits_mlp);
  assert.equal(tips.filter((tip) => / moved by /.test(tip)).length, neurons.digits_mlp);
  // The bars begin with the input that moved.
  const inputs = await page.evaluate(() => [...document.querySelectorAll("text[text-anchor=end]")].map((name) => name.textContent));
  assert.equal(inputs[0], "p2_4");
  assert.deepEqual(problems, []);
  await page.close();
});

test("the picture of a model without calibration", async () => {
  const {page, problems} = await open(plain, "light");
  assert.deepEqual(await faultsOf(page), []);
  const tips = await tipsOf(page);
  assert.equal(tips.length, neurons.mnist_256x128);
  assert.deepEqual(problems, []);
  await page.close();
});
