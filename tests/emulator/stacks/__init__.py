"""Tests of whole CloudFormation stacks: the CDK app's templates, the functions' release binaries, IAM enforced.

`cargo xtask test stacks` starts the emulator and its name servers, and runs each
file in accounts and under a base domain of its own, which the environment names.
"""
