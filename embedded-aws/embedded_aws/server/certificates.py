"""TLS material: an authority of our own, a server certificate signed by it, and a Java trust store for it.

The endpoint never speaks plain HTTP, because S3A refuses customer-key headers without TLS, and bucket
policies that require TLS can only be tested with it. Files are made once, and again a week before their end.
"""

import ipaddress
import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from embedded_aws.core.settings import TRUST_STORE_PASSWORD

_LIFETIME = timedelta(days=397)
_RENEW_BEFORE = timedelta(days=7)
_HOSTS = ("localhost", "host.docker.internal")


class CertificateError(RuntimeError):
    """The TLS material cannot be made. The message says what is missing."""


@dataclass(frozen=True)
class TlsMaterial:
    """Files of the TLS folder."""

    ca: Path
    certificate: Path
    key: Path
    trust_store: Path


def tls_material(folder: Path, now: datetime | None = None) -> TlsMaterial:
    """The folder's TLS files. They are made or renewed if they are missing, damaged or about to expire.

    Raises CertificateError when Java's keytool is missing.
    """
    moment = now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    material = TlsMaterial(
        folder / "ca.pem", folder / "server.pem", folder / "server.key", folder / "truststore.p12"
    )
    if not _usable(material, moment):
        _make(material, moment)
    return material


def _usable(material: TlsMaterial, moment: datetime) -> bool:
    files = (material.ca, material.certificate, material.key, material.trust_store)
    if not all(file.is_file() and file.stat().st_size for file in files):
        return False
    try:
        authority = x509.load_pem_x509_certificate(material.ca.read_bytes())
        server = x509.load_pem_x509_certificate(material.certificate.read_bytes())
        server.verify_directly_issued_by(authority)
    except Exception:
        return False
    return min(authority.not_valid_after_utc, server.not_valid_after_utc) - moment > _RENEW_BEFORE


def _make(material: TlsMaterial, moment: datetime) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Embedded AWS authority")])
    authority = (
        _builder(authority_name, authority_name, moment)
        .public_key(authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    server_key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in _HOSTS]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    server = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), authority_name, moment)
        .public_key(server_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    material.ca.write_bytes(authority.public_bytes(pem))
    material.certificate.write_bytes(server.public_bytes(pem))
    material.key.unlink(missing_ok=True)
    with os.fdopen(os.open(material.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
    _make_trust_store(material)


def _builder(subject: x509.Name, issuer: x509.Name, moment: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + _LIFETIME)
    )


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def keytool() -> str:
    """The keytool of the Java in JAVA_HOME, else the one on the PATH."""
    home = os.environ.get("JAVA_HOME")
    candidate = Path(home) / "bin" / "keytool" if home else None
    return str(candidate) if candidate and candidate.is_file() else "keytool"


def _make_trust_store(material: TlsMaterial) -> None:
    material.trust_store.unlink(missing_ok=True)
    command = [
        *(keytool(), "-importcert", "-noprompt", "-storetype", "PKCS12", "-alias", "embedded-aws"),
        *("-file", str(material.ca), "-keystore", str(material.trust_store)),
        *("-storepass", TRUST_STORE_PASSWORD),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    except FileNotFoundError as error:
        raise CertificateError(
            "Java's keytool is not on the PATH; install Java 17 or set JAVA_HOME"
        ) from error
    except subprocess.CalledProcessError as error:
        raise CertificateError(
            f"keytool could not make the trust store: {error.stdout}{error.stderr}"
        ) from error
