"""What requests to S3 need. Source: "Actions, resources, and condition keys for Amazon S3".

Requests are told apart by method, by whether they are about a bucket or an object, and by the subresource that the
query names. What is not in the tables is refused: nobody can say which permission it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from ingle.domain.arn import partition_of
from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied, ServiceError
from ingle.frontend.authorization.needs import Need, Values

#: Bytes of a list of objects to delete, at most: 1,000 keys with versions.
DELETE_LIMIT = 2 << 20

_BUCKET: Mapping[tuple[str, str], str] = {
    ("GET", ""): "ListBucket", ("HEAD", ""): "ListBucket", ("PUT", ""): "CreateBucket", ("DELETE", ""): "DeleteBucket",
    ("GET", "versions"): "ListBucketVersions", ("GET", "uploads"): "ListBucketMultipartUploads",
    ("GET", "location"): "GetBucketLocation", ("GET", "policyStatus"): "GetBucketPolicyStatus",
    ("GET", "policy"): "GetBucketPolicy", ("PUT", "policy"): "PutBucketPolicy",
    ("DELETE", "policy"): "DeleteBucketPolicy",
    ("GET", "acl"): "GetBucketAcl", ("PUT", "acl"): "PutBucketAcl",
    ("GET", "cors"): "GetBucketCORS", ("PUT", "cors"): "PutBucketCORS", ("DELETE", "cors"): "PutBucketCORS",
    ("GET", "encryption"): "GetEncryptionConfiguration", ("PUT", "encryption"): "PutEncryptionConfiguration",
    ("DELETE", "encryption"): "PutEncryptionConfiguration",
    ("GET", "lifecycle"): "GetLifecycleConfiguration", ("PUT", "lifecycle"): "PutLifecycleConfiguration",
    ("DELETE", "lifecycle"): "PutLifecycleConfiguration",
    ("GET", "logging"): "GetBucketLogging", ("PUT", "logging"): "PutBucketLogging",
    ("GET", "notification"): "GetBucketNotification", ("PUT", "notification"): "PutBucketNotification",
    ("GET", "replication"): "GetReplicationConfiguration", ("PUT", "replication"): "PutReplicationConfiguration",
    ("DELETE", "replication"): "PutReplicationConfiguration",
    ("GET", "requestPayment"): "GetBucketRequestPayment", ("PUT", "requestPayment"): "PutBucketRequestPayment",
    ("GET", "tagging"): "GetBucketTagging", ("PUT", "tagging"): "PutBucketTagging",
    ("DELETE", "tagging"): "PutBucketTagging",
    ("GET", "versioning"): "GetBucketVersioning", ("PUT", "versioning"): "PutBucketVersioning",
    ("GET", "website"): "GetBucketWebsite", ("PUT", "website"): "PutBucketWebsite",
    ("DELETE", "website"): "DeleteBucketWebsite",
    ("GET", "object-lock"): "GetBucketObjectLockConfiguration",
    ("PUT", "object-lock"): "PutBucketObjectLockConfiguration",
    ("GET", "publicAccessBlock"): "GetBucketPublicAccessBlock",
    ("PUT", "publicAccessBlock"): "PutBucketPublicAccessBlock",
    ("DELETE", "publicAccessBlock"): "PutBucketPublicAccessBlock",
    ("GET", "ownershipControls"): "GetBucketOwnershipControls",
    ("PUT", "ownershipControls"): "PutBucketOwnershipControls",
    ("DELETE", "ownershipControls"): "PutBucketOwnershipControls",
    ("GET", "accelerate"): "GetAccelerateConfiguration", ("PUT", "accelerate"): "PutAccelerateConfiguration",
    ("GET", "analytics"): "GetAnalyticsConfiguration", ("PUT", "analytics"): "PutAnalyticsConfiguration",
    ("DELETE", "analytics"): "PutAnalyticsConfiguration",
    ("GET", "inventory"): "GetInventoryConfiguration", ("PUT", "inventory"): "PutInventoryConfiguration",
    ("DELETE", "inventory"): "PutInventoryConfiguration",
    ("GET", "metrics"): "GetMetricsConfiguration", ("PUT", "metrics"): "PutMetricsConfiguration",
    ("DELETE", "metrics"): "PutMetricsConfiguration",
    ("GET", "intelligent-tiering"): "GetIntelligentTieringConfiguration",
    ("PUT", "intelligent-tiering"): "PutIntelligentTieringConfiguration",
    ("DELETE", "intelligent-tiering"): "PutIntelligentTieringConfiguration",
}  # fmt: skip
_OBJECT: Mapping[tuple[str, str], str] = {
    ("GET", ""): "GetObject", ("HEAD", ""): "GetObject", ("PUT", ""): "PutObject", ("DELETE", ""): "DeleteObject",
    ("GET", "acl"): "GetObjectAcl", ("PUT", "acl"): "PutObjectAcl",
    ("GET", "tagging"): "GetObjectTagging", ("PUT", "tagging"): "PutObjectTagging",
    ("DELETE", "tagging"): "DeleteObjectTagging",
    ("GET", "attributes"): "GetObjectAttributes", ("GET", "torrent"): "GetObjectTorrent",
    ("GET", "retention"): "GetObjectRetention", ("PUT", "retention"): "PutObjectRetention",
    ("GET", "legal-hold"): "GetObjectLegalHold", ("PUT", "legal-hold"): "PutObjectLegalHold",
    ("GET", "uploadId"): "ListMultipartUploadParts", ("PUT", "uploadId"): "PutObject",
    ("POST", "uploadId"): "PutObject", ("DELETE", "uploadId"): "AbortMultipartUpload", ("POST", "uploads"): "PutObject",
    ("POST", "restore"): "RestoreObject", ("POST", "select"): "GetObject",
}  # fmt: skip
#: Actions that have a second form for a version of an object.
_VERSIONED = frozenset((
    "GetObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging",
    "DeleteObjectTagging", "GetObjectAttributes", "GetObjectTorrent",
))  # fmt: skip
_SUBRESOURCES = frozenset(name for _, name in (*_BUCKET, *_OBJECT) if name) | {"delete", "session", "rename"}
#: What else a copy with such a header does.
_BESIDE = {
    b"x-amz-tagging": "PutObjectTagging", b"x-amz-acl": "PutObjectAcl", b"x-amz-object-lock-mode": "PutObjectRetention",
    b"x-amz-object-lock-legal-hold": "PutObjectLegalHold",
}  # fmt: skip
_KEYS_OF_QUERY = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys",
                  "versionId": "s3:VersionId"}  # fmt: skip
_KEYS_OF_HEADERS = (
    "x-amz-acl", "x-amz-copy-source", "x-amz-server-side-encryption", "x-amz-storage-class", "x-amz-content-sha256",
    "x-amz-metadata-directive", "x-amz-server-side-encryption-aws-kms-key-id",
)  # fmt: skip


class MalformedXml(ServiceError):
    code = "MalformedXML"
    http_status = 400
    type = None


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Request:
    """`path` names the bucket first, whatever the host does. `body` is there for a list of objects to delete."""

    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    body: bytes = b""


def names_keys_in_body(method: str, path: str, query: str) -> bool:
    """Whether it is told in the body which objects a request is about."""
    return method == "POST" and "/" not in path[1:].rstrip("/") and "delete" in _query(query)


def s3_needs(caller: Caller, request: S3Request) -> list[Need]:
    """Raises AccessDenied for what nobody can say, MalformedXml."""
    bucket, _, key = unquote(request.path[1:]).partition("/")
    query = _query(request.query)
    values = _values(request, query)
    base = f"arn:{partition_of(caller.region)}:s3:::"

    def need(action: str, resource: str) -> Need:
        return Need(action=f"s3:{action}", resource=resource, account=caller.account, values=lambda: values)

    if not bucket:
        if request.method != "GET":
            raise _unknown(request)
        return [need("ListAllMyBuckets", "*")]
    if names_keys_in_body(request.method, request.path, request.query):
        return [
            need("DeleteObjectVersion" if versioned else "DeleteObject", f"{base}{bucket}/{name}")
            for name, versioned in _deleted(request.body)
        ]
    action = _action(request, query, bucket_only=not key)
    if not key:
        return [need(action, f"{base}{bucket}")]
    if "versionId" in query and action in _VERSIONED:
        action = action.replace("Object", "ObjectVersion", 1)
    needs = [need(action, f"{base}{bucket}/{key}")]
    if action == "PutObject":
        needs += [need(other, f"{base}{bucket}/{key}") for name, other in _BESIDE.items() if name in request.headers]
        if (source := request.headers.get(b"x-amz-copy-source")) is not None:
            reading, copied = _source(source)
            needs.append(need(reading, f"{base}{copied}"))
    return needs


def is_data(path: str) -> bool:
    """Whether a request is about an object: no management."""
    return "/" in unquote(path[1:]).rstrip("/") or not path[1:]


def _action(request: S3Request, query: Mapping[str, str], *, bucket_only: bool) -> str:
    named = sorted(_SUBRESOURCES & query.keys())
    table = _BUCKET if bucket_only else _OBJECT
    if len(named) > 1:
        raise _unknown(request)
    found = table.get((request.method, named[0] if named else ""))
    if found is None:
        raise _unknown(request)
    return found


def _source(header: bytes) -> tuple[str, str]:
    """What a copy reads: the action, and the bucket with the key."""
    text, _, version = header.decode("latin-1").partition("?versionId=")
    return "GetObjectVersion" if version else "GetObject", unquote(text).removeprefix("/")


def _deleted(body: bytes) -> list[tuple[str, bool]]:
    """Keys, and whether a version of each is named."""
    try:
        tree = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError):
        tree = None
    if tree is None or b"<!DOCTYPE" in body:
        raise MalformedXml("The XML you provided was not well-formed or did not validate against our published schema")
    found = []
    for item in tree:
        if _local(item) == "Object":
            members = {_local(member): member.text or "" for member in item}
            found.append((members.get("Key", ""), bool(members.get("VersionId"))))
    if not found or len(found) > 1000:
        raise MalformedXml("The XML you provided was not well-formed or did not validate against our published schema")
    return found


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _query(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _values(request: S3Request, query: Mapping[str, str]) -> Values:
    values = {key: query[name] for name, key in _KEYS_OF_QUERY.items() if name in query}
    for name in _KEYS_OF_HEADERS:
        if (value := request.headers.get(name.encode())) is not None:
            values[f"s3:{name}"] = value.decode("latin-1")
    values["s3:signatureversion"] = "AWS4-HMAC-SHA256"
    values["s3:authType"] = "REST-QUERY-STRING" if "X-Amz-Signature" in query else "REST-HEADER"
    return values


def _unknown(request: S3Request) -> AccessDenied:
    return AccessDenied(f"Ingle does not know which permission {request.method} with this query takes on S3.")
