"""JSON Schema of resil.yaml and of runbooks, for editors: made from the models, so that there is one truth."""

from typing import Any, Literal, assert_never

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ..model.app import App
from ..model.base import parse_duration
from ..model.runbook import Runbook

Subject = Literal["config", "runbook"]
DURATION = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d) ?)+$"}],
    "description": "seconds, or text such as 30s, 5m or 1h30m",
}


class _AsWritten(GenerateJsonSchema):
    """What a person may write, which for durations is more than what the model holds."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        if schema["function"]["function"] is parse_duration:
            return dict(DURATION)
        return super().function_before_schema(schema)


def schema_json(subject: Subject) -> dict[str, Any]:
    """One schema document, its parts under ``$defs``."""
    match subject:
        case "config":
            return _document(App, "resil.yaml")
        case "runbook":
            return _document(Runbook, "a runbook of resil")
        case _:
            assert_never(subject)


def _document(model: type[BaseModel], title: str) -> dict[str, Any]:
    document = model.model_json_schema(by_alias=True, schema_generator=_AsWritten)
    return {"$schema": GenerateJsonSchema.schema_dialect} | document | {"title": title}
