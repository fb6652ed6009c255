/** The functions, by the names of their packages. */
export const FUNCTIONS = ['publish-zone', 'delegate-subdomain'];

/** The command that builds the functions for the architecture of a flag of cargo-lambda, as .github/workflows/release.yml does. */
export function buildCommand(flag: string): string[] {
  return ['cargo', 'lambda', 'build', '--release', '--locked', '--output-format', 'zip', flag, ...FUNCTIONS.flatMap((name) => ['--package', name])];
}
