"""Makes everything to publish, in dist/, from a clean tag: archives, executables, layers,
image, wheel, sdist, SBOMs, sums. `make release` runs it.

Like the archives, all of it is identical byte for byte, whoever makes it: the release workflow does it twice.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterable
from datetime import datetime, timezone
from importlib.metadata import distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType, Pedigree
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from build import PACKAGE, ROOT, SHEBANGS, SUMS, commit, commit_date, git, interpreters, write_sums
from image import NAME, VERSION
from standalone.components import Component as Part
from standalone.components import components
from standalone.toolchain import ARCHITECTURES

DIST = ROOT / "dist"
# Each kind of file has a bill of materials. Files of a kind differ only in shebang line, architecture or packing.
KINDS = {
    "archive": tuple(SHEBANGS),
    "executable": tuple(f"{NAME}-{architecture}" for architecture in ARCHITECTURES),
    "image": ("image.tar",),
    "layer": tuple(f"{NAME}-layer-{architecture}.zip" for architecture in ARCHITECTURES),
    "package": (f"{PACKAGE}-{VERSION}-py3-none-any.whl", f"{PACKAGE}-{VERSION}.tar.gz"),
}
# As SPDX expressions, read in each project's own license text: some packages' metadata is vaguer.
LICENSES = {
    "botocore": "Apache-2.0",
    "jmespath": "MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    NAME: "Apache-2.0",
    "shiv": "BSD-2-Clause",
    "six": "MIT",
    "urllib3": "MIT",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--untested", action="store_true", help="leave `make check test` out")
    options = arguments.parse_args()
    reasons = obstacles()
    if not shutil.which("buildah"):
        reasons.append("buildah is missing, which makes the image; on Debian and Ubuntu, run `apt-get install buildah`")
    if reasons:
        sys.exit("".join(f"release.py: {reason}\n" for reason in reasons).rstrip())

    for old in DIST.iterdir():
        if old.name != ".gitignore":
            old.unlink()
    call(sys.executable, "build.py", "--release")
    call(sys.executable, "-m", "standalone", *ARCHITECTURES)
    if not options.untested:
        call("make", "check", "test")  # of these very archives: nothing that they are made of is newer
    call(sys.executable, "layer.py", *ARCHITECTURES)
    call(sys.executable, "image.py", *ARCHITECTURES)
    call(sys.executable, "-m", "hatchling", "build", "--directory", str(DIST))
    parts = components()
    for kind in KINDS:
        (DIST / f"{NAME}-{VERSION}-{kind}.cdx.json").write_text(bill_of_materials(DIST, kind, parts), "utf-8")
    write_sums(DIST)
    print((DIST / SUMS).read_text("utf-8"), end="")


def obstacles() -> list[str]:
    """Why this is not a release."""
    tag = f"v{VERSION}"
    found = []
    if not re.fullmatch("[0-9a-f]{12}", commit()):
        found.append(f"a release is made of a commit, and this is {commit()}; see `git status`")
    if tag not in git("tag", "--points-at", "HEAD").splitlines():
        found.append(f"the version is {VERSION}, and this commit has no tag {tag}; see CONTRIBUTING.md")
    if f"\n## [{VERSION}] - " not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        found.append(f"CHANGELOG.md has no section for {VERSION}, with its date")
    return found


def call(*command: str) -> None:
    environ = os.environ | {"SOURCE_DATE_EPOCH": str(commit_date())}
    if subprocess.run(command, cwd=ROOT, env=environ).returncode:
        sys.exit(f"release.py: {' '.join(command)} failed; there is no release")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bill_of_materials(folder: Path, kind: str, parts: Iterable[Part]) -> str:
    """A CycloneDX document of what is inside the files of a kind in `folder`. `parts` are what executables have besides
    the archive's packages."""
    files = {name: digest(folder / name) for name in KINDS[kind] if (folder / name).exists()}
    ours = component(NAME, VERSION)
    ours.type = ComponentType.APPLICATION
    ours.purl = None  # what is on PyPI under this name is not these files
    for name, content in files.items():
        hashes = [HashType(alg=HashAlgorithm.SHA_256, content=content)]
        ours.components.add(Component(name=name, type=ComponentType.FILE, bom_ref=name, hashes=hashes))
    archived = [] if kind == "package" else packages(folder / next(iter(SHEBANGS)))
    inside = {name: component(name, version) for name, version in archived if name != NAME}
    linked = [] if kind in ("archive", "package") else [executable_component(part) for part in parts]
    compiled = interpreters().values() if kind in ("archive", "image") else ()
    bill = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, "".join(files.values())),
        components=[*inside.values(), *linked],
        metadata=BomMetaData(
            component=ours,
            timestamp=datetime.fromtimestamp(commit_date(), timezone.utc),
            properties=[
                Property(name=f"{NAME}:commit", value=git("rev-parse", "HEAD")),
                *(
                    Property(name=f"{NAME}:bytecode:{python.tag}", value=f"CPython {python.release}")
                    for python in compiled
                ),
            ],
        ),
    )
    for name, part in inside.items():
        needed = [line for line in distribution(name).requires or () if "extra ==" not in line]
        names = {match[0] for line in needed if (match := re.match(r"[\w.-]+", line))}
        bill.register_dependency(part, [inside[other] for other in sorted(names & set(inside))])
    bill.register_dependency(ours, [*(inside[name] for name in ("botocore", "shiv") if name in inside), *linked])

    text = make_outputter(bill, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"release.py: the bill of materials of the {kind} is not valid: {fault}")
    return text + "\n"


def packages(archive: Path) -> list[tuple[str, str]]:
    """Name and version of each package whose license is in an archive; build.py keeps every one."""
    with zipfile.ZipFile(archive) as archived:
        names = "\n".join(archived.namelist())
    found = set(re.findall(r"(?m)^site-packages/([^/]+)-([^/-]+)\.dist-info/", names))
    return sorted((name.replace("_", "-"), version) for name, version in found)


def component(name: str, version: str) -> Component:
    return Component(
        name=name,
        version=version,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("pypi", None, name, version),
        licenses=[LicenseFactory().make_from_string(LICENSES[name])],
        pedigree=None if name == NAME else Pedigree(notes="without the parts that build.py removes"),
    )


def executable_component(part: Part) -> Component:
    """What the executables have inside and the archives do not."""
    return Component(
        name=part.name,
        version=part.version,
        bom_ref=f"{part.name}@{part.version}",
        purl=PackageURL("generic", None, part.name.lower(), part.version),
        cpe=f"cpe:2.3:a:{part.cpe}:{part.version}:*:*:*:*:*:*:*",
        licenses=[LicenseFactory().make_from_string(part.license)],
    )


if __name__ == "__main__":
    main()
