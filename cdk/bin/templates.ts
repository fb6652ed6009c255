import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { plainTemplates } from '../lib/plain-templates';

// The CDK's own validation of templates does not know what is acknowledged in them, so `npm run templates:lint` checks them instead.
process.env['CDK_VALIDATION'] = 'false';

const folder = path.join(__dirname, '..', 'templates');
mkdirSync(folder, { recursive: true });
for (const [file, template] of Object.entries(plainTemplates())) {
  // CloudFormation's YAML has no aliases. Long strings stay on one line, so that a diff shows what changed.
  writeFileSync(path.join(folder, file), stringify(template, { aliasDuplicateObjects: false, lineWidth: 0 }));
}
