"""The program and the package under test."""
import os
import pathlib
import shutil
import subprocess

import pytest
from documents import ROOT


@pytest.fixture(scope="session")
def program():
    """The release binary; scripts/test builds it first."""
    path = pathlib.Path(os.environ.get("WXCOURIER_BINARY") or ROOT / "build" / "release" / "wxcourier")
    assert path.is_file(), f"no {path}: scripts/build release wxcourier"
    return path


@pytest.fixture(scope="session")
def package(program):
    """The Debian package, made anew."""
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("no dpkg-shlibdeps (package dpkg-dev)")
    made = subprocess.run([ROOT / "scripts" / "package"], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return pathlib.Path(made.stdout.splitlines()[-1]) if made.stdout.startswith("/") else ROOT / made.stdout.splitlines()[-1]


def check_config(program, file, **environment):
    """Fails when `check-config` finds anything wrong but secrets."""
    ran = subprocess.run([program, "check-config", "--no-secrets", "-c", file], capture_output=True, text=True,
                         env={**os.environ, **environment}, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="session")
def accepts(program):
    """Holds a configuration file to `check-config`."""
    return lambda file, **environment: check_config(program, file, **environment)
