"""SQS, SNS, EventBridge and S3 of moto over HTTP, in a thread of the tests' process: what they hold stays when the
server is stopped, and is there when it is started again at the same port."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

DEADLINE_SECONDS = 30


class MockAws:
    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.sqs, self.sns, self.events, self.s3 = (
            self.client(name) for name in ("sqs", "sns", "events", "s3")
        )  # fmt: skip

    def client(self, service: str) -> Any:
        # Names of accounts are access keys to moto; without one it is 123456789012.
        return boto3.client(
            service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        """Again, at the same port."""
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()

    def queue(self) -> Queue:
        url = self.sqs.create_queue(QueueName=f"q{uuid.uuid4().hex}")["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return Queue(self.sqs, url, found["Attributes"]["QueueArn"])

    def topic(self, queue: Queue) -> str:
        """The ARN of a topic whose messages go to `queue` as they are."""
        arn = self.sns.create_topic(Name=f"t{uuid.uuid4().hex}")["TopicArn"]
        raw = {"RawMessageDelivery": "true"}
        self.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn, Attributes=raw)
        return str(arn)

    def bus(self, queue: Queue) -> str:
        """The ARN of a bus whose events from Lambda go to `queue`."""
        name = f"b{uuid.uuid4().hex}"
        arn = self.events.create_event_bus(Name=name)["EventBusArn"]
        pattern = json.dumps({"source": ["lambda"]})
        self.events.put_rule(Name=name, EventBusName=name, EventPattern=pattern)
        self.events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "1", "Arn": queue.arn}])
        return str(arn)

    def bucket(self) -> str:
        name = f"b{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=name)
        return name


class Queue:
    def __init__(self, sqs: Any, url: str, arn: str) -> None:
        self._sqs = sqs
        self._url = url
        self.arn = arn

    def receive(self) -> list[dict[str, Any]]:
        """What is there now; it is gone then."""
        found = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0, MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])  # fmt: skip
        for message in found:
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return list(found)

    def messages(self, count: int = 1) -> list[dict[str, Any]]:
        """The next so many."""
        found: list[dict[str, Any]] = []

        def enough() -> bool:
            found.extend(self.receive())
            return len(found) >= count

        wait_until(enough)
        return found


def wait_until(reached: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> Any:
    """What `reached` answers once that is true."""
    deadline = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found
