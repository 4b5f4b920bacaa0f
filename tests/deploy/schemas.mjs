// What Kubernetes, the operators and KServe would say of a manifest, without a
// cluster. The interfaces of kubernetes-models, under the TypeScript compiler,
// find fields that do not exist and values of a wrong type; its validators find
// missing fields and words that are not in an enumeration. (An API server drops
// unknown fields silently; the validators let them pass.)
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import Ajv from 'ajv';
import * as yaml from 'js-yaml';

const tests = path.resolve(import.meta.dirname, '..');
const packages = [
  'kubernetes-models', '@kubernetes-models/prometheus-operator',
  '@kubernetes-models/keda'
];
const modules = path.join(tests, 'node_modules');

const nameOf = (document) => `${document.kind}/${document.metadata?.name}`;

// The package that has the kind of `document`, or undefined.
function packageOf(document) {
  return packages.find(
      (name) => fs.existsSync(path.join(
          modules, name, document.apiVersion, `${document.kind}.d.ts`)));
}

// Errors of fields and types, each with the document's name.
export function typeErrors(documents) {
  const owners = [];  // Of each line of the source.
  let source = '';
  documents.forEach((document, i) => {
    const from = `${packageOf(document)}/${document.apiVersion}/${document.kind}`;
    const text = `import type {I${document.kind} as Kind${i}} from '${from}';\n` +
        `export const document${i}: Kind${i} = ${
                     JSON.stringify(document, null, 1)};\n`;
    source += text;
    owners.push(...text.trimEnd().split('\n').map(() => nameOf(document)));
  });
  // Beside node_modules, where the compiler looks for the packages.
  const file = path.join(tests, `.manifests-${process.pid}.mts`);
  fs.writeFileSync(file, source);
  try {
    const run = spawnSync(
        process.execPath,
        [
          path.join(modules, 'typescript/bin/tsc'), '--noEmit', '--strict',
          '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022',
          '--pretty', 'false', file
        ],
        {encoding: 'utf8', cwd: tests});
    const errors = [];
    for (const line of run.stdout.split('\n')) {
      const match = /\.mts\((\d+),\d+\): error (.*)/.exec(line);
      if (match) {
        const text = source.split('\n')[match[1] - 1].trim();
        errors.push(`${owners[match[1] - 1]}: ${text}: ${match[2]}`);
      }
    }
    if (run.status !== 0 && errors.length === 0) {
      throw new Error(`tsc failed: ${run.stdout}${run.stderr}`);
    }
    return errors;
  } finally {
    fs.rmSync(file);
  }
}

// Errors of values and missing fields.
export async function valueErrors(documents) {
  const errors = [];
  for (const document of documents) {
    const module = await import(path.join(
        modules, packageOf(document), document.apiVersion,
        `${document.kind}.js`));
    const Kind = module[document.kind] ?? module.default[document.kind];
    try {
      new Kind(document).validate();
    } catch (error) {
      for (const each of error.errors ?? [error]) {
        errors.push(`${nameOf(document)}: ${each.instancePath ?? ''} ${each.message}`);
      }
    }
  }
  return errors;
}

// Of the schema of a custom resource to one of JSON that refuses unknown fields.
function strict(schema) {
  if (Array.isArray(schema)) {
    return schema.map(strict);
  }
  if (schema === null || typeof schema !== 'object') {
    return schema;
  }
  const result = {};
  for (const [key, value] of Object.entries(schema)) {
    if (!key.startsWith('x-kubernetes-') &&
        !['format', 'default', 'nullable'].includes(key)) {
      result[key] = strict(value);
    }
  }
  if (schema['x-kubernetes-int-or-string']) {
    delete result.anyOf;
    result.type = ['integer', 'string'];
  }
  if (schema.type === 'object' && schema.properties &&
      !schema['x-kubernetes-preserve-unknown-fields'] &&
      schema.additionalProperties === undefined) {
    result.additionalProperties = false;
  }
  return result;
}

// Of `schema`, what says something of the fields that `document` has.
function within(schema, document) {
  const result = {...schema};
  if (schema.properties) {
    result.properties = {};
    for (const field of Object.keys(document)) {
      assert.ok(schema.properties[field], `${field} is unknown`);
      result.properties[field] =
          within(schema.properties[field], document[field]);
    }
  }
  if (schema.items) {
    // Elements may have different fields.
    result.items = within(schema.items, Object.assign({}, ...document));
  }
  delete result.description;
  return result;
}

// From "group/version/kind" to the JSON schema of each of `documents`, as the
// CustomResourceDefinitions in `folder` define it, without what no document has.
export function schemasWithin(folder, documents) {
  const schemas = {};
  for (const file of fs.readdirSync(folder)) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    for (const {kind, spec} of yaml.loadAll(text).filter(Boolean)) {
      if (kind !== 'CustomResourceDefinition') {
        continue;
      }
      for (const version of spec.versions) {
        const name = `${spec.group}/${version.name}/${spec.names.kind}`;
        for (const document of documents) {
          if (name === `${document.apiVersion}/${document.kind}`) {
            const schema = strict(version.schema.openAPIV3Schema);
            schema.properties.metadata = {type: 'object'};
            schemas[name] = within(schema, document);
          }
        }
      }
    }
  }
  return schemas;
}

// What `schema` finds wrong with `document`.
export function schemaErrors(schema, document) {
  const ajv = new Ajv({strict: false, allErrors: true, unicodeRegExp: false});
  const validate = ajv.compile(schema);
  return validate(document) ?
      [] :
      validate.errors.map(
          (error) => `${nameOf(document)}: ${error.instancePath} ${
              error.message} ${JSON.stringify(error.params)}`);
}
