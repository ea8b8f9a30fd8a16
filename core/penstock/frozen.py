"""Frozen dataclasses that are cheap to define.

The standard decorator compiles six functions for each frozen class with slots, about a millisecond a class; with a
hundred classes that is most of the start-up of a short command. Here a class costs one compiled `__init__`, and
that only once an instance is made; the rest is shared. To type checkers this *is* `dataclasses.dataclass`, and
`fields`, `replace` and `match` work on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:
    import dataclasses

    _FACTORY = object()

    def dataclass(cls=None, /, *, frozen=True, slots=True):
        """Make a frozen dataclass; `slots` is understood and not needed."""
        del slots
        if cls is None:
            return lambda cls: dataclass(cls, frozen=frozen)
        if not frozen:
            raise TypeError(f"{cls.__name__} is not frozen: use dataclasses.dataclass")
        cls = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        names = tuple(each.name for each in dataclasses.fields(cls))
        cls.__init__ = _uncompiled(cls)
        cls.__setattr__ = cls.__delattr__ = _refuse
        cls._names = names
        for name, method in (("__repr__", _repr), ("__eq__", _eq), ("__hash__", _hash)):
            if name not in cls.__dict__ or cls.__dict__[name] is None:
                setattr(cls, name, method)
        return cls

    def replace(instance, /, **changes):
        """Copy an instance of such a class with some fields changed; a fifth of `dataclasses.replace`'s time."""
        kind, before = type(instance), instance.__dict__
        copy = object.__new__(kind)
        after = copy.__dict__
        for name in kind._names:
            after[name] = before[name]
        after.update(changes)
        if len(after) > len(kind._names):
            raise TypeError(f"{kind.__name__} has no field '{min(changes.keys() - set(kind._names))}'")
        if hasattr(copy, "__post_init__"):
            copy.__post_init__()
        return copy

    def _uncompiled(cls):
        def __init__(self, *given, **named):
            cls.__init__ = _init(cls)
            cls.__init__(self, *given, **named)

        return __init__

    def _init(cls):
        given, body, scope = [], [], {"_FACTORY": _FACTORY}
        for each in dataclasses.fields(cls):
            name = each.name
            if each.default is not dataclasses.MISSING:
                scope[f"_{name}"] = each.default
                given.append(f"{name}=_{name}")
                body.append(f"d['{name}']={name}")
            elif each.default_factory is not dataclasses.MISSING:
                scope[f"_{name}"] = each.default_factory
                given.append(f"{name}=_FACTORY")
                body.append(f"d['{name}']=_{name}() if {name} is _FACTORY else {name}")
            else:
                given.append(name)
                body.append(f"d['{name}']={name}")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        text = f"def __init__(self,{','.join(given)}):\n d=self.__dict__\n " + "\n ".join(body or ["pass"])
        exec(text, scope)
        scope["__init__"].__qualname__ = f"{cls.__qualname__}.__init__"
        return scope["__init__"]

    def _refuse(self, name, *_):
        raise dataclasses.FrozenInstanceError(f"cannot change '{name}' of {type(self).__name__}")

    def _repr(self):
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names)
        return f"{type(self).__qualname__}({shown})"

    def _eq(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or self.__dict__ == other.__dict__

    def _hash(self):
        return hash((self.__class__, *[getattr(self, name) for name in self._names]))


__all__ = ["dataclass", "replace"]
