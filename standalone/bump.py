"""Moves pins.json to the newest patch release of each source that can be reached. `make bump-standalone` runs it."""

import json

from standalone.sources import PINS, Source, SourceError, digest, tarball

AHEAD = 9  # patch releases: some numbers are left out


def main() -> None:
    pins = json.loads(PINS.read_text("utf-8"))
    for name, pin in pins.items():
        series, _, patch = pin["version"].rpartition(".")
        for number in range(int(patch) + AHEAD, int(patch), -1):
            if found := reached(name, f"{series}.{number}", pin["url"]):
                pin |= {"version": f"{series}.{number}", "sha256": [found]}
                break
        print(f"{name}: {pin['version']}")
    PINS.write_text(json.dumps(pins, indent=2) + "\n", "utf-8")


def reached(name: str, version: str, url: str) -> str:
    """The SHA-256 of a release, "" if it cannot be reached. Whoever commits it compares it with what upstream says."""
    try:
        return digest(tarball(Source(name, version, url.format(version=version), ())))
    except SourceError as error:
        print(error)  # it does not exist, or the network does not
        return ""


if __name__ == "__main__":
    main()
