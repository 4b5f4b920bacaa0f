// Drives the real server with clients that are not ours: @grpc/grpc-js and
// `buf curl`. Run by ctest: RELUD=path/to/relud node --test this file.
import assert from 'node:assert/strict';
import {execFile, spawn} from 'node:child_process';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const require = createRequire(path.join(root, 'tests/package.json'));
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const models = path.join(root, 'tests/testdata/models');
const names = ['digits_mlp', 'credit_embed', 'iris_argmax', 'digits_mlp_fp16'];
const {status} = grpc;

let repository, server, ended, log = '', address, metricsUrl, client, health;

function loadProto(file) {
  const definition = protoLoader.loadSync(
      file, {includeDirs: [root], keepCase: true, longs: Number, defaults: true, oneofs: true});
  return grpc.loadPackageDefinition(definition);
}

// Calls a unary method and returns its answer; rejects with the gRPC error.
function call(stub, method, request) {
  return new Promise((resolve, reject) => {
    stub[method](request, {deadline: Date.now() + 10_000},
                 (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

// The first `rows` rows of a little-endian .npy file: {bytes, shape}.
function readNpy(file, rows) {
  const bytes = fs.readFileSync(file);
  const headerEnd = 10 + bytes.readUInt16LE(8);
  const shape = /'shape': \(([^)]*)\)/.exec(bytes.subarray(10, headerEnd).toString())[1]
                    .split(',').filter((part) => part.trim()).map(Number);
  const rowBytes = (bytes.length - headerEnd) / shape[0];
  return {bytes: bytes.subarray(headerEnd, headerEnd + rows * rowBytes), shape: [rows, ...shape.slice(1)]};
}

function floats(bytes) {
  const copy = Uint8Array.from(bytes);
  return Array.from(new Float32Array(copy.buffer));
}

function input(model, name, rows) {
  return readNpy(path.join(models, model, 'inputs', `${name}.npy`), rows);
}

function output(model, name, rows) {
  return readNpy(path.join(models, model, 'outputs', `${name}.npy`), rows);
}

function tensor(name, datatype, {shape}) {
  return {name, datatype, shape};
}

function digitsRequest(rows = 1) {
  const x = input('digits_mlp', 'input', rows);
  return {
    model_name: 'digits_mlp',
    inputs: [tensor('input', 'FP32', x)],
    raw_input_contents: [x.bytes],
  };
}

function assertClose(actual, expected, tolerance) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => assert.ok(
      Math.abs(value - expected[i]) <= tolerance, `at ${i}: ${value}, wanted ${expected[i]}`));
}

before(async () => {
  repository = fs.mkdtempSync(path.join(os.tmpdir(), 'relud-node-'));
  for (const name of names) {
    const version = path.join(repository, name, '1');
    fs.mkdirSync(version, {recursive: true});
    fs.copyFileSync(path.join(models, name, 'model.onnx'), path.join(version, 'model.onnx'));
  }
  server = spawn(process.env.RELUD, [
    `--model-repository=${repository}`, '--grpc-address=127.0.0.1', '--grpc-port=0', '--http-port=0',
    '--metrics-port=0', '--model-control-mode=explicit', '--load-model=*', '--repository-settle-secs=0',
    '--allow-control=true', '--lame-duck=0',
  ], {stdio: ['ignore', 'ignore', 'pipe']});
  ended = new Promise((resolve) => server.on('close', (code, signal) => resolve(code ?? signal)));
  await new Promise((resolve, reject) => {
    server.stderr.on('data', (chunk) => {
      log += chunk;
      const ready = /gRPC on ([\d.]+:\d+).*metrics on ([\d.]+:\d+)/.exec(log);
      if (ready) {
        address = ready[1];
        metricsUrl = `http://${ready[2].replace('0.0.0.0', '127.0.0.1')}/metrics`;
        resolve();
      }
    });
    server.on('close', () => reject(new Error(`relud ended: ${log}`)));
  });
  const credentials = grpc.credentials.createInsecure();
  client = new (loadProto('proto/inference.proto').inference.GRPCInferenceService)(address, credentials);
  health = new (loadProto(path.join(root, 'tests/integration/health.proto')).grpc.health.v1.Health)(
      address, credentials);
});

after(async () => {
  client?.close();
  health?.close();
  server?.kill('SIGTERM');
  assert.equal(await ended, 0, log);
  fs.rmSync(repository, {recursive: true});
});

test('live, ready and metadata of the server', async () => {
  assert.deepEqual(await call(client, 'ServerLive', {}), {live: true});
  assert.deepEqual(await call(client, 'ServerReady', {}), {ready: true});
  const metadata = await call(client, 'ServerMetadata', {});
  assert.equal(metadata.name, 'relud');
  assert.match(metadata.version, /^\d+\.\d+\.\d+$/);
});

test('ready and metadata of a model', async () => {
  assert.deepEqual(await call(client, 'ModelReady', {name: 'iris_argmax'}), {ready: true});
  const metadata = await call(client, 'ModelMetadata', {name: 'iris_argmax'});
  assert.deepEqual(metadata.versions, ['1']);
  assert.deepEqual(metadata.inputs, [{name: 'input', datatype: 'FP32', shape: [-1, 4]}]);
  assert.deepEqual(metadata.outputs, [
    {name: 'probabilities', datatype: 'FP32', shape: [-1, 3]},
    {name: 'label', datatype: 'INT64', shape: [-1]},
  ]);
});

test('raw tensors are answered, and the id is echoed', async () => {
  const answer = await call(client, 'ModelInfer', {...digitsRequest(3), id: 'request-7'});
  assert.equal(answer.id, 'request-7');
  assert.equal(answer.model_name, 'digits_mlp');
  assert.equal(answer.model_version, '1');
  assert.deepEqual(answer.outputs[0].shape, [3, 10]);
  assertClose(floats(answer.raw_output_contents[0]), floats(output('digits_mlp', 'output', 3).bytes), 3e-4);
});

test('typed tensors give the same bits as raw ones', async () => {
  const x = input('digits_mlp', 'input', 2);
  const raw = await call(client, 'ModelInfer', digitsRequest(2));
  const typed = await call(client, 'ModelInfer', {
    model_name: 'digits_mlp',
    inputs: [{...tensor('input', 'FP32', x), contents: {fp32_contents: floats(x.bytes)}}],
  });
  assert.deepEqual(typed.raw_output_contents, raw.raw_output_contents);
});

test('a model with two inputs, given in the other order', async () => {
  const dense = input('credit_embed', 'dense', 2);
  const cat = input('credit_embed', 'cat', 2);
  const answer = await call(client, 'ModelInfer', {
    model_name: 'credit_embed',
    inputs: [tensor('cat', 'INT64', cat), tensor('dense', 'FP32', dense)],
    raw_input_contents: [cat.bytes, dense.bytes],
  });
  assertClose(floats(answer.raw_output_contents[0]), floats(output('credit_embed', 'prob', 2).bytes), 1e-5);
});

test('typed tensors of two types give the same bits as raw ones', async () => {
  const dense = input('credit_embed', 'dense', 3);
  const cat = input('credit_embed', 'cat', 3);
  const integers = Array.from({length: cat.bytes.length / 8}, (_, i) => Number(cat.bytes.readBigInt64LE(8 * i)));
  const inputs = [tensor('dense', 'FP32', dense), tensor('cat', 'INT64', cat)];
  const raw = await call(client, 'ModelInfer', {
    model_name: 'credit_embed', inputs, raw_input_contents: [dense.bytes, cat.bytes],
  });
  const typed = await call(client, 'ModelInfer', {
    model_name: 'credit_embed',
    inputs: [
      {...inputs[0], contents: {fp32_contents: floats(dense.bytes)}},
      {...inputs[1], contents: {int64_contents: integers}},
    ],
  });
  assert.deepEqual(typed.raw_output_contents, raw.raw_output_contents);
  assert.deepEqual(typed.outputs, raw.outputs);  // No typed contents.
});

test('only the outputs asked for come back, in that order', async () => {
  const x = input('iris_argmax', 'input', 4);
  const request = {
    model_name: 'iris_argmax', inputs: [tensor('input', 'FP32', x)], raw_input_contents: [x.bytes],
  };
  const both = await call(client, 'ModelInfer', {...request, outputs: [{name: 'label'}, {name: 'probabilities'}]});
  assert.deepEqual(both.outputs.map((o) => o.name), ['label', 'probabilities']);
  assert.deepEqual(Buffer.from(both.raw_output_contents[0]), output('iris_argmax', 'label', 4).bytes);
  const one = await call(client, 'ModelInfer', {...request, outputs: [{name: 'label'}]});
  assert.deepEqual(one.outputs.map((o) => [o.name, o.datatype, o.shape]), [['label', 'INT64', [4]]]);
});

test('half precision travels as raw bytes', async () => {
  const x = input('digits_mlp_fp16', 'input', 1);
  const answer = await call(client, 'ModelInfer', {
    model_name: 'digits_mlp_fp16', inputs: [tensor('input', 'FP16', x)], raw_input_contents: [x.bytes],
  });
  assert.equal(answer.outputs[0].datatype, 'FP16');
  assert.equal(answer.raw_output_contents[0].length, 20);
});

const digits = digitsRequest();
const digitsTensor = digits.inputs[0];
const badRequests = {
  'unknown model': [{...digits, model_name: 'nope'}, status.NOT_FOUND, /'nope'/],
  'unknown version': [{...digits, model_version: '7'}, status.NOT_FOUND, /version/],
  'version that is no number': [{...digits, model_version: 'latest'}, status.INVALID_ARGUMENT, /latest/],
  'no inputs': [{model_name: 'digits_mlp'}, status.INVALID_ARGUMENT, /input/],
  'unknown input': [
    {...digits, inputs: [{...digitsTensor, name: 'pixels'}]}, status.INVALID_ARGUMENT, /pixels/],
  'input given twice': [
    {...digits, inputs: [digitsTensor, digitsTensor], raw_input_contents: [Buffer.alloc(256), Buffer.alloc(256)]},
    status.INVALID_ARGUMENT, /input/],
  'wrong datatype': [
    {...digits, inputs: [{...digitsTensor, datatype: 'FP64'}]}, status.INVALID_ARGUMENT, /FP64.*FP32|FP32.*FP64/],
  'unknown datatype': [
    {...digits, inputs: [{...digitsTensor, datatype: 'float'}]}, status.INVALID_ARGUMENT, /float/],
  'wrong number of features': [
    {...digits, inputs: [{...digitsTensor, shape: [1, 63]}]}, status.INVALID_ARGUMENT, /\[1,63\].*\[-1,64\]/],
  'wrong rank': [{...digits, inputs: [{...digitsTensor, shape: [64]}]}, status.INVALID_ARGUMENT, /\[64\]/],
  'no rows': [
    {...digits, inputs: [{...digitsTensor, shape: [0, 64]}], raw_input_contents: [Buffer.alloc(0)]},
    status.INVALID_ARGUMENT, /row/],
  'negative size': [
    {...digits, inputs: [{...digitsTensor, shape: [-1, 64]}]}, status.INVALID_ARGUMENT, /\[-1,64\]/],
  'sizes that overflow': [
    {...digits, inputs: [{...digitsTensor, shape: [2 ** 52, 64]}]}, status.INVALID_ARGUMENT, /input/],
  'too few bytes': [{...digits, raw_input_contents: [Buffer.alloc(255)]}, status.INVALID_ARGUMENT, /255.*256/],
  'no contents': [{...digits, raw_input_contents: []}, status.INVALID_ARGUMENT, /input/],
  'more raw contents than inputs': [
    {...digits, raw_input_contents: [Buffer.alloc(256), Buffer.alloc(256)]}, status.INVALID_ARGUMENT, /raw/],
  'raw and typed contents together': [
    {...digits, inputs: [{...digitsTensor, contents: {fp32_contents: [1]}}]}, status.INVALID_ARGUMENT,
    /contents field must not be specified when using raw_input_contents/],
  'too few typed elements': [
    {...digits, raw_input_contents: [], inputs: [{...digitsTensor, contents: {fp32_contents: [1, 2]}}]},
    status.INVALID_ARGUMENT, /2.*64/],
  'typed elements in the wrong field': [
    {...digits, raw_input_contents: [], inputs: [{...digitsTensor, contents: {int_contents: Array(64).fill(1)}}]},
    status.INVALID_ARGUMENT, /fp32_contents/],
  'reserved parameter': [
    {...digits, parameters: {triton_x: {bool_param: true}}}, status.INVALID_ARGUMENT, /reserved.*got 'triton_x'/],
  'unknown output': [
    {...digits, outputs: [{name: 'DUMMY'}]}, status.INVALID_ARGUMENT, /unexpected inference output 'DUMMY'/],
  'output asked for twice': [
    {...digits, outputs: [{name: 'output'}, {name: 'output'}]}, status.INVALID_ARGUMENT, /output 'output' already exists/],
  'inputs with different batches': [
    {
      model_name: 'credit_embed',
      inputs: [{name: 'dense', datatype: 'FP32', shape: [2, 9]}, {name: 'cat', datatype: 'INT64', shape: [1, 4]}],
      raw_input_contents: [Buffer.alloc(72), Buffer.alloc(32)],
    },
    status.INVALID_ARGUMENT, /dense|cat/],
  'index outside of an embedding table': [
    {
      model_name: 'credit_embed',
      inputs: [{name: 'dense', datatype: 'FP32', shape: [1, 9]}, {name: 'cat', datatype: 'INT64', shape: [1, 4]}],
      raw_input_contents: [Buffer.alloc(36), Buffer.alloc(32, 0x7f)],
    },
    status.INVALID_ARGUMENT, /row 0/],
};

for (const [name, [request, code, message]] of Object.entries(badRequests)) {
  test(`bad request: ${name}`, async () => {
    await assert.rejects(call(client, 'ModelInfer', request), (error) => {
      assert.equal(status[error.code], status[code], error.details);
      assert.match(error.details, message);
      return true;
    });
    // Nothing is lost: the next request is served.
    assert.equal((await call(client, 'ModelInfer', digits)).outputs.length, 1);
  });
}

test('bad request: bytes that are no message', async () => {
  const error = await new Promise((resolve) => {
    client.makeUnaryRequest('/inference.GRPCInferenceService/ModelInfer', (b) => b, (b) => b,
                            Buffer.from([0xff, 0xff, 0xff, 0x01]), (e) => resolve(e));
  });
  assert.equal(error.code, status.INVALID_ARGUMENT, error.details);
});

// Writes the requests to a new stream, as fast as it goes, and ends it. Returns
// the answers.
function stream(requests) {
  return new Promise((resolve, reject) => {
    const answers = [];
    const infer = client.ModelStreamInfer({deadline: Date.now() + 10_000});
    infer.on('data', (answer) => answers.push(answer));
    infer.on('error', reject);
    infer.on('end', () => resolve(answers));
    for (const request of requests) infer.write(request);
    infer.end();
  });
}

test('a stream answers every request in order, with the same bits', async () => {
  const single = await Promise.all([1, 2, 3].map((rows) => call(client, 'ModelInfer', digitsRequest(rows))));
  const requests = Array.from({length: 300}, (_, i) => ({...digitsRequest(1 + i % 3), id: String(i)}));
  const answers = await stream(requests);
  assert.deepEqual(answers.map((answer) => answer.infer_response.id), requests.map((request) => request.id));
  answers.forEach((answer, i) => {
    assert.equal(answer.error_message, '');
    assert.deepEqual(answer.infer_response.raw_output_contents, single[i % 3].raw_output_contents);
    assert.equal(answer.infer_response.parameters.triton_final_response.bool_param, true);
  });
});

test('an error in a stream is the answer to its request alone', async () => {
  const answers = await stream([
    {...digitsRequest(), id: 'a'}, {...digitsRequest(), id: 'b', model_name: 'nope'}, {...digitsRequest(), id: 'c'},
  ]);
  assert.deepEqual(answers.map((answer) => answer.infer_response.id), ['a', 'b', 'c']);
  assert.deepEqual(answers.map((answer) => answer.error_message),
                   ['', "Request for unknown model: 'nope' is not found", '']);
});

test('a stream without requests ends well', async () => {
  assert.deepEqual(await stream([]), []);
});

test('statistics of a model tell what was done', async () => {
  const statistics = async () =>
      (await call(client, 'ModelStatistics', {name: 'digits_mlp', version: '1'})).model_stats[0];
  const before = await statistics();
  await call(client, 'ModelInfer', digitsRequest(5));
  await call(client, 'ModelInfer', digitsRequest(64));
  const after = await statistics();
  const grown = (read) => read(after) - read(before);
  assert.equal(after.name, 'digits_mlp');
  assert.equal(after.version, '1');
  assert.equal(grown((s) => s.inference_count), 69);
  const batches = (s) => s.batch_stats.reduce((sum, batch) => sum + batch.compute_infer.count, 0);
  assert.ok(grown((s) => s.execution_count) >= 2);
  assert.equal(grown((s) => s.execution_count), grown(batches));
  for (const phase of ['success', 'queue', 'compute_input', 'compute_infer', 'compute_output']) {
    assert.equal(grown((s) => s.inference_stats[phase].count), 2, phase);
  }
  assert.ok(grown((s) => s.inference_stats.success.ns) > grown((s) => s.inference_stats.compute_infer.ns));
  assert.ok(grown((s) => s.inference_stats.compute_infer.ns) > 0);
  const rows = (s) => s.batch_stats.reduce((sum, batch) => sum + batch.batch_size * batch.compute_infer.count, 0);
  assert.equal(grown(rows), 69);
  assert.ok(Math.abs(after.last_inference - Date.now()) < 60_000);
});

test('log settings take effect at once', async () => {
  const change = (settings) => call(client, 'LogSettings', {settings});
  const initial = (await change({})).settings;
  assert.equal(initial.log_info.bool_param, true);
  assert.equal(initial.log_format.string_param, 'ISO8601');
  const changed = (await change({log_verbose_level: {uint32_param: 2}, log_format: {string_param: 'JSON'}})).settings;
  assert.equal(changed.log_verbose_level.uint32_param, 2);
  await assert.rejects(change({log_file: {string_param: 'x.log'}}), (error) => error.code === status.UNIMPLEMENTED);
  await assert.rejects(change({log_everything: {bool_param: true}}), /log_everything/);
  await change({log_verbose_level: {uint32_param: 0}, log_format: {string_param: 'ISO8601'}});
});

test('statistics of all models', async () => {
  const {model_stats: all} = await call(client, 'ModelStatistics', {});
  assert.deepEqual(all.map((s) => s.name).sort(), [...names].sort());
});

test('health is answered for the server and for each model', async () => {
  for (const service of ['', ...names]) {
    assert.deepEqual(await call(health, 'Check', {service}), {status: 1}, service);
  }
  await assert.rejects(call(health, 'Check', {service: 'nope'}), (error) => error.code === status.NOT_FOUND);
});

test('who watches the health of a model sees it go and come back', async () => {
  const stream = health.Watch({service: 'iris_argmax'}, {deadline: Date.now() + 10_000});
  const changes = stream[Symbol.asyncIterator]();
  const next = async () => (await changes.next()).value.status;
  assert.equal(await next(), 1);  // SERVING
  await call(client, 'RepositoryModelUnload', {model_name: 'iris_argmax'});
  assert.equal(await next(), 2);  // NOT_SERVING: its files are still there.
  await call(client, 'RepositoryModelLoad', {model_name: 'iris_argmax'});
  assert.equal(await next(), 1);
  stream.on('error', () => {});  // CANCELLED.
  stream.cancel();
});

test('buf curl finds the service by reflection alone', async () => {
  const answer = await new Promise((resolve, reject) => {
    execFile(path.join(root, 'tests/node_modules/.bin/buf'), [
      'curl', '--protocol', 'grpc', '--http2-prior-knowledge', '-d', '{"name": "digits_mlp"}',
      `http://${address}/inference.GRPCInferenceService/ModelMetadata`,
    ], {cwd: repository}, (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(JSON.parse(stdout))));
  });
  assert.equal(answer.name, 'digits_mlp');
  assert.deepEqual(answer.inputs[0].shape, ['-1', '64']);
});

test('metrics count what was served', async () => {
  const before = await (await fetch(metricsUrl)).text();
  await call(client, 'ModelInfer', digitsRequest(5));
  const text = await (await fetch(metricsUrl)).text();
  const rows = (page) => Number(/relu_rows_total\{[^}]*digits_mlp"[^}]*\} (\d+)/.exec(page)[1]);
  assert.equal(rows(text) - rows(before), 5);
});

// --- The model repository ---

async function stateOf(name) {
  const {models: index} = await call(client, 'RepositoryIndex', {});
  return index.filter((model) => model.name === name)
      .map(({version, state, reason}) => ({version, state, reason}));
}

test('a model is unloaded and loaded', async () => {
  await call(client, 'RepositoryModelUnload', {model_name: 'iris_argmax'});
  assert.deepEqual(await stateOf('iris_argmax'), [{version: '1', state: 'UNAVAILABLE', reason: 'unloaded'}]);
  assert.deepEqual(await call(client, 'ModelReady', {name: 'iris_argmax'}), {ready: false});
  await call(client, 'RepositoryModelLoad', {model_name: 'iris_argmax'});
  assert.deepEqual(await stateOf('iris_argmax'), [{version: '1', state: 'READY', reason: ''}]);
});

test('clients of KServe, with their numbers of fields, load and unload', async () => {
  const {GRPCInferenceService} = loadProto(path.join(root, 'tests/integration/kserve.proto')).inference;
  const kserve = new GRPCInferenceService(address, grpc.credentials.createInsecure());
  const name = {model_name: 'iris_argmax'};
  assert.deepEqual(await call(kserve, 'RepositoryModelUnload', name), {...name, isUnloaded: true});
  assert.deepEqual(await call(kserve, 'RepositoryModelLoad', name), {...name, isLoaded: true});
  kserve.close();
});

test('the effective configuration is changed and loaded again', async () => {
  const {config} = await call(client, 'ModelConfig', {name: 'digits_mlp'});
  assert.equal(config.max_batch_size, 64);
  assert.deepEqual(config.input.map(({name, data_type, dims}) => ({name, data_type, dims})),
                   [{name: 'input', data_type: 11 /* TYPE_FP32 */, dims: [64]}]);
  const json = JSON.stringify({
    max_batch_size: 2, instance_group: [{count: 1, kind: 'KIND_CPU'}],
    parameters: {'version_label.stable': {string_value: '1'}},
  });
  await call(client, 'RepositoryModelLoad', {
    model_name: 'digits_mlp', parameters: {config: {string_param: json}},
  });
  const {config: changed} = await call(client, 'ModelConfig', {name: 'digits_mlp', version: 'stable'});
  assert.equal(changed.max_batch_size, 2);
  assert.equal(changed.instance_group[0].count, 1);
  await assert.rejects(call(client, 'ModelInfer', digitsRequest(3)), {code: status.INVALID_ARGUMENT});
  await call(client, 'RepositoryModelLoad', {model_name: 'digits_mlp'});
  await call(client, 'ModelInfer', digitsRequest(3));
});

test('a model comes with the request that loads it', async () => {
  const bytes = fs.readFileSync(path.join(models, 'digits_mlp', 'model.onnx'));
  await call(client, 'RepositoryModelLoad', {
    model_name: 'sent', parameters: {config: {string_param: '{}'}, 'file:7/model.onnx': {bytes_param: bytes}},
  });
  assert.deepEqual(await stateOf('sent'), [{version: '7', state: 'READY', reason: ''}]);
  const answer = await call(client, 'ModelInfer', {...digitsRequest(1), model_name: 'sent'});
  assert.deepEqual(floats(answer.raw_output_contents[0]),
                   floats((await call(client, 'ModelInfer', digitsRequest(1))).raw_output_contents[0]));
  await call(client, 'RepositoryModelUnload', {model_name: 'sent'});
  assert.deepEqual(await stateOf('sent'), []);
});

test('paths in loads lead nowhere', async () => {
  for (const model_name of ['../etc', '/etc', 'a/b', '.', '']) {
    await assert.rejects(call(client, 'RepositoryModelLoad', {model_name}), {code: status.INVALID_ARGUMENT});
  }
  for (const file of ['file:1/../x', 'file:../1/x', 'file:1//etc/x', 'file:x']) {
    await assert.rejects(call(client, 'RepositoryModelLoad', {
      model_name: 'sent', parameters: {config: {string_param: '{}'}, [file]: {bytes_param: Buffer.from('x')}},
    }), {code: status.INVALID_ARGUMENT});
  }
});
