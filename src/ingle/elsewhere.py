"""The AWS services that are elsewhere, put together: where each is, as whom it is called, and what asks it.

Part of the composition root: `app` makes it from the settings and hands its parts on.
"""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingle import bundled_aws
from ingle.companions.caller import ServiceCaller
from ingle.companions.endpoint import Credentials, Endpoint
from ingle.companions.endpoints import USED, Endpoints
from ingle.companions.health import Health
from ingle.companions.http import Times
from ingle.companions.relay import Relay
from ingle.companions.s3 import S3
from ingle.domain.clock import Clock
from ingle.settings import Settings


class Unusable(Exception):
    """The settings ask for what there is not; the text is one line for the person who gave them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """One for each server. `bundled`: where moto is to listen, if it is wanted."""

    endpoints: Endpoints
    bundled: socket.socket | None = None
    health: Health = field(default_factory=Health)

    @staticmethod
    def of(settings: Settings) -> Elsewhere:
        """Made while the machine's certificates can be read. Raises Unusable."""
        bundled = _listener(settings)
        other = settings.aws_endpoint if bundled is None else f"http://127.0.0.1:{bundled.getsockname()[1]}"
        endpoints = Endpoints(
            credentials=Credentials(
                access_key_id=settings.aws_access_key_id,
                secret_access_key=settings.aws_secret_access_key,
                session_token=settings.aws_session_token,
            ),
            named={name: Endpoint.of(url) for name, url in settings.service_urls.items()},
            other=replace(Endpoint.of(other), is_moto=bundled is not None) if other else None,
        )
        return Elsewhere(endpoints=endpoints, bundled=bundled)

    async def start(self, stack: AsyncExitStack, directory: Path) -> None:
        """Start what is to run as long as `stack` is open, with `directory` as its own."""
        if self.bundled is not None:
            await stack.enter_async_context(bundled_aws.BundledAws(directory, self.bundled))

    def objects(self, clock: Clock) -> S3 | None:
        """What packages are read from."""
        caller = self._caller("s3", clock, Times())
        return None if caller is None else S3(caller)

    def callers(self, clock: Clock) -> dict[str, ServiceCaller]:
        """What results of invocations go to, by signing name."""
        callers = {name: self._caller(name, clock) for name in USED}
        return {name: caller for name, caller in callers.items() if caller is not None}

    def relay(self, clock: Clock) -> Relay:
        """What requests of callers go through."""
        return Relay(self.endpoints, clock, self.health)

    def problems(self) -> list[str]:
        return [f"{service} cannot be used: {reason}." for service, reason in self.health.failing.items()]

    def _caller(self, service: str, clock: Clock, times: Times | None = None) -> ServiceCaller | None:
        endpoint = self.endpoints.of(service)
        if endpoint is None:
            return None
        return ServiceCaller(service, endpoint, self.endpoints.credentials, clock, times=times, health=self.health)


def _listener(settings: Settings) -> socket.socket | None:
    if not settings.with_aws:
        return None
    if settings.aws_endpoint:
        raise Unusable("--with-aws and --aws-endpoint both say where all other services are: give one of them")
    if not bundled_aws.is_installed():
        raise Unusable("--with-aws needs moto: pip install 'ingle[aws]'")
    return bundled_aws.bind()
