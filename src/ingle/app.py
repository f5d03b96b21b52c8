"""The composition root: the only file that chooses implementations and wires them together.

`serve` runs a server until SIGTERM or SIGINT. What needs privileges or a single thread happens first: the data
directory's lock, the sandbox supervisor, and giving the privileges up. Then the event loop owns everything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop

from ingle import __version__, startup
from ingle.access import Access
from ingle.artifacts.packages import PackageStore
from ingle.artifacts.signatures import Signatures
from ingle.background import Background
from ingle.catalog import Catalog
from ingle.catalog.tags import TagIndex
from ingle.catalog.urls import UrlIndex
from ingle.console.site import Site
from ingle.control.activation import Activation
from ingle.control.code_quota import CodeQuota
from ingle.control.code_signing_records import CodeSigningRecords
from ingle.control.code_signing_tags import CodeSigningTags
from ingle.control.code_verification import CodeVerification
from ingle.control.function_records import FunctionRecords
from ingle.control.idle_functions import IdleFunctions
from ingle.control.layer_records import LayerRecords
from ingle.control.package_references import PackageReferences, packages_of
from ingle.control.policy_records import PolicyRecords
from ingle.control.private_networks import PrivateNetworks
from ingle.control.tags import FunctionTags, Tags
from ingle.control.variable_encryption import VariableEncryption
from ingle.domain import lifecycle
from ingle.domain.caller import DEFAULT_ACCOUNT, Caller
from ingle.domain.clock import RandomIds, SystemClock
from ingle.domain.errors import ServiceError
from ingle.domain.event import Event
from ingle.domain.function import Package
from ingle.domain.vpc import NetworkInterface
from ingle.elsewhere import Elsewhere, Unusable
from ingle.encryption import aead
from ingle.encryption.master import Keyring, MasterKeyError, MasterKeys
from ingle.event_invoke.delivery import Deliveries
from ingle.event_invoke.operation import PREFIX as EVENTS_PREFIX
from ingle.event_invoke.operation import event_operator
from ingle.event_invoke.queue import EventQueue
from ingle.frontend.asgi import Application
from ingle.frontend.forwarding.forwarder import Forwarder, own_services
from ingle.frontend.function_urls import FunctionUrlServer
from ingle.frontend.internal import console, health, packages
from ingle.frontend.links import PackageLinks
from ingle.frontend.metrics_page import Sources, metrics_page
from ingle.frontend.room import while_there_is_room
from ingle.frontend.server import HttpServer
from ingle.invoke.admission import Admission
from ingle.invoke.invoker import Invoker
from ingle.invoke.meters import Meters
from ingle.invoke.streaming import Streams
from ingle.invoke.tracing import Sampler, Tracing
from ingle.master_key import finding
from ingle.master_key.channel import Answer, Channel, Request
from ingle.master_key.rotation import operator
from ingle.network.client import NetworkClient
from ingle.observability import log as observability
from ingle.observability.collector import Collector, certificates
from ingle.observability.traces import Traces
from ingle.operations import Parts, registry
from ingle.own.audit_records import AuditRecords
from ingle.own.host import HostReport
from ingle.own.host import Sources as HostSources
from ingle.placement.placement import Placement
from ingle.sandbox.client import Sandbox, SupervisorClient
from ingle.sandbox.launch import SupervisorProcess
from ingle.sandbox.privileges import restrict
from ingle.settings import Settings
from ingle.startup import StartupError as StartupError
from ingle.storage.audit import AuditLog
from ingle.storage.bindings import Bindings
from ingle.storage.blobs import BlobStore
from ingle.storage.data_directory import DataDirectory
from ingle.storage.disk import Disk
from ingle.storage.errors import StorageError, StorageFull
from ingle.storage.event_store import EventStore
from ingle.storage.logs import LogStore
from ingle.storage.metrics import MetricStore
from ingle.storage.signing_profiles import SigningProfiles
from ingle.storage.sql import SqlStore
from ingle.storage.store import StoredKeys
from ingle.supporting.ec2.lambda_interfaces import moved
from ingle.supporting.ec2.records import NetworkRecords
from ingle.supporting.execution_roles import VALID
from ingle.supporting.iam_records import NewKey
from ingle.supporting.kms.records import KeyRecords
from ingle.supporting.kms.service import Kms
from ingle.supporting.kms.use import KeyUse
from ingle.supporting.variables import FunctionVariables
from ingle.worker import families
from ingle.worker.examiner import Examiner
from ingle.worker.host import Host, HostOptions
from ingle.worker.interpreters import Interpreter
from ingle.worker.network_operation import PREFIX as NETWORK_PREFIX
from ingle.worker.network_operation import network_operator
from ingle.worker.networking import Networking, NetworkOptions

log = observability.Logger("app")

#: Sandboxes kept ready for each zygote.
STOCK = 4
#: Of an environment's credentials, when it is replaced at the latest: longer than a function may run. Seconds.
_CREDENTIALS_LEFT = 3600
#: Between two looks for packages that are no longer needed.
_SWEEP_SECONDS = 5.0


#: Told the server's URL, and at the first start with authentication a key that is never shown again.
Ready = Callable[[str, NewKey | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses in answers, see `control.ports.Links`."""

    signer: PackageLinks

    def package_url(self, caller: Caller, package: Package) -> str:
        return self.signer.url(caller.base_url, package.digest)


def serve(settings: Settings, *, on_ready: Ready | None = None) -> int:
    """Serve until told to stop; the exit status. `on_ready` is called once requests are answered.

    Raises StartupError.
    """
    observability.configure(settings.log_level, settings.log_format)
    tls = startup.tls_of(settings)
    listener = startup.bind(settings)
    try:
        with DataDirectory.open(settings.data_dir) as directory:
            startup.dump_no_core()
            ring = finding.open_ring(settings)
            startup.raise_descriptor_limit()
            supervisor = startup.launch_supervisor(settings, directory.path)
            interpreters = tuple(families.search(settings).interpreters)
            # What is installed while the server runs shall be found: only what exists now can be read later.
            with contextlib.suppress(OSError):
                settings.runtimes_dir.mkdir(parents=True, exist_ok=True)
            elsewhere = Elsewhere.of(settings)
            trusted = [*certificates(settings.otlp_endpoint), *elsewhere.endpoints.certificates]
            with Examiner(settings) as examiner:
                restrict(directory.path, [settings.runtimes_dir, *trusted])
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    server = _Server(
                        settings, directory, supervisor, interpreters, listener, elsewhere, ring, on_ready, tls,
                        examiner,
                    )  # fmt: skip
                    return runner.run(server.run())
    except (StorageError, MasterKeyError, Unusable) as error:
        raise StartupError(str(error)) from error
    finally:
        listener.close()


def new_root_key(settings: Settings, account: str, *, replace: bool) -> NewKey:
    """A new access key of the root of an account, while no server uses the data directory. Raises StartupError."""

    async def make(directory: DataDirectory) -> NewKey:
        ring = finding.open_ring(settings)
        async with SqlStore(directory.database_url, ring) as store:
            master = MasterKeys(ring)
            access = await Access.open(store, directory.access_key, master, SystemClock(), enforced=True)
            return await access.new_root_key(account, replace=replace)

    try:
        with DataDirectory.open(settings.data_dir) as directory:
            return asyncio.run(make(directory))
    except (StorageError, MasterKeyError, ServiceError) as error:
        raise StartupError(str(error)) from error


class _Server:
    """One run of the server: what is entered first is left last."""

    def __init__(
        self, settings: Settings, directory: DataDirectory, supervisor: SupervisorProcess,
        interpreters: tuple[Interpreter, ...], listener: socket.socket, elsewhere: Elsewhere,
        ring: Keyring, on_ready: Ready | None, tls: ssl.SSLContext | None, examiner: Examiner,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._directory = directory
        self._supervisor = supervisor
        self._interpreters = interpreters
        self._listener = listener
        self._elsewhere = elsewhere
        self._master = MasterKeys(ring)
        self._on_ready = on_ready
        self._tls = tls
        self._examiner = examiner
        self._stop = asyncio.Event()
        self._status = 0
        self._ready = False
        self._clock = SystemClock()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        async with AsyncExitStack() as stack:
            with startup.uncollected():
                access = await self._assemble(stack)
            first = await self._first_root_key(access)
            self._ready = True
            if self._on_ready is not None:
                self._on_ready(self._url(), first)
            await self._stop.wait()
            self._ready = False
        return self._status

    def _url(self) -> str:
        host, port = self._listener.getsockname()[:2]
        scheme = self._settings.scheme
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    def _supervisor_lost(self) -> None:
        if not self._stop.is_set():
            log.error("the sandbox supervisor ended; no function can run any more")
            self._status = 1
            self._stop.set()

    async def _first_root_key(self, access: Access) -> NewKey | None:
        """The key that the very first start with authentication makes, for nobody could make one otherwise."""
        return await access.first_root_key(DEFAULT_ACCOUNT) if self._settings.auth == "iam" else None

    async def _assemble(self, stack: AsyncExitStack) -> Access:
        settings, clock, ids = self._settings, self._clock, RandomIds()
        sandboxes = await stack.enter_async_context(SupervisorClient(self._supervisor, self._supervisor_lost))
        network = await stack.enter_async_context(NetworkClient(self._supervisor.network))
        sandboxes.on_networks = network.reconnect
        if network.problem is not None:
            log.warning("functions have no outbound network", reason=network.problem)
        store = await stack.enter_async_context(SqlStore(self._directory.database_url, self._master.ring))
        logs = await stack.enter_async_context(LogStore(self._directory.logs, clock))
        events = await stack.enter_async_context(EventStore(self._directory.events_url))
        metrics = await stack.enter_async_context(MetricStore(self._directory.metrics_url, clock))
        collector = Collector(settings.otlp_endpoint) if settings.otlp_endpoint else None
        traces = await stack.enter_async_context(Traces(collector))
        await self._elsewhere.start(stack, self._directory.companion)
        access = await Access.open(
            store, self._directory.access_key, self._master, clock, enforced=settings.auth == "iam"
        )
        catalog = Catalog(settings.account_concurrency)
        for function in await store.load_all():
            catalog.put(function)
        for layer in await store.load_layers():
            catalog.layers.put(layer)
        for config in await store.load_code_signing_configs():
            catalog.code_signing.put(config)
        keys = KeyRecords(store, catalog.keys, self._master, clock, ids)
        await self._open_keys(keys, await store.load_keys())
        kms = Kms(KeyUse(keys, access.key_authority(), access.names))
        variables = FunctionVariables(kms.use, kms.grants)
        networks = NetworkRecords(store, catalog.networks, clock, ids)
        await networks.load()
        blobs = BlobStore(self._directory.blobs)
        packages_store = PackageStore(blobs, self._directory.packages)
        # A crash between storing a package and committing its function leaves a package that nobody names.
        await packages_store.sweep(_named_packages(catalog))

        async def serve_api(sandbox: Sandbox, environment: str) -> Callable[[], None]:
            inner = await http.listen(sandbox.api, environment_id=environment)
            return inner.detach

        options = HostOptions(
            interpreters=self._interpreters,
            runtimes_dir=settings.runtimes_dir,
            stock=STOCK,
            serve_api=settings.functions_may_call != "off",
            shares=frozenset(point.arn for point in settings.file_systems),
        )
        bindings = Bindings(self._directory.bindings, dict(settings.bound_subnets))

        async def move(interface: NetworkInterface, occupied: set[str]) -> None:
            await networks.change(
                interface.account, interface.region, lambda scene: moved(scene, interface.id, occupied)
            )  # fmt: skip

        networking = await stack.enter_async_context(
            Networking(
                network, catalog.networks, bindings,
                NetworkOptions(outward=settings.egress == "open", unenforced=settings.unenforced_vpc), move,
            )
        )  # fmt: skip
        host = await stack.enter_async_context(
            Host(
                options, sandboxes, packages_store, logs, clock, serve_api, traces, variables.open_for_execution,
                access.roles, networking,
            )
        )  # fmt: skip
        placement = await stack.enter_async_context(
            Placement(
                catalog,
                host,
                limit=settings.max_environments,
                idle_timeout=settings.idle_timeout,
                # Environments go before their credentials do.
                lifetime=min(settings.environment_lifetime, VALID - _CREDENTIALS_LEFT),
            )
        )
        records = FunctionRecords(store, catalog, variables)
        references = PackageReferences(
            packages_store, catalog, lambda package: host.uses(package) or placement.needs(package)
        )
        background = await stack.enter_async_context(Background())
        background.start(packages_store.clear())
        background.start(self._sweep_packages(references))
        background.start(keys.watch())
        points = frozenset(point.arn for point in settings.file_systems)
        idle = IdleFunctions(records, clock, ids, placement.uses, settings.idle_reclaim, background)
        background.start(idle.watch())
        attached = PrivateNetworks(
            networks, catalog, access.roles, settings.interface_linger, points, networking.occupied
        )
        background.start(attached.watch())
        await stack.enter_async_context(Activation(records, references, attached, ids))
        links = PackageLinks(secrets.token_bytes(32), clock.now)
        admission = Admission(catalog, settings.invocation_rate)
        meters = Meters(catalog, metrics, clock, admission.unreserved, placement.provisioned_use)
        signing = CodeSigningRecords(store, catalog)
        signatures = Signatures(SigningProfiles(self._directory.signing), packages_store.zip_path)
        verification = CodeVerification(
            signatures, signing, references, clock, lambda key: meters.record(key, "SignatureValidationErrors", 1)
        )
        tracing = Tracing(catalog, traces, clock, Sampler(clock))
        disk = Disk(self._directory.path)
        background.start(disk.watch())

        async def accept(event: Event) -> None:
            if disk.full:
                raise StorageFull(f"The disk is full: {disk.describe()}.")
            await queue.accept(event)

        invoker = Invoker(catalog, admission, placement, meters, tracing, accept)
        streams = Streams(invoker, background.start)
        queue = await stack.enter_async_context(
            EventQueue(
                events,
                catalog,
                invoker.run,
                logs.flush,
                meters.record,
                clock,
                delays=settings.event_retry_delays,
                drain=settings.drain_timeout,
                most=min(settings.max_environments, settings.account_concurrency),
            )
        )
        tags = Tags({"function": FunctionTags(records), "code-signing-config": CodeSigningTags(signing)})
        authorizer = access.authorizer(catalog)

        def problems() -> list[str]:
            found = [f"The disk is full: {disk.describe()}."] if disk.full else []
            found += self._elsewhere.problems()
            for destination, reason in queue.failing().items():
                found.append(f"Results of asynchronous invocations do not reach {destination}: {reason}.")
            return found

        handlers = registry(
            Parts(
                clock=clock,
                ids=ids,
                catalog=catalog,
                records=records,
                layers=LayerRecords(store, catalog.layers),
                policies=PolicyRecords(records, ids, access.names),
                signing=signing,
                references=references,
                links=Links(signer=links),
                quota=CodeQuota(catalog),
                objects=self._elsewhere.objects(clock),
                signatures=signatures,
                verification=verification,
                encryption=VariableEncryption(variables),
                roles=access.roles,
                authorizer=authorizer,
                logs=logs,
                metrics=metrics,
                tagged=TagIndex(catalog),
                tags=tags,
                invoker=invoker,
                streams=streams,
                kms=kms,
                iam=access.iam,
                sts=access.sts,
                networks=networks,
                attached=attached,
                alive=host.alive,
                running=admission,
                entries=queue.entries,
                audit_records=AuditRecords(self._directory.audit, recording=access.enforced),
                host_report=HostReport(
                    HostSources(
                        examiner=self._examiner,
                        interpreters=self._interpreters,
                        runtimes_dir=settings.runtimes_dir,
                        environments=host.census,
                        problems=problems,
                        disk=disk,
                        isolation=sandboxes.isolation.value,
                    ),
                    clock,
                    clock.now(),
                ),
                test_events=store,
                sealer=access.sealer,
            )
        )
        sources = Sources(
            meters=meters, environments=host.census, zygotes=lambda: host.zygotes, logs=logs, metrics=metrics,
            disk=disk, traces=traces, events=queue, companions=self._elsewhere.health,
        )  # fmt: skip

        routes = {
            "/_ingle/health": health(
                version=__version__,
                clock=clock.now,
                ready=lambda: self._ready,
                problems=problems,
                authentication=settings.auth,
            ),
            "/_ingle/metrics": metrics_page(sources),
            "/_ingle/packages/": packages(links=links, find=blobs.path),
            **(console(Site().page) if settings.console == "on" else {}),
        }
        guarded = while_there_is_room(handlers, lambda: disk.full)
        audit = None
        if access.enforced:
            audit = (await stack.enter_async_context(AuditLog(self._directory.audit, clock, _audit_lost))).append
        gate, inner = access.gates(authorizer, settings.functions_may_call)
        urls = FunctionUrlServer(
            UrlIndex(catalog), invoker.invoke, streams.open, meters.record, host.tell, clock.now, gate, inner
        )
        hosts = [settings.host, *settings.public_host]
        relay = self._elsewhere.relay(clock)
        forwarder = Forwarder(relay, own_services(handlers), hosts, audit)
        application = Application(
            guarded, routes, gate=gate, inner=inner, audit=audit, hosts=hosts, ids=ids.uuid, urls=urls,
            forwarder=forwarder,
        )  # fmt: skip
        http = await stack.enter_async_context(HttpServer(application, drain_seconds=settings.drain_timeout))
        queue.start(Deliveries(catalog, queue.accept, self._elsewhere.callers(clock), clock, ids, access.roles.allows))
        await http.listen(self._listener, tls=self._tls)

        async def use_ring(ring: Keyring) -> int:
            rewrapped = await keys.use_ring(ring)
            await asyncio.to_thread(access.sealer.use_ring, ring)
            return rewrapped

        on_keys, on_events = operator(self._master, use_ring), event_operator(queue)
        on_networks = network_operator(networking, catalog.networks, bindings)

        async def operate(request: Request) -> Answer:
            what = str(request.get("do"))
            if what.startswith(NETWORK_PREFIX):
                return await on_networks(request)
            return await (on_events(request) if what.startswith(EVENTS_PREFIX) else on_keys(request))

        await stack.enter_async_context(Channel(self._directory.path, operate))
        catalog.subscribe(host.function_changed)
        host.warm_up(version for function in catalog for version in lifecycle.runnable(function))
        background.start(asyncio.to_thread(aead.load))
        return access

    async def _open_keys(self, keys: KeyRecords, stored: StoredKeys) -> None:
        """Take over the keys that are stored, and put what an earlier master key encrypted under the present one."""
        keys.fill(stored)
        finding.require(self._master.ring, keys.master_keys_in_use(), finding.source_of(self._settings))
        await keys.use_ring(self._master.ring)

    @staticmethod
    async def _sweep_packages(references: PackageReferences) -> None:
        """Packages that no function names go once the last environment that runs from them has gone."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await references.sweep()


def _audit_lost(records: int, reason: str) -> None:
    log.error("the audit log cannot be written", records=records, reason=reason)


def _named_packages(catalog: Catalog) -> set[str]:
    """The digests of what functions and layers have."""
    named = {package.digest for function in catalog for package in packages_of(function)}
    return named | {version.package.digest for layer in catalog.layers for version in layer.versions.values()}
