"""Whether code may be deployed: what its signature shows, by the code signing configuration of its function.

Source of the rules: the developer guide, "Using code signing to verify code integrity with Lambda". Code is checked
when it is deployed, and layers when a request names them; what a function has already is not checked again. Without a
configuration nothing is refused, and a signature that is genuine is shown all the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ingle.control import code_source
from ingle.control.code_signing_records import CodeSigningRecords
from ingle.control.code_source import Upload
from ingle.control.package_references import PackageReferences
from ingle.control.ports import Signatures
from ingle.domain.caller import Caller
from ingle.domain.clock import Clock
from ingle.domain.code_signing import ENFORCE, CodeSigningConfig, Fault, fault_of
from ingle.domain.errors import CodeVerificationFailed, InvalidCodeSignature
from ingle.domain.function import Function, FunctionKey, LayerReference
from ingle.observability.log import Logger

_log = Logger("control")

_TEXTS = {
    Fault.ALTERED: "The function or layer was changed after it was signed.",
    Fault.EXPIRED: "The signature of the function or layer has expired.",
    Fault.MISMATCH: "The function or layer might be signed using a signature that the client is not configured to "
    "accept.",
    Fault.REVOKED: "The signature of the function or layer was revoked.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What speaks against a deployment: faults by what has them, none without a configuration."""

    key: FunctionKey
    config: CodeSigningConfig | None
    faults: tuple[tuple[str, Fault], ...] = ()


class CodeVerification:
    """`count(function)` is called for every deployment that has faults, whether it is refused or not."""

    def __init__(
        self,
        signatures: Signatures,
        records: CodeSigningRecords,
        packages: PackageReferences,
        clock: Clock,
        count: Callable[[FunctionKey], None],
    ) -> None:
        self._signatures = signatures
        self._records = records
        self._packages = packages
        self._clock = clock
        self._count = count

    async def upload(self, zip_bytes: bytes, name: str) -> Upload:
        """A package that came, with what its signature shows. Call it outside of `exclusive`."""
        return await code_source.upload(self._signatures, zip_bytes, name)

    def config_of(self, function: Function) -> CodeSigningConfig | None:
        return self._records.of(function)

    def require_bindable(self, caller: Caller, arn: str | None) -> None:
        """Raise CodeSigningConfigNotFound if a new function is to be bound to what is not there."""
        if arn is not None:
            self._records.bindable(caller, arn)

    @asynccontextmanager
    async def binding(self, caller: Caller, arn: str | None) -> AsyncIterator[CodeSigningConfig | None]:
        """The configuration that a new function is to be bound to: it does not go inside the block.

        Enter it before the function's own lock. Raises CodeSigningConfigNotFound.
        """
        if arn is None:
            yield None
            return
        async with self._records.exclusive():
            yield self._records.bindable(caller, arn)

    async def require(
        self,
        key: FunctionKey,
        config: CodeSigningConfig | None,
        *,
        upload: Upload | None = None,
        layers: Sequence[LayerReference] = (),
        dry_run: bool = False,
    ) -> Verdict:
        """What is to be told with `warn` once the deployment is committed.

        Raises InvalidCodeSignature whatever the policy, CodeVerificationFailed if it is Enforce, and
        InvalidParameterValue in place of the latter for what is no package at all.
        """
        if config is None:
            return Verdict(key=key, config=None)
        verdict = Verdict(key=key, config=config, faults=tuple(await self._faults(config, upload, layers)))
        altered = next((what for what, fault in verdict.faults if fault is Fault.ALTERED), None)
        if altered is not None:
            _log.warning("code that was changed after it was signed is refused", function=key.name, code=altered)
            raise InvalidCodeSignature(_refusal(altered, Fault.ALTERED))
        if verdict.faults and config.policy == ENFORCE:
            if upload is not None:
                await code_source.inspected(self._packages, upload)
            if not dry_run:
                self._tell(verdict, "code that is not trusted is refused")
            raise CodeVerificationFailed(_refusal(*verdict.faults[0]))
        return verdict

    def warn(self, verdict: Verdict) -> None:
        """Tell of what was deployed though something speaks against it."""
        if verdict.faults:
            self._tell(verdict, "code that is not trusted was deployed")

    async def _faults(
        self, config: CodeSigningConfig, upload: Upload | None, layers: Sequence[LayerReference]
    ) -> list[tuple[str, Fault]]:
        shown = [] if upload is None else [(upload.name, upload.evidence)]
        shown += [(layer.arn, await self._signatures.of_package(layer.package)) for layer in layers]
        found = ((what, fault_of(evidence, config, self._clock.now())) for what, evidence in shown)
        return [(what, fault) for what, fault in found if fault is not None]

    def _tell(self, verdict: Verdict, text: str) -> None:
        arn = None if verdict.config is None else verdict.config.key.arn
        for what, fault in verdict.faults:
            _log.warning(text, function=verdict.key.name, code=what, reason=fault.value, code_signing_config=arn)
        self._count(verdict.key)


def _refusal(what: str, fault: Fault) -> str:
    """Source of the frame, and of the sentence for a mismatch: answers of AWS that users have shown."""
    return f"Lambda cannot deploy the function. {_TEXTS[fault]} Check the provided signature for {what}."
