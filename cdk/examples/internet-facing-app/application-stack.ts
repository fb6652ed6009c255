import { CfnOutput, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { AlbListenerTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { DelegatedSubdomain, type Delegation } from '../../lib'; // elsewhere: '@zone-delegation/cdk'
import { AccessLogBucket } from './access-log-bucket';
import { check } from './checks';
import { Egress, EGRESS_SUBNETS } from './egress';
import { ZonedStack, type ZonedStackProps } from './zoned-stack';

/** A name of the application account. The certificate of its load balancer is for this name. */
export interface Origin {
  /** The zone that the networking account publishes, as granted to the application account. */
  readonly delegation: Delegation;
  /** The name in it. */
  readonly subdomain: string;
}

/** Properties of an `ApplicationStack`. */
export interface ApplicationStackProps extends ZonedStackProps {
  /** The account that may create an endpoint for the application. */
  readonly ingressAccount: string;

  /** The repository in ECR, in this account and Region, with the application's image. */
  readonly repositoryName: string;

  /** Tag of the image. */
  readonly imageTag: string;

  /** The port on which the container serves HTTP. */
  readonly containerPort: number;

  /** The path to which it answers 200 while it is healthy. */
  readonly healthCheckPath: string;

  /**
   * A name of this account. With its certificate, the load balancer uses TLS with the ingress account.
   *
   * @default - it uses HTTP, over AWS PrivateLink
   */
  readonly origin?: Origin;

  /**
   * The domains that the application may reach through Network Firewall and NAT. `.example.com` means all names in that domain.
   *
   * @default - the subnets have no route to the Internet
   */
  readonly egressTo?: string[];
}

/** The application: containers in subnets that the Internet cannot reach, offered to the ingress account as an endpoint service. */
export class ApplicationStack extends ZonedStack {
  public constructor(scope: Construct, id: string, private readonly props: ApplicationStackProps) {
    super(scope, id, props, {
      ipAddresses: ec2.IpAddresses.cidr('10.2.0.0/16'),
      natGateways: props.egressTo ? props.availabilityZoneIds.length : 0,
      subnetConfiguration: [
        // First, so that their addresses do not change if egress is added later.
        { name: 'Application', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 20 },
        ...props.egressTo ? EGRESS_SUBNETS : [],
      ],
    });
    check('egressTo', props.egressTo);
    const listener = this.listenerOf(this.service());
    const service = new ec2.VpcEndpointService(this, 'EndpointService', {
      vpcEndpointServiceLoadBalancers: [this.networkLoadBalancer(listener)],
      // The permission names the account, so nobody has to accept its endpoint by hand.
      acceptanceRequired: false,
      allowedPrincipals: [new iam.AccountPrincipal(props.ingressAccount)],
    });
    if (props.egressTo) {
      new Egress(this, 'Egress', { vpc: this.vpc, subnets: this.subnets, allowedDomains: props.egressTo });
    }
    new CfnOutput(this, 'EndpointServiceName', { value: service.vpcEndpointServiceName });
  }

  private get subnets(): ec2.ISubnet[] {
    return this.vpc.selectSubnets({ subnetGroupName: 'Application' }).subnets;
  }

  private service(): ecs.FargateService {
    const { vpc, props } = this;
    const taskDefinition = new ecs.FargateTaskDefinition(this, 'Task', { cpu: 256, memoryLimitMiB: 512 });
    taskDefinition.addContainer('Container', {
      image: ecs.ContainerImage.fromEcrRepository(ecr.Repository.fromRepositoryName(this, 'Repository', props.repositoryName), props.imageTag),
      portMappings: [{ containerPort: props.containerPort }],
      memoryLimitMiB: 512,
      user: '1000',
      readonlyRootFilesystem: true,
      logging: ecs.LogDrivers.awsLogs({
        streamPrefix: 'application',
        logGroup: new logs.LogGroup(this, 'Log', { retention: logs.RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY }),
      }),
    });
    Validations.of(taskDefinition.obtainExecutionRole()).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]', reason: 'ecr:GetAuthorizationToken has no resources',
    });
    const service = new ecs.FargateService(this, 'Service', {
      cluster: new ecs.Cluster(this, 'Cluster', { vpc, containerInsightsV2: ecs.ContainerInsights.ENABLED }),
      taskDefinition,
      desiredCount: props.availabilityZoneIds.length,
      minHealthyPercent: 100,
      circuitBreaker: { rollback: true },
      vpcSubnets: { subnets: this.subnets },
      securityGroups: [new ec2.SecurityGroup(this, 'ServiceGroup', { vpc, description: 'The containers' })],
    });
    this.reachAwsFrom(service);
    return service;
  }

  /** Lets Fargate reach what it needs of AWS: the image, whose layers are in S3, and the log. */
  private reachAwsFrom(service: ecs.FargateService): void {
    const { vpc } = this;
    service.node.addDependency(vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3, subnets: [{ subnets: this.subnets }] }));
    const securityGroup = new ec2.SecurityGroup(this, 'AwsGroup', { vpc, description: 'Endpoints of AWS', allowAllOutbound: false });
    securityGroup.connections.allowFrom(service, ec2.Port.HTTPS, 'From the containers');
    for (const [name, aws] of Object.entries({
      EcrApi: ec2.InterfaceVpcEndpointAwsService.ECR,
      EcrDocker: ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
      Logs: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    })) {
      service.node.addDependency(vpc.addInterfaceEndpoint(name, {
        service: aws, open: false, securityGroups: [securityGroup], subnets: { subnets: this.subnets },
      }));
    }
  }

  private listenerOf(service: ecs.FargateService): elbv2.ApplicationListener {
    const { vpc, props } = this;
    const balancer = new elbv2.ApplicationLoadBalancer(this, 'Balancer', {
      vpc,
      vpcSubnets: { subnets: this.subnets },
      securityGroup: new ec2.SecurityGroup(this, 'BalancerGroup', { vpc, description: 'The application load balancer', allowAllOutbound: false }),
      dropInvalidHeaderFields: true,
    });
    balancer.logAccessLogs(new AccessLogBucket(this, 'AccessLogs'));
    const certificate = props.origin && new DelegatedSubdomain(this, 'Origin', props.origin).certificate('Certificate');
    const listener = balancer.addListener('Listener', {
      protocol: certificate ? elbv2.ApplicationProtocol.HTTPS : elbv2.ApplicationProtocol.HTTP,
      certificates: certificate && [certificate],
      sslPolicy: certificate && elbv2.SslPolicy.RECOMMENDED_TLS,
      open: false,
    });
    listener.addTargets('Service', {
      protocol: elbv2.ApplicationProtocol.HTTP, port: props.containerPort, targets: [service], healthCheck: { path: props.healthCheckPath },
    });
    return listener;
  }

  /** Creates what an endpoint service needs: a network load balancer, whose one target is the application load balancer. */
  private networkLoadBalancer(listener: elbv2.ApplicationListener): elbv2.NetworkLoadBalancer {
    const { vpc, props } = this;
    const { port } = listener;
    const balancer = new elbv2.NetworkLoadBalancer(this, 'Door', {
      vpc,
      vpcSubnets: { subnets: this.subnets },
      // No rule allows traffic from this network. The endpoint service decides what may arrive over PrivateLink.
      securityGroups: [new ec2.SecurityGroup(this, 'DoorGroup', { vpc, description: 'The network load balancer', allowAllOutbound: false })],
      enforceSecurityGroupInboundRulesOnPrivateLinkTraffic: false,
      crossZoneEnabled: true,
    });
    Validations.of(balancer).acknowledge({
      id: 'AwsSolutions::AwsSolutions-ELB2', reason: 'It can log TLS listeners only and has none; the load balancer behind it logs every request',
    });
    balancer.connections.allowTo(listener, ec2.Port.tcp(port), 'To the application load balancer');
    balancer.addListener('Listener', { port }).addTargets('Balancer', {
      port,
      targets: [new AlbListenerTarget(listener)],
      healthCheck: { protocol: props.origin ? elbv2.Protocol.HTTPS : elbv2.Protocol.HTTP, path: props.healthCheckPath },
    });
    return balancer;
  }
}
