"""Checks values with pydantic; the only place that loads it."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    create_model,
    model_validator,
)

from opsctl.settings.secret import Secret
from opsctl.settings.section import Check, Section, SettingDeclaration

S = TypeVar("S", bound=Section)


class SettingProblem(NamedTuple):
    location: tuple[int | str, ...]
    message: str


class InvalidSettingsError(ValueError):
    """Values that are not what their declarations want."""

    def __init__(self, problems: tuple[SettingProblem, ...]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class _Model(BaseModel):
    """Closed: a key that no field names is refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )


_MODELS: dict[type[Section], type[BaseModel]] = {}


def validate_section(section: type[S], given: Mapping[str, Any]) -> S:
    """Turn what somebody wrote into a section, or raise WrongError."""
    try:
        model = model_of(section).model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidSettingsError(
            tuple(SettingProblem(one["loc"], one["msg"]) for one in found)
        ) from error
    return _section(section, model)


def model_of(section: type[Section]) -> type[BaseModel]:
    """Give the pydantic model that a section's declarations describe."""
    if section not in _MODELS:
        _MODELS[section] = _made(section)
    return _MODELS[section]


def _made(section: type[Section]) -> type[BaseModel]:
    fields: Any = {name: _field(value) for name, value in section.declared.items()}
    whole: Any = model_validator(mode="after")(_whole(section))
    return create_model(
        section.__name__,
        __base__=_Model,
        __doc__=section.__doc__,
        __validators__={"whole": whole},
        **fields,
    )


def _field(declared: SettingDeclaration) -> tuple[Any, Any]:
    annotation = _typed(declared.annotation)
    if declared.check is not None:
        annotation = Annotated[annotation, AfterValidator(_passing(declared.check))]
    arguments: Any = _default(declared.default) | dict(declared.bounds)
    if declared.description:
        arguments["description"] = declared.description
    return annotation, Field(**arguments)


def _default(value: Any) -> dict[str, Any]:
    if isinstance(value, Section):
        return {"default_factory": model_of(type(value))}
    return {"default": SecretStr(value.get_secret_value()) if isinstance(value, Secret) else value}


def _typed(annotation: Any) -> Any:
    """Say to pydantic what a declaration means in its words."""
    if annotation is Secret:
        return SecretStr
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return model_of(annotation)
    if get_origin(annotation) is tuple:
        inner: Any = _typed(get_args(annotation)[0])
        return tuple[inner, ...]
    return annotation


def _passing(check: Check) -> Callable[[Any], Any]:
    def passing(value: Any) -> Any:
        check(value)
        return value

    return passing


def _whole(section: type[Section]) -> Callable[[Any], Any]:
    def whole(model: BaseModel) -> BaseModel:
        _section(section, model).check()
        return model

    return whole


def _section(section: type[S], model: BaseModel) -> S:
    """Keep what was given; the rest is the section's own default."""
    given = model.model_fields_set
    return section(
        **{
            name: _plain(getattr(model, name), declared.annotation)
            for name, declared in section.declared.items()
            if name in given
        }
    )


def _plain(value: Any, annotation: Any) -> Any:
    match value:
        case BaseModel():
            return _section(annotation, value)
        case SecretStr():
            return Secret(value.get_secret_value())
        case tuple():
            (inner, *_) = get_args(annotation)
            return tuple(_plain(each, inner) for each in value)
        case _:
            return value
