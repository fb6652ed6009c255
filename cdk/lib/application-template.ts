import type { App } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain } from './delegated-subdomain';
import { UNUSED_NAME } from './plain-template-parameters';
import { SubdomainTemplate } from './subdomain-template';

/** The template of a subdomain of a zone in the same account. */
export class ApplicationTemplate extends SubdomainTemplate {
  public constructor(scope: App, id: string) {
    super(scope, id, 'zone-delegation: a subdomain of a zone in the same account, with a certificate');
    this.finish(new DelegatedSubdomain(this, 'Delegated', {
      ...this.subdomain,
      parentZone: route53.HostedZone.fromHostedZoneAttributes(this, 'Parent', {
        hostedZoneId: this.parameter('The parent zone', 'ParentHostedZoneId', {
          description: 'Id of the parent zone, e.g. of a consumer stack', type: 'AWS::Route53::HostedZone::Id',
        }),
        zoneName: UNUSED_NAME,
      }),
    }));
  }
}
