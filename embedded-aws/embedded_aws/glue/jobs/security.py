"""Applies a security configuration to the runs of a job that names it.

- Spark's output in S3 is encrypted with its key instead of the bucket's, so the role needs that key:
  https://docs.aws.amazon.com/glue/latest/dg/encryption-security-configuration.html
- Logs go to `<prefix>/<configuration>-role/<role>/output` and `…/error`. Glue puts the key on these groups
  with the job's role, and logs nothing when the role lacks `logs:AssociateKmsKey`:
  https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging-enable.html

MiniStack keeps security configurations without using them, and its logs lack AssociateKmsKey. Not emulated:
the right of CloudWatch Logs to use the key, and encrypted bookmarks.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings

_BEHAVIOUR = "keys of log groups"


class SecurityMissingError(Exception):
    """The job names a security configuration that does not exist."""


@dataclass(frozen=True)
class JobSecurity:
    """A security configuration's effect on a run. A key is empty if it encrypts nothing."""

    name: str = ""
    files_key: str = ""
    logs_key: str = ""

    def log_prefix(self, prefix: str, role_arn: str) -> str:
        """The prefix of the log groups of a role's runs."""
        return f"{prefix}/{self.name}-role/{role_arn.rsplit('/', 1)[-1]}" if self.name else prefix

    def spark_values(self) -> dict[str, str]:
        """Spark's settings. No argument of the job overrides them."""
        if not self.files_key:
            return {}
        return {
            "spark.hadoop.fs.s3a.encryption.algorithm": "SSE-KMS",
            "spark.hadoop.fs.s3a.encryption.key": self.files_key,
        }


def security_of(job: dict[str, Any]) -> JobSecurity:
    """The job's security configuration. Raises SecurityMissingError."""
    name = str(job.get("SecurityConfiguration") or "")
    if not name:
        return JobSecurity()
    found = emulator.service("glue")._security_configs.get(name)
    if found is None:
        raise SecurityMissingError(f"Security configuration {name} not found")
    says = found["EncryptionConfiguration"]
    files = says.get("S3Encryption") or [{}]
    logs = says.get("CloudWatchEncryption") or {}
    return JobSecurity(
        name,
        str(files[0].get("KmsKeyArn") or "") if files[0].get("S3EncryptionMode") == "SSE-KMS" else "",
        str(logs.get("KmsKeyArn") or "") if logs.get("CloudWatchEncryptionMode") == "SSE-KMS" else "",
    )


def install(settings: Settings) -> Callable[[], None]:
    """Answer Glue's call of CloudWatch Logs."""
    del settings

    def make(original: Any) -> Callable[..., Any]:
        async def handle(method: str, path: str, headers: Any, body: Any, query_params: Any) -> Any:
            if str(headers.get("x-amz-target", "")).endswith(".AssociateKmsKey"):
                return _associate(json.loads(body or b"{}"))
            return await original(method, path, headers, body, query_params)

        return handle

    parameters = ("method", "path", "headers", "body", "query_params")
    emulator.replace("services.cloudwatch_logs", "handle_request", parameters, make, _BEHAVIOUR)
    return lambda: None


def _associate(data: dict[str, Any]) -> Any:
    logs = emulator.service("cloudwatch_logs")
    name = str(data.get("logGroupName") or "")
    group = logs._log_groups.get(name)
    if group is None:
        message = "The specified log group does not exist."
        return logs.error_response_json("ResourceNotFoundException", message, 400)
    group["kmsKeyId"] = data.get("kmsKeyId")
    return logs.json_response({})
