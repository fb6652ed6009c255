import { Token } from 'aws-cdk-lib';

/** The pattern of each text of a list, the number of texts, and the rule in words that follow the prop's name. */
interface Rule {
  readonly pattern: RegExp;
  readonly atLeast: number;
  readonly rule: string;
}

const RULES = {
  availabilityZoneIds: { pattern: /^[a-z]+\d-az\d+$/, atLeast: 2, rule: 'must be at least two ids of availability zones, such as "use1-az1"' },
  // AWS WAF accepts every length but 0.
  allowedAddresses: {
    pattern: /^(\d{1,3}\.){3}\d{1,3}\/([1-9]|[12]\d|3[0-2])$/, atLeast: 1, rule: 'must be at least one IPv4 range, such as "192.0.2.0/24"',
  },
  egressTo: { pattern: /^\.?([\w-]+\.)+[\w-]+$/, atLeast: 1, rule: 'must be at least one domain, such as "api.example.org" or ".example.org"' },
  endpointServiceName: {
    pattern: /^com\.amazonaws\.vpce\.[a-z0-9-]+\.vpce-svc-[0-9a-f]+$/, atLeast: 1,
    rule: 'must be the output EndpointServiceName of the stack Application, such as "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"',
  },
} satisfies { [prop: string]: Rule };

/** Reports at synthesis what would fail at deployment. A value that is not known yet is accepted, because CloudFormation will check it. */
export function check(prop: keyof typeof RULES, value: string | string[] | undefined): void {
  if (value === undefined || Token.isUnresolved(value)) {
    return;
  }
  const { pattern, atLeast, rule } = RULES[prop];
  const values = [value].flat();
  if (values.length < atLeast || values.some((one) => !Token.isUnresolved(one) && !pattern.test(one))) {
    throw new Error(`${prop} ${rule}, but it is ${JSON.stringify(value)}.`);
  }
}
