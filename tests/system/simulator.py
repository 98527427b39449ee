"""The WeChat simulator as the tests see it. Its interface is docs/simulator.md."""
import json
import re

import requests
from worker import Process


# Access tokens that tests have asked for: none may stand in anything that was written.
ISSUED = set()


class Simulator(Process):
    """A `wxcourier simulator` process with a certificate of its own."""

    def __init__(self, folder, name, arguments=()):
        tls = folder / f"{name}-tls"
        super().__init__(folder, name, ["simulator", "--listen", "127.0.0.1:0", "--tls-dir", tls, *arguments])
        self.url = self._announced(r"listening on (https://\S+)")
        self.ca = self._announced(r"ca (\S+)")
        self.session = requests.Session()
        self.session.verify = self.ca
        self.session.trust_env = False  # Neither proxies nor a CA bundle of the environment.

    def _announced(self, pattern):
        """What it prints about itself once it listens."""
        def find():
            found = re.search(rf"^{pattern}$", self.out(), re.MULTILINE)
            return found.group(1) if found else None
        return self.wait_for(find, 20, f"'{pattern}' on its output")

    def control(self, method, path, **arguments):
        """One call of its control endpoints."""
        assert self.alive(), f"the simulator ended with {self.process.returncode}\n{self.err()[-3000:]}"
        reply = self.session.request(method, f"{self.url}/_simulator/{path}", timeout=30, **arguments)
        assert reply.ok, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply

    def script(self, fault, times=None, **match):
        """Adds a fault rule: the first that matches a request is played."""
        rule = {"match": match, "fault": fault, **({} if times is None else {"times": times})}
        self.control("POST", "faults", json=rule)

    def heal(self):
        """Removes all fault rules."""
        self.control("DELETE", "faults")

    def expire_tokens(self, appid, **how):
        """Declares an app's tokens dead."""
        return self.control("POST", "tokens/expire", json={"appid": appid, **how}).json()["expired"]

    def change(self, **settings):
        """Changes settings while it runs."""
        self.control("POST", "settings", json=settings)

    def received(self):
        """Every request it has kept, oldest first."""
        lines = self.control("GET", "received", params={"limit": 100_000}).content.splitlines()
        return [json.loads(line) for line in lines]

    def sends(self):
        """The requests on send calls."""
        return [each for each in self.received() if "/message/" in each["path"]]

    def stats(self):
        """Its counters."""
        return self.control("GET", "stats").json()

    def sends_so_far(self):
        """How many requests came on send calls; cheaper than `sends`."""
        return sum(call["requests"] for path, call in self.stats()["calls"].items() if "/message/" in path)

    def tokens_issued(self, appid):
        """Tokens made for an app, by both endpoints."""
        return sum(self.stats()["tokens"].get(appid, {}).values())

    def token(self, appid, secret):
        """The token in use now, as the stable endpoint repeats it."""
        reply = self.session.post(f"{self.url}/cgi-bin/stable_token", timeout=30, json={
            "grant_type": "client_credential", "appid": appid, "secret": secret})
        token = reply.json()["access_token"]
        ISSUED.add(token)
        return token
