"""Packs the functions so that two builds of one commit make the same bytes: pack-functions.py LAMBDA_DIR OUTPUT_DIR

cargo-lambda writes the time of the build into its zips. Here each zip has one file, `bootstrap`, of a fixed time.
"""

import pathlib
import sys
import zipfile

FUNCTIONS = ("publish-zone", "delegate-subdomain")
# The earliest time that a zip can have.
TIME = (1980, 1, 1, 0, 0, 0)
EXECUTABLE_FILE = 0o100755


def main(built, packed):
    packed.mkdir(parents=True, exist_ok=True)
    for name in FUNCTIONS:
        with zipfile.ZipFile(built / name / "bootstrap.zip") as made:
            content = made.read("bootstrap")
        entry = zipfile.ZipInfo("bootstrap", TIME)
        entry.external_attr = EXECUTABLE_FILE << 16
        with zipfile.ZipFile(packed / f"{name}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
            out.writestr(entry, content)


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
