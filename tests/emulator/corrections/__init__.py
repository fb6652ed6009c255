"""What the pinned ministack gets wrong, put right at its seams.

One file for each service. A correction says which fact of AWS it restores and
why the project needs it; the file of the same name under `../checks` proves it
against the running emulator.

The product is never bent to fit the emulator: whatever differs from AWS, and
matters to the contract, is corrected here.
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
