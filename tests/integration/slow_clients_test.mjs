// Clients that send half of a request and stop, or do not read their answers,
// over gRPC and over HTTP: the server's memory stays bounded, others are
// served meanwhile, and everything is given back when they leave, or have not
// read for too long. RELUD names the binary.

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const inference = grpc.loadPackageDefinition(protoLoader.loadSync(
    'proto/inference.proto', {includeDirs: [root], keepCase: true, longs: String})).inference;
const inferPath = '/inference.GRPCInferenceService/ModelInfer';
const columns = 64;
const mebibyte = 1 << 20;

let server, ended, addresses, client, folder, httpSocket;
let log = '';

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'slow-clients-'));
  httpSocket = path.join(folder, 'http');
  server = spawn(process.env.RELUD, [
    '--model-repository=deploy/models', '--grpc-address=127.0.0.1', '--grpc-port=0',
    '--http-address=127.0.0.1', '--http-port=0', '--metrics-address=127.0.0.1', '--metrics-port=0',
    '--lame-duck=0', '--drain-timeout=1', '--max-message-bytes=4194304',
    `--max-in-flight-bytes=${64 * mebibyte}`, `--grpc-buffer-bytes=${256 * mebibyte}`,
    `--max-stream-bytes=${mebibyte}`, `--http-unix-socket=${httpSocket}`,
    '--grpc-answer-timeout=10', '--http-timeout=10',
  ], {cwd: root, stdio: ['ignore', 'ignore', 'pipe']});
  ended = new Promise((resolve) => server.on('close', (code, signal) => resolve(code ?? signal)));
  addresses = await new Promise((resolve, reject) => {
    server.stderr.on('data', (chunk) => {
      log += chunk;
      const ready = /gRPC on (\S+:\d+), HTTP on (\S+:\d+), metrics on (\S+:\d+)/.exec(log);
      if (ready) {
        resolve({grpc: ready[1], http: ready[2], metrics: ready[3]});
      }
    });
    server.on('close', () => reject(new Error(`relud ended: ${log}`)));
  });
  client = new inference.GRPCInferenceService(addresses.grpc, grpc.credentials.createInsecure());
  await othersAreServed();
});

after(async () => {
  client?.close();
  server?.kill('SIGKILL');
  await ended;
  fs.rmSync(folder, {recursive: true});
});

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// The message of a request of so many rows, as protobuf has it.
const messageOf = (rows) => client.ModelInfer.requestSerialize({
  model_name: 'digits_mlp',
  inputs: [{name: 'input', datatype: 'FP32', shape: [rows, columns]}],
  raw_input_contents: [Buffer.alloc(4 * rows * columns)],
});

// A message as gRPC sends it, or as much of it as is given.
function frame(message, bytes = message.length) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message.subarray(0, bytes)]);
}

// A call that is refused because the queue is long is tried again, as the server
// asks: how long it is depends on the speed of the machine.
async function untilTaken(call) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    if (await call()) {
      return;
    }
  }
  assert.fail('refused for a minute');
}

const inferByGrpc = () => new Promise((resolve, reject) => client.ModelInfer({
  model_name: 'digits_mlp',
  inputs: [{name: 'input', datatype: 'FP32', shape: [1, columns]}],
  raw_input_contents: [Buffer.alloc(4 * columns)],
}, (error) => error && error.code !== grpc.status.UNAVAILABLE ? reject(error) : resolve(!error)));

async function inferByHttp() {
  const answer = await fetch(`http://${addresses.http}/v2/models/digits_mlp/infer`, {
    method: 'POST',
    body: JSON.stringify({
      inputs: [{name: 'input', datatype: 'FP32', shape: [1, columns], data: new Array(columns).fill(0)}],
    }),
  });
  await answer.text();
  assert.ok([200, 503].includes(answer.status), `${answer.status}`);
  return answer.status === 200;
}

async function othersAreServed() {
  for (let i = 0; i < 20; ++i) {
    await untilTaken(inferByGrpc);
    await untilTaken(inferByHttp);
  }
}

function memoryBytes() {
  const status = fs.readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return 1024 * Number(/VmRSS:\s*(\d+)/.exec(status)[1]);
}

// Sanitizers take memory of their own for every byte, and keep what was freed.
const sanitized = () => /asan/.test(process.env.RELUD);

async function metric(name) {
  const text = await (await fetch(`http://${addresses.metrics}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)[1]);
}

async function eventually(what, holds) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
    if (await holds()) {
      return;
    }
  }
  assert.fail(`not within a minute: ${what}`);
}

const headers = {
  ':method': 'POST', ':path': inferPath, 'content-type': 'application/grpc', 'te': 'trailers',
};

function connect(options) {
  const session = http2.connect(`http://${addresses.grpc}`, options);
  session.on('error', () => {});
  return session;
}

// A call that sends `bytes` and, if `ends`, is then done. One that is refused
// is made again: a refusal is headers alone, which need no window.
function openCall(session, bytes, ends) {
  const stream = session.request(headers);
  stream.on('error', () => {});
  stream.on('response', async (answer) => {
    if (Number(answer['grpc-status']) === grpc.status.UNAVAILABLE) {
      await sleep(50);
      if (!session.destroyed) {
        openCall(session, bytes, ends);
      }
    }
  });
  stream.pause();
  stream[ends ? 'end' : 'write'](bytes);
}

// Sessions with calls.
function openCalls(count, bytes, {ends, settings}) {
  const sessions = Array.from({length: 4}, () => connect({settings}));
  for (let i = 0; i < count; ++i) {
    openCall(sessions[i % sessions.length], bytes, ends);
  }
  return sessions;
}

function openSockets(count, bytes) {
  return Array.from({length: count}, () => {
    const [host, port] = addresses.http.split(':');
    const socket = net.connect(Number(port), host);
    socket.on('error', () => {});
    socket.pause();
    socket.write(bytes);
    return socket;
  });
}

test('requests of which half has come hold up nobody', async () => {
  const before = memoryBytes();
  const message = messageOf(8192);  // 2 MiB; 100 of them would be 200.
  const sessions = openCalls(100, frame(message, message.length / 2), {ends: false});
  const body = '{"inputs": [{"name": "input", ';
  const sockets = openSockets(100, `POST /v2/models/digits_mlp/infer HTTP/1.1\r\nHost: relud\r\n` +
      `Content-Length: ${4 * mebibyte}\r\n\r\n${body}`);
  await othersAreServed();
  if (!sanitized()) {
    assert.ok(memoryBytes() - before < 150 * mebibyte, `${memoryBytes() - before}`);
  }
  sessions.forEach((session) => session.destroy());
  sockets.forEach((socket) => socket.destroy());
  await othersAreServed();
});

test('answers that are not read hold up nobody, and are given back', async () => {
  const before = memoryBytes();
  const message = messageOf(1024);  // 256 KiB, and 40 KiB of an answer.
  // No byte of an answer may be sent to them.
  const sessions = openCalls(100, frame(message), {ends: true, settings: {initialWindowSize: 0}});
  await eventually('answers wait', async () => await metric('relu_in_flight_bytes') > 20 * mebibyte);
  await othersAreServed();
  assert.ok(await metric('relu_in_flight_bytes') <= 64 * mebibyte);
  if (!sanitized()) {
    assert.ok(memoryBytes() - before < 250 * mebibyte, `${memoryBytes() - before}`);
  }
  // Their clients are still there.
  await eventually('everything is given back', async () => await metric('relu_in_flight_bytes') === 0);
  assert.ok(await metric('relu_unread_answers_total') > 0);
  sessions.forEach((session) => session.destroy());
});

// The begin of the answer to a request over the Unix socket, which holds less
// than TCP does, and the socket, which reads no further.
const readBegin = (request) => new Promise((resolve, reject) => {
  const socket = net.connect(httpSocket);
  socket.on('error', reject);
  socket.once('data', (begin) => {
    socket.pause();
    resolve({socket, begin: begin.toString()});
  });
  socket.write(request);
});

test('answers over HTTP that are not read hold up nobody, and are given back', async () => {
  const before = memoryBytes();
  const rows = 8192;  // 2 MiB, and almost 1 MiB of an answer.
  const values = Buffer.alloc(4 * rows * columns);
  const json = JSON.stringify({
    inputs: [{name: 'input', datatype: 'FP32', shape: [rows, columns], parameters: {binary_data_size: values.length}}],
  });
  const request = Buffer.concat([Buffer.from(`POST /v2/models/digits_mlp/infer HTTP/1.1\r\nHost: relud\r\n` +
      `Inference-Header-Content-Length: ${json.length}\r\nContent-Length: ${json.length + values.length}\r\n\r\n` +
      `${json}`), values]);
  const sockets = [];
  while (await metric('relu_in_flight_bytes') < 20 * mebibyte) {
    assert.ok(sockets.length < 200, 'answers that wait are counted');
    const {socket, begin} = await readBegin(request);
    if (/^HTTP\/1.1 200 /.test(begin)) {
      sockets.push(socket);
    } else {
      assert.match(begin, /^HTTP\/1.1 503 /);
      socket.destroy();
      await sleep(50);
    }
  }
  await othersAreServed();
  if (!sanitized()) {
    assert.ok(memoryBytes() - before < 150 * mebibyte, `${memoryBytes() - before}`);
  }
  // Their clients are still there.
  await eventually('everything is given back', async () => await metric('relu_in_flight_bytes') === 0);
  sockets.forEach((socket) => socket.destroy());
});

test('a stream whose answers are not read is read no further', async () => {
  const late = await metric('relu_unread_answers_total');
  const session = connect({settings: {initialWindowSize: 0}, maxSessionMemory: 1000});
  const stream = session.request({...headers, ':path': '/inference.GRPCInferenceService/ModelStreamInfer'});
  stream.on('error', () => {});
  stream.pause();
  const request = frame(messageOf(256));  // 64 KiB
  for (let i = 0; i < 500; ++i) {
    stream.write(request);  // 32 MiB, most of which stay here.
  }
  await eventually('requests are in flight', async () => await metric('relu_in_flight_bytes') > mebibyte / 2);
  await othersAreServed();
  // Its limit, and the request that goes beyond it; the answers to both.
  assert.ok(await metric('relu_in_flight_bytes') < 2 * mebibyte);
  // Its client is still there.
  await eventually('everything is given back', async () => await metric('relu_in_flight_bytes') === 0);
  assert.ok(await metric('relu_unread_answers_total') > late);
  session.destroy();
});
