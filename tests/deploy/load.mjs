// load.mjs TARGET RATE [--no-retries] [--fail-fast]: calls the model digits_mlp at most RATE
// times a second until SIGTERM, as a client would that was written for Kubernetes: it
// takes all addresses that DNS gives, balances over them (round_robin), tries
// again what a server turned away or lost, and notices a silent server by
// keepalive. While there is no server it waits for one, or with --fail-fast says
// UNAVAILABLE. The client is @grpc/grpc-js: no code of ours.
//
// Every answer is compared with the first. Prints "answered N" now and then, each
// failure as it comes, and one line of JSON at the end:
// {"sent", "answered", "wrong", "failed": {code: count}, "slowest_ms"}.
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import path from 'node:path';
import process from 'node:process';

const [target, rate, ...flags] = process.argv.slice(2);
// On a machine that has no time for us a call takes long, but does not fail.
const deadlineMs = 60_000;
const tickMs = 10;
const maxInFlight = 16;
const waitForReady = !flags.includes('--fail-fast');
const reportEvery = 20;

const retryPolicy = {
  maxAttempts: 5,
  initialBackoff: '0.05s',
  maxBackoff: '2s',
  backoffMultiplier: 2,
  // CANCELLED is what gRPC's server says to a call that comes in while it closes
  // the connection. A client that watches health has left by then; this cannot.
  retryableStatusCodes: ['UNAVAILABLE', 'CANCELLED'],
};
const serviceConfig = {
  loadBalancingConfig: [{round_robin: {}}],
  methodConfig: flags.includes('--no-retries') ? [] : [{name: [{}], retryPolicy}],
};
const options = {
  'grpc.service_config': JSON.stringify(serviceConfig),
  'grpc.keepalive_time_ms': 500,
  'grpc.keepalive_timeout_ms': 2000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.dns_min_time_between_resolutions_ms': 500,
};

const root = path.resolve(import.meta.dirname, '../..');
const {inference} = grpc.loadPackageDefinition(
    loader.loadSync('proto/inference.proto', {includeDirs: [root], keepCase: true}));
const client = new inference.GRPCInferenceService(target, grpc.credentials.createInsecure(), options);

const pixels = Buffer.from(new Float32Array(64).map((_, i) => (i % 17) / 16).buffer);
const request = {
  model_name: 'digits_mlp',
  inputs: [{name: 'input', datatype: 'FP32', shape: [1, 64]}],
  raw_input_contents: [pixels],
};

const result = {sent: 0, answered: 0, wrong: 0, failed: {}, slowest_ms: 0};
let expected = null;
let inFlight = 0;
let stopping = false;

function finish() {
  if (stopping && inFlight === 0) {
    console.log(JSON.stringify(result));
    process.exit(0);
  }
}

function callOnce() {
  const begin = performance.now();
  result.sent += 1;
  inFlight += 1;
  client.ModelInfer(request, new grpc.Metadata({waitForReady}), {deadline: Date.now() + deadlineMs}, (error, answer) => {
    inFlight -= 1;
    result.slowest_ms = Math.max(result.slowest_ms, Math.round(performance.now() - begin));
    if (error) {
      const code = grpc.status[error.code];
      result.failed[code] = (result.failed[code] ?? 0) + 1;
      console.log(`${code}: ${error.details}`);
    } else {
      if (++result.answered % reportEvery === 0) {
        console.log(`answered ${result.answered}`);
      }
      expected ??= answer.raw_output_contents[0];
      result.wrong += expected.equals(answer.raw_output_contents[0]) ? 0 : 1;
    }
    finish();
  });
}

// What a tick could not send is not made up for: it would only pile up.
const timer = setInterval(() => {
  for (let due = rate * tickMs / 1000; due > 0 && inFlight < maxInFlight; --due) {
    callOnce();
  }
}, tickMs);
process.on('SIGTERM', () => {
  clearInterval(timer);
  stopping = true;
  finish();
});
