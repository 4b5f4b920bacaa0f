// Drives the REST API of the real server with clients that are not ours: Node's
// fetch and https, curl, and @grpc/grpc-js beside them. Run by ctest:
// RELUD=path/to/relud node --test this file.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {setTimeout} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import zlib from 'node:zlib';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const require = createRequire(path.join(root, 'tests/package.json'));
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const testdata = path.join(root, 'tests/testdata');
const kinds = {f4: 'FP32', f8: 'FP64', f2: 'FP16', i8: 'INT64', i4: 'INT32', b1: 'BOOL'};
const inference = grpc.loadPackageDefinition(protoLoader.loadSync(
    'proto/inference.proto', {includeDirs: [root], keepCase: true, longs: String})).inference;

let scratch;
const servers = [];

// A .npy file as {datatype, shape, bytes}.
function readNpy(file) {
  const bytes = fs.readFileSync(file);
  const end = 10 + bytes.readUInt16LE(8);
  const header = bytes.subarray(10, end).toString();
  return {
    datatype: kinds[/'descr': '[<|](\w\d)'/.exec(header)[1]],
    shape: /'shape': \(([^)]*)\)/.exec(header)[1].split(',').filter((part) => part.trim()).map(Number),
    bytes: bytes.subarray(end),
  };
}

// Every tensor of a folder, by name.
function tensors(folder) {
  return Object.fromEntries(
      fs.readdirSync(folder).map((file) => [path.basename(file, '.npy'), readNpy(path.join(folder, file))]));
}

function rows(tensor, first, count) {
  const size = tensor.bytes.length / tensor.shape[0];
  return {
    ...tensor,
    shape: [count, ...tensor.shape.slice(1)],
    bytes: tensor.bytes.subarray(first * size, (first + count) * size),
  };
}

// The elements as JSON has them: integers of 64 bits as text of digits.
function elements({datatype, bytes}) {
  const copy = Uint8Array.from(bytes).buffer;
  switch (datatype) {
    case 'FP32': return Array.from(new Float32Array(copy));
    case 'FP64': return Array.from(new Float64Array(copy));
    case 'INT32': return Array.from(new Int32Array(copy));
    case 'INT64': return Array.from(new BigInt64Array(copy), Number);
    case 'BOOL': return Array.from(new Uint8Array(copy), Boolean);
    default: return null;
  }
}

// The bytes of elements that came as JSON.
function toBytes(datatype, data) {
  switch (datatype) {
    case 'FP32': return Buffer.from(Float32Array.from(data).buffer);
    case 'FP64': return Buffer.from(Float64Array.from(data).buffer);
    case 'INT64': return Buffer.from(BigInt64Array.from(data, BigInt).buffer);
    default: throw new Error(`no ${datatype} expected`);
  }
}

async function startServer(folders, flags = []) {
  const repository = fs.mkdtempSync(path.join(scratch, 'models-'));
  for (const folder of folders) {
    const version = path.join(repository, path.basename(folder), '1');
    fs.mkdirSync(version, {recursive: true});
    for (const file of fs.readdirSync(folder).filter((name) => /\.(onnx|data)$/.test(name))) {
      fs.copyFileSync(path.join(folder, file), path.join(version, file));
    }
  }
  const child = spawn(process.env.RELUD, [
    `--model-repository=${repository}`, '--grpc-address=127.0.0.1', '--grpc-port=0',
    '--http-address=127.0.0.1', '--http-port=0', '--metrics-address=127.0.0.1', '--metrics-port=0', '--lame-duck=0',
    ...flags,
  ], {stdio: ['ignore', 'ignore', 'pipe']});
  const server = {child, log: ''};
  servers.push(server);
  server.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      server.log += chunk;
      const ready = /gRPC on (\S+:\d+), HTTP on (\S+:\d+), metrics on (\S+:\d+)/.exec(server.log);
      if (ready) {
        [, server.grpc, server.http, server.metrics] = ready;
        resolve();
      }
    });
    child.on('close', () => reject(new Error(`relud ended: ${server.log}`)));
  });
  server.url = `http://${server.http}`;
  return server;
}

async function stop(server) {
  server.child.kill('SIGTERM');
  return server.ended;
}

// POST /v2/models/NAME/infer with JSON or with bytes. Returns {name: bytes}.
async function infer(server, name, inputs, binary) {
  const body = {inputs: [], parameters: {binary_data_output: binary}};
  const tail = [];
  for (const [input, tensor] of Object.entries(inputs)) {
    const entry = {name: input, shape: tensor.shape, datatype: tensor.datatype};
    if (binary) {
      entry.parameters = {binary_data_size: tensor.bytes.length};
      tail.push(tensor.bytes);
    } else {
      entry.data = elements(tensor);
    }
    body.inputs.push(entry);
  }
  const head = Buffer.from(JSON.stringify(body));
  const response = await fetch(`${server.url}/v2/models/${name}/infer`, {
    method: 'POST',
    body: Buffer.concat([head, ...tail]),
    headers: binary ? {'Inference-Header-Content-Length': String(head.length)} : {},
  });
  const answer = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 200, answer.toString());
  const size = Number(response.headers.get('inference-header-content-length') ?? answer.length);
  const {outputs} = JSON.parse(answer.subarray(0, size).toString());
  let at = size;
  return Object.fromEntries(outputs.map((output) => {
    if (!binary) {
      return [output.name, toBytes(output.datatype, output.data)];
    }
    const bytes = answer.subarray(at, at + output.parameters.binary_data_size);
    at += bytes.length;
    return [output.name, bytes];
  }));
}

function grpcInfer(client, name, inputs) {
  const request = {model_name: name, inputs: [], raw_input_contents: []};
  for (const [input, tensor] of Object.entries(inputs)) {
    request.inputs.push({name: input, datatype: tensor.datatype, shape: tensor.shape});
    request.raw_input_contents.push(tensor.bytes);
  }
  return new Promise((resolve, reject) => client.ModelInfer(request, (error, answer) => error ?
      reject(error) :
      resolve(Object.fromEntries(answer.outputs.map(
          (output, i) => [output.name, Buffer.from(answer.raw_output_contents[i])])))));
}

const getJson = async (url) => (await fetch(url)).json();

before(() => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'relud-rest-'));
});

after(() => {
  for (const {child} of servers) {
    child.kill('SIGKILL');
  }
  fs.rmSync(scratch, {recursive: true, force: true});
});

test('every model and quirk answers over REST with the bits of gRPC', async () => {
  const folders = ['models', 'quirks'].flatMap(
      (kind) => fs.readdirSync(path.join(testdata, kind)).map((name) => path.join(testdata, kind, name)))
                      .filter((folder) => fs.existsSync(path.join(folder, 'inputs')));
  assert.ok(folders.length > 30);
  const server = await startServer(folders);
  const client = new inference.GRPCInferenceService(server.grpc, grpc.credentials.createInsecure());
  let compared = 0;
  for (const folder of folders) {
    const name = path.basename(folder);
    const ready = await fetch(`${server.url}/v2/models/${name}/ready`);
    if (ready.status !== 200) {
      assert.equal(name, 'fused_gemm_msft');  // Not supported yet.
      continue;
    }
    const all = tensors(path.join(folder, 'inputs'));
    const reference = tensors(path.join(folder, 'outputs'));
    for (const count of [1, 3]) {
      const inputs = Object.fromEntries(
          Object.entries(all).map(([input, tensor]) => [input, rows(tensor, 0, count)]));
      const overGrpc = await grpcInfer(client, name, inputs);
      const overBytes = await infer(server, name, inputs, true);
      assert.deepEqual(overBytes, overGrpc, name);
      assert.deepEqual(Object.keys(overBytes).sort(), Object.keys(reference).sort());
      // What JSON has no numbers for travels as bytes alone.
      const plain = Object.entries(inputs).every(
          ([, tensor]) => elements(tensor)?.every((value) => typeof value === 'boolean' || Number.isFinite(value)));
      if (plain) {
        assert.deepEqual(await infer(server, name, inputs, false), overGrpc, name);
        ++compared;
      }
    }
  }
  assert.ok(compared > 60, `${compared}`);
  client.close();
  assert.equal(await stop(server), 0, server.log);
});

test('malformed models are not ready, and the others are', async () => {
  const expected = JSON.parse(fs.readFileSync(path.join(testdata, 'malformed/EXPECT.json')));
  const repository = path.join(scratch, 'malformed');
  for (const name of Object.keys(expected)) {
    fs.mkdirSync(path.join(repository, name, '1'), {recursive: true});
    fs.copyFileSync(path.join(testdata, 'malformed', `${name}.onnx`), path.join(repository, name, '1/model.onnx'));
    if (expected[name].beside) {
      fs.copyFileSync(path.join(testdata, 'malformed', expected[name].beside),
                      path.join(repository, name, '1', expected[name].beside));
    }
  }
  const server = await startServer([], [`--model-repository=${repository}`]);
  for (const [name, {expect}] of Object.entries(expected)) {
    const {status} = await fetch(`${server.url}/v2/models/${encodeURIComponent(name)}/ready`);
    assert.ok(expect.includes(status === 200 ? 'load' : 'reject'), `${name}: ${status}, expected: ${expect}`);
  }
  const index = await (await fetch(`${server.url}/v2/repository/index`, {method: 'POST'})).json();
  assert.equal(index.length, Object.keys(expected).length);
  assert.ok(index.filter(({state}) => state === 'UNAVAILABLE').every(({reason}) => reason.length > 10));
  assert.equal(await stop(server), 0);
});

test('the API tells of server and models, and errors have their status', async () => {
  const server = await startServer([path.join(testdata, 'models/digits_mlp')]);
  const {url} = server;
  assert.equal((await getJson(`${url}/v2`)).name, 'relud');
  assert.equal((await fetch(`${url}/v2/health/live`)).status, 200);
  assert.equal((await fetch(`${url}/v2/health/ready`)).status, 200);
  const metadata = await getJson(`${url}/v2/models/digits_mlp/versions/1`);
  assert.deepEqual(metadata.inputs, [{name: 'input', datatype: 'FP32', shape: [-1, 64]}]);
  const missing = await fetch(`${url}/v2/models/none`);
  assert.equal(missing.status, 404);
  assert.match((await missing.json()).error, /none/);
  assert.equal((await fetch(`${url}/v2/models/digits_mlp/infer`)).status, 405);
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
  const bad = await fetch(`${url}/v2/models/digits_mlp/infer`, {method: 'POST', body: '{"inputs": [}'});
  assert.equal(bad.status, 400);
  assert.match((await bad.json()).error, /JSON/);
  // Off unless it is allowed.
  const load = await fetch(`${url}/v2/repository/models/digits_mlp/load`, {method: 'POST'});
  assert.equal(load.status, 403);

  const classes = await fetch(`${url}/v2/models/digits_mlp/infer`, {
    method: 'POST',
    body: JSON.stringify({
      inputs: [{name: 'input', shape: [2, 64], datatype: 'FP32', data: new Array(128).fill(0)}],
      outputs: [{name: 'output', parameters: {classification: 3}}],
    }),
  });
  const [output] = (await classes.json()).outputs;
  assert.deepEqual([output.datatype, output.shape], ['BYTES', [2, 3]]);
  const scores = output.data.slice(0, 3).map((text) => Number(/^(-?[\d.]+):\d$/.exec(text)[1]));
  assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
  assert.deepEqual(output.data.slice(3), output.data.slice(0, 3));

  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const traced = await fetch(`${url}/v2`, {headers: {traceparent: trace, 'x-request-id': 'r1'}});
  assert.equal(traced.headers.get('traceparent'), trace);
  assert.equal(traced.headers.get('x-request-id'), 'r1');
  await stop(server);
});

test('the access log finds requests of every protocol by their trace, and holds no token', async () => {
  const tokens = path.join(scratch, 'tokens');
  fs.writeFileSync(tokens, 'a-secret-of-the-client\n', {mode: 0o600});
  const server = await startServer([path.join(testdata, 'models/digits_mlp')], [
    '--access-log=1', '--log-format=json', `--inference-tokens=${tokens}`,
  ]);
  const input = rows(readNpy(path.join(testdata, 'models/digits_mlp/inputs/input.npy')), 0, 2);
  const head = {model_name: 'digits_mlp', inputs: [{name: 'input', datatype: 'FP32', shape: input.shape}]};
  const ids = (name, digit) => ({
    'authorization': 'Bearer a-secret-of-the-client',
    'x-request-id': `request of ${name}`,
    'traceparent': `00-${digit.repeat(32)}-${digit.repeat(16)}-01`,
  });
  const metadata = (...of) => {
    const data = new grpc.Metadata();
    Object.entries(ids(...of)).forEach(([key, value]) => data.set(key, value));
    return data;
  };
  const client = new inference.GRPCInferenceService(server.grpc, grpc.credentials.createInsecure());
  const request = {...head, id: 'i', raw_input_contents: [input.bytes]};
  await new Promise((resolve, reject) => client.ModelInfer(
      request, metadata('grpc', '1'), (error) => error ? reject(error) : resolve()));
  await new Promise((resolve, reject) => {
    const stream = client.ModelStreamInfer(metadata('stream', '2'));
    stream.on('data', () => {}).on('error', reject).on('end', resolve);
    stream.write(request);
    stream.end();
  });
  const post = (headers) => fetch(`${server.url}/v2/models/digits_mlp/infer`, {
    method: 'POST', headers,
    body: JSON.stringify({id: 'i', inputs: [{...head.inputs[0], data: elements(input)}]}),
  });
  assert.equal((await post(ids('http', '3'))).status, 200);
  client.close();
  assert.equal(await stop(server), 0, server.log);

  const lines = server.log.trim().split('\n').map((line) => JSON.parse(line))
                    .filter(({message}) => message === 'inference');
  assert.deepEqual(lines.map(({protocol}) => protocol).sort(), ['grpc', 'http', 'stream']);
  for (const [name, digit] of [['grpc', '1'], ['stream', '2'], ['http', '3']]) {
    const line = lines.find(({protocol}) => protocol === name);
    assert.equal(line.trace_id, digit.repeat(32));
    assert.equal(line.parent_id, digit.repeat(16));
    assert.equal(line.request_id, `request of ${name}`);
    assert.equal(line.id, 'i');
    assert.equal(line.code, 'OK');
    assert.equal(line.rows, 2);
    assert.ok(line.total_us > 0 && line.total_us >= line.compute_us, JSON.stringify(line));
  }
  assert.ok(!server.log.includes('a-secret'));
});

test('packed requests are taken and long answers are packed', async () => {
  const server = await startServer([path.join(testdata, 'models/digits_mlp')]);
  const input = rows(readNpy(path.join(testdata, 'models/digits_mlp/inputs/input.npy')), 0, 32);
  const body = JSON.stringify({inputs: [{name: 'input', shape: [32, 64], datatype: 'FP32', data: elements(input)}]});
  const post = async (packed, coding) => {
    const response = await fetch(`${server.url}/v2/models/digits_mlp/infer`,
                                 {method: 'POST', body: packed, headers: coding ? {'content-encoding': coding} : {}});
    return {status: response.status, coding: response.headers.get('content-encoding'), text: await response.text()};
  };
  const plain = await post(body);
  assert.equal(plain.status, 200);
  assert.equal(plain.coding, 'gzip');  // fetch asks for it.
  assert.deepEqual((await post(zlib.gzipSync(body), 'gzip')).text, plain.text);
  assert.deepEqual((await post(zlib.deflateSync(body), 'deflate')).text, plain.text);
  assert.equal((await post('no gzip', 'gzip')).status, 400);
  assert.equal((await post(body, 'br')).status, 415);
  // The same with curl, and with its way of asking first whether a large body is welcome.
  const file = path.join(scratch, 'body.json');
  fs.writeFileSync(file, body.padEnd(2 << 20));
  const answer = execFileSync('curl', [
    '--silent', '--show-error', '--fail', '--compressed', '--header', 'Expect: 100-continue', '--data-binary',
    `@${file}`, `${server.url}/v2/models/digits_mlp/infer`,
  ]);
  assert.equal(answer.toString(), plain.text);
  await stop(server);
});

test('Unix sockets serve both protocols and go with the server', async () => {
  const sockets = {http: path.join(scratch, 'http.sock'), grpc: path.join(scratch, 'grpc.sock')};
  const server = await startServer([path.join(testdata, 'models/digits_mlp')], [
    `--http-unix-socket=${sockets.http}`, `--grpc-unix-socket=${sockets.grpc}`, '--unix-socket-mode=0640',
  ]);
  for (const file of Object.values(sockets)) {
    assert.equal(fs.statSync(file).mode & 0o777, 0o640, file);
  }
  const answer = execFileSync('curl', ['--silent', '--unix-socket', sockets.http, 'http://relud/v2']);
  assert.equal(JSON.parse(answer).name, 'relud');
  const client = new inference.GRPCInferenceService(`unix:${sockets.grpc}`, grpc.credentials.createInsecure());
  const live = await new Promise(
      (resolve, reject) => client.ServerLive({}, (error, reply) => error ? reject(error) : resolve(reply.live)));
  assert.equal(live, true);
  client.close();
  assert.equal(await stop(server), 0, server.log);
  for (const file of Object.values(sockets)) {
    assert.ok(!fs.existsSync(file), file);
  }
});

// --- TLS and tokens ---

function makeCertificate(name, authority) {
  const base = path.join(scratch, name);
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-keyout', `${base}.key`, '-out', `${base}.pem`,
    ...(authority ? [
      '-CA', authority.pem, '-CAkey', authority.key, '-addext', 'basicConstraints=critical,CA:FALSE',
      '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost',
    ] : []),
  ], {stdio: 'ignore'});
  return {pem: `${base}.pem`, key: `${base}.key`};
}

// GET over TLS; resolves to {status, subject} or to the error's code.
function getTls(address, {authority, client, target = '/v2/health/live', maxVersion = 'TLSv1.3'}) {
  return new Promise((resolve) => {
    const [host, port] = address.split(':');
    const request = https.get({
      host, port, path: target, maxVersion, minVersion: 'TLSv1', agent: false,
      ca: fs.readFileSync(authority.pem),
      ...(client ? {cert: fs.readFileSync(client.pem), key: fs.readFileSync(client.key)} : {}),
    }, (response) => {
      const subject = response.socket.getPeerCertificate().subject.CN;
      response.resume().on('end', () => resolve({status: response.statusCode, subject}));
    });
    request.on('error', (error) => resolve({error: error.code ?? error.message}));
  });
}

function liveOverGrpc(address, authority, client) {
  const credentials = grpc.credentials.createSsl(
      fs.readFileSync(authority.pem), client ? fs.readFileSync(client.key) : null,
      client ? fs.readFileSync(client.pem) : null);
  const stub = new inference.GRPCInferenceService(address, credentials);
  return new Promise((resolve) => stub.ServerLive({}, {deadline: Date.now() + 60_000}, (error, reply) => {
    stub.close();
    resolve(error ? false : reply.live);
  }));
}

test('mutual TLS guards all ports, and certificates are replaced under traffic', async () => {
  const authority = makeCertificate('authority');
  const other = makeCertificate('other-authority');
  const current = makeCertificate('current', authority);
  const client = makeCertificate('client', authority);
  const stranger = makeCertificate('stranger', other);
  const server = await startServer([path.join(testdata, 'models/digits_mlp')], [
    `--tls-cert=${current.pem}`, `--tls-key=${current.key}`, `--tls-client-ca=${authority.pem}`,
  ]);
  assert.equal((await getTls(server.http, {authority, client})).status, 200);
  assert.equal((await getTls(server.metrics, {authority, client, target: '/metrics'})).status, 200);
  assert.equal(await liveOverGrpc(server.grpc, authority, client), true);
  assert.ok((await getTls(server.http, {authority})).error);
  assert.ok((await getTls(server.http, {authority, client: stranger})).error);
  assert.ok((await getTls(server.http, {authority, client, maxVersion: 'TLSv1.1'})).error);
  assert.equal(await liveOverGrpc(server.grpc, authority), false);
  assert.equal(await liveOverGrpc(server.grpc, authority, stranger), false);

  // One connection that stands, and new ones all the time: none may fail.
  let done = false;
  const agent = new https.Agent({keepAlive: true, maxSockets: 1});
  const [host, port] = server.http.split(':');
  const standing = (async () => {
    let count = 0;
    for (; !done; ++count) {
      await new Promise((resolve, reject) => {
        https.get({host, port, path: '/v2', agent, ca: fs.readFileSync(authority.pem),
                   cert: fs.readFileSync(client.pem), key: fs.readFileSync(client.key)},
                  (response) => response.resume().on('end', resolve)).on('error', reject);
      });
    }
    return count;
  })();
  const renewed = makeCertificate('renewed', authority);
  fs.renameSync(renewed.pem, current.pem);  // Certificate and key do not fit together for a while.
  while (!server.log.includes('certificates stay as they were')) {
    await setTimeout(20);
  }
  assert.equal((await getTls(server.http, {authority, client})).subject, 'current');
  assert.equal(await liveOverGrpc(server.grpc, authority, client), true);
  fs.renameSync(renewed.key, current.key);
  let seen;
  do {
    seen = await getTls(server.http, {authority, client});
    assert.equal(seen.status, 200, JSON.stringify(seen));
    assert.equal(await liveOverGrpc(server.grpc, authority, client), true);
  } while (seen.subject !== 'renewed');
  done = true;
  assert.ok(await standing > 0);
  agent.destroy();
  assert.equal(await stop(server), 0, server.log);
  assert.ok(!server.log.includes('PRIVATE KEY'));
});

test('tokens guard each group on both protocols, and are never logged', async () => {
  const tokens = {inference: 'inference-secret-1', control: 'control-secret-002', metrics: 'metrics-secret-003'};
  const flags = Object.entries(tokens).map(([group, token]) => {
    fs.writeFileSync(path.join(scratch, group), `# the ${group} token\n${token}\n`);
    return `--${group}-tokens=${path.join(scratch, group)}`;
  });
  const server = await startServer([path.join(testdata, 'models/digits_mlp')], [
    ...flags, '--allow-control=true', '--log-level=trace',
  ]);
  const statusOf = async (url, token, method = 'GET') =>
      (await fetch(url, {method, headers: token ? {authorization: `Bearer ${token}`} : {}})).status;
  const infer = `${server.url}/v2/models/digits_mlp/infer`;
  assert.equal(await statusOf(infer, null, 'POST'), 401);
  assert.equal(await statusOf(infer, tokens.control, 'POST'), 403);
  assert.equal(await statusOf(infer, tokens.inference, 'POST'), 400);  // No body; but it may.
  assert.equal(await statusOf(`${server.url}/v2`, null), 401);
  assert.equal(await statusOf(`${server.url}/v2/health/ready`, null), 200);
  assert.equal(await statusOf(`http://${server.metrics}/metrics`, null), 401);
  assert.equal(await statusOf(`http://${server.metrics}/metrics`, tokens.metrics), 200);
  const load = `${server.url}/v2/repository/models/digits_mlp/load`;
  assert.equal(await statusOf(load, null, 'POST'), 401);
  assert.equal(await statusOf(load, tokens.inference, 'POST'), 403);
  assert.ok(![401, 403].includes(await statusOf(load, tokens.control, 'POST')));

  const client = new inference.GRPCInferenceService(server.grpc, grpc.credentials.createInsecure());
  const codeOf = (method, token) => new Promise((resolve) => {
    const metadata = new grpc.Metadata();
    if (token) {
      metadata.set('authorization', `Bearer ${token}`);
    }
    client[method]({}, metadata, (error) => resolve(error?.code ?? grpc.status.OK));
  });
  assert.equal(await codeOf('ModelInfer', null), grpc.status.UNAUTHENTICATED);
  assert.equal(await codeOf('ModelInfer', 'unknown-secret-004'), grpc.status.UNAUTHENTICATED);
  assert.equal(await codeOf('ModelInfer', tokens.control), grpc.status.PERMISSION_DENIED);
  assert.equal(await codeOf('ModelInfer', tokens.inference), grpc.status.NOT_FOUND);  // Of the model ''.
  assert.equal(await codeOf('ServerMetadata', null), grpc.status.UNAUTHENTICATED);
  assert.equal(await codeOf('ServerMetadata', tokens.inference), grpc.status.OK);
  assert.equal(await codeOf('ServerLive', null), grpc.status.OK);
  client.close();

  // A new token is taken without a restart, and the old one no longer.
  fs.writeFileSync(path.join(scratch, 'inference'), 'inference-secret-9\n');
  while (await statusOf(`${server.url}/v2`, 'inference-secret-9') !== 200) {
  }
  assert.equal(await statusOf(`${server.url}/v2`, tokens.inference), 401);
  assert.equal(await stop(server), 0, server.log);
  assert.ok(!server.log.includes('secret-'), server.log);
});

test('models are loaded, changed and unloaded over REST', async () => {
  const server = await startServer([path.join(testdata, 'models/digits_mlp')], [
    '--model-control-mode=explicit', '--repository-settle-secs=0', '--allow-control=true',
  ]);
  const {url} = server;
  const post = async (target, body) => {
    const response = await fetch(`${url}/v2/repository/${target}`, {method: 'POST', body: body && JSON.stringify(body)});
    return {status: response.status, answer: await response.json()};
  };
  const ready = async (name) => (await fetch(`${url}/v2/models/${name}/ready`)).status === 200;
  assert.equal(await ready('digits_mlp'), false);
  assert.deepEqual(await post('models/digits_mlp/load'), {status: 200, answer: {}});
  assert.equal(await ready('digits_mlp'), true);
  // With settings and files of its own.
  const onnx = fs.readFileSync(path.join(testdata, 'models/iris_argmax/model.onnx')).toString('base64');
  const parameters = {config: '{"max_batch_size": 5}', 'file:1/model.onnx': onnx};
  assert.deepEqual(await post('models/sent/load', {parameters}), {status: 200, answer: {}});
  assert.equal((await getJson(`${url}/v2/models/sent/config`)).max_batch_size, 5);
  assert.deepEqual((await post('index', {ready: true})).answer.map(({name}) => name).sort(), ['digits_mlp', 'sent']);
  assert.deepEqual(await post('models/sent/unload'), {status: 200, answer: {}});
  assert.equal(await ready('sent'), false);
  for (const [target, body, status] of [
    ['models/none/load', undefined, 404],
    ['models/..%2F..%2Fetc/load', undefined, 400],
    ['models/sent/load', {parameters: {config: '{}', 'file:../../x': onnx}}, 400],
    ['models/sent/load', {parameters: {config: '{}', 'file:1/model.onnx': 'no base64!'}}, 400],
    ['models/sent/load', {parameters: {config: '{'}}, 400],
    ['other/models/digits_mlp/load', undefined, 501],
  ]) {
    const found = await post(target, body);
    assert.equal(found.status, status, `${target}: ${JSON.stringify(found.answer)}`);
  }
  assert.equal(await ready('digits_mlp'), true);
  assert.equal(await stop(server), 0, server.log);
});

test('control has ports of its own', async () => {
  const server = await startServer([path.join(testdata, 'models/digits_mlp')], [
    '--control-grpc-port=0', '--control-http-port=0',
  ]);
  const [, overGrpc, overHttp] =
      /control gRPC on (\S+:\d+), control HTTP on (\S+:\d+)/.exec(server.log);
  const load = (address) => fetch(`http://${address}/v2/repository/models/none/load`, {method: 'POST'});
  assert.equal((await load(server.http)).status, 403);
  assert.notEqual((await load(overHttp)).status, 403);
  const codeOf = (address) => new Promise((resolve) => {
    const client = new inference.GRPCInferenceService(address, grpc.credentials.createInsecure());
    client.RepositoryModelLoad({model_name: 'none'}, (error) => {
      client.close();
      resolve(error?.code ?? grpc.status.OK);
    });
  });
  // The repository refuses it, for its mode of control; the other port does not even ask it.
  assert.equal(await codeOf(overGrpc), grpc.status.UNAVAILABLE);
  assert.equal(await codeOf(server.grpc), grpc.status.PERMISSION_DENIED);
  assert.equal(await stop(server), 0, server.log);
});
