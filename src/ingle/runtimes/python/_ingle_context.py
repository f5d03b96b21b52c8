"""The context object: what a handler is given as its second argument.

Attributes, their types and their texts are those of AWS's Python runtime: handlers print them and dump `vars` of them.
"""

import json
import logging
import sys
import time
import types

from _ingle_errors import Fault

#: Fields of W3C's trace context that a caller may send along.
_W3C_FIELDS = ("traceparent", "tracestate", "baggage")


class _Record:
    """An object with the attributes that `__slots__` of its class name; its text has them in that order."""

    __slots__ = ()

    def __init__(self, given):
        for name in self.__slots__:
            setattr(self, name, given.get(name))

    def __repr__(self):
        attributes = ",".join(["%s=%s" % (name, getattr(self, name)) for name in self.__slots__])
        return "%s([%s])" % (type(self).__name__, attributes)


class CognitoIdentity(_Record):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, given):
        if given is None:
            self.cognito_identity_id = self.cognito_identity_pool_id = None
        else:
            self.cognito_identity_id = given.get("cognitoIdentityId")
            self.cognito_identity_pool_id = given.get("cognitoIdentityPoolId")


class Client(_Record):
    __slots__ = (  # noqa: RUF023 - their order is that of the text
        "installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name",
    )  # fmt: skip


class ClientContext(_Record):
    __slots__ = ("custom", "env", "client")  # noqa: RUF023 - their order is that of the text

    def __init__(self, given):
        super().__init__(given)
        if self.client is not None:
            self.client = Client(self.client)


class LambdaContext:
    """`memory_limit_in_mb` is a string, as on AWS. `headers` are of the poll's answer, names in lower case."""

    #: Attributes that are the same for all invocations of an environment, see `describe_function`.
    _function = types.MappingProxyType({})

    def __init__(self, request_id, headers):
        self.aws_request_id = request_id
        self.__dict__.update(self._function)
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        client = headers.get("lambda-runtime-client-context")
        if client:
            self._take_client_context(_parsed(client, "Client Context"))
        else:
            self._w3c_fields, self.client_context = {}, None
        identity = headers.get("lambda-runtime-cognito-identity")
        self.identity = CognitoIdentity(_parsed(identity, "Cognito Identity") if identity else None)
        self._epoch_deadline_time_in_ms = int(headers.get("lambda-runtime-deadline-ms", 0))

    def _take_client_context(self, given):
        self._w3c_fields = _w3c_fields(given)
        self.client_context = None if given is None else ClientContext(given)

    def get_remaining_time_in_millis(self):
        """Milliseconds until the invocation times out, never negative."""
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def w3c(self):
        """The trace context that came with the client context, a new dictionary each time."""
        return dict(self._w3c_fields)

    def log(self, message):
        """Write to the log as it is, without a level and without a line end; standard output if logging was changed."""
        for handler in logging.getLogger().handlers:
            if hasattr(handler, "log_sink"):
                handler.log_sink.log(str(message))
                return
        sys.stdout.write(str(message))

    def __repr__(self):
        names = ("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
                 "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id")  # fmt: skip
        return "LambdaContext([%s])" % ",".join(["%s=%s" % (name, getattr(self, name)) for name in names])


def describe_function(variables):
    """Take what contexts tell of the function from the process environment."""
    LambdaContext._function = {
        "log_group_name": variables.get("AWS_LAMBDA_LOG_GROUP_NAME"),
        "log_stream_name": variables.get("AWS_LAMBDA_LOG_STREAM_NAME"),
        "function_name": variables.get("AWS_LAMBDA_FUNCTION_NAME"),
        "memory_limit_in_mb": variables.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        "function_version": variables.get("AWS_LAMBDA_FUNCTION_VERSION"),
    }


def _w3c_fields(client):
    given = client.get("w3c") if isinstance(client, dict) else None
    if not isinstance(given, dict):
        return {}
    return {name: given[name] for name in _W3C_FIELDS if isinstance(given.get(name), str)}


def _parsed(value, title):
    try:
        # Header bytes are decoded as Latin-1; the JSON in them is UTF-8.
        return json.loads(value.encode("latin-1"))
    except ValueError as error:
        message = "Unable to parse %s JSON: %s" % (title, error)
        raise Fault("Runtime.LambdaContextUnmarshalError", message) from None
