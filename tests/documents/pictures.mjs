// Draws docs/pictures/architecture.dot for light and for dark pages. With --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { instance } from '@viz-js/viz';

const THEMES = {
  light: { ink: '#1f2328', line: '#6e7781', paper: '#ffffff', ours: '#ddf4ff', network: '#f6f8fa', consumer: '#f6f8fa' },
  dark: { ink: '#e6edf3', line: '#8b949e', paper: '#21262d', ours: '#0c2d6b', network: '#161b22', consumer: '#161b22' },
};

const folder = new URL('../../docs/pictures/', import.meta.url);
const source = readFileSync(new URL('architecture.dot', folder), 'utf8');
const viz = await instance();
const stale = [];
for (const [theme, colors] of Object.entries(THEMES)) {
  const themed = source.replaceAll(/"(\w+)"/g, (quoted, name) => (name in colors ? `"${colors[name]}"` : quoted));
  const svg = `${viz.renderString(themed, { format: 'svg' }).trim()}\n`;
  const file = new URL(`architecture-${theme}.svg`, folder);
  if (!process.argv.includes('--check')) {
    writeFileSync(file, svg);
  } else if (readFileSync(file, 'utf8') !== svg) {
    stale.push(`architecture-${theme}.svg`);
  }
}
if (stale.length > 0) {
  console.error(`error: ${stale.join(' and ')} in docs/pictures are not what architecture.dot says: run cargo xtask documents --write.`);
  process.exit(1);
}
