"""`framelane operators`."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framelane.cli.options import LogLevel

if TYPE_CHECKING:
    from streams.operators.base import Operator


def operators(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line instead of a table.")] = False,
    log_level: LogLevel = "warning",
) -> None:
    """List the operators with their parameters and defaults, those of installed packages included.

    **Examples**

    - `framelane operators`: a table
    - `framelane operators --json | jq .name`: for a script
    """
    from framelane.logs import set_up_logging
    from streams.operators.find import all_operators

    set_up_logging(log_level)
    described = [_described(name, operator) for name, operator in all_operators().items()]
    if as_json:
        for entry in described:
            print(json.dumps(entry))
    else:
        _print_table(described)


def _described(name: str, operator: "type[Operator]") -> dict[str, Any]:
    from streams.contract.settings_values import parameters_of

    return {
        "name": name,
        "description": (operator.__doc__ or "").strip().partition("\n")[0],
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.type,
                "required": parameter.required,
                "default": parameter.default,
            }
            for parameter in parameters_of(operator)
        ],
    }


def _print_table(described: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("operator", "does", "parameter: type = default", show_lines=True)
    for entry in described:
        parameters = "\n".join(_parameter_line(parameter) for parameter in entry["parameters"])
        # Text, for the brackets in a type are no markup.
        table.add_row(Text(entry["name"], style="bold"), Text(entry["description"]), Text(parameters or "-"))
    Console().print(table)


def _parameter_line(parameter: dict[str, Any]) -> str:
    from streams.contract.settings_values import shown

    line = f"{parameter['name']}: {parameter['type']}"
    if parameter["required"]:
        return f"{line} (required)"
    return line if parameter["default"] is None else f"{line} = {shown(parameter['default'])}"
