import { ArnFormat, CfnOutput, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { AlbListenerTarget, IpTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2-targets';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import { CfnProtection } from 'aws-cdk-lib/aws-shield';
import type { Construct } from 'constructs';
import { DelegatedSubdomain, type Delegation } from '../../lib'; // elsewhere: '@zone-delegation/cdk'
import { AccessLogBucket } from './access-log-bucket';
import { check } from './checks';
import { EndpointAddresses } from './endpoint-addresses';
import { WebAcl } from './web-acl';
import { ZonedStack, type ZonedStackProps } from './zoned-stack';

/** Properties of an `IngressStack`. */
export interface IngressStackProps extends ZonedStackProps {
  /** The zone that the networking account publishes. */
  readonly delegation: Delegation;

  /** The application's name in it. */
  readonly subdomain: string;

  /** The endpoint service of the application account. */
  readonly endpointServiceName: string;

  /** The path to which the application answers 200 while it is healthy. */
  readonly healthCheckPath: string;

  /**
   * Whether the application's load balancer uses TLS, which it does if `ApplicationStack` has an `origin`.
   *
   * @default false
   */
  readonly tlsToApplication?: boolean;

  /**
   * IPv4 ranges, as CIDR, that may reach the application.
   *
   * @default - all may
   */
  readonly allowedAddresses?: string[];

  /**
   * Whether a network load balancer with Elastic IPs is in front, for clients that need to know the addresses.
   *
   * @default false
   */
  readonly fixedAddresses?: boolean;

  /**
   * Whether Shield Advanced protects the load balancer that faces the Internet. The account must have subscribed to it.
   *
   * @default false
   */
  readonly shieldAdvanced?: boolean;
}

/** The entry point: a delegated name with its certificate, a load balancer behind AWS WAF, and a private link to the application. */
export class IngressStack extends ZonedStack {
  public constructor(scope: Construct, id: string, private readonly props: IngressStackProps) {
    super(scope, id, props, {
      ipAddresses: ec2.IpAddresses.cidr('10.1.0.0/16'),
      natGateways: 0,
      subnetConfiguration: [
        { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'Private', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
    });
    check('endpointServiceName', props.endpointServiceName);
    check('allowedAddresses', props.allowedAddresses);
    const subdomain = new DelegatedSubdomain(this, 'Subdomain', { subdomain: props.subdomain, delegation: props.delegation });

    const balancer = this.applicationLoadBalancer();
    new WebAcl(this, 'WebAcl', { allowedAddresses: props.allowedAddresses }).protect(balancer.loadBalancerArn);
    const https = balancer.addListener('Https', {
      port: 443,
      certificates: [subdomain.certificate('Certificate')],
      sslPolicy: elbv2.SslPolicy.RECOMMENDED_TLS,
      open: !props.fixedAddresses,
      defaultTargetGroups: [this.application(balancer)],
    });
    const http = balancer.addRedirect({ open: !props.fixedAddresses });

    const front = props.fixedAddresses ? this.networkLoadBalancer(balancer, [https, http]) : balancer;
    if (props.shieldAdvanced && !props.fixedAddresses) {
      new CfnProtection(this, 'Shield', { name: this.stackName, resourceArn: balancer.loadBalancerArn });
    }
    new route53.ARecord(this, 'Address', { zone: subdomain, target: route53.RecordTarget.fromAlias(new LoadBalancerTarget(front)) });
    new CfnOutput(this, 'Url', { value: `https://${subdomain.zoneName}` });
  }

  /** Creates the application load balancer, because AWS WAF does not support network load balancers. */
  private applicationLoadBalancer(): elbv2.ApplicationLoadBalancer {
    const securityGroup = new ec2.SecurityGroup(this, 'BalancerGroup', {
      vpc: this.vpc, description: 'The application load balancer', allowAllOutbound: false,
    });
    Validations.of(securityGroup).acknowledge({ id: 'AwsSolutions::AwsSolutions-EC23', reason: 'It serves the Internet; AWS WAF decides whom' });
    const balancer = new elbv2.ApplicationLoadBalancer(this, 'Balancer', {
      vpc: this.vpc,
      internetFacing: !this.props.fixedAddresses,
      vpcSubnets: { subnetGroupName: this.props.fixedAddresses ? 'Private' : 'Public' },
      securityGroup,
      dropInvalidHeaderFields: true,
    });
    balancer.logAccessLogs(new AccessLogBucket(this, 'AccessLogs'));
    return balancer;
  }

  /** Creates the target group of the application, with the addresses of the endpoint. */
  private application(balancer: elbv2.ApplicationLoadBalancer): elbv2.ApplicationTargetGroup {
    const { vpc, props } = this;
    const port = props.tlsToApplication ? 443 : 80;
    const endpoint = new ec2.InterfaceVpcEndpoint(this, 'Endpoint', {
      vpc,
      service: new ec2.InterfaceVpcEndpointService(props.endpointServiceName, port),
      subnets: { subnetGroupName: 'Private' },
      privateDnsEnabled: false,
      open: false,
      securityGroups: [new ec2.SecurityGroup(this, 'EndpointGroup', { vpc, description: 'The endpoint', allowAllOutbound: false })],
    });
    endpoint.connections.allowDefaultPortFrom(balancer, 'From the load balancer');
    const { addresses } = new EndpointAddresses(this, 'EndpointAddresses', endpoint, props.availabilityZoneIds.length);
    return new elbv2.ApplicationTargetGroup(this, 'Application', {
      vpc,
      port,
      // A load balancer does not check the certificates of its targets. TLS encrypts the traffic; the endpoint determines its destination.
      protocol: props.tlsToApplication ? elbv2.ApplicationProtocol.HTTPS : elbv2.ApplicationProtocol.HTTP,
      targetType: elbv2.TargetType.IP,
      targets: addresses.map((address) => new IpTarget(address, port)),
      healthCheck: { path: props.healthCheckPath },
    });
  }

  /** Creates a network load balancer with fixed addresses. It preserves the clients' addresses, which AWS WAF needs. */
  private networkLoadBalancer(balancer: elbv2.ApplicationLoadBalancer, listeners: elbv2.ApplicationListener[]): elbv2.NetworkLoadBalancer {
    const { vpc } = this;
    const securityGroup = new ec2.SecurityGroup(this, 'FrontGroup', { vpc, description: 'The network load balancer', allowAllOutbound: false });
    Validations.of(securityGroup).acknowledge({ id: 'AwsSolutions::AwsSolutions-EC23', reason: 'It serves the Internet; AWS WAF behind it decides whom' });
    const subnetMappings = vpc.publicSubnets.map((subnet, index) => {
      const address = new ec2.CfnEIP(this, `Address${index + 1}`, { domain: 'vpc' });
      if (this.props.shieldAdvanced) {
        new CfnProtection(this, `Shield${index + 1}`, {
          name: `${this.stackName}-${index + 1}`,
          resourceArn: this.formatArn({ service: 'ec2', resource: 'eip-allocation', resourceName: address.attrAllocationId, arnFormat: ArnFormat.SLASH_RESOURCE_NAME }),
        });
      }
      return { subnet, allocationId: address.attrAllocationId };
    });
    const front = new elbv2.NetworkLoadBalancer(this, 'Front', {
      vpc, internetFacing: true, subnetMappings, securityGroups: [securityGroup], crossZoneEnabled: true,
    });
    Validations.of(front).acknowledge({ id: 'AwsSolutions::AwsSolutions-ELB2', reason: 'It can log TLS listeners only and has none; the load balancer behind it logs every request' });
    for (const listener of listeners) {
      const { port } = listener;
      front.connections.allowFromAnyIpv4(ec2.Port.tcp(port), 'From the Internet');
      front.connections.allowTo(balancer, ec2.Port.tcp(port), 'To the load balancer behind');
      front.addListener(`Port${port}`, { port }).addTargets('Balancer', {
        port,
        targets: [new AlbListenerTarget(listener)],
        // The health check passes AWS WAF like any request. WAF may refuse it, but the load balancer itself then still answers.
        healthCheck: {
          protocol: port === 443 ? elbv2.Protocol.HTTPS : elbv2.Protocol.HTTP, path: this.props.healthCheckPath, healthyHttpCodes: '200-499',
        },
      });
    }
    return front;
  }
}
