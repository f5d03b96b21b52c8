"""What requests to S3 need. Source: "Actions, resources, and condition keys for Amazon S3".

Requests are told apart by method, by whether they are about a bucket or an object, and by the subresource that the
query names. What is not in the tables is refused: nobody can say which permission it takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from ingle.domain.arn import partition_of
from ingle.domain.caller import Caller
from ingle.domain.errors import AccessDenied, ServiceError
from ingle.frontend.authorization.companion_reading import CompanionRequest
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
#: Ordinary parameters. What is in no table may mean another operation, so it is refused.
_PARAMETERS = frozenset((
    "list-type", "prefix", "delimiter", "marker", "max-keys", "encoding-type", "continuation-token", "start-after",
    "fetch-owner", "versionId", "key-marker", "version-id-marker", "upload-id-marker", "max-uploads", "partNumber",
    "part-number-marker", "max-parts", "x-id", "id", "select-type", "bucket-region", "max-buckets",
    "response-content-type", "response-content-language", "response-expires", "response-cache-control",
    "response-content-disposition", "response-content-encoding",
))  # fmt: skip
#: What else a request with such a header does, to a bucket and to an object.
_BESIDE: Mapping[str, tuple[str | None, str | None]] = {
    "x-amz-acl": ("PutBucketAcl", "PutObjectAcl"),
    "x-amz-tagging": (None, "PutObjectTagging"),
    "x-amz-object-lock-mode": (None, "PutObjectRetention"),
    "x-amz-object-lock-retain-until-date": (None, "PutObjectRetention"),
    "x-amz-object-lock-legal-hold": (None, "PutObjectLegalHold"),
    "x-amz-bypass-governance-retention": ("BypassGovernanceRetention", "BypassGovernanceRetention"),
    "x-amz-bucket-object-lock-enabled": ("PutBucketObjectLockConfiguration", None),
    "x-amz-object-ownership": ("PutBucketOwnershipControls", None),
}
_GRANT = "x-amz-grant-"
#: A form has its members where nobody looks for them here.
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
#: Names that are no buckets but places of a server's own.
_RESERVED = frozenset(("moto-api", "minio", "latest"))
_NAME = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_BUCKET_PATH = re.compile(rf"/({_NAME})(?:/(.*))?", re.ASCII | re.DOTALL)
_OTHER_ENCODING = re.compile(rb"encoding\s*=\s*[\"'](?!utf-8[\"'])", re.IGNORECASE)
_COPY_SOURCE = re.compile(rf"/?({_NAME})/([^?#]+)(?:\?versionId=([^&?#]+))?", re.ASCII | re.DOTALL)
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


def names_keys_in_body(method: str, path: str, query: str) -> bool:
    """Whether it is told in the body which objects a request is about."""
    return method == "POST" and "/" not in path[1:].rstrip("/") and "delete" in dict(parse_qsl(query, True))


def s3_needs(caller: Caller, request: CompanionRequest) -> list[Need]:
    """Raises AccessDenied for what nobody can say, or may be read in two ways, MalformedXml."""
    query = _query(request.query)
    headers = _headers(request, query)
    values = _values(query, headers)
    base = f"arn:{partition_of(caller.region)}:s3:::"

    def need(action: str, resource: str) -> Need:
        return Need(action=f"s3:{action}", resource=resource, account=caller.account, values=lambda: values)

    if request.path == "/":
        if request.method != "GET" or _SUBRESOURCES & query.keys():
            raise _unknown(request)
        return [need("ListAllMyBuckets", "*")]
    found = _BUCKET_PATH.fullmatch(request.path)
    if found is None or found[1] in _RESERVED or (request.method == "POST" and request.media_type in _FORMS):
        raise _unknown(request)
    bucket, key = f"{base}{found[1]}", unquote(found[2] or "")
    if names_keys_in_body(request.method, request.path, request.query):
        keys = _deleted(request.body)
        pairs = [("DeleteObjectVersion" if versioned else "DeleteObject", name) for name, versioned in keys]
        if "x-amz-bypass-governance-retention" in headers:
            pairs += [("BypassGovernanceRetention", name) for name, _ in keys]
        return [need(each, f"{bucket}/{name}") for each, name in pairs]
    action = _action(request, query, bucket_only=not key)
    resource = f"{bucket}/{key}" if key else bucket
    if "versionId" in query and action in _VERSIONED:
        action = action.replace("Object", "ObjectVersion", 1)
    actions = [action, *_beside(headers, bucket_only=not key)] if request.method != "GET" else [action]
    needs = [need(each, resource) for each in dict.fromkeys(actions)]
    if (source := headers.get("x-amz-copy-source")) is not None:
        reading, copied = _source(source)
        needs.append(need(reading, f"{base}{copied}"))
    return needs


def is_data(path: str) -> bool:
    """Whether a request is about an object: no management."""
    return "/" in unquote(path[1:]).rstrip("/")


def _action(request: CompanionRequest, query: Mapping[str, str], *, bucket_only: bool) -> str:
    named = sorted(_SUBRESOURCES & query.keys())
    table = _BUCKET if bucket_only else _OBJECT
    if len(named) > 1:
        raise _unknown(request)
    found = table.get((request.method, named[0] if named else ""))
    if found is None:
        raise _unknown(request)
    return found


def _beside(headers: Mapping[str, str], *, bucket_only: bool) -> list[str]:
    found = [pair[0 if bucket_only else 1] for name, pair in _BESIDE.items() if name in headers]
    if any(name.startswith(_GRANT) for name in headers):
        found.append("PutBucketAcl" if bucket_only else "PutObjectAcl")
    return [action for action in found if action is not None]


def _source(header: str) -> tuple[str, str]:
    """What a copy reads: the action, and the bucket with the key. Raises AccessDenied for anything else."""
    found = _COPY_SOURCE.fullmatch(header)
    if found is None:
        raise AccessDenied("x-amz-copy-source does not name one object.")
    return "GetObject" if found[3] is None else "GetObjectVersion", f"{found[1]}/{unquote(found[2])}"


def _deleted(body: bytes) -> list[tuple[str, bool]]:
    """Keys, and whether a version of each is named. Raises MalformedXml for what may be read otherwise."""
    try:
        body.decode("utf-8")
        if b"<!" in body.replace(b"<![CDATA[", b"") or b"\0" in body or _OTHER_ENCODING.search(body[:200]):
            raise ValueError
        found = [_object(item) for item in ElementTree.fromstring(body) if _local(item) == "Object"]
    except (ElementTree.ParseError, ValueError, LookupError):
        found = []
    if not found or len(found) > 1000:
        raise MalformedXml("The XML you provided was not well-formed or did not validate against our published schema")
    return found


def _object(element: ElementTree.Element) -> tuple[str, bool]:
    """Raises ValueError."""
    members = {_local(member): member.text or "" for member in element}
    if len(members) < len(element) or any(len(member) for member in element) or not members.get("Key"):
        raise ValueError
    return members["Key"], bool(members.get("VersionId"))


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _query(query: str) -> dict[str, str]:
    """Raises AccessDenied for names that are there twice, and for those that nobody knows."""
    pairs = parse_qsl(query, keep_blank_values=True)
    found = dict(pairs)
    unknown = [name for name in found if name not in _PARAMETERS | _SUBRESOURCES and not _is_header(name)]
    if len(found) < len(pairs) or unknown:
        raise AccessDenied("Ingle does not know which permission a request with this query takes on S3.")
    return found


def _is_header(name: str) -> bool:
    """A presigned address has in its query what else is in headers."""
    return name.lower().startswith("x-amz-") or name in ("AWSAccessKeyId", "Signature", "Expires")


def _headers(request: CompanionRequest, query: Mapping[str, str]) -> Mapping[str, str]:
    """What is told in headers, or in a presigned address. Raises AccessDenied for what is in both."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.items()}
    for name, value in query.items():
        if name.lower().startswith("x-amz-"):
            if name.lower() in headers:
                raise AccessDenied(f"{name} is both in the query and in the headers.")
            headers[name.lower()] = value
    return headers


def _values(query: Mapping[str, str], headers: Mapping[str, str]) -> Values:
    values = {key: query[name] for name, key in _KEYS_OF_QUERY.items() if name in query}
    values.update({f"s3:{name}": headers[name] for name in _KEYS_OF_HEADERS if name in headers})
    values["s3:signatureversion"] = "AWS4-HMAC-SHA256"
    values["s3:authType"] = "REST-QUERY-STRING" if "X-Amz-Signature" in query else "REST-HEADER"
    return values


def _unknown(request: CompanionRequest) -> AccessDenied:
    return AccessDenied(f"Ingle does not know which permission {request.method} with this query takes on S3.")
