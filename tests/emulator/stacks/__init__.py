"""Tests of complete CloudFormation stacks: the CDK app's templates and the functions' release binaries, with IAM enforced.

`cargo xtask test stacks` starts the emulator and its name servers, and runs each file in accounts and under a base domain of its own,
which the environment names.
"""
