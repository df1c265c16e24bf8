# SPDX-License-Identifier: MIT
"""Servers for guests: on this host's loopback, which a guest on QEMU's user network reaches as 10.0.2.2."""
import contextlib
import functools
import http.server
import socket
import ssl
import subprocess
import threading

from . import host


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class Patient(http.server.ThreadingHTTPServer):
    """Shakes hands in the thread of the connection, and takes a client that does not like us for what it is."""
    context = None

    def finish_request(self, request, client_address):
        if self.context:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        super().finish_request(request, client_address)
        if self.context:
            request.close()

    def handle_error(self, *_):
        pass


@contextlib.contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def web(folder, certificate=None):
    """Serves a folder on a free port, whose number the `with` gets; certificate: what certificates() made, for HTTPS."""
    server = Patient(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    if certificate:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(certificate)
    return serving(server)


def certificates(folder):
    """Makes ca.pem, the certificate of an authority; right.pem, one that it signed for host.test and 10.0.2.2; wrong.pem,
    the same signed by nobody but itself. The latter two have their keys with them."""
    host.need("openssl")
    folder.mkdir(parents=True, exist_ok=True)
    names = "subjectAltName=DNS:host.test,IP:10.0.2.2"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=a test's authority")
    openssl("req", "-x509", *new_key, "-keyout", "wrong.key", "-out", "wrong.crt", "-subj", "/CN=host.test", "-addext", names)
    openssl("req", *new_key[:-2], "-keyout", "right.key", "-out", "right.csr", "-subj", "/CN=host.test")
    (folder / "names").write_text(names + "\n")
    openssl("x509", "-req", "-in", "right.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "right.crt")
    for name in ("right", "wrong"):
        (folder / f"{name}.pem").write_text((folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text())
    return folder


def free_port():
    """A port of this host that nobody had a moment ago, for a forward into a guest."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
