import { existsSync } from 'node:fs';
import * as path from 'node:path';

/** Returns the root folder of this package, in a checkout or in an installed package. */
export function packageRoot(folder = __dirname): string {
  return existsSync(path.join(folder, 'package.json')) ? folder : packageRoot(path.dirname(folder));
}

/**
 * Returns the folder in a package with the functions of an architecture, if they are in it: those of the same version, which
 * `npm run functions` puts there. In a checkout they may be of earlier sources.
 */
export function packagedFunctions(architecture: string, root = packageRoot()): string | undefined {
  const folder = path.join(root, 'functions', architecture);
  return existsSync(folder) && !existsSync(path.join(root, '..', 'Cargo.toml')) ? folder : undefined;
}
