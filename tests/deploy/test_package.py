"""The Debian package installs, is whole, and goes without a trace; unit, man page and completions are good."""
import gzip
import os
import re
import shutil
import subprocess

import pytest
from documents import ROOT


def needs(tool):
    """Skips, loudly, where a tool is missing."""
    if not shutil.which(tool):
        pytest.skip(f"NOT CHECKED: no {tool} here")


def run(*command, **more):
    """Runs a command that must not fail; what it wrote."""
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    """The package's files."""
    root = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "-x", package, root)
    return root


class Machine:
    """An empty Debian system in a folder, with a dpkg of its own. Its scripts run outside of it, told so by DPKG_ROOT."""

    def __init__(self, root):
        self.root = root
        for folder in ("info", "updates", "triggers"):
            (root / "var/lib/dpkg" / folder).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        self.before = self.files()

    def dpkg(self, *arguments):
        """Runs dpkg in it."""
        command = ["dpkg", f"--root={self.root}", "--force-depends", "--force-script-chrootless", "--force-not-root",
                   "--force-bad-path", "--log=/dev/null", *arguments]
        return run(*command, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})

    def files(self):
        """All but dpkg's own."""
        return {path.relative_to(self.root).as_posix() for path in self.root.rglob("*")
                if not path.is_relative_to(self.root / "var")}


@pytest.fixture
def machine(tmp_path):
    needs("dpkg")
    return Machine(tmp_path)


def test_it_installs_verifies_and_is_purged_without_a_trace(machine, package):
    machine.dpkg("--install", package)
    assert machine.dpkg("--verify", "wxcourier").strip() == ""
    assert run(machine.root / "usr/bin/wxcourier", "version").startswith("wxcourier ")
    assert (machine.root / "etc/wxcourier/environment").stat().st_mode & 0o777 == 0o600
    machine.dpkg("--purge", "wxcourier")
    assert machine.files() == machine.before


def test_removal_keeps_the_configuration_and_an_upgrade_keeps_what_was_changed(machine, package):
    machine.dpkg("--install", package)
    config = machine.root / "etc/wxcourier/wxcourier.yaml"
    config.write_text("mine\n")
    machine.dpkg("--install", "--force-confold", package)
    assert config.read_text() == "mine\n"
    machine.dpkg("--remove", "wxcourier")
    assert config.read_text() == "mine\n"
    assert not (machine.root / "usr/bin/wxcourier").exists()


def test_lintian_has_no_complaint(package):
    needs("lintian")
    ran = subprocess.run(["lintian", "--fail-on", "error,warning", "--allow-root", package], capture_output=True, text=True,
                         check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_an_attacker_would_like_is_not_there(unpacked):
    headers = run("readelf", "-hldW", unpacked / "usr/bin/wxcourier")
    assert "Type:                              DYN" in headers and "GNU_RELRO" in headers and "NOW" in headers
    assert not re.search(r"R(?:UN)?PATH", headers)


def test_systemd_takes_the_unit(unpacked, tmp_path):
    needs("systemd-analyze")
    unit = tmp_path / "wxcourier.service"
    text = (unpacked / "usr/lib/systemd/system/wxcourier.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/usr/bin/wxcourier", str(unpacked / "usr/bin/wxcourier")))
    assert run("systemd-analyze", "verify", "--man=no", unit).strip() == ""


def test_the_unit_gives_time_to_drain():
    text = (ROOT / "deploy/systemd/wxcourier.service").read_text(encoding="utf-8")
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE).group(1)) >= 20 + 10
    assert "KillMode=mixed" in text and "RestartPreventExitStatus=2" in text


def test_the_man_page_names_every_command_and_option(unpacked, program):
    page = gzip.decompress((unpacked / "usr/share/man/man1/wxcourier.1.gz").read_bytes()).decode()
    plain = page.replace("\\-", "-")
    for name in [*commands(program), *(f"ctl {each}" for each in commands(program, "ctl"))]:
        assert f"wxcourier {name}" in plain
        for option in options(program, *name.split()):
            assert option in plain, f"{name} {option}"
    if shutil.which("groff"):
        assert run("groff", "-man", "-Tutf8", "-ww", "-z", "-", input=page).strip() == ""


def commands(program, *above):
    """The commands that the program lists, or one of its commands."""
    return re.findall(r"^  ([a-z-]+) ", run(program, *above, "--help").partition("Subcommands:")[2], re.MULTILINE)


def options(program, *command):
    """The long options of a command."""
    return re.findall(r"^  (?:-\w,)?(--[a-z-]+)", run(program, *command, "--help"), re.MULTILINE)


def completions(file, *words):
    """What bash offers for the last of these words."""
    script = f'source "{file}"; COMP_WORDS=({" ".join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; ' \
             '_wxcourier; printf "%s\\n" "${COMPREPLY[@]}"'
    return set(run("bash", "-c", script).split())


def test_bash_completes_commands_options_and_values(unpacked, program):
    file = unpacked / "usr/share/bash-completion/completions/wxcourier"
    assert set(commands(program)) <= completions(file, "wxcourier", "")
    assert completions(file, "wxcourier", "enq") == {"enqueue"}
    for name in commands(program):
        assert set(options(program, name)) <= completions(file, "wxcourier", name, "--")
    assert completions(file, "wxcourier", "simulator", "--record", "f") == {"full"}
    assert set(commands(program, "ctl")) <= completions(file, "wxcourier", "ctl", "")
    assert completions(file, "wxcourier", "ctl", "--at", "there", "pau") == {"pause"}
    for name in commands(program, "ctl"):
        offered = completions(file, "wxcourier", "ctl", name, "--")
        assert set(options(program, "ctl", name)) <= offered and "--token-file" in offered
    run("shellcheck", "-s", "bash", file)


def test_zsh_reads_its_completions(unpacked, program):
    file = unpacked / "usr/share/zsh/vendor-completions/_wxcourier"
    text = file.read_text(encoding="utf-8")
    for name in commands(program):
        assert f"        {name})\n" in text
    for name in commands(program, "ctl"):
        assert f"                        {name})\n" in text
    needs("zsh")
    run("zsh", "-n", file)
