"""Records: built whole, never changed after."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    @dataclass_transform(eq_default=False, frozen_default=True)
    class Record:
        """A frozen dataclass to mypy; at run time a class with slots, since importing dataclasses takes 10 ms.

        Records are compared by identity, and their repr shows no field: a field may hold a secret.
        """

else:

    class _WithSlots(type):
        """Makes slots of a class's annotations, and keeps their defaults."""

        def __new__(cls, name, bases, namespace):
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace.pop(field) for field in fields if field in namespace}
            return super().__new__(cls, name, bases, {**namespace, "__slots__": fields, "_defaults": defaults})

    class Record(metaclass=_WithSlots):
        def __init__(self, *values, **named):
            fields = self.__slots__
            for field, value in zip(fields, values, strict=False):
                setattr(self, field, value)
            for field in fields[len(values) :]:
                setattr(self, field, named.pop(field) if field in named else self._defaults[field])
            if named or len(values) > len(fields):
                raise TypeError(f"these are not fields of {type(self).__name__}")
