"""Writes `ca.pem`, and `server.pem` with `server.key`: a certificate of localhost that expired yesterday, of
an authority of its own.

usage: expired_certificate.py FOLDER
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

YEAR, DAY = timedelta(days=365), timedelta(days=1)


def main(folder: Path) -> None:
    now = datetime.now(UTC)
    authority_key, server_key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    authority = named("Authority of the tests")
    pem = serialization.Encoding.PEM
    ca = (
        made(authority, authority_key, now - YEAR, now + YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .issuer_name(authority)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        made(named("localhost"), server_key, now - YEAR, now - DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .issuer_name(authority)
        .sign(authority_key, hashes.SHA256())
    )
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(server.public_bytes(pem))
    (folder / "server.key").write_bytes(server_key.private_bytes(pem, *plain))


def named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def made(
    subject: x509.Name, key: rsa.RSAPrivateKey, first: datetime, last: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
