"""What the key management servers for the tests have in common.

A server prints its port when it is ready, which is after the vendor's own SDK has used it with success, and ends
when its standard input does. Names of keys choose what goes wrong, so no test has to prepare anything:

    denied, missing, disabled, pending     the provider's own refusal (each server knows how)
    throttled-N                            the first N requests for the key are refused as too many
    unavailable-N                          the first N requests for the key are answered with 503
    garbage                                a success that is no JSON
    stalled                                no answer at all
    stalled-N                              no answer to the first N requests for the key
    other                                  a second key that works
"""

import json
import os
import re
import socket
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Answer(Exception):
    """An answer to a request, raised or returned."""

    def __init__(self, status, body=b"", headers=None):
        self.status = status
        self.body = json.dumps(body).encode() if isinstance(body, dict) else body
        self.headers = {"Content-Type": "application/json", **(headers or {})}


class Stall(Exception):
    """No answer: the connection stays open until the client gives up."""


class Request:
    def __init__(self, handler):
        target = urlsplit(handler.path)
        self.method = handler.command
        self.path = target.path
        self.query = dict(parse_qsl(target.query, keep_blank_values=True, strict_parsing=bool(target.query)))
        self.headers = handler.headers
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.url = f"{handler.server.base_url}{handler.path}"

    def expect(self, condition, what):
        """Strictness: whatever a genuine service may refuse is a 400 that says what was wrong."""
        if not condition:
            print(f"{self.method} {self.path}: {what}", file=sys.stderr, flush=True)
            raise Answer(400, {"error": {"code": "BadRequest", "message": what}, "errors": [what]})

    def json(self, required, optional=()):
        """The members of the body, which must be these and no others."""
        self.expect(self.headers.get("Content-Type", "").startswith("application/json"), "body is not JSON")
        members = json.loads(self.body)
        self.expect(set(required) <= set(members) <= set(required) | set(optional), f"members {sorted(members)}")
        return members

    def form(self, required, optional=()):
        self.expect(
            self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"), "body is no form")
        pairs = parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        fields = dict(pairs)
        self.expect(len(fields) == len(pairs), "a field twice")
        self.expect(set(required) <= set(fields) <= set(required) | set(optional), f"fields {sorted(fields)}")
        return fields


class Service:
    """The base of the servers. `answer(request)` returns or raises an Answer."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = Counter()

    def count(self, name):
        """How often this was called with this name."""
        with self.lock:
            self.requests[name] += 1
            return self.requests[name]

    def fault(self, key, throttled):
        """Goes wrong as the key's name says; `throttled` is the provider's answer to too many requests."""
        if key == "stalled":
            raise Stall
        if key == "garbage":
            raise Answer(200, b"<html>\x00 no JSON")
        number = re.fullmatch(r"(throttled|unavailable|stalled)-(\d+)", key)
        if number and self.count(key) <= int(number[2]):
            if number[1] == "stalled":
                raise Stall
            raise throttled if number[1] == "throttled" else Answer(503, b"<html>come back later")


def working(key):
    """The key that does the work of one whose name says how it fails at first."""
    return re.sub(r"^(throttled|unavailable|stalled)-\d+$", "key", key)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        try:
            answer = self.server.service.answer(Request(self))
        except Answer as raised:
            answer = raised
        except Stall:
            self.rfile.read(1)  # Ends when the client does.
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # Clients that give up are what some tests are about.


def resolve_localhost():
    """Python asks the resolver for names below localhost, which RFC 6761 keeps on this machine."""
    original = socket.getaddrinfo
    socket.getaddrinfo = lambda host, *rest, **more: original(
        "127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **more)


def serve(make_service, try_with_sdk, host="127.0.0.1", context=None):
    """Serves until standard input ends. `make_service(base_url)` makes the service, `try_with_sdk(base_url)` raises
    when the vendor's SDK does not accept it. With an `ssl.SSLContext` it speaks TLS."""
    server = Server(("127.0.0.1", 0), Handler)
    server.base_url = f"{'https' if context else 'http'}://{host}:{server.server_address[1]}"
    server.service = make_service(server.base_url)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try_with_sdk(server.base_url)
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)
