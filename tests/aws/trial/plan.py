"""What the trial does and what it costs, for a person to read before anything happens."""

from .accounts import Problem
from .clean_up import all_stacks
from .names import BRANCH, CONSUMER, DEEP, DENIED, DEV, GRANTED, NETWORKING, OTHER, PREFIX, REFUSED, TAG, bucket, zone_name

# Prices in us-east-1, which these pages gave in November 2026:
# https://aws.amazon.com/route53/pricing/
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/troubleshooting-billed-twice.html
# https://aws.amazon.com/cloudwatch/pricing/
# https://aws.amazon.com/certificate-manager/pricing/
# https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
# https://aws.amazon.com/lambda/pricing/
# https://aws.amazon.com/step-functions/pricing/
# https://aws.amazon.com/systems-manager/pricing/
_COST = """\
  Less than 0.05 USD, if everything is deleted at the end:
    hosted zones         0.50 USD a month each (0.10 from the 26th on), nothing if deleted within 12 hours: five are created
    alarms               0.10 USD a month each, by the hour: about 20 exist for less than an hour
    DNS queries          0.40 USD a million: some hundred are sent
    Lambda               0.20 USD a million requests and 0.0000167 USD a GB-second: below 0.01 USD
    Step Functions       0.025 USD a thousand state transitions: below 0.01 USD
    S3, CloudWatch Logs  below 0.01 USD
    Parameter Store      standard parameters are free
    the certificate      free. It counts against the quota of certificates a year in the Region (5,000 by default), even once deleted
  If it cannot delete something, it says so. A zone that remains costs 0.50 USD for each month begun, an alarm 0.10 USD a month."""


def text(world):
    """The plan. Raises Problem if the accounts do not meet the trial's conditions."""
    name = zone_name(world)
    found = [stack.name for stack in all_stacks(world).values() if stack.found() and stack.status() != "DELETE_COMPLETE"]
    if found:
        raise Problem(f"An earlier trial left {', '.join(found)}. Add --clean-up to delete what it left, then begin again.")
    return f"""
  A trial of zone-delegation in two AWS accounts. It takes about 20 minutes.

  networking account   {world.networking.id} (profile {world.networking.profile})
  consumer account     {world.consumer.id} (profile {world.consumer.profile})
  Region               {world.region}
  base domain          {world.base.name} ({world.base.id})

  What it does

   1. makes a bucket with the functions in each account: {bucket(world.networking)} and {bucket(world.consumer)}
   2. deploys {NETWORKING}: the zone {name}, its NS record set in {world.base.name},
      three parameters below {PREFIX}, a delegation role for the consumer account, a function
   3. deploys at once {CONSUMER}: the zone {DEV}.{name} and a certificate for it and its wildcard,
      {DEEP}: the zone {BRANCH}.{name}, two labels below its parent,
      and {REFUSED}: the zone {DENIED}.{name}, which the role does not cover, so that IAM refuses it.
      Meanwhile it makes and deletes {2 * 3} changes of record sets below {name}, and asks for four that Route 53 should refuse
   4. asks the name servers for what was delegated
   5. renames resources of {CONSUMER} in its template, and lets an update of {DEEP}
      replace the name by {OTHER}.{name} and then fail, so that CloudFormation rolls it back
   6. reads the alarms and the functions' logs
   7. deletes all of it, consumers first, and looks whether anything is left

  Of what the accounts have today nothing is changed or deleted. In {world.base.name} one NS record set is created and deleted.
  Every stack has the tag {TAG['Key']}={TAG['Value']}. The delegation role covers {', '.join(GRANTED)} below {name}, and is deleted with its stack.

  What it costs

{_COST}

  After Ctrl-C it deletes what it has made so far, which takes some minutes.
"""

