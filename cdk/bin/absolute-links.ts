import * as path from 'node:path';

/** Returns a page of the checkout with each relative link made absolute, for readers who see the page without the checkout, as in a registry. */
export function withAbsoluteLinks(page: string, base: string): string {
  const { origin, pathname } = new URL(base);
  return page.replaceAll(/\]\((?![a-z]+:|#)([^)\s]+)\)/g, (_, link: string) => `](${origin}${path.posix.join(pathname, link)})`);
}
