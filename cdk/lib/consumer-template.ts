import type { App } from 'aws-cdk-lib';
import { DelegatedSubdomain } from './delegated-subdomain';
import { OPTIONAL_ID, PREFIX } from './plain-template-parameters';
import { SubdomainTemplate } from './subdomain-template';

/** The template of a subdomain of another account's zone. */
export class ConsumerTemplate extends SubdomainTemplate {
  public constructor(scope: App, id: string) {
    super(scope, id, 'zone-delegation: a subdomain of a zone that another account publishes, with a certificate');
    const parent = 'The parent zone, in the networking account';
    this.finish(new DelegatedSubdomain(this, 'Delegated', {
      ...this.subdomain,
      delegation: {
        parameterPrefix: this.parameter(parent, 'ParameterPrefix', PREFIX),
        roleArn: this.parameter(parent, 'NetworkRoleArn', {
          description: 'The role that the networking stack created for this account', allowedPattern: '^arn:aws[\\w-]*:iam::\\d{12}:role/.+$',
        }),
        region: this.parameter(parent, 'NetworkRegion', {
          description: 'Region of the networking stack; empty for this one', default: '', allowedPattern: '^([a-z]{2,}(-[a-z]+)+-\\d+)?$',
        }),
        externalId: this.parameter(parent, 'ExternalId', { ...OPTIONAL_ID, description: 'The external id that the role requires; empty for none' }),
      },
    }));
  }
}
