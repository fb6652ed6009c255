import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

// `npm run packages:test` makes the packages with placeholders for the functions, because no synthesis reads their content. Each contains its own
// name.
const folder = mkdtempSync(path.join(tmpdir(), 'functions-'));
try {
  for (const architecture of ['arm64', 'x86_64']) {
    mkdirSync(path.join(folder, architecture));
    for (const name of ['publish-zone', 'delegate-subdomain']) {
      writeFileSync(path.join(folder, architecture, `${name}.zip`), `${name} for ${architecture}`);
    }
  }
  execFileSync('npm', ['run', 'package', '--', folder], { cwd: path.join(__dirname, '..', '..'), stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
}
