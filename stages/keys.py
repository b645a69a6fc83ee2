"""A static list of API keys, hashed."""

from __future__ import annotations

from hashlib import sha256

from pydantic import Field, SecretStr

from pipeline import Host, Principal, SettingsError, StageSettings

_SHORTEST_KEY = 16


class StaticKey(StageSettings):
    """One live key. Several may share an id: that is how a key is rotated without an outage."""

    id: str = Field(description="Public name of the caller, in logs and limits.", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    sha256: str | None = Field(
        default=None,
        description="SHA-256 of the key, in hex; `gatewright key ID` prints one.",
        pattern="^[0-9a-f]{64}$",
    )
    key: SecretStr | None = Field(default=None, description="The key itself, from `${env:NAME}` or `${file:PATH}`.")
    scopes: list[str] = Field(default=[], description="What this caller may do beside inference.")


class StaticKeys:
    """API keys that are listed in the config. Implements `pipeline.KeyStore`.

    Only digests are kept. The whole presented key is hashed and the digest looked up: keys are random, so a plain
    SHA-256 is right (a password hash would be a denial of service against ourselves), and nothing is compared byte by
    byte with a secret, so an unknown id takes as long as a wrong secret.
    """

    class Settings(StageSettings):
        keys: list[StaticKey] = Field(description="The keys that are accepted.", min_length=1)

    def __init__(self, settings: Settings, host: Host, name: str) -> None:
        self._principals: dict[bytes, Principal] = {}
        for at, entry in enumerate(settings.keys):
            digest = _digest(entry, at)
            if digest in self._principals:
                raise SettingsError(f"the key of {entry.id!r} is listed twice", field="keys")
            self._principals[digest] = Principal(entry.id, frozenset(entry.scopes))

    def check(self, key: str) -> Principal | None:
        return self._principals.get(sha256(key.encode("utf-8", "surrogatepass")).digest())

    def __repr__(self) -> str:
        return f"StaticKeys({len(self._principals)} keys)"


def _digest(entry: StaticKey, at: int) -> bytes:
    if (entry.sha256 is None) == (entry.key is None):
        raise SettingsError(f"keys[{at}] needs either `sha256` or `key`", field="keys")
    if entry.sha256 is not None:
        return bytes.fromhex(entry.sha256)
    assert entry.key is not None
    key = entry.key.get_secret_value()
    if len(key) < _SHORTEST_KEY:
        raise SettingsError(f"keys[{at}].key is shorter than {_SHORTEST_KEY} characters: guessable", field="keys")
    return sha256(key.encode()).digest()
