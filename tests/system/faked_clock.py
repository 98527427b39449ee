# SPDX-License-Identifier: Apache-2.0
"""A wall clock that a test sets, for the processes it starts: faked_clock.c, preloaded."""
import pathlib
import struct
import subprocess
import time

SOURCE = pathlib.Path(__file__).with_suffix(".c")


class FakedClock:
    """The wall clock of every process that is started with `environment`. It runs on by itself."""

    def __init__(self, folder):
        library = folder / "faked_clock.so"
        subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
        self.file = folder / "faked_clock.offset"
        self.file.write_bytes(struct.pack("=q", 0))
        self.environment = {"LD_PRELOAD": str(library), "FAKED_CLOCK": str(self.file)}
        self.offset = 0.0

    def now(self):
        """Seconds since the epoch, as those processes have it."""
        return time.time() + self.offset

    def set(self, now):
        """Sets it, at once and for all of them."""
        self.offset = now - time.time()
        with self.file.open("r+b") as file:
            file.write(struct.pack("=q", int(self.offset * 1e9)))  # One write: nobody sees half of it.
