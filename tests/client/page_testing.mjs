// What the tests of pages share: they are opened in a headless Chromium, and looked at.
//
// SCREENSHOTS=folder keeps the pictures.
import assert from "node:assert/strict";
import {join} from "node:path";
import {pathToFileURL} from "node:url";
import {inflateSync} from "node:zlib";
import {chromium} from "playwright-core";

const pictures = process.env.SCREENSHOTS;
let browser;

export async function startBrowser() {
  browser = await chromium.launch({executablePath: process.env.CHROMIUM, args: ["--no-sandbox"]});
}
export const stopBrowser = () => browser?.close();

// The pixels of a PNG without interlacing, 8 bits a channel: what Chromium writes.
function decodePng(png) {
  const parts = [];
  let width, height, channels;
  for (let at = 8; at < png.length;) {
    const size = png.readUInt32BE(at);
    const kind = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + size);
    if (kind === "IHDR") {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      channels = body[9] === 6 ? 4 : 3;
    } else if (kind === "IDAT") {
      parts.push(body);
    }
    at += size + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const pixels = Buffer.alloc(height * stride);
  for (let y = 0; y < height; ++y) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; ++x) {
      const left = x >= channels ? pixels[y * stride + x - channels] : 0;
      const up = y > 0 ? pixels[(y - 1) * stride + x] : 0;
      const corner = x >= channels && y > 0 ? pixels[(y - 1) * stride + x - channels] : 0;
      pixels[y * stride + x] = raw[y * (stride + 1) + 1 + x] + guess(filter, left, up, corner);
    }
  }
  return {width, height, channels, pixels};
}
function guess(filter, left, up, corner) {
  switch (filter) {
    case 0: return 0;
    case 1: return left;
    case 2: return up;
    case 3: return (left + up) >> 1;
    default: return paeth(left, up, corner);
  }
}
function paeth(a, b, c) {
  const [da, db, dc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return da <= db && da <= dc ? a : db <= dc ? b : c;
}
// How many pixels of a part of the picture have exactly the colour [r, g, b].
function count({width, channels, pixels}, box, [r, g, b]) {
  let found = 0;
  for (let y = Math.ceil(box.y); y < box.y + box.height; ++y) {
    for (let x = Math.ceil(box.x); x < box.x + box.width; ++x) {
      const at = (y * width + x) * channels;
      if (pixels[at] === r && pixels[at + 1] === g && pixels[at + 2] === b) ++found;
    }
  }
  return found;
}

export async function open(file, colorScheme) {
  const page = await browser.newPage({viewport: {width: 1280, height: 900}, colorScheme});
  const problems = [];
  page.on("pageerror", (error) => problems.push(`${error}`));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("request", (request) => request.url().startsWith("file:") || problems.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  return {page, problems};
}

// Every chart has marks of finite size inside of it, and text that does not overlap.
export async function checkCharts(page, ids) {
  assert.deepEqual(await page.$$eval("#charts > .card", (cards) => cards.map((card) => card.id)), ids);
  for (const id of ids) {
    const faults = await page.$eval(`#${id} svg`, (image) => {
      const found = [];
      const frame = image.getBoundingClientRect();
      if (/NaN|Infinity/.test(image.outerHTML)) found.push("a number that is none");
      const marks = [...image.querySelectorAll("polyline, rect")];
      if (marks.length === 0) found.push("no marks");
      const boxes = [...image.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
      for (const [text, box] of [...boxes, ...marks.map((mark) => [mark.tagName, mark.getBoundingClientRect()])]) {
        if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
            box.bottom > frame.bottom + 1) found.push(`"${text}" reaches out`);
      }
      boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
        if (p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom) {
          found.push(`"${a}" and "${b}" overlap`);
        }
      }));
      return found;
    });
    assert.deepEqual(faults, [], id);
  }
}

// The charts are drawn in the colour of the first line.
export async function checkPicture(page, ids, colour, name) {
  const png = await page.screenshot({fullPage: true, ...(pictures && {path: join(pictures, `${name}.png`)})});
  const picture = decodePng(png);
  for (const id of ids) {
    const drawn = count(picture, await page.locator(`#${id}`).boundingBox(), colour);
    assert.ok(drawn > 100, `${name} ${id}: only ${drawn} pixels of a line`);
  }
}
