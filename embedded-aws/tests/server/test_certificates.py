"""TLS material is made once, and again when it is damaged or about to expire."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from embedded_aws.server import certificates


def test_it_is_kept_and_renewed(tmp_path: Path) -> None:
    first = certificates.tls_material(tmp_path)
    made = first.certificate.read_bytes()
    assert first.key.stat().st_mode & 0o077 == 0
    assert certificates.tls_material(tmp_path).certificate.read_bytes() == made
    certificates.tls_material(tmp_path, now=datetime.now(UTC) + timedelta(days=392))
    renewed = first.certificate.read_bytes()
    assert renewed != made
    first.certificate.write_text("damaged")
    certificates.tls_material(tmp_path)
    assert first.certificate.read_bytes() not in (renewed, b"damaged")
    store = first.trust_store.stat().st_mtime_ns
    first.ca.unlink()
    certificates.tls_material(tmp_path)
    assert first.trust_store.stat().st_mtime_ns > store
