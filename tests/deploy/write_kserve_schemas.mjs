// Writes kserve_schemas.json: of KServe's CustomResourceDefinitions, which are
// two megabytes, the fields that our manifests have.
//
//   node tests/deploy/write_kserve_schemas.mjs FOLDER
//
// FOLDER has the files of config/crd/full of KServe's repository. A manifest
// with a field that it did not have fails its test until this has run again.
import fs from 'node:fs';
import path from 'node:path';

import * as yaml from 'js-yaml';

import {schemasWithin} from './schemas.mjs';

const manifests = path.resolve(import.meta.dirname, '../../deploy/kubernetes/kserve');
const documents = fs.readdirSync(manifests).map(
    (file) => yaml.load(fs.readFileSync(path.join(manifests, file), 'utf8')));
fs.writeFileSync(
    path.join(import.meta.dirname, 'kserve_schemas.json'),
    `${JSON.stringify(schemasWithin(process.argv[2], documents), null, 1)}\n`);
