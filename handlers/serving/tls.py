"""TLS of the server's own listener: the context made of its files, which can be read anew while it serves.

TLS 1.2 and newer, HTTP/1.1 only, no renegotiation. Reading anew makes another context: connections keep the one of
their handshake, so files that do not fit change nothing.
"""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

ALPN = ("http/1.1",)

logger = logging.getLogger(__name__)


class TlsUnfit(Exception):
    """The certificate cannot be served with. The text names the file and says why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The certificate with its chain and its key, in PEM; the key's password in a file, None for a key without one."""

    certificate: Path
    key: Path
    password: Path | None = None


class Tls:
    """The context of the moment. Raises `TlsUnfit` where the files give none."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self.context = load_context(files)

    def reload(self) -> None:
        """Read the files anew, for handshakes from now on; where they do not fit, the log says so and all stays."""
        try:
            self.context = load_context(self._files)
        except TlsUnfit as error:
            logger.error("%s The certificate read before stays in use.", error)
        else:
            logger.info("The certificate %s was read anew", self._files.certificate)


def load_context(files: TlsFiles) -> ssl.SSLContext:
    """The context of a server with this certificate; raises `TlsUnfit`."""
    for path in (files.certificate, files.key):
        _read(path)
    password = None if files.password is None else _read(files.password).rstrip(b"\r\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(ALPN)
    try:
        # Without a function OpenSSL asks at the terminal.
        context.load_cert_chain(files.certificate, files.key, lambda: password or b"")
    except (ssl.SSLError, ValueError) as error:
        raise TlsUnfit(_reason(files, error)) from error
    return context


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsUnfit(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error


def _reason(files: TlsFiles, error: Exception) -> str:
    """What is wrong, as far as OpenSSL tells."""
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return f"The key {files.key} does not belong to the certificate {files.certificate}."
    if _is_sealed(files.key):
        needed = "tls_key_password_file does not open it" if files.password else "set tls_key_password_file"
        return f"The key {files.key} has a password: {needed}."
    return f"{files.certificate} and {files.key} are no certificate and key in PEM, or too weak a pair ({error})."


def _is_sealed(key: Path) -> bool:
    return b"ENCRYPTED" in _read(key)
