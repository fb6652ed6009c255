"""Synthesizes the examples in `cdk/examples` for a suite's world."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from .templates import undrained
from .world import ARCHITECTURE, BASE_DOMAIN, CONSUMER, NETWORKING, REGION, ZIPS, client

CDK = pathlib.Path(__file__).resolve().parents[3] / "cdk"
EXAMPLES, TSX = CDK / "examples", CDK / "node_modules" / ".bin" / "tsx"


def synthesize(example, stacks, replaced=(), edits=()):
    """The templates of these stacks, by name, with this world's accounts and names. `replaced` are further (text, text) pairs, `edits`
    such pairs for the example's `app.ts`, which must contain each. Uploads the assets to the buckets of the stacks' accounts, as
    `cdk deploy` does."""
    context = json.loads((EXAMPLES / example / "cdk.json").read_text()).get("context", {}) | {"functionZips": ZIPS}
    app = (EXAMPLES / example / "app.ts").read_text()
    for old, new in edits:
        assert app.count(old) == 1, f"{example}/app.ts does not contain {old!r} once"
        app = app.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([TSX, "--eval", app], cwd=EXAMPLES / example, check=True,
                       env=os.environ | {"CDK_OUTDIR": folder, "CDK_CONTEXT_JSON": json.dumps(context)})
        for account in set(stacks.values()):
            _provide(account, pathlib.Path(folder))
        found = {name: pathlib.Path(folder, f"{name}.template.json").read_text() for name in stacks}
    for old, new in (*replaced, ("222222222222", CONSUMER), ("111111111111", NETWORKING), ("example.com", BASE_DOMAIN),
                     ('"arm64"', f'"{ARCHITECTURE}"')):
        found = {name: text.replace(old, new) for name, text in found.items()}
    return {name: undrained(json.loads(text)) for name, text in found.items()}


def _provide(account, folder):
    """Uploads what `cdk bootstrap` and `cdk deploy` upload before a template."""
    bucket, s3 = f"cdk-hnb659fds-assets-{account}-{REGION}", client("s3", account)
    s3.create_bucket(Bucket=bucket)
    client("ssm", account).put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String", Overwrite=True)
    for asset in list(folder.glob("asset.*")):
        packed = asset if asset.is_file() else shutil.make_archive(f"{folder}/packed-{asset.name}", "zip", asset)
        s3.upload_file(str(packed), bucket, re.sub(r"^asset\.(\w+)(\.zip)?$", r"\1.zip", asset.name))
