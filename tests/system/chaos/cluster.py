"""One or three brokers of Apache Kafka that can be killed, frozen and started again, each by itself."""
import os
import pathlib
import shutil
import signal
import sys
import time

from kafka import ROOT, Brokers

sys.path.insert(0, str(ROOT / "scripts" / "kafka"))
import dev_kafka  # noqa: E402  pylint: disable=wrong-import-position

HEAP = "384m"


class Node:
    """One broker, controller included. `advertised` is the port that clients are sent to, its own unless a proxy stands
    before it."""

    def __init__(self, directory, number, version):
        self.number = number
        self.version = version
        self.port, self.controller_port = dev_kafka.free_ports(2)
        self.advertised = self.port
        self.broker = dev_kafka.Broker(directory)
        self.process = None

    def write_settings(self, nodes, changes):
        """Its server.properties as one of `nodes`."""
        copies = str(len(nodes))
        in_sync = str(len(nodes) // 2 + 1)
        self.broker.write_settings(self.port, self.controller_port, {
            "node.id": str(self.number),
            "controller.quorum.voters": ",".join(f"{each.number}@127.0.0.1:{each.controller_port}" for each in nodes),
            # Clients may be led through a proxy; brokers speak to each other directly.
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.advertised}",
            "offsets.topic.replication.factor": copies, "default.replication.factor": copies,
            "transaction.state.log.replication.factor": copies, "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": in_sync, "min.insync.replicas": in_sync, **changes})

    def launch(self):
        """Starts the process; `wait` waits for it."""
        java = self.broker.java(self.version, HEAP)
        self.broker.format_storage(java)
        for path in (self.broker.log, self.broker.console):
            path.write_text("", encoding="utf-8")
        self.process = self.broker.launch(java)

    def wait(self):
        """Returns when it answers."""
        self.broker.wait_until_it_answers(self.process, self.port)

    def start(self):
        """Starts it on what it had."""
        self.launch()
        self.wait()

    def signal(self, number):
        """Sends its process a signal."""
        os.kill(self.process.pid, number)

    def kill(self):
        """SIGKILL, and gone."""
        self.process.kill()
        self.process.wait(20)

    def stop(self):
        """SIGTERM: an orderly end."""
        self.process.terminate()
        self.process.wait(60)

    def freeze(self):
        """It stays, its connections too, and says nothing."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        """It goes on where it was."""
        self.signal(signal.SIGCONT)


class Cluster(Brokers):
    """The brokers of one run, in `directory`."""

    def __init__(self, directory, version, count=1, settings=None, proxied=None):
        """`proxied(node)`: called before a node's start; returns the port that clients are sent to."""
        self.directory = pathlib.Path(directory)
        self.nodes = [Node(self.directory / f"broker-{number}", number, version) for number in range(1, count + 1)]
        for node in self.nodes:
            if proxied:
                node.advertised = proxied(node)
            node.write_settings(self.nodes, settings or {})
        try:
            for node in self.nodes:
                node.launch()
            for node in self.nodes:
                node.wait()
        except BaseException:
            self.wipe()
            raise
        super().__init__(",".join(f"127.0.0.1:{node.advertised}" for node in self.nodes), replication=count, log_level=0)

    def wipe(self):
        """Ends the brokers at once and deletes their data."""
        for node in self.nodes:
            if node.process is not None and node.process.poll() is None:
                node.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def coordinator(self, group):
        """The node that leads the partition of __consumer_offsets which holds the group's commits."""
        hashed = 0
        for byte in group.encode():  # String.hashCode of Java.
            hashed = (31 * hashed + byte) & 0xFFFFFFFF
        offsets = self.admin.list_topics("__consumer_offsets", timeout=30).topics["__consumer_offsets"].partitions
        return self.node(offsets[(hashed & 0x7FFFFFFF) % len(offsets)].leader)

    def node(self, number):
        """The node with this id."""
        return next(node for node in self.nodes if node.number == number)

    def in_sync(self):
        """Whether every partition of every topic has all its replicas in sync."""
        topics = self.admin.list_topics(timeout=10).topics.values()
        return all(len(each.isrs) == len(each.replicas) for topic in topics for each in topic.partitions.values())

    def wait_until_in_sync(self, limit=60.0):
        """Waits until a broker that came back has caught up."""
        deadline = time.monotonic() + limit
        while not self.in_sync():
            assert time.monotonic() < deadline, f"{limit:.0f} s without all replicas in sync"
            time.sleep(0.5)


def wipe_leftovers(home):
    """Ends brokers and deletes data of runs that were killed themselves. A run's folder ends with its pid."""
    for left in home.glob("*-*") if home.exists() else ():
        owner = left.name.rpartition("-")[2]
        if not left.is_dir() or not owner.isdigit() or pathlib.Path(f"/proc/{owner}").exists():
            continue
        for directory in left.glob("kafka/broker-*"):
            broker = dev_kafka.Broker(directory)
            pid = broker.running_pid()
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(left / "kafka", ignore_errors=True)
