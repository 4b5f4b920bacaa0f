// A client in a process of its own that has its tensors in system shared memory,
// over gRPC (@grpc/grpc-js) and REST, with the real server. On Linux a shared
// memory object is a file in /dev/shm. Run by ctest: RELUD=path/to/relud node
// --test this file.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
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
const {inference} = grpc.loadPackageDefinition(protoLoader.loadSync(
    'proto/inference.proto', {includeDirs: [root], keepCase: true, longs: Number, defaults: true}));
const {status} = grpc;

const model = 'iris_argmax';
const rowCount = 8;
const inputBytes = rowCount * 4 * 4;
const outputBytes = rowCount * 3 * 4;
const outputOffset = 1024;
const objectBytes = 4096;

let scratch;
const servers = [];
let on, off;  // Servers, with shared memory and without.
let objects = 0;

// Values of a .npy file of FP32 rows: the first of them.
function npyBytes(file, bytes) {
  const content = fs.readFileSync(file);
  const end = 10 + content.readUInt16LE(8);
  return content.subarray(end, end + bytes);
}
const folder = path.join(root, 'tests/testdata/models', model);
const rows = npyBytes(path.join(folder, 'inputs/input.npy'), inputBytes);

// A shared memory object of a client, with the rows at its beginning.
function createObject(bytes = objectBytes) {
  const name = `relud-test-node-${process.pid}-${objects++}`;
  const file = `/dev/shm/${name}`;
  fs.writeFileSync(file, Buffer.alloc(bytes), {mode: 0o600});
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, rows, 0, rows.length, 0);
  fs.closeSync(fd);
  return {
    key: `/${name}`, file,
    read: (offset, size) => fs.readFileSync(file).subarray(offset, offset + size),
    clear: () => fs.writeFileSync(file, Buffer.concat([rows, Buffer.alloc(bytes - rows.length)])),
    remove: () => fs.rmSync(file),
  };
}

async function startServer(flags) {
  const repository = fs.mkdtempSync(path.join(scratch, 'models-'));
  fs.mkdirSync(path.join(repository, model, '1'), {recursive: true});
  fs.copyFileSync(path.join(folder, 'model.onnx'), path.join(repository, model, '1/model.onnx'));
  fs.writeFileSync(path.join(repository, model, 'labels.txt'), 'setosa\nversicolor\nvirginica\n');
  fs.writeFileSync(path.join(repository, model, 'config.pbtxt'),
                   'output { name: "probabilities" label_filename: "labels.txt" }');
  const child = spawn(process.env.RELUD, [
    `--model-repository=${repository}`, '--grpc-address=127.0.0.1', '--grpc-port=0', '--http-address=127.0.0.1',
    '--http-port=0', '--metrics-address=127.0.0.1', '--metrics-port=0', '--lame-duck=0', ...flags,
  ], {stdio: ['ignore', 'ignore', 'pipe']});
  const server = {child, log: ''};
  servers.push(server);
  server.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      server.log += chunk;
      const ready = /gRPC on (\S+:\d+), HTTP on (\S+:\d+)/.exec(server.log);
      if (ready) {
        server.client = new inference.GRPCInferenceService(ready[1], grpc.credentials.createInsecure());
        server.http = `http://${ready[2]}`;
        resolve();
      }
    });
    child.on('close', () => reject(new Error(server.log)));
  });
  return server;
}

// A unary call: its answer, or the gRPC error.
function call(server, method, request) {
  return new Promise((resolve, reject) => {
    server.client[method](request, {deadline: Date.now() + 60_000},
                          (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

async function rest(server, method, where, body) {
  const answer = await fetch(server.http + where, {method, body: body === undefined ? undefined : JSON.stringify(body)});
  return {status: answer.status, body: await answer.json()};
}

const region = (name, offset, bytes) => ({
  shared_memory_region: {string_param: name}, shared_memory_offset: {int64_param: offset},
  shared_memory_byte_size: {int64_param: bytes},
});

function request(name, {input = inputBytes, output = outputBytes, offset = outputOffset} = {}) {
  return {
    model_name: model,
    inputs: [{name: 'input', datatype: 'FP32', shape: [rowCount, 4], parameters: region(name, 0, input)}],
    outputs: [{name: 'probabilities', parameters: region(name, offset, output)}, {name: 'label'}],
  };
}

// What the server answers to the same rows in the request.
async function rawAnswer(server) {
  const {raw_output_contents: values} = await call(server, 'ModelInfer', {
    model_name: model, inputs: [{name: 'input', datatype: 'FP32', shape: [rowCount, 4]}],
    raw_input_contents: [rows], outputs: [{name: 'probabilities'}, {name: 'label'}],
  });
  return values;
}

before(async () => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'relud-shm-'));
  on = await startServer(['--allow-shared-memory=true']);
  off = await startServer([]);
});

after(async () => {
  for (const server of servers) {
    server.client.close();
    server.child.kill('SIGTERM');
    // Nothing of the above has killed it, and no request was lost.
    assert.equal(await server.ended, 0, server.log);
  }
  fs.rmSync(scratch, {recursive: true});
});

test('gRPC: tensors go through shared memory with the same bits', async () => {
  const object = createObject();
  const [probabilities, label] = await rawAnswer(on);
  await call(on, 'SystemSharedMemoryRegister', {name: 'g', key: object.key, offset: 0, byte_size: objectBytes});
  const {regions} = await call(on, 'SystemSharedMemoryStatus', {});
  assert.deepEqual(regions.g, {name: 'g', key: object.key, offset: 0, byte_size: objectBytes});

  const answer = await call(on, 'ModelInfer', request('g'));

  assert.deepEqual(object.read(outputOffset, outputBytes), probabilities);
  assert.equal(answer.raw_output_contents[0].length, 0);
  assert.deepEqual(answer.raw_output_contents[1], label);
  assert.deepEqual(answer.outputs[0].shape, [rowCount, 3]);
  await call(on, 'SystemSharedMemoryUnregister', {name: 'g'});
  await assert.rejects(call(on, 'SystemSharedMemoryStatus', {name: 'g'}), {code: status.NOT_FOUND});
  await assert.rejects(call(on, 'ModelInfer', request('g')), {code: status.NOT_FOUND});
  object.remove();
});

test('gRPC: a stream does so, too', async () => {
  const object = createObject();
  const [probabilities] = await rawAnswer(on);
  await call(on, 'SystemSharedMemoryRegister', {name: 's', key: object.key, byte_size: objectBytes});
  const stream = on.client.ModelStreamInfer();
  const answers = [];
  const ended = new Promise((resolve, reject) => {
    stream.on('data', (answer) => answers.push(answer));
    stream.on('end', resolve);
    stream.on('error', reject);
  });
  stream.write(request('s'));
  stream.write(request('s', {offset: objectBytes - outputBytes + 1}));
  stream.write(request('s', {offset: objectBytes - outputBytes}));
  stream.end();
  await ended;
  assert.deepEqual(answers.map(({error_message: error}) => error === ''), [true, false, true]);
  assert.match(answers[1].error_message, /region 's': 96 bytes from offset 4001/);
  assert.deepEqual(object.read(outputOffset, outputBytes), probabilities);
  assert.deepEqual(object.read(objectBytes - outputBytes, outputBytes), probabilities);
  await call(on, 'SystemSharedMemoryUnregister', {});
  object.remove();
});

test('REST: tensors go through shared memory with the same bits', async () => {
  const object = createObject();
  const [probabilities] = await rawAnswer(on);
  const where = '/v2/systemsharedmemory';
  const {status: registered} = await rest(
      on, 'POST', `${where}/region/h/register`, {key: object.key, offset: 0, byte_size: objectBytes});
  assert.equal(registered, 200);
  const wanted = [{name: 'h', key: object.key, offset: 0, byte_size: objectBytes}];
  assert.deepEqual((await rest(on, 'GET', `${where}/status`)).body, wanted);
  assert.deepEqual((await rest(on, 'GET', `${where}/region/h/status`)).body, wanted);
  const place = (offset, bytes) =>
      ({shared_memory_region: 'h', shared_memory_offset: offset, shared_memory_byte_size: bytes});
  const body = {
    inputs: [{name: 'input', datatype: 'FP32', shape: [rowCount, 4], parameters: place(0, inputBytes)}],
    outputs: [{name: 'probabilities', parameters: place(outputOffset, outputBytes)}, {name: 'label'}],
  };

  const answer = await rest(on, 'POST', `/v2/models/${model}/infer`, body);

  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual(answer.body.outputs[0], {name: 'probabilities', datatype: 'FP32', shape: [rowCount, 3]});
  assert.equal(answer.body.outputs[1].data.length, rowCount);
  assert.deepEqual(object.read(outputOffset, outputBytes), probabilities);
  body.inputs[0].data = Array(rowCount * 4).fill(0);
  assert.equal((await rest(on, 'POST', `/v2/models/${model}/infer`, body)).status, 400);
  assert.equal((await rest(on, 'POST', `${where}/region/h/register`, {key: object.key, byte_size: 1})).status, 400);
  assert.equal((await rest(on, 'POST', `${where}/region/h/unregister`)).status, 200);
  assert.equal((await rest(on, 'GET', `${where}/region/h/status`)).status, 404);
  assert.equal((await rest(on, 'POST', `${where}/unregister`)).status, 200);
  assert.deepEqual((await rest(on, 'GET', `${where}/status`)).body, []);
  object.remove();
});

test('what is no object, and what is not inside of it, is refused', async () => {
  const object = createObject();
  const secret = path.join(scratch, 'secret');
  fs.writeFileSync(secret, Buffer.alloc(objectBytes, 's'));
  const link = `/dev/shm/relud-test-node-${process.pid}-link`;
  fs.symlinkSync(secret, link);
  const huge = '18446744073709551615';
  for (const [key, offset, bytes, code] of [
    [object.key.slice(1), 0, 1, status.INVALID_ARGUMENT],
    [`/..${secret}`, 0, 1, status.INVALID_ARGUMENT],
    [`/../..${secret}`, 0, 1, status.INVALID_ARGUMENT],
    ['/..', 0, 1, status.INVALID_ARGUMENT],
    ['', 0, 1, status.INVALID_ARGUMENT],
    [`/${path.basename(link)}`, 0, 1, status.INVALID_ARGUMENT],
    ['/relud-test-none', 0, 1, status.NOT_FOUND],
    [object.key, 0, 0, status.INVALID_ARGUMENT],
    [object.key, 0, objectBytes + 1, status.INVALID_ARGUMENT],
    [object.key, objectBytes, 1, status.INVALID_ARGUMENT],
    [object.key, huge, 1, status.INVALID_ARGUMENT],
    [object.key, 1, huge, status.INVALID_ARGUMENT],
  ]) {
    await assert.rejects(
        call(on, 'SystemSharedMemoryRegister', {name: 'bad', key, offset, byte_size: bytes}),
        (error) => error.code === code || assert.fail(`${key} ${offset} ${bytes}: ${error.message}`));
  }
  await call(on, 'SystemSharedMemoryRegister', {name: 'r', key: object.key, offset: 0, byte_size: 2048});
  await assert.rejects(
      call(on, 'SystemSharedMemoryRegister', {name: 'r', key: object.key, offset: 0, byte_size: 2048}),
      {code: status.ALREADY_EXISTS});
  for (const bad of [{input: inputBytes - 4}, {output: outputBytes - 1}, {offset: 2048 - outputBytes + 1}, {offset: -1},
                     {offset: '9223372036854775807'}]) {
    await assert.rejects(call(on, 'ModelInfer', request('r', bad)), {code: status.INVALID_ARGUMENT});
  }
  assert.deepEqual(object.read(inputBytes, objectBytes - inputBytes), Buffer.alloc(objectBytes - inputBytes));
  assert.equal(fs.readFileSync(secret, 'latin1'), 's'.repeat(objectBytes));
  await call(on, 'SystemSharedMemoryUnregister', {});
  fs.rmSync(link);
  object.remove();
});

test('an object that its client truncates harms nobody but the client', async () => {
  const object = createObject();
  await call(on, 'SystemSharedMemoryRegister', {name: 't', key: object.key, offset: 0, byte_size: objectBytes});
  fs.truncateSync(object.file, outputOffset + outputBytes - 1);
  await assert.rejects(call(on, 'ModelInfer', request('t')), {code: status.FAILED_PRECONDITION});
  assert.equal(fs.statSync(object.file).size, outputOffset + outputBytes - 1);
  fs.truncateSync(object.file, 0);
  await assert.rejects(call(on, 'ModelInfer', request('t')), {code: status.FAILED_PRECONDITION});
  assert.equal((await rest(on, 'GET', '/v2/health/live')).status, 200);
  object.clear();
  await call(on, 'ModelInfer', request('t'));
  await call(on, 'SystemSharedMemoryUnregister', {name: 't'});
  object.remove();
});

test('truncated and unregistered under load, the server serves on', async () => {
  const object = createObject();
  let changing = true;
  const change = async () => {
    while (changing) {
      await call(on, 'SystemSharedMemoryRegister', {name: 'l', key: object.key, offset: 0, byte_size: objectBytes});
      fs.truncateSync(object.file, 64);
      object.clear();
      await call(on, 'SystemSharedMemoryUnregister', {name: 'l'});
    }
  };
  const infer = async () => {
    for (let i = 0; i < 200; ++i) {
      await call(on, 'ModelInfer', request('l')).catch((error) => {
        assert.ok([status.NOT_FOUND, status.FAILED_PRECONDITION].includes(error.code), error.message);
      });
    }
  };
  const changes = change();
  await Promise.all([infer(), infer(), infer(), infer()]);
  changing = false;
  await changes;
  assert.equal((await rawAnswer(on)).length, 2);
  object.remove();
});

test('classes have labels, and are not for shared memory', async () => {
  const object = createObject();
  const answer = await rest(on, 'POST', `/v2/models/${model}/infer`, {
    inputs: [{name: 'input', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2]}],
    outputs: [{name: 'probabilities', parameters: {classification: 1}}],
  });
  assert.match(answer.body.outputs[0].data[0], /^0\.9\d+:0:setosa$/);
  const config = await rest(on, 'GET', `/v2/models/${model}/config`);
  assert.equal(config.body.output[0].label_filename, 'labels.txt');
  await call(on, 'SystemSharedMemoryRegister', {name: 'c', key: object.key, offset: 0, byte_size: objectBytes});
  const both = request('c');
  both.outputs[0].parameters.classification = {int64_param: 1};
  await assert.rejects(call(on, 'ModelInfer', both), {code: status.INVALID_ARGUMENT});
  await call(on, 'SystemSharedMemoryUnregister', {});
  object.remove();
});

test('it is off unless it is allowed, and told when it is on', async () => {
  const {extensions} = await call(on, 'ServerMetadata', {});
  assert.ok(extensions.includes('system_shared_memory'));
  assert.ok(!(await call(off, 'ServerMetadata', {})).extensions.includes('system_shared_memory'));
  for (const method of ['Status', 'Register', 'Unregister']) {
    const name = `SystemSharedMemory${method}`;
    await assert.rejects(call(off, name, {}), {code: status.UNIMPLEMENTED, details: /--allow-shared-memory/});
  }
  for (const method of ['Status', 'Register']) {
    await assert.rejects(call(on, `CudaSharedMemory${method}`, {}), {code: status.UNIMPLEMENTED, details: /CPUs/});
  }
  await call(on, 'CudaSharedMemoryUnregister', {});
  await assert.rejects(call(off, 'ModelInfer', request('r')),
                       {code: status.UNIMPLEMENTED, details: /--allow-shared-memory/});
  assert.equal((await rest(off, 'GET', '/v2/systemsharedmemory/status')).status, 501);
  assert.equal((await rest(on, 'GET', '/v2/cudasharedmemory/status')).status, 501);
});
