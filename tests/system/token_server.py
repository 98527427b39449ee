"""A company's own token server, as `token.source: shared` knows one: it alone fetches tokens at WeChat."""
import http.server
import json
import threading
import time


class TokenServer:
    """Answers GET with a token of the simulator's; `refusing` and `stale` make it fail."""

    def __init__(self, simulator, appid, app_secret, word):
        self.simulator, self.appid, self.app_secret, self.word = simulator, appid, app_secret, word
        self.status = 200  # Anything else is answered so.
        self.stale = 0  # So many answers still hold the token that was handed out last.
        self.asked = []  # When, by the monotonic clock.
        self.refused = 0  # Requests without the right header.
        self.tokens = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                """The only method there is."""
                status, body = owner.answer(self.headers.get("Authorization"))
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                """Says nothing."""
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/wechat/token?app=shop"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, word):
        """Status and body for a request with that Authorization header."""
        self.asked.append(time.monotonic())
        if word != self.word:
            self.refused += 1
            return 401, {"error": "who are you"}
        if self.status != 200:
            return self.status, {"error": "out of order"}
        if self.stale and self.tokens:
            self.stale -= 1
        else:
            self.tokens.append(self.simulator.token(self.appid, self.app_secret))
        return 200, {"code": 0, "data": {"token": self.tokens[-1], "expires_in": 3000}}

    def close(self):
        """Gone."""
        self.server.shutdown()
        self.server.server_close()
