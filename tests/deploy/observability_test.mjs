// A real Prometheus scrapes a real relud under load: its metrics, the alerts and
// the dashboard of deploy/ are right for it. RELUD names the binary.
import {parser} from '@prometheus-io/lezer-promql';
import * as yaml from 'js-yaml';
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';

const root = path.resolve(import.meta.dirname, '../..');
const rulesFile = path.join(root, 'deploy/prometheus/rules.yml');
const {groups} = yaml.load(fs.readFileSync(rulesFile, 'utf8'));
const rules = groups.flatMap((group) => group.rules);
const dashboard =
    JSON.parse(fs.readFileSync(path.join(root, 'deploy/grafana/dashboards/relud.json'), 'utf8'));
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'observability-'));
const children = [];

let metricsUrl, prometheusUrl, relud;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// The value of `get` as soon as it is one. Fails after half a minute.
async function eventually(what, get) {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100)) {
    const value = await get();
    if (value) {
      return value;
    }
  }
  assert.fail(`${what}: not within 60 s`);
}

// Starts a program that ends with this test; resolves with its process and the
// match of `pattern` in what it prints.
async function start(pattern, command, ...args) {
  const child = spawn(command, args, {cwd: root});
  children.push(child);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => log += text);
  }
  const match = await eventually(`${command}: ${pattern}`, () => {
    assert.equal(child.exitCode, null, log);
    return pattern.exec(log);
  });
  return [child, match];
}

async function api(call) {
  const answer = await (await fetch(`${prometheusUrl}/api/v1/${call}`)).json();
  assert.equal(answer.status, 'success', `${call}: ${answer.error}`);
  return answer.data;
}

const query = async (text) => (await api(`query?query=${encodeURIComponent(text)}`)).result;

before(async () => {
  let match;
  const models = path.join(work, 'models');
  fs.cpSync(path.join(root, 'deploy/models'), models, {recursive: true});
  // Rows outside of a domain are counted where there is one.
  fs.writeFileSync(path.join(models, 'digits_mlp/config.pbtxt'),
      'parameters { key: "input_domain.input" value { string_value: "0-63: [-1e6, 1e6]" } }');
  [relud, match] = await start(
      /gRPC on ([\d.:]+),.* metrics on ([\d.:]+)/, process.env.RELUD, `--model-repository=${models}`,
      '--grpc-address=127.0.0.1', '--grpc-port=0', '--http-port=0',
      '--metrics-address=127.0.0.1', '--metrics-port=0', '--lame-duck=0');
  metricsUrl = `http://${match[2]}/metrics`;
  await start(/answered/, process.execPath, 'tests/deploy/load.mjs', match[1], '50');

  const config = path.join(work, 'prometheus.yml');
  fs.writeFileSync(config, yaml.dump({
    global: {scrape_interval: '1s', evaluation_interval: '1s'},
    rule_files: [rulesFile],
    scrape_configs: [{job_name: 'relud', static_configs: [{targets: [match[2]]}]}],
  }));
  [, match] = await start(
      /msg="Listening on" address=(\S+)/, 'prometheus', `--config.file=${config}`,
      `--storage.tsdb.path=${work}/data`, '--web.listen-address=127.0.0.1:0');
  prometheusUrl = `http://${match[1]}`;
  // A rate needs two scrapes.
  await eventually('rates', async () => (await query('rate(relu_rows_total[5s]) > 0')).length > 0);
});

after(() => {
  children.forEach((child) => child.kill('SIGKILL'));
  fs.rmSync(work, {recursive: true, maxRetries: 5});
});

test('promtool takes the configuration, the rules and the metrics', async () => {
  const promtool = (...args) => execFileSync('promtool', args, {cwd: root, stdio: 'pipe'});
  promtool('check', 'config', 'deploy/prometheus/prometheus.yml');
  const text = await (await fetch(metricsUrl)).text();
  // The names and units of nv_* are Triton's, and not as promtool wants them.
  const own = text.split('\n').filter((line) => !/^(# \w+ )?nv_/.test(line)).join('\n');
  assert.notEqual(own, text);
  execFileSync('promtool', ['check', 'metrics'], {input: own});
});

test('each alert fires when it should, and not before', () => {
  execFileSync('promtool', ['test', 'rules', 'tests/deploy/prometheus/rules_test.yml'], {cwd: root, stdio: 'pipe'});
  const tested = fs.readFileSync(path.join(root, 'tests/deploy/prometheus/rules_test.yml'), 'utf8');
  for (const {alert} of rules.filter((rule) => rule.alert)) {
    assert.match(tested, new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n`), `${alert} has no test`);
  }
});

// The names of the metrics in a query; throws if it is none.
function metricsOf(text) {
  const names = [];
  parser.parse(text).iterate({
    enter(node) {
      assert.ok(!node.type.isError, `not PromQL: ${text}`);
      if (node.name === 'Identifier' && node.node.parent.name === 'VectorSelector') {
        names.push(text.slice(node.from, node.to));
      }
    }
  });
  return names;
}

test('every metric of a rule exists', async () => {
  const exist = new Set(await api('label/__name__/values'));
  rules.forEach(({record}) => exist.add(record));
  for (const {expr} of rules) {
    const names = metricsOf(expr);
    assert.notEqual(names.length, 0, expr);
    for (const name of names) {
      assert.ok(exist.has(name), `${name} in: ${expr}`);
    }
  }
});

test('Prometheus evaluates every rule', async () => {
  const evaluated = await eventually('rules', async () => {
    const all = (await api('rules')).groups.flatMap((group) => group.rules);
    return all.every((rule) => rule.health !== 'unknown') && all;
  });
  assert.equal(evaluated.length, rules.length);
  assert.deepEqual(evaluated.filter((rule) => rule.health !== 'ok'), []);
  await eventually('the recorded queue time',
                   async () => (await query('instance:relu_queue_seconds:mean1m')).length > 0);
});

test('no alert fires while all is well', async () => {
  assert.deepEqual((await api('alerts')).alerts, []);
});

test('every panel of the dashboard shows something', async () => {
  const fields = ['id', 'type', 'title', 'description', 'gridPos', 'datasource', 'fieldConfig', 'options', 'targets'];
  const panels = dashboard.panels.filter((panel) => panel.type !== 'row');
  assert.ok(panels.length > 10);
  assert.equal(new Set(dashboard.panels.map((panel) => panel.id)).size, dashboard.panels.length);
  for (const panel of panels) {
    assert.deepEqual(Object.keys(panel).filter((key) => !fields.includes(key)), [], panel.title);
    for (const {expr} of panel.targets) {
      const text = expr.replaceAll(/\$(job|instance|model)\b/g, '.*').replaceAll('$__rate_interval', '5s');
      assert.ok(!text.includes('$'), `${panel.title}: ${text}`);
      metricsOf(text);
      assert.notEqual((await query(text)).length, 0, `${panel.title} has no data: ${text}`);
    }
  }
  for (const {name, query: variable} of dashboard.templating.list.filter((each) => each.type === 'query')) {
    const [, metric, label] = /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(variable.query);
    assert.ok((await query(metric)).every((series) => series.metric[label]), name);
  }
});

test('the end of the server is noticed', async () => {
  relud.kill('SIGTERM');
  await eventually('ReludDown', async () => (await api('alerts')).alerts.some((alert) => alert.labels.alertname === 'ReludDown'));
});
