"""A TLS server for tests: `tls_server.py CERTIFICATE KEY [OPTIONS]`. Echoes request bodies.

Prints its port when it is ready and ends when its standard input does, so it never outlives the test.

--client-ca FILE   demand a client certificate of this authority; its subject comes back as `X-Client`
"""

import argparse
import os
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
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
    options = parser.parse_args()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    if options.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(options.client_ca)
    server = Server(("127.0.0.1", 0), Handler)
    server.options = options
    options.context = context
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)


main()
