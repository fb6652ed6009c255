import { App, CfnResource } from 'aws-cdk-lib';
import { ApplicationTemplate } from './application-template';
import { ConsumerTemplate } from './consumer-template';
import { NetworkingTemplate } from './networking-template';

/** Returns the templates for users without the CDK, by the names of their files, as CloudFormation's JSON. */
export function plainTemplates(): { readonly [file: string]: unknown } {
  // Construct paths would change with the code, and users of the templates do not need them.
  const app = new App({ context: { 'aws:cdk:enable-path-metadata': false, 'aws:cdk:enable-asset-metadata': false, '@aws-cdk/aws-iam:minimizePolicies': true } });
  [new NetworkingTemplate(app, 'networking'), new ConsumerTemplate(app, 'consumer'), new ApplicationTemplate(app, 'application')].forEach((template) => template.addCompanyRules());
  app.node.findAll().filter(CfnResource.isCfnResource).forEach(acknowledge);
  return Object.fromEntries(app.synth().stacks.map(({ stackName, template }) => [`${stackName}.yaml`, withoutIdleDependencies(template as Template)]));
}

interface Template {
  readonly Resources: { readonly [id: string]: { DependsOn?: string | string[]; readonly Properties?: unknown } };
}

/** Acknowledges findings of cfn-lint that are intended. */
function acknowledge(resource: CfnResource): void {
  const checks: { readonly [type: string]: string[] } = {
    // ListResourceRecordSetProtections is younger than cfn-lint's list.
    'AWS::IAM::Policy': ['W3037'],
  };
  const ignored = checks[resource.cfnResourceType];
  if (ignored) {
    resource.addMetadata('cfn-lint', { config: { ignore_checks: ignored } });
  }
}

/** Removes dependencies that a resource has by its references. */
function withoutIdleDependencies(template: Template): Template {
  for (const resource of Object.values(template.Resources)) {
    const references = JSON.stringify(resource.Properties ?? {});
    const needed = [resource.DependsOn ?? []].flat().filter((id) => !references.includes(`{"Ref":"${id}"}`) && !references.includes(`{"Fn::GetAtt":["${id}",`));
    if (needed.length > 0) {
      resource.DependsOn = needed;
    } else {
      delete resource.DependsOn;
    }
  }
  return template;
}
