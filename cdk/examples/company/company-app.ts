import { Annotations, App, type AppProps, Aspects, type IAspect, type InjectionContext, type IPropertyInjector, Tags } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { IConstruct } from 'constructs';
import { FunctionDefaults } from '../../lib'; // elsewhere: '@zone-delegation/cdk'

/** A property injector: log groups are kept for a year. */
class YearOfLogs implements IPropertyInjector {
  public readonly constructUniqueId = logs.LogGroup.PROPERTY_INJECTION_ID;

  public inject(props: logs.LogGroupProps, _context: InjectionContext): logs.LogGroupProps {
    return { ...props, retention: logs.RetentionDays.ONE_YEAR };
  }
}

/** An aspect: alarms notify a topic. */
class AlarmsNotify implements IAspect {
  public visit(node: IConstruct): void {
    if (node instanceof cloudwatch.CfnAlarm && !node.alarmActions?.length) {
      Annotations.of(node).addError('An alarm must notify a topic.');
    }
  }
}

/** An app with the rules of a company: property injectors, aspects, tags and settings for all functions. */
export class CompanyApp extends App {
  public constructor(props?: AppProps) {
    super({ ...props, propertyInjectors: [new YearOfLogs()] });
    Aspects.of(this).add(new AlarmsNotify());
    Tags.of(this).add('cost-center', '42');
    FunctionDefaults.set(this, { tracing: lambda.Tracing.ACTIVE, reservedConcurrentExecutions: 5, rolePath: '/company/' });
  }
}
