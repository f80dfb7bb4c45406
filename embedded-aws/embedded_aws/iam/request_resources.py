"""Names the resources that a request is checked on, where MiniStack names others than AWS does.

- Glue: MiniStack checks the crawler, database or table ARN `table/<Name>` whatever the call; AWS checks the
  named resource and, for the catalogue, its ancestors too.
  https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
- CloudWatch Logs: AWS checks `log-group:<name>:log-stream:<stream>`, so that a policy written for
  `<group>:*` counts.
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
- Step Functions: a version or an alias is checked as its state machine; the qualifier is a condition key.
  https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
- Athena: a call on a query is checked on the query's workgroup, a call on a catalogue on that catalogue.
  https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html
- EventBridge: a rule of the default bus has no bus in its ARN.
  https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
- Tags: a call that reads or changes them is checked on the resource that it names.
- KMS: an alias is checked with its key; conditions see the tags of the key, or the tags it is created with.
  https://docs.aws.amazon.com/kms/latest/developerguide/tag-authorization.html
- CloudWatch: an alarm or a dashboard is checked by its name, metric data by `cloudwatch:namespace`.
  To put a composite alarm needs a right on `*`; cloudwatch/alarms/rights.py decides who sees it.
  https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
  https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
- S3: a key that ends with a slash, such as a folder marker, is checked with the slash.
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
- Lambda: an invoked version or alias is checked by its own ARN, a new function by the name that it gets.
  https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
- DynamoDB: `dynamodb:LeadingKeys` has the partition keys that a request names, except in transactions.
  https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from embedded_aws.core import emulator

_DATABASE_CALLS = frozenset({"GetDatabase", "CreateDatabase", "UpdateDatabase", "DeleteDatabase"})
_CONNECTION_CALLS = frozenset({"GetConnection", "CreateConnection", "UpdateConnection", "DeleteConnection"})
_STATES_ARNS = (
    *("stateMachineArn", "stateMachineAliasArn", "stateMachineVersionArn", "executionArn", "mapRunArn"),
    *("activityArn", "resourceArn"),
)
_ATHENA_CATALOGUE_CALLS = {
    "GetDataCatalog": "Name",
    "UpdateDataCatalog": "Name",
    "DeleteDataCatalog": "Name",
    "CreateDataCatalog": "Name",
    "GetDatabase": "CatalogName",
    "ListDatabases": "CatalogName",
    "GetTableMetadata": "CatalogName",
    "ListTableMetadata": "CatalogName",
}
_ATHENA_GROUP_NAMED = frozenset({"GetWorkGroup", "UpdateWorkGroup", "DeleteWorkGroup", "StartQueryExecution"})
_DASHBOARD_CALLS = frozenset({"PutDashboard", "GetDashboard", "DeleteDashboards"})
_TAGGED = ("ResourceARN", "ResourceArn", "resourceArn")


@dataclass(frozen=True)
class Checked:
    """The ARNs that a request is checked on, and its condition keys. A denial names the first ARN.

    Without an ARN, MiniStack's own is right.
    """

    arns: tuple[str, ...] = ()
    context: dict[str, Any] = field(default_factory=dict)


def checked(service: str, action: str, data: dict[str, Any], place: str) -> Checked:
    """The resources of one call of a JSON service; ``place`` is `<region>:<account>`."""
    if service == "states":
        return states_resources(data)
    if service == "dynamodb":
        keys = leading_keys(data)
        arn = data.get("ResourceArn")
        return Checked((str(arn),) if arn else (), {"dynamodb:LeadingKeys": keys} if keys else {})
    if service == "kms":
        return kms_resources(action, data, place)
    tagged = next((str(data[name]) for name in _TAGGED if data.get(name)), "") if "Tag" in action else ""
    if tagged:
        return Checked((tagged,))
    if service == "monitoring":
        return cloudwatch_resources(action, data, place)
    names: list[str] = []
    if service == "glue":
        names = glue_resources(action, data)
    elif service == "logs":
        names = logs_resources(action, data)
    elif service == "athena":
        names = athena_resources(action, data)
    elif service == "events":
        names = events_resources(action, data)
    return Checked(tuple("*" if name == "*" else f"arn:aws:{service}:{place}:{name}" for name in names))


def cloudwatch_resources(action: str, data: dict[str, Any], place: str) -> Checked:
    """The resources of a CloudWatch call. Metric data have no resource, only a namespace."""
    if action == "PutMetricData":
        return Checked(("*",), {"cloudwatch:namespace": str(data.get("Namespace", ""))})
    if data.get("ResourceARN"):
        return Checked((str(data["ResourceARN"]),))
    if action in _DASHBOARD_CALLS:
        # A dashboard belongs to the whole account: its ARN has no region.
        shown = data.get("DashboardNames") or [data.get("DashboardName") or "*"]
        account = place.partition(":")[2]
        return Checked(tuple(f"arn:aws:cloudwatch::{account}:dashboard/{name}" for name in shown))
    if "Alarm" not in action or action in ("DescribeAlarmsForMetric", "PutCompositeAlarm"):
        return Checked(("*",))
    names = data.get("AlarmNames") or [data.get("AlarmName") or "*"]
    return Checked(tuple(f"arn:aws:cloudwatch:{place}:alarm:{name}" for name in names))


def glue_resources(action: str, data: dict[str, Any]) -> list[str]:
    """The resources of a Glue call without the ARN's beginning, most specific first; empty when unknown.

    A list of triggers or workflows needs a right on everything, `*`.
    https://docs.aws.amazon.com/glue/latest/dg/api-permissions-reference.html
    """
    if action in _DATABASE_CALLS:
        name = data.get("Name") or (data.get("DatabaseInput") or {}).get("Name", "*")
        return [f"database/{name}", "catalog"]
    if data.get("DatabaseName") and "Crawler" not in action:
        database = data["DatabaseName"]
        above = [f"database/{database}", "catalog"]
        tables = data.get("TablesToDelete")
        if tables:
            return [*(f"table/{database}/{name}" for name in tables), *above]
        if action == "GetTables":
            return [f"table/{database}/*", *above]
        name = data.get("TableName") or data.get("Name") or (data.get("TableInput") or {}).get("Name", "*")
        return [f"table/{database}/{name}", *above]
    if "Crawler" in action and (data.get("Name") or data.get("CrawlerName")):
        return [f"crawler/{data.get('Name') or data.get('CrawlerName')}"]
    if "Job" in action and (data.get("JobName") or data.get("Name")):
        return [f"job/{data.get('JobName') or data.get('Name')}"]
    if "Trigger" in action or "Workflow" in action:
        kind = "trigger" if "Trigger" in action else "workflow"
        named = data.get("TriggerNames") or data.get("Names") or [data.get("Name")]
        return [f"{kind}/{name}" for name in named if name] or ["*"]
    if action in _CONNECTION_CALLS:
        name = (data.get("ConnectionInput") or data).get("Name") or data.get("ConnectionName") or "*"
        return [f"connection/{name}", "catalog"]
    if action in ("GetDatabases", "GetCatalogImportStatus"):
        return ["catalog"]
    return []


def logs_resources(action: str, data: dict[str, Any]) -> list[str]:
    """The resources of a Logs call without the ARN's beginning; empty when unknown."""
    group = data.get("logGroupName")
    if not group or action in ("TagResource", "UntagResource", "ListTagsForResource"):
        return []
    return [f"log-group:{group}:log-stream:{data.get('logStreamName', '')}"]


def athena_resources(action: str, data: dict[str, Any]) -> list[str]:
    """The resources of an Athena call without the ARN's beginning; empty when unknown."""
    if action in _ATHENA_CATALOGUE_CALLS:
        return [f"datacatalog/{data.get(_ATHENA_CATALOGUE_CALLS[action], '*')}"]
    if action == "CreateWorkGroup":
        return [f"workgroup/{data.get('Name', '*')}"]
    athena = emulator.service("athena")
    ids = data.get("QueryExecutionIds") or [data.get("QueryExecutionId")]
    named = data.get("NamedQueryIds") or [data.get("NamedQueryId")]
    known = [athena._executions.get(key) for key in ids if key]
    known += [athena._named_queries.get(key) for key in named if key]
    groups = dict.fromkeys(str(entry.get("WorkGroup") or "primary") for entry in known if entry)
    if not groups and action in _ATHENA_GROUP_NAMED:
        groups = {str(data.get("WorkGroup") or "primary"): None}
    return [f"workgroup/{group}" for group in groups]


def events_resources(action: str, data: dict[str, Any]) -> list[str]:
    """The resources of a call on a rule without the ARN's beginning; empty for any other call."""
    rule = data.get("Rule") or (data.get("Name") if action.endswith("Rule") else None)
    if not rule:
        return []
    bus = str(data.get("EventBusName") or "default").rsplit("/", 1)[-1]
    return [f"rule/{rule}" if bus == "default" else f"rule/{bus}/{rule}"]


def kms_resources(action: str, data: dict[str, Any], place: str) -> Checked:
    """The resources of a call on a key or an alias. The key of a deleted alias is checked too, as on AWS."""
    alias = str(data.get("AliasName") or "")
    record = emulator.service("kms")._resolve_key(data.get("TargetKeyId") or data.get("KeyId") or alias)
    if record is None:
        return Checked((f"arn:aws:kms:{place}:{alias}",) if alias else ())
    tags = {f"aws:ResourceTag/{tag['TagKey']}": tag["TagValue"] for tag in record.get("Tags") or []}
    key = (str(record["Arn"]),)
    return Checked((f"arn:aws:kms:{place}:{alias}", *key) if alias else key, tags)


def s3_resource(arn: str, path: str) -> str:
    """MiniStack's ARN of a bucket or an object, with the slash that the object's key ends with."""
    return f"{arn}/" if path.endswith("/") and "/" in path.strip("/") else arn


def function_resource(arn: str, path: str, query: dict[str, Any], data: dict[str, Any], place: str) -> str:
    """The ARN of an invoked function, with the version or alias that the call names; that of a function
    which is created, from its name.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    """
    created = data.get("FunctionName")
    if isinstance(created, str) and path.rstrip("/").endswith("/functions"):
        return created if created.startswith("arn:") else f"arn:aws:lambda:{place}:function:{created}"
    named = query.get("Qualifier") or ""
    qualifier = str(named[0] if isinstance(named, list) else named)
    if not qualifier or not path.rstrip("/").endswith("/invocations") or len(arn.split(":")) > 7:
        return arn
    return f"{arn}:{qualifier}"


def states_resources(data: dict[str, Any]) -> Checked:
    """The resource of a Step Functions call. A version or an alias counts as its state machine."""
    routes = data.get("routingConfiguration") or [{}]
    named = [data.get(name) for name in _STATES_ARNS] + [routes[0].get("stateMachineVersionArn")]
    arn = str(next((found for found in named if found), ""))
    parts = arn.split(":")
    if len(parts) == 8 and parts[5] == "stateMachine":
        return Checked((":".join(parts[:7]),), {"states:StateMachineQualifier": parts[7]})
    return Checked((arn,) if arn else ())


def scheduler_resource(path: str, asked: dict[str, Any], place: str) -> str:
    """The resource of a call of EventBridge Scheduler, whose calls are paths; empty when unknown.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html
    """
    kind, _, name = unquote(path).strip("/").partition("/")
    if kind == "tags":
        return name
    if kind == "schedules" and name:
        group = asked.get("GroupName") or asked.get("groupName") or "default"
        return f"arn:aws:scheduler:{place}:schedule/{group}/{name}"
    return f"arn:aws:scheduler:{place}:schedule-group/{name}" if kind == "schedule-groups" and name else ""


def leading_keys(data: dict[str, Any]) -> list[str]:
    """The partition keys that a DynamoDB request names, each once; empty when it names none."""
    found: list[Any] = []
    batches = data.get("RequestItems")
    for table, items in batches.items() if isinstance(batches, dict) else [(data.get("TableName"), [data])]:
        attribute = _partition_key(str(table))
        for item in items.get("Keys", []) if isinstance(items, dict) else items:
            request = item.get("PutRequest") or item.get("DeleteRequest") or item
            key = request.get("Item") or request.get("Key") or request
            found.append(key.get(attribute) or _compared(data, attribute))
    values = [next(iter(value.values())) for value in found if isinstance(value, dict) and len(value) == 1]
    return list(dict.fromkeys(str(value) for value in values))


def _partition_key(table: str) -> str:
    held = emulator.service("dynamodb")._tables.get(table.rsplit("/", 1)[-1]) or {}
    return str(held.get("pk_name") or "")


def _compared(data: dict[str, Any], attribute: str) -> Any:
    """The value that a Query's key condition compares the partition key with."""
    names = data.get("ExpressionAttributeNames") or {}
    for name, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", str(data.get("KeyConditionExpression") or "")):
        if names.get(name, name) == attribute:
            return (data.get("ExpressionAttributeValues") or {}).get(value)
    return None
