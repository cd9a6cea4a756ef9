"""A TLS server for tests: `tls_server.py CERTIFICATE KEY [OPTIONS]`. Echoes request bodies.

Prints its port when it is ready and ends when its standard input does, so it never outlives the test.

--client-ca FILE   demand a client certificate of this authority; its subject comes back as `X-Client`
--http2            speak HTTP/2 only
--together N       HTTP/2: answer no stream of a connection before N streams have arrived on it
--break WHAT       HTTP/2: send half of the body, then reset the `stream` or end the `connection`
"""

import argparse
import os
import socket
import ssl
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4


class HTTP1Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        certificate = self.connection.getpeercert()
        if certificate:
            self.send_header("X-Client", dict(pair[0] for pair in certificate["subject"])["commonName"])
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class HTTP2Handler(StreamRequestHandler):
    """Just enough of RFC 9113: request headers are never decoded, answers use one static table entry."""

    def handle(self):
        assert self.connection.selected_alpn_protocol() == "h2"
        assert self.rfile.read(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        self.frame(SETTINGS, 0, 0, b"")
        bodies, complete = {}, []
        while header := self.rfile.read(9):
            length, kind, flags = int.from_bytes(header[:3], "big"), header[3], header[4]
            stream = struct.unpack(">I", header[5:])[0]
            payload = self.rfile.read(length)
            if kind == SETTINGS and not flags & ACK:
                self.frame(SETTINGS, ACK, 0, b"")
            elif kind == PING and not flags & ACK:
                self.frame(PING, ACK, 0, payload)
            elif kind == DATA:
                bodies[stream] += payload
                if payload:
                    for window in (0, stream):
                        self.frame(WINDOW_UPDATE, 0, window, struct.pack(">I", length))
            elif kind == HEADERS:
                bodies[stream] = b""
            elif kind == GOAWAY:
                return
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                complete.append(stream)
                if len(bodies) >= self.server.options.together:
                    for ready in complete:
                        self.answer(ready, bodies[ready])
                    complete = []

    def answer(self, stream, body):
        breaks = self.server.options.breaks
        end = len(body) // 2 if breaks else len(body)
        self.frame(HEADERS, END_HEADERS, stream, b"\x88")  # `:status: 200`, entry 8 of the static table.
        for start in range(0, end, 16384):
            self.frame(DATA, 0, stream, body[start:min(start + 16384, end)])
        if breaks == "stream":
            self.frame(RST_STREAM, 0, stream, struct.pack(">I", 2))
        elif breaks == "connection":
            self.connection.unwrap()
        else:
            self.frame(DATA, END_STREAM, stream, b"")

    def frame(self, kind, flags, stream, payload):
        header = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack(">I", stream)
        self.wfile.write(header + payload)


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def finish_request(self, request, client_address):
        # TLS begins here, on the connection's own thread.
        context = self.options.context
        with context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as encrypted:
            try:
                encrypted.do_handshake()
            except ssl.SSLError:
                # The alert must arrive: closing with the client's bytes unread would reset the connection.
                encrypted.shutdown(socket.SHUT_WR)
                while encrypted.recv(65536):
                    pass
            else:
                super().finish_request(encrypted, client_address)

    def handle_error(self, *_):
        pass  # Clients that turn away in the handshake are what some tests are about.


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("certificate")
    parser.add_argument("key")
    parser.add_argument("--client-ca")
    parser.add_argument("--http2", action="store_true")
    parser.add_argument("--together", type=int, default=1)
    parser.add_argument("--break", choices=["stream", "connection"], dest="breaks")
    options = parser.parse_args()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    context.set_alpn_protocols(["h2"] if options.http2 else ["http/1.1"])
    if options.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(options.client_ca)
    server = Server(("127.0.0.1", 0), HTTP2Handler if options.http2 else HTTP1Handler)
    server.options = options
    options.context = context
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)


main()
