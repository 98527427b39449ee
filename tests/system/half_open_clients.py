"""Clients that never finish their request: a program of its own, so that it does not take the test's time.

  half_open_clients.py HOST PORT COUNT      prints `there` once COUNT have come; ends when its input does

Half a header each, a byte more now and then; who is cut off comes back at once.
"""
import select
import socket
import sys

HALF = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Half: "
A_TURN = 20


class Crowd:
    """All of them."""

    def __init__(self, address):
        self.address = address
        self.poll = select.poll()
        self.poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
        self.clients = {}
        self.came = 0

    def enter(self):
        """One more."""
        client = socket.create_connection(self.address, timeout=10)
        client.sendall(HALF)
        self.clients[client.fileno()] = client
        self.poll.register(client.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        self.came += 1

    def turn(self):
        """Those who were cut off come back, and some dribble. False: it is over."""
        for number, _ in self.poll.poll(50)[:A_TURN]:
            if number == sys.stdin.fileno():
                return False
            self.poll.unregister(number)
            self.clients.pop(number).close()
            self.enter()
        for client in list(self.clients.values())[:5]:
            try:
                client.sendall(b"x")
            except OSError:
                pass
        return True


def main():
    """The crowd comes, and stays until the input ends."""
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    crowd = Crowd((host, port))
    while crowd.came < count:
        crowd.enter()
    print("there", flush=True)
    while crowd.turn():
        pass
    print(crowd.came, flush=True)


if __name__ == "__main__":
    main()
