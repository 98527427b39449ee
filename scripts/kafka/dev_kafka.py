"""A real single-node Apache Kafka (KRaft) on 127.0.0.1, for development and for the system tests.

  scripts/dev-kafka start     fetches the jars once, starts the broker, returns when it answers
  scripts/dev-kafka status    prints its address and returns 0 while it runs, 3 otherwise
  scripts/dev-kafka stop      stops it; what is on its topics stays
  scripts/dev-kafka wipe      stops it and deletes its data

A broker is known by its directory (--dir), so several can run side by side.
"""
import argparse
import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The newest of the two lines that are supported. Never 4.0.0, which broke clients such as librdkafka 2.0 (KAFKA-19444).
VERSIONS = ("3.9.2", "4.1.2")
START_LIMIT = 90.0
STOP_LIMIT = 30.0
# One cluster id for all: a directory's data can be opened again after `stop`.
CLUSTER_ID = "d3hjb3VyaWVyLWRldi0wMQ"


class DevKafkaError(Exception):
    """Something the caller should read; no traceback."""


@contextlib.contextmanager
def locked(path):
    """Holds an exclusive lock on `path`, so that two scripts at once do not do the same work."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- jars ---------------------------------------------------------------------------------------------------------


def jar_folder(version):
    """Folder with the broker's jars, fetched through Maven where they are missing."""
    cache = pathlib.Path(os.environ.get("WXCOURIER_KAFKA_JARS", ROOT / "build" / "kafka-jars"))
    folder = cache / version
    with locked(cache / f".{version}.lock"):
        if folder.is_dir():
            return folder
        subprocess.run([ROOT / "scripts" / "install-packages", "kafka"], check=True, stdout=sys.stderr)
        print(f"fetching Apache Kafka {version}", file=sys.stderr)
        unfinished = cache / f".{version}.{os.getpid()}"
        backend = "log4j1" if version.startswith("3.") else "log4j2"
        fetched = subprocess.run(
            ["mvn", "-q", "-B", "-ntp", "-f", ROOT / "scripts" / "kafka" / "pom.xml", f"-Dkafka.version={version}",
             f"-P{backend}", "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={unfinished}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False)
        if fetched.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise DevKafkaError(f"Maven could not fetch Apache Kafka {version}:\n{fetched.stdout}")
        unfinished.rename(folder)  # A folder that exists is complete.
    return folder


# --- the process --------------------------------------------------------------------------------------------------


def start_time(pid):
    """Kernel's start tick of a process, or None: tells a pid from its reuse by another process."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


class Broker:
    """The broker of one directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()
        self.pid_file = self.directory / "pid"
        self.properties = self.directory / "server.properties"
        self.log = self.directory / "server.log"
        self.console = self.directory / "console.log"

    def running_pid(self):
        """Pid of the live broker; None when there is none, also when the file is left from a dead one."""
        try:
            pid, started = self.pid_file.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(pid) == started else None

    def setting(self, name):
        """A value from the server.properties in use, or None."""
        try:
            lines = self.properties.read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        return next((line.partition("=")[2] for line in lines if line.startswith(name + "=")), None)

    def port(self):
        """Port of the properties in use, or None."""
        listeners = self.setting("listeners")
        return int(listeners.split(",")[0].rpartition(":")[2]) if listeners else None

    def version(self):
        """Version that the properties in use were written for, or None."""
        try:
            return (self.directory / "version").read_text(encoding="ascii").strip()
        except OSError:
            return None

    def write_settings(self, port, controller_port, extra):
        """Writes server.properties and the log settings for both log backends."""
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.directory / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "default.replication.factor": "1",
            "min.insync.replicas": "1",
            "group.initial.rebalance.delay.ms": "0",
            # Small buffers for a small heap.
            "log.cleaner.dedupe.buffer.size": "8388608",
            "log.index.size.max.bytes": "1048576",
        }
        settings.update(extra)
        self.directory.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{name}={value}\n" for name, value in settings.items())
        self.properties.write_text(text, encoding="utf-8")
        (self.directory / "log4j.properties").write_text(
            "log4j.rootLogger=INFO, file\n"
            "log4j.appender.file=org.apache.log4j.FileAppender\n"
            f"log4j.appender.file.File={self.log}\n"
            "log4j.appender.file.layout=org.apache.log4j.PatternLayout\n"
            "log4j.appender.file.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n\n", encoding="utf-8")
        (self.directory / "log4j2.properties").write_text(
            "rootLogger=INFO, file\n"
            "appender.file.type=File\nappender.file.name=file\n"
            f"appender.file.fileName={self.log}\n"
            "appender.file.layout.type=PatternLayout\n"
            "appender.file.layout.pattern=%d{ISO8601} %p %m (%c)%n\n", encoding="utf-8")

    def java(self, version, heap):
        """The command line up to the class name."""
        logging = "log4j.configuration" if version.startswith("3.") else "log4j2.configurationFile"
        name = "log4j.properties" if version.startswith("3.") else "log4j2.properties"
        # The serial collector and the first compiler tier: quick to start, and few threads on a small machine.
        return ["java", f"-Xmx{heap}", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
                "-Djava.awt.headless=true", f"-D{logging}=file:{self.directory / name}",
                "-cp", str(jar_folder(version) / "*")]

    def format_storage(self, java):
        """Makes the data directory a KRaft log, where it is not one yet."""
        done = subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER_ID, "-c", self.properties],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False)
        if done.returncode != 0:
            raise DevKafkaError(f"storage could not be formatted:\n{done.stdout}")

    def launch(self, java):
        """Starts the broker's process, detached from the terminal and its Ctrl-C."""
        with open(self.console, "ab") as console:
            process = subprocess.Popen([*java, "kafka.Kafka", self.properties], stdin=subprocess.DEVNULL,
                                       stdout=console, stderr=console, start_new_session=True, cwd=self.directory)
        self.pid_file.write_text(f"{process.pid} {start_time(process.pid)}\n", encoding="ascii")
        return process

    def wait_until_it_answers(self, process, port):
        """Returns when the broker names itself in its metadata; raises when it ends first or takes too long."""
        deadline = time.monotonic() + START_LIMIT
        while process.poll() is None:
            # Its own log first: on a port that is taken, it is another broker that answers.
            if self.says_started() and answers_metadata(port):
                return
            if time.monotonic() > deadline:
                self.stop()
                raise DevKafkaError(f"no answer within {START_LIMIT:.0f} s; see {self.log}")
            time.sleep(0.1)
        self.pid_file.unlink(missing_ok=True)
        raise DevKafkaError(f"the broker ended while starting; see {self.log}\n{self.complaints()}")

    def says_started(self):
        """True once its log reports a finished start."""
        try:
            return "Kafka Server started" in self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False

    def complaints(self):
        """What its logs hold of errors, for an error message; the last lines when there is none."""
        lines = []
        for path in (self.log, self.console):
            with contextlib.suppress(OSError):
                lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in lines if any(word in line for word in ("ERROR", "FATAL", "Exception", "Error:"))]
        return "\n".join((errors or lines)[-8:])

    def stop(self):
        """SIGTERM, and SIGKILL when that was not enough. False when there was nothing to stop."""
        pid = self.running_pid()
        if pid is None:
            self.pid_file.unlink(missing_ok=True)
            return False
        started = start_time(pid)
        for sig, limit in ((signal.SIGTERM, STOP_LIMIT), (signal.SIGKILL, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
            deadline = time.monotonic() + limit
            while time.monotonic() < deadline:
                if start_time(pid) != started:
                    self.pid_file.unlink(missing_ok=True)
                    return True
                time.sleep(0.05)
        raise DevKafkaError(f"process {pid} does not end")


def answers_metadata(port):
    """True when the broker on `port` answers a Metadata request (version 1) with at least one broker: itself."""
    client = b"dev-kafka"
    request = struct.pack(">hhih", 3, 1, 7, len(client)) + client + struct.pack(">i", 0)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.settimeout(2.0)
            connection.sendall(struct.pack(">i", len(request)) + request)
            reply = b""
            while len(reply) < 12:
                part = connection.recv(4096)
                if not part:
                    return False
                reply += part
            _, correlation, brokers = struct.unpack(">iii", reply[:12])
            return correlation == 7 and brokers > 0
    except OSError:
        return False


def free_ports(count):
    """Ports that were free a moment ago; held together, so that they differ."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


# --- commands -----------------------------------------------------------------------------------------------------


def start(broker, arguments):
    """Starts the broker, or finds that it runs; prints its address."""
    pid = broker.running_pid()
    if pid is not None:
        if not answers_metadata(broker.port()):
            raise DevKafkaError(f"process {pid} runs but does not answer; `wipe` or `stop` it first")
        print(f"listening on 127.0.0.1:{broker.port()}")
        return 0
    before = broker.version()
    version = arguments.version or before or VERSIONS[0]
    if before not in (None, version) and (broker.directory / "data").exists():
        raise DevKafkaError(f"{broker.directory} holds data of Apache Kafka {before}; `wipe` it first")
    extra = dict(item.split("=", 1) for item in arguments.set)
    # A free port can be taken by another process before the broker binds it; a few attempts make that harmless.
    for attempt in range(5):
        port, controller_port = free_ports(2)
        if arguments.port != 0:
            port = arguments.port if arguments.port is not None else broker.port() or 9092
        broker.write_settings(port, controller_port, extra)
        (broker.directory / "version").write_text(version + "\n", encoding="ascii")
        java = broker.java(version, arguments.heap)
        broker.format_storage(java)
        for path in (broker.log, broker.console):
            path.write_text("", encoding="utf-8")
        process = broker.launch(java)
        try:
            broker.wait_until_it_answers(process, port)
        except DevKafkaError:
            taken = "Address already in use" in broker.complaints()
            if arguments.port == 0 and taken and attempt < 4:
                continue
            raise
        print(f"listening on 127.0.0.1:{port}")
        return 0
    return 1


def status(broker, _arguments):
    """Prints whether the broker runs, and where."""
    if broker.running_pid() is None:
        print("not running")
        return 3
    state = "answers" if answers_metadata(broker.port()) else "does not answer"
    print(f"Apache Kafka {broker.version()}, process {broker.running_pid()}, on 127.0.0.1:{broker.port()}, {state}")
    return 0


def stop(broker, _arguments):
    """Stops the broker; fine when it does not run."""
    print("stopped" if broker.stop() else "not running")
    return 0


def wipe(broker, _arguments):
    """Stops the broker and deletes its directory, if it is one of ours."""
    broker.stop()
    if broker.properties.exists():
        shutil.rmtree(broker.directory)
    print("wiped")
    return 0


def main():
    """Runs one command."""
    parser = argparse.ArgumentParser(prog="dev-kafka", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("start", "stop", "wipe", "status"))
    parser.add_argument("--version", help=f"Apache Kafka's version (default {VERSIONS[0]}; also tested: {VERSIONS[1]})")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for a free one (default: as before, else 9092)")
    parser.add_argument("--dir", default=str(ROOT / "build" / "dev-kafka"), help="where it keeps everything")
    parser.add_argument("--heap", default="384m", help="Java heap (default %(default)s)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one more broker setting")
    arguments = parser.parse_args()
    if arguments.version == "4.0.0":
        parser.error("Kafka 4.0.0 cannot serve librdkafka 2.0; use 4.0.1 or later (KAFKA-19444)")
    if any("=" not in item for item in arguments.set):
        parser.error("--set wants NAME=VALUE")
    broker = Broker(arguments.dir)
    command = {"start": start, "stop": stop, "wipe": wipe, "status": status}[arguments.command]
    try:
        with locked(broker.directory.parent / ".dev-kafka.lock"):
            return command(broker, arguments)
    except DevKafkaError as error:
        print(f"dev-kafka: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode


if __name__ == "__main__":
    sys.exit(main())
