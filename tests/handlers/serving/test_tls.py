"""The files of TLS: what is taken, what is refused by name, and what reading them anew changes."""

import ssl
from pathlib import Path

import pytest

from handlers.serving.tls import Tls, TlsFiles, TlsUnfit, load_context
from tests.certificates import Authority


def test_a_certificate_and_its_key_make_a_context_of_tls_1_2_and_newer(authority: Authority) -> None:
    certificate, key, _ = authority.sign()
    context = load_context(TlsFiles(certificate, key))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert ssl.OP_NO_RENEGOTIATION in context.options


def test_both_may_be_in_one_file(authority: Authority, tmp_path: Path) -> None:
    certificate, key, _ = authority.sign()
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    load_context(TlsFiles(both, both))


def test_a_key_with_a_password_is_opened_by_the_file_that_has_it(authority: Authority, tmp_path: Path) -> None:
    certificate, key, _ = authority.sign(password=b"open sesame")
    password = tmp_path / "password"
    password.write_bytes(b"open sesame\n")
    load_context(TlsFiles(certificate, key, password))
    with pytest.raises(TlsUnfit, match=r"server\.key has a password: set tls_key_password_file"):
        load_context(TlsFiles(certificate, key))
    password.write_bytes(b"another")
    with pytest.raises(TlsUnfit, match="tls_key_password_file does not open it"):
        load_context(TlsFiles(certificate, key, password))


def test_what_does_not_fit_is_refused_by_name(authority: Authority, tmp_path: Path) -> None:
    certificate, key, _ = authority.sign()
    _, other_key, _ = authority.sign("other")
    nonsense, absent = tmp_path / "nonsense", tmp_path / "absent"
    nonsense.write_text("-----BEGIN CERTIFICATE-----\nx\n")
    for files, said in (
        (TlsFiles(absent, key), f"{absent} cannot be read: no such file or directory"),
        (TlsFiles(certificate, tmp_path), f"{tmp_path} cannot be read: is a directory"),
        (TlsFiles(certificate, key, absent), f"{absent} cannot be read"),
        (TlsFiles(certificate, other_key), f"The key {other_key} does not belong to the certificate {certificate}"),
        (TlsFiles(nonsense, key), f"{nonsense} and {key} are no certificate and key in PEM"),
        (TlsFiles(certificate, nonsense), f"{certificate} and {nonsense} are no certificate and key in PEM"),
    ):
        with pytest.raises(TlsUnfit) as refused:
            load_context(files)
        assert str(refused.value).startswith(said)


def test_reading_anew_makes_another_context(tls: Tls) -> None:
    first = tls.context
    tls.reload()
    assert tls.context is not first


def test_files_that_do_not_fit_are_said_in_the_log_and_change_nothing(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key, _ = authority.sign()
    tls = Tls(TlsFiles(certificate, key))
    first = tls.context
    key.unlink()
    tls.reload()
    assert tls.context is first
    [record] = caplog.records
    assert "server.key cannot be read" in record.getMessage()
    assert record.levelname == "ERROR"
    caplog.clear()
