import type { App } from 'aws-cdk-lib';
import { StaticSite } from '../examples/static-site/static-site';

/** Returns the static site, in a Region that is not CloudFront's. */
export function siteIn(app: App): StaticSite {
  return new StaticSite(app, 'Site', {
    env: { account: '222222222222', region: 'eu-central-1' },
    subdomain: 'site',
    delegation: { parameterPrefix: '/zone-delegation/dev', roleArn: 'arn:aws:iam::111111111111:role/zone-delegation-dev-222222222222' },
  });
}
