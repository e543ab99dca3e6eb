"""Hears what Cityward posts and prints the first line of each: python listen.py PORT HOW_MANY.

Ends after so many, or when nothing has come for a minute. A real receiver answers 2xx once it has the message for good,
and drops one whose ``id`` it has seen.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Hear(BaseHTTPRequestHandler):
    """One POST."""

    def do_POST(self) -> None:
        """Answer at once."""
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = said["text"]["en"] if "text" in said else said["title"]  # a unit's webhook; a person's, by apprise
        self.send_response(204)
        self.end_headers()
        print(self.path, text.splitlines()[0], flush=True)

    def log_message(self, *_: object) -> None:
        """What is heard is enough."""


server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Hear)
server.timeout = 60
for _ in range(int(sys.argv[2])):
    server.handle_request()
