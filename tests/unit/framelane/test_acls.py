"""The table of rights, and the ways in which it is printed."""

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from framelane.acls import ROLES, Names, Right, commands, rights_of
from framelane.cli import app
from framelane.replay import settings as replay_settings
from streams import shadow_settings
from streams.contract.errors import SettingError

SECURITY = Path(__file__).parents[3] / "docs" / "security.md"


def acls_print(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["acls", "print", *arguments], env={"KAFKA_BOOTSTRAP_SERVERS": ""})


def may(role: str, operation: str) -> set[str]:
    return {right.name for right in rights_of(role) if right.operation == operation and right.kind == "topic"}


def test_only_those_write_who_make_it() -> None:
    # A worker with a shadow beside it is a worker.
    assert {role for role in ROLES if "frames.processed" in may(role, "Write")} == {"worker", "shadow"}
    assert {role for role in ROLES if "frames.events" in may(role, "Write")} == {"worker", "shadow"}
    assert {role for role in ROLES if "frames.raw" in may(role, "Write")} == {"producer", "dead-letters"}
    assert may("subscriber", "Write") == may("status", "Write") == set()
    assert may("view", "Write") == {"frames.status"}
    assert may("replay", "Write") == may("replay", "Create") == {"frames.replay."}
    assert may("shadow", "Write") - may("worker", "Write") == may("shadow", "Create") == {"frames.shadow."}
    assert may("diff", "Write") == set()


def test_a_producer_reads_nothing_and_is_in_no_group() -> None:
    assert may("producer", "Read") == set()
    assert {right.kind for right in rights_of("producer")} == {"topic"}


def test_names_are_those_that_are_given() -> None:
    names = Names(raw="yard.raw", processed="yard.out", groups=("yard", "yard-2"))
    worker = rights_of("worker", names)
    assert {(right.operation, right.on) for right in worker} >= {
        ("Read", "topic yard.raw"),
        ("Read", "group yard"),
        ("Read", "group yard-2"),
        ("Write", "topic yard.out"),
    }
    assert not any(right.prefixed or right.name == "frames.raw" for right in worker)


def test_groups_by_default() -> None:
    def groups(role: str, user: str = "") -> list[str]:
        return [right.on for right in rights_of(role, user=user) if right.kind == "group"]

    assert groups("worker") == groups("status") == ["groups framelane.*"]
    assert groups("subscriber", "archive") == ["group archive"]
    # They read without one.
    assert groups("view") == groups("gateway") == groups("dead-letters") == groups("diff") == []


def test_groups_and_topics_are_called_as_what_uses_them_calls_them() -> None:
    begins = {(right.kind, right.name) for role in ("replay", "shadow") for right in rights_of(role) if right.prefixed}
    assert begins - {("group", "framelane."), ("topic", "frames.replay.")} == {
        ("group", replay_settings.GROUP_PREFIX),
        # By which the transactional ids of a run begin.
        ("transactional-id", replay_settings.GROUP_PREFIX),
        ("group", shadow_settings.GROUP_PREFIX),
        ("topic", shadow_settings.TOPIC_PREFIX),
    }


def test_groups_of_pipelines_are_none_of_a_replay() -> None:
    found = {right.name for right in rights_of("replay", Names(groups=("framelane.night",))) if right.kind == "group"}
    assert found == {"framelane-replay."}


def test_a_pipeline_that_publishes_only_events_needs_no_output() -> None:
    assert {right.name for right in rights_of("worker", Names(processed=""))} == {
        right.name for right in rights_of("worker") if right.name != "frames.processed"
    }


def test_a_role_that_does_not_exist() -> None:
    with pytest.raises(SettingError, match="role 'camera': there is none; there are producer, worker,"):
        rights_of("camera")


def test_commands_of_a_user_with_two_roles_say_everything_once() -> None:
    both = [*rights_of("producer"), *rights_of("dead-letters"), *rights_of("topics")]
    lines = commands({"CN=a b": both}, bootstrap="kafka:9093", login=True)
    granted = set()
    for line in lines:
        words = shlex.split(line)
        assert words[:5] == [
            "kafka-acls.sh",
            "--bootstrap-server",
            "kafka:9093",
            "--command-config",
            "admin.properties",
        ]
        assert words[5:8] == ["--add", "--allow-principal", "User:CN=a b"]
        operation = words[words.index("--operation") + 1]
        topics = [words[at + 1] for at, word in enumerate(words) if word == "--topic"]
        assert len(topics) == len(set(topics))
        for what in topics or [words[words.index("--cluster")]]:
            assert (operation, what) not in granted
            granted.add((operation, what))
    wanted = {(right.operation, "--cluster" if right.kind == "cluster" else right.name) for right in both}
    assert granted == wanted


def test_commands_without_a_login_and_with_a_prefix() -> None:
    right = Right(operation="Read", kind="group", name="framelane.", why="", prefixed=True)
    (line,) = commands({"worker": [right]}, bootstrap="localhost:9092", login=False)
    assert line == (
        "kafka-acls.sh --bootstrap-server localhost:9092 --add --allow-principal User:worker --operation Read "
        "--group framelane. --resource-pattern-type prefixed"
    )


def test_commands_for_transactional_ids() -> None:
    lines = commands({"night": rights_of("replay")}, bootstrap="localhost:9092", login=False)
    assert lines[-1] == (
        "kafka-acls.sh --bootstrap-server localhost:9092 --add --allow-principal User:night --operation Write "
        "--transactional-id framelane-replay. --resource-pattern-type prefixed"
    )


def test_replays_of_another_name() -> None:
    rows = json.loads(acls_print("replay", "diff", "--replays", "yard.", "--input", "yard.raw", "--json").stdout)
    assert {row["name"] for row in rows if row["kind"] == "topic" and row["prefixed"]} == {"yard."}
    assert {row["name"] for row in rows if row["role"] == "replay"} == {"yard.raw", "yard.", "framelane-replay."}


def test_json_says_all_that_the_table_holds() -> None:
    for arguments in (["--json"], ["--format", "json"]):
        rows = json.loads(acls_print(*arguments).stdout)
        assert [(row["role"], row["user"]) for row in rows] == [(r, r) for r in ROLES for _ in rights_of(r)]
        fields = ("operation", "kind", "name", "why", "prefixed", "needed")
        found = [Right(**{field: row[field] for field in fields}) for row in rows]
        assert found == [right for role in ROLES for right in rights_of(role)]


def test_the_table_and_the_commands_are_of_the_roles_that_are_asked_for() -> None:
    table = acls_print("producer", "status").stdout
    assert "publish frames" in table
    assert "groups framelane.*" in table
    assert "frames.processed" not in table
    lines = acls_print("producer", "--user", "gate-1", "--format", "commands", "--bootstrap", "kafka:9092").stdout
    assert all("User:gate-1 " in line and " kafka:9092 " in line for line in lines.splitlines())


def test_pipelines_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pipelines.toml"
    file.write_text(
        '[[pipeline]]\nname = "small"\ninput = "in"\noutput = "out"\noperators = [{ op = "flip" }]\n'
        '[[pipeline]]\nname = "found"\ninput = "in"\noutput = ""\ngroup = "g"\noperators = [{ op = "flip" }]\n'
    )
    rows = json.loads(acls_print("worker", "--pipelines", str(file), "--json").stdout)
    on = [(row["operation"], row["name"]) for row in rows]
    assert sorted(on) == sorted(set(on)), "what two pipelines share is said once"
    assert set(on) >= {("Read", "in"), ("Write", "out"), ("Read", "framelane.small"), ("Read", "g")}
    refused = acls_print("worker", "--pipelines", str(file), "--group", "x")
    assert isinstance(refused.exception, SettingError)
    assert "--pipelines" in str(refused.exception)


def test_the_page_on_security_has_this_table() -> None:
    rows = [
        f"| {role} | {right.operation} | {right.on} | {right.why + ' (not needed)' * (not right.needed)} |"
        for role in ROLES
        for right in rights_of(role)
        if role != "topics"
    ]
    text = SECURITY.read_text(encoding="utf-8")
    assert [row for row in rows if row not in text] == []
