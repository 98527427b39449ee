"""The WeChat simulator as the tests see it. Its interface is docs/simulator.md."""
import re

import requests
from worker import Process


class Simulator(Process):
    """A `wxcourier simulator` process with a certificate of its own."""

    def __init__(self, folder, name, arguments=()):
        tls = folder / f"{name}-tls"
        super().__init__(folder, name, ["simulator", "--listen", "127.0.0.1:0", "--tls-dir", tls, *arguments])
        self.url = self._announced(r"listening on (https://\S+)")
        self.ca = self._announced(r"ca (\S+)")
        self.session = requests.Session()
        self.session.verify = self.ca

    def _announced(self, pattern):
        """What it prints about itself once it listens."""
        def find():
            found = re.search(rf"^{pattern}$", self.out(), re.MULTILINE)
            return found.group(1) if found else None
        return self.wait_for(find, 20, f"'{pattern}' on its output")

    def control(self, method, path, **arguments):
        """One call of its control endpoints; the JSON of the answer."""
        reply = self.session.request(method, f"{self.url}/_simulator/{path}", timeout=30, **arguments)
        assert reply.ok, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json() if reply.text else None

    def script(self, *rules):
        """Adds fault rules: the first that matches a request is played."""
        for rule in rules:
            self.control("POST", "faults", json=rule)

    def received(self):
        """Every request it has kept, oldest first."""
        found, since = [], 0
        while True:
            page = self.control("GET", "received", params={"since": since, "limit": 2000})
            found += page["requests"]
            if not page["requests"]:
                return found
            since = page["next"]

    def sends(self):
        """The requests on send calls."""
        return [each for each in self.received() if "/message/" in each["path"]]

    def stats(self):
        """Its counters."""
        return self.control("GET", "stats")
