"""Corrects what the pinned ministack does differently from AWS.

Each service has one file. A correction names the fact of AWS that it restores, and why the project needs it. The file of the same name
in `../checks` proves it with the running emulator.

The product is never adapted to the emulator: every difference from AWS that matters to the contract is corrected here.
"""

from . import acm, cloudformation, iam, lambda_logs, route53, route53_marks, ssm, stepfunctions, view


def apply(settings):
    """Corrects the imported package. `settings` is a `launch.Settings`."""
    route53.apply(settings)
    route53_marks.apply(settings)
    acm.apply(settings)
    ssm.apply(settings)
    iam.apply(settings)
    cloudformation.apply(settings)
    lambda_logs.apply(settings)
    stepfunctions.apply(settings)
    view.apply(settings)
