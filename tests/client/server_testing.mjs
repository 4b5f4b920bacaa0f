// What the tests of pages share that need a server: a relud of its own for each, and reluctl.
//
//   RELUD=.. RELUCTL=..
import assert from "node:assert/strict";
import {spawn, spawnSync} from "node:child_process";

let relud;

// The address in the line that relud logs when it is ready.
export function startServer(repository, ...options) {
  relud = spawn(process.env.RELUD,
    [`--model-repository=${repository}`, "--grpc-address=127.0.0.1", "--grpc-port=0", "--allow-http=false",
      "--metrics-port=0", ...options],
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

export function stopServer() {
  relud?.removeAllListeners("exit");
  relud?.kill("SIGKILL");
}

// What it prints.
export function reluctl(...options) {
  const run = spawnSync(process.env.RELUCTL, options, {encoding: "utf8"});
  assert.equal(run.status, 0, run.stderr + run.stdout);
  return run.stdout;
}
