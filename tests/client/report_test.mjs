// Opens the page of a real `reluctl load --report` in a headless Chromium: it
// must draw its charts, in light and dark, without errors and without network.
//
//   RELUD=.. RELUCTL=.. CHROMIUM=.. node --test tests/client/report_test.mjs
import assert from "node:assert/strict";
import {spawn, spawnSync} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {checkCharts, checkPicture, open, startBrowser, stopBrowser} from "./page_testing.mjs";

const folder = mkdtempSync(join(tmpdir(), "report_test."));
let relud;

// The address in the line that relud logs when it is ready.
function startServer() {
  relud = spawn(process.env.RELUD,
    ["--model-repository=deploy/models", "--grpc-address=127.0.0.1", "--grpc-port=0", "--allow-http=false",
      "--metrics-port=0"],
    {stdio: ["ignore", "ignore", "pipe"]});
  return new Promise((resolve, reject) => {
    let log = "";
    relud.stderr.on("data", (text) => {
      log += text;
      const ready = /gRPC on ([0-9.]+:\d+)/.exec(log);
      if (ready) resolve(ready[1]);
    });
    relud.on("exit", (code) => reject(new Error(`relud ended with ${code}: ${log}`)));
  });
}

function load(address, name, ...options) {
  const file = join(folder, name);
  const run = spawnSync(process.env.RELUCTL, ["load", "digits_mlp", "--server", address, "--report", file,
    "--warmup", "0", "--duration", "0.3", "--window", "0.1", ...options], {encoding: "utf8"});
  assert.equal(run.status, 0, run.stderr + run.stdout);
  return file;
}

let single;
let sweep;
before(async () => {
  const address = await startServer();
  single = load(address, "single.html", "--concurrency", "4");
  sweep = load(address, "sweep.html", "--concurrency", "1,2,4");
  await startBrowser();
});
after(async () => {
  await stopBrowser();
  relud?.removeAllListeners("exit");
  relud?.kill("SIGKILL");
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
