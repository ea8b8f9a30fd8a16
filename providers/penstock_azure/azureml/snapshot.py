"""What azure-ai-ml accepts in pipeline-job and component YAML, kept beside the code.

`schema.json` holds the fields of the marshmallow classes under `azure.ai.ml._schema` that a pipeline document
can reach: names, types, unions, enums, bounds, which are required. So checking a document needs no SDK.
`python -m penstock_azure.azureml.snapshot` takes it anew from the installed azure-ai-ml.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Required, TypedDict

FILE = Path(__file__).with_name("schema.json")


class RawField(TypedDict, total=False):
    """One field, in the words of the file.

    Attributes:
        type: string, integer, number, boolean, any, enum, list, map, object, union, or a form of text: path,
            url, git, binding, version, number_version, component_name, asset (`azureml:name:version`),
            resource (`azureml:name`), registry (`azureml://registries/…`), file (a component's file).
        required: absent means optional.
        null: `null` may stand for it.
        values: of an enum, after `case` was applied to what the user wrote: lower, snake or exact.
        item: of a list or map; absent where anything may stand there.
        names: of a map whose keys have a form of their own: node_name.
        binds: of a map: `${{…}}` may stand for any scalar inside its items.
        schema: of an object.
        open: of an object: unknown keys are passed on unread instead of refused.
        of: of a union, its members; `by` names the key that picks one of `cases` instead.
        min: smallest value.
        max: largest value.
    """

    type: Required[str]
    required: bool
    null: bool
    values: list[str]
    case: str
    item: RawField
    names: str
    binds: bool
    schema: str
    open: bool
    of: list[RawField]
    by: str
    cases: dict[str, list[RawField]]
    min: float
    max: float


class RawSchema(TypedDict, total=False):
    """One schema class.

    Attributes:
        fields: key → field. Keys that no schema has and the SDK's node builders take are of type any.
        ignored: keys that only the service sets; in a document they are read over.
        file: the text `file:PATH` may stand for the whole object.
        binds: present where `${{…}}` may stand for any scalar inside, except below these keys.
    """

    fields: Required[dict[str, RawField]]
    ignored: list[str]
    file: bool
    binds: list[str]


class Snapshot(NamedTuple):
    """The parsed file.

    Attributes:
        sdk: the release of azure-ai-ml that it was taken from.
        patterns: regular expressions for names, as the SDK applies them.
        roots: what a document or node is → its schema. A node type with a component is `node.TYPE`.
        schemas: schema name → schema.
    """

    sdk: str
    patterns: dict[str, str]
    roots: dict[str, str]
    schemas: dict[str, RawSchema]


@cache
def load() -> Snapshot:
    """Read the file, once in a process."""
    return Snapshot(**json.loads(FILE.read_bytes()))


def take() -> Snapshot:
    """Walk the schema classes of the installed azure-ai-ml, in a process that has not loaded a job yet.

    Loading one leaves marks on the classes, which the walk would take for their own.

    Raises:
        ImportError: azure-ai-ml is not installed.
        TypeError: this release has a field class that the walk does not know.
    """
    from importlib import import_module

    # By name, since most of the SDK carries no types: everything below would be unknown to the type checkers.
    schema = "azure.ai.ml._schema"
    component = import_module(f"{schema}.component")
    node = import_module(f"{schema}.pipeline.component_job")
    pipeline = import_module(f"{schema}.pipeline.pipeline_component")
    builders = import_module("azure.ai.ml.entities._builders")
    built: dict[Any, Any] = {
        node.CommandSchema: import_module("azure.ai.ml.entities._builders.command_func").command,
        node.SweepSchema: builders.Sweep,
        node.ParallelSchema: import_module(
            "azure.ai.ml.entities._builders.parallel_func"
        ).parallel_run_function,
        node.SparkSchema: import_module("azure.ai.ml.entities._builders.spark_func").spark,
        node.DataTransferCopySchema: builders.DataTransferCopy,
        pipeline.PipelineSchema: builders.Pipeline,
    }
    roots = {
        "pipeline_job": import_module(f"{schema}.pipeline.pipeline_job").PipelineJobSchema,
        "component.command": component.CommandComponentSchema,
        "component.parallel": component.ParallelComponentSchema,
        "component.spark": component.SparkComponentSchema,
        "component.pipeline": pipeline.PipelineComponentSchema,
        "component.import": component.ImportComponentSchema,
        "component.data_transfer": component.DataTransferCopyComponentSchema,
        "component.data_transfer.import_data": component.DataTransferImportComponentSchema,
        "component.data_transfer.export_data": component.DataTransferExportComponentSchema,
        # Known to the SDK only under its private-features flag, so no union names them.
        "node.if_else": import_module(f"{schema}.pipeline.condition_node").ConditionNodeSchema,
        "node.parallel_for": import_module(f"{schema}.pipeline.control_flow_job").ParallelForSchema,
        "node.do_while": import_module(f"{schema}.pipeline.control_flow_job").DoWhileSchema,
    }
    walk = _Walk(import_module("marshmallow"), import_module(f"{schema}.core.fields"), built)
    names = {key: walk.schema(value) for key, value in roots.items()}
    while walk.waiting:
        walk.describe(walk.waiting.pop())
    constants = import_module("azure.ai.ml.constants._component")
    patterns = {
        "component_name": r"^[a-z][a-z\d_]*$",  # written out in the bodies of PythonFuncNameStr,
        "node_name": r"^[a-z_][a-z\d_]*$",  # of is_valid_node_name,
        "mini_batch_size": r"^\d+([kKmMgG][bB])*$",  # of Parallel,
        "asset_name": "^[A-Za-z0-9_-]*$",  # and of Output, whence no constant can be read
        "port": constants.IOConstants.VALID_KEY_PATTERN,
    }
    release: str = import_module("importlib.metadata").version("azure-ai-ml")
    return Snapshot(release, patterns, names, walk.schemas)


def render(snapshot: Snapshot) -> str:
    """Lay a snapshot out as the file's text: sorted, compact, one schema a line so that it can be read."""
    heads = {"sdk": snapshot.sdk, "patterns": snapshot.patterns, "roots": snapshot.roots}
    lines = [f"{_compact(key)}:{_compact(value)}" for key, value in heads.items()]
    schemas = [f"{_compact(name)}:{_compact(value)}" for name, value in sorted(snapshot.schemas.items())]
    return "{" + ",\n".join(lines) + ',\n"schemas":{\n' + ",\n".join(schemas) + "\n}}\n"


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


class _Walk:
    """Describes schema classes by the fields that they declare, each class once."""

    def __init__(self, marshmallow: Any, core: Any, built: dict[Any, Callable[..., Any]]) -> None:
        self.marshmallow, self.core, self.built = marshmallow, core, built
        self.schemas: dict[str, RawSchema] = {}
        self.waiting: list[Any] = []
        self.names: dict[Any, str] = {}
        plain = marshmallow.fields
        self.types: tuple[tuple[Any, str], ...] = (
            # Subclasses stand before their bases.
            (core.ArmVersionedStr, "asset"),
            (core.ArmStr, "resource"),
            (core.RegistryStr, "registry"),
            (core.FileRefField, "file"),
            (core.NumberVersionField, "number_version"),
            (core.VersionField, "version"),
            (core.LocalPathField, "path"),
            (core.GitStr, "git"),
            (core.PipelineNodeNameStr, "node_name"),
            (core.PythonFuncNameStr, "component_name"),
            (core.DataBindingStr, "binding"),
            (core.DateTimeStr, "string"),
            (plain.Url, "url"),
            (plain.Integer, "integer"),
            (plain.Number, "number"),
            (plain.Boolean, "boolean"),
            (plain.String, "string"),
            (plain.Raw, "any"),
        )
        self.by_name = {"ComponentYamlRefField": "file", "OutputBindingStr": "binding"}

    def schema(self, given: Any) -> str:
        """Name a schema, given as NestedField takes it: class, instance or the name of a class."""
        if isinstance(given, str):
            given = self.marshmallow.class_registry.get_class(given)
        cls = given if isinstance(given, type) else type(given)
        if cls not in self.names:
            # Functions make some classes, several under one name; the order of the walk tells them apart.
            name = cls.__name__.removesuffix("Schema")
            twins = sum(each.partition("#")[0] == name for each in self.schemas)
            self.names[cls] = f"{name}#{twins + 1}" if twins else name
            self.schemas[self.names[cls]] = {"fields": {}}
            self.waiting.append(cls)
        return self.names[cls]

    def describe(self, cls: Any) -> None:
        """Fill in the schema of a class."""
        from importlib import import_module

        bases = {base.__name__ for base in cls.__mro__}
        described: RawSchema = {"fields": {}}
        ignored: list[str] = []
        for key, value in cls._declared_fields.items():
            if key in cls.opts.exclude:
                continue
            if value.dump_only:
                ignored.append(value.data_key or key)
            else:
                described["fields"][value.data_key or key] = self.field(value)
        # Only PathAwareSchema drops read-only keys before it looks for unknown ones.
        ignored = sorted({*ignored} - described["fields"].keys())
        if ignored and "PathAwareSchema" in bases:
            described["ignored"] = ignored
        if "YamlFileSchema" in bases:
            described["file"] = True
        if "BaseNodeSchema" in bases or "AutoMLNodeMixin" in bases:
            made = cls(context={"base_path": Path()})
            loads = made.load_fields.items()
            described["binds"] = sorted(
                key for key, each in loads if not hasattr(each, "_data_binding_supported")
            )
        if cls in self.built:
            import inspect

            job = import_module("azure.ai.ml._schema.job").BaseJobSchema._declared_fields
            skipped = {"self", "kwargs", "component", "trial", *described["fields"]}
            for key, parameter in inspect.signature(self.built[cls]).parameters.items():
                if key not in skipped and parameter.kind is not parameter.VAR_KEYWORD:
                    described["fields"][key] = self.field(job[key]) if key in job else {"type": "any"}
        self.schemas[self.schema(cls)] = described

    def field(self, given: Any) -> RawField:
        """Describe one field."""
        if isinstance(given, self.core.ExperimentalField):
            inner = self.field(given.experimental_field)
            return {**inner, "required": True} if given.required else inner
        described = self._kind(given)
        if given.required:
            described["required"] = True
        if given.allow_none:
            described["null"] = True
        for check in given.validators:
            if isinstance(check, self.marshmallow.validate.Range):
                bounds: dict[str, Any] = {"min": check.min, "max": check.max}
                described.update({key: value for key, value in bounds.items() if value is not None})  # type: ignore[typeddict-item]
        return described

    def _kind(self, given: Any) -> RawField:
        plain, core = self.marshmallow.fields, self.core
        if isinstance(given, core.TypeSensitiveUnionField):
            cases = given._type_sensitive_fields_dict
            in_case = {id(each) for members in cases.values() for each in members}
            others = [self.field(each) for each in given.union_fields if id(each) not in in_case]
            kind: RawField = {
                "type": "union",
                "by": given.type_field_name,
                "cases": {name: [self.field(each) for each in members] for name, members in cases.items()},
            }
            return {**kind, "of": others} if others else kind
        if isinstance(given, core.UnionField):
            return {"type": "union", "of": [self.field(each) for each in given.union_fields]}
        if isinstance(given, core.StringTransformedEnum):
            case = {"ab": "lower", "a_b": "snake", "aB": "exact"}[given.casing_transform("aB")]
            return {"type": "enum", "values": list(given.allowed_values), "case": case}
        if isinstance(given, plain.Nested):
            kind = {"type": "object", "schema": self.schema(given.nested)}
            return {**kind, "open": True} if given.unknown == self.marshmallow.INCLUDE else kind
        if isinstance(given, plain.List):
            return {"type": "list", "item": self.field(given.inner)}
        if isinstance(given, plain.Dict):
            kind = {"type": "map"}
            if isinstance(given.key_field, core.PipelineNodeNameStr):
                kind["names"] = "node_name"
            if given.value_field is not None:
                kind["item"] = self.field(given.value_field)
                members = getattr(given.value_field, "_union_fields", [])
                # The cached schema: asking for it would build schemas that the map itself never touched.
                nested = [each._schema for each in members if isinstance(each, plain.Nested)]
                if nested and all(hasattr(each, "_data_binding_supported") for each in nested):
                    kind["binds"] = True
            return kind
        if type(given).__name__ in self.by_name:
            return {"type": self.by_name[type(given).__name__]}
        for cls, name in self.types:
            if isinstance(given, cls):
                return {"type": name}
        raise TypeError(f"unknown field class {type(given).__name__}")


def main() -> None:
    """Write the file from the installed azure-ai-ml."""
    snapshot = take()
    FILE.write_text(render(snapshot), "utf-8", newline="\n")
    print(f"{FILE}: {len(snapshot.schemas)} schemas of azure-ai-ml {snapshot.sdk}")


if __name__ == "__main__":
    main()
