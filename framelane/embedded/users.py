"""The users of a secure cluster: one who may do everything, and one for each role with just its rights."""

import secrets
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from framelane.acls import ROLES, Names, Right, rights_of
from streams.contract.errors import EmbeddedBrokerError

ADMIN = "framelane"
_ITERATIONS = 4096
_OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}
# What serves pipelines does so for the gateway's as well.
_BOTH = ("worker", "status", "dead-letters")
_KINDS = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}


class Users:
    """Passwords and settings files in a folder: `framelane.toml` for everything, `ROLE.toml` for each role."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def config_file(self, user: str = ADMIN) -> Path:
        """The settings file of a user."""
        return self.folder / f"{user}.toml"

    def make_passwords(self) -> None:
        """Make those that are missing, for their owner's eyes only."""
        for user in (ADMIN, *ROLES):
            file = self.folder / _password_file(user)
            if not file.exists():
                file.touch(mode=0o600)
                file.write_text(secrets.token_urlsafe(18) + "\n", encoding="utf-8")

    def write_settings(self, bootstrap: str) -> None:
        """Write the settings files of all."""
        for user in (ADMIN, *ROLES):
            self.config_file(user).write_text(_settings_text(user, bootstrap), encoding="utf-8")

    def admit(self, admin: AdminClient) -> None:
        """Tell the cluster of their rights and passwords; the one who may do everything comes last."""
        bindings = [acl_binding(role, right) for role in ROLES for right in granted(role)]
        try:
            for done in admin.create_acls(bindings).values():
                done.result()
            for users in (tuple(ROLES), (ADMIN,)):
                for done in admin.alter_user_scram_credentials([self._credential(user) for user in users]).values():
                    done.result()
        except KafkaException as error:
            raise EmbeddedBrokerError(f"cannot make the users: {error.args[0].str()}") from error

    def _credential(self, user: str) -> UserScramCredentialUpsertion:
        password = (self.folder / _password_file(user)).read_text(encoding="utf-8").strip()
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        return UserScramCredentialUpsertion(user, info, password.encode())


def granted(role: str) -> tuple[Right, ...]:
    """What the user of a role may do: with the topics of cameras, and with those of the gateway."""
    plain = Names()
    asked = Names(raw=plain.requests, processed=plain.replies)
    every = (plain, asked) if role in _BOTH else (plain,)
    return tuple(dict.fromkeys(right for names in every for right in rights_of(role, names)))


def acl_binding(user: str, right: Right) -> AclBinding:
    """A right of the table as confluent-kafka wants it."""
    pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
    return AclBinding(
        _KINDS[right.kind],
        right.name,
        pattern,
        f"User:{user}",
        "*",
        _OPERATIONS[right.operation],
        AclPermissionType.ALLOW,
    )


def _password_file(user: str) -> str:
    return "password" if user == ADMIN else f"{user}.password"


def _settings_text(user: str, bootstrap: str) -> str:
    may = "everything" if user == ADMIN else f"what a {user} needs: framelane acls print {user}"
    return f"""# For the clients of `framelane broker --secure`: framelane COMMAND --config THIS-FILE
# This user may do {may}
[kafka]
bootstrap = "{bootstrap}"
security = "sasl"
ca = "ca.pem"
mechanism = "SCRAM-SHA-512"
username = "{user}"
password_file = "{_password_file(user)}"
"""
