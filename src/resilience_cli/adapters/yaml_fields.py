"""Which keys a model takes at a place: pydantic's location of an error, walked along the models' annotations."""

from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

Loc = Sequence[str | int]


def keys_at(model: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """The keys of the model at ``loc``; empty where no model is there."""
    found = _at((model,), tuple(loc))
    return _keys(found[0]) if len(found) == 1 else ()


def _at(models: tuple[type[BaseModel], ...], loc: tuple[str | int, ...]) -> tuple[type[BaseModel], ...]:
    """The models a value at ``loc`` may be of. A part that is a union's tag picks one; list places change nothing."""
    for part in loc:
        if isinstance(part, int):
            continue
        tagged = tuple(model for model in models if part in _tags(model))
        if len(models) > 1 and tagged:
            models = tagged
            continue
        into = [_annotation(model, part) for model in models]
        models = tuple(dict.fromkeys(m for annotation in into if annotation for m in _models(annotation))) or models
    return models


def _keys(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _annotation(model: type[BaseModel], key: str) -> Any:
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            return field.annotation
    return None


def _tags(model: type[BaseModel]) -> tuple[object, ...]:
    """The words by which a discriminated union tells this model: its one-word ``Literal`` fields."""
    literals = (field.annotation for field in model.model_fields.values() if get_origin(field.annotation) is Literal)
    return tuple(args[0] for args in map(get_args, literals) if len(args) == 1)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models inside an annotation, through Annotated, unions, tuples and dict values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _models(args[0])
    elif origin in (tuple, list, dict, Union, UnionType):
        for arg in args:
            if arg not in (NoneType, Ellipsis):
                yield from _models(arg)
