import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { examples } from '../synthesize-example';

// The steps of a newcomer: the commands of the front page, in an empty folder with the two packages and without a checkout.
const cdk = path.join(__dirname, '..', '..');
const { peerDependencies, devDependencies } = JSON.parse(readFileSync(path.join(cdk, 'package.json'), 'utf8')) as {
  peerDependencies: { [name: string]: string }; devDependencies: { [name: string]: string };
};
const SECONDS = 120;
/** Returns the factor by which a command is slower because the machine has other work. */
const delay = () => Math.max(1, loadavg()[0]! / availableParallelism());
const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const readme = readFileSync(path.join(cdk, 'README.md'), 'utf8');
const commands = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!.trim().split('\n'));

/** Returns the commands of the front page for a language, with a release of the packages that this one is a peer of. */
function commandsFor(language: 'typescript' | 'python', [lib, constructs]: readonly [lib: string, constructs: string]): string[] {
  const block = commands.find(([first]) => first!.startsWith(language === 'typescript' ? 'npm init' : 'python3 -m venv'))!;
  return language === 'typescript'
    ? block.map((command) => command.replace('aws-cdk-lib constructs', `aws-cdk-lib@${lib} constructs@${constructs}`))
    : block.map((command) => command.replace('pip install', `pip install aws-cdk-lib==${lib} constructs==${constructs}`));
}

const pinned = readFileSync(path.join(examples, 'python', 'requirements.txt'), 'utf8');
const pinnedOf = (name: string) => new RegExp(`^${name}==(\\S+)`, 'm').exec(pinned)![1]!;
const oldest = [peerDependencies['aws-cdk-lib']!.slice(1), peerDependencies['constructs']!.slice(1)] as const;
// The newest release in npm may not be in PyPI yet.
const cases = [
  ['typescript', oldest], ['python', oldest],
  ['typescript', [devDependencies['aws-cdk-lib']!, devDependencies['constructs']!]], ['python', [pinnedOf('aws-cdk-lib'), pinnedOf('constructs')]],
] as const;

test('the only peers of the package are aws-cdk-lib and constructs', () => {
  assert.deepEqual(Object.keys(peerDependencies).sort(), ['aws-cdk-lib', 'constructs']);
});

for (const [language, release] of cases) {
  test(`a newcomer has a synthesized app in ${language} in two minutes, with aws-cdk-lib ${release[0]}`, (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'newcomer-'));
    folders.push(folder);
    for (const file of ['js', 'python'].flatMap((name) => readdirSync(path.join(cdk, 'dist', name)).map((made) => path.join(cdk, 'dist', name, made)))) {
      copyFileSync(file, path.join(folder, path.basename(file)));
    }
    for (const file of readdirSync(path.join(examples, language)).filter((name) => /\.(ts|py)$/.test(name))) {
      writeFileSync(path.join(folder, file), readFileSync(path.join(examples, language, file), 'utf8').replace("'../../lib'; // elsewhere: '@zone-delegation/cdk'", "'@zone-delegation/cdk';"));
    }
    const start = Date.now();
    for (const command of commandsFor(language, release)) {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8', env: { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' } });
      assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
    }
    const seconds = (Date.now() - start) / 1_000;
    context.diagnostic(`${language}: ${seconds.toFixed(0)} s`);
    const made = readdirSync(path.join(folder, 'cdk.out')).filter((file) => file.endsWith('.template.json')).map((file) => file.split('.')[0]);
    assert.deepEqual(made.sort(), ['Consumer', 'Networking']);
    const [tester, ...words] = language === 'typescript' ? ['npx', 'tsx', '--test', 'app.test.ts'] : ['.venv/bin/python', '-m', 'unittest', 'test_app.py'];
    const tested = spawnSync(tester!, words, { cwd: folder, encoding: 'utf8', env: { ...process.env, NODE_TEST_CONTEXT: '', JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' } });
    assert.equal(tested.status, 0, tested.stdout + tested.stderr);
    assert.ok(seconds < SECONDS * delay(), `it took ${seconds} seconds`);
  });
}
