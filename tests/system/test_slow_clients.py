"""Thousands of clients that never finish their request keep no probe out."""
import http.client
import resource
import select
import socket
import threading
import time

import pytest

CROWD = 5000
PROBES = 300
HALF = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Half: "


class Crowd(threading.Thread):
    """Half-open clients: half a header each, a byte more now and then; who is cut off comes back."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address = address
        self.all_there = threading.Event()
        self.enough = threading.Event()
        self.opened = 0

    def _come(self):
        client = socket.create_connection(self.address, timeout=10)
        client.sendall(HALF)
        self.opened += 1
        return client

    def run(self):
        poll = select.poll()
        clients = {}

        def enter():
            client = self._come()
            clients[client.fileno()] = client
            poll.register(client.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        while self.opened < CROWD and not self.enough.is_set():
            enter()
        self.all_there.set()
        while not self.enough.is_set():
            for number, _ in poll.poll(50)[:20]:
                poll.unregister(number)
                clients.pop(number).close()
                enter()
            for client in list(clients.values())[:5]:
                try:
                    client.sendall(b"x")
                except OSError:
                    pass
        for client in clients.values():
            client.close()


@pytest.fixture
def many_files():
    """Room for the crowd's descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CROWD + 1000:
        pytest.skip(f"this machine allows {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_five_thousand_half_open_clients_keep_no_probe_out(topics, simulator, run_worker, many_files, record_property):
    worker = run_worker(topics, simulator).ready()
    host, port = worker.url().removeprefix("http://").split(":")
    crowd = Crowd((host, int(port)))
    crowd.start()
    try:
        assert crowd.all_there.wait(120)
        took = []
        for _ in range(PROBES):
            begin = time.monotonic()
            probe = http.client.HTTPConnection(host, int(port), timeout=5)
            probe.request("GET", "/livez", headers={"Connection": "close"})
            assert probe.getresponse().status == 200
            took.append((time.monotonic() - begin) * 1000)
            probe.close()
            time.sleep(0.01)
    finally:
        crowd.enough.set()
        crowd.join(30)
    took.sort()
    p50, p99 = took[PROBES // 2], took[PROBES * 99 // 100]
    record_property("livez_p99_ms", round(p99, 1))
    print(f"/livez beside {crowd.opened} half-open clients: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    assert p50 < 50
    assert p99 < 1000, "50 on a machine of its own"
    worker.stop()
