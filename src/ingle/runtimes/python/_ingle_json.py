"""JSON as the Python runtime of AWS reads and writes it: events, results and error documents.

Results keep the digits of decimals, write NaN and infinities by name, bytes as the text they hold, and whatever has a
method `_asdict` (named tuples) as an object. Speed comes from the standard library's C encoder, which knows none of
the last two: `marshal` tells, also in C, whether a value consists of plain types only, and what does not is rebuilt.
"""

import decimal
import json
import marshal
import os
import sys

#: Values without containers or attributes to look into.
_SCALARS = (str, bytes, int, float, type(None), decimal.Decimal)
#: The first format, which finds no shared objects and is the fastest.
_MARSHAL_FORMAT = 2


def _refuse_constant(name):
    raise ValueError("Expecting value: %s is not JSON" % name)


decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


class Encoder:
    """Text is escaped to ASCII before Python 3.12 and stays as it is from then on."""

    def __init__(self, ascii_only=sys.version_info < (3, 12)):
        self._edge = "\\ue000" if ascii_only else "\ue000"
        self._mark = None
        self._encode = json.JSONEncoder(ensure_ascii=ascii_only, default=self._default).encode

    def encode(self, value):
        """`value` as text. Raises what the value's own methods raise, TypeError, ValueError or RecursionError."""
        try:
            if type(value) is not str:
                marshal.dumps(value, _MARSHAL_FORMAT)
            text = self._encode(value)
        except (TypeError, ValueError):
            text = self._encode(_rebuilt_or_same(value))
        return self._unmarked(text) if self._mark else text

    def _default(self, value):
        if isinstance(value, bytes):
            return str(value, "utf-8")
        if isinstance(value, decimal.Decimal):
            return float("nan") if value.is_nan() else self._marked(value)
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)

    def _marked(self, number):
        """A decimal on its way through the encoder: a string that no other can be equal to."""
        if self._mark is None:
            self._mark = os.urandom(8).hex()
        return "\ue000%s:%s\ue000" % (self._mark, number)

    def _unmarked(self, text):
        mark, self._mark = self._mark, None
        head = '"%s%s:' % (self._edge, mark)
        first, *rest = text.split(head)
        return first + "".join([piece.replace(self._edge + '"', "", 1) for piece in rest])


def _rebuilt_or_same(value):
    try:
        return _rebuilt(value, set())
    except RecursionError:
        return value  # too deep for the encoder as well, which says so in its own words


def _rebuilt(value, above):
    """`value` from types that the encoder knows, where there is a way. `above`: ids of the containers around it."""
    if isinstance(value, _SCALARS):
        return value
    if id(value) in above:
        return value  # the encoder finds the circle
    as_dict = getattr(value, "_asdict", None)
    is_dict = isinstance(value, dict)
    if not is_dict and not isinstance(value, (list, tuple)) and not callable(as_dict):
        return value
    above.add(id(value))
    try:
        if callable(as_dict):
            return _rebuilt_fields(as_dict(), above)
        if is_dict:
            return _rebuilt_fields(value, above)
        return [_rebuilt(item, above) for item in value]
    finally:
        above.discard(id(value))


def _rebuilt_fields(fields, above):
    if not isinstance(fields, dict):
        raise TypeError("_asdict() must return a dict, not %s" % type(fields).__name__)
    return {_key(name): _rebuilt(item, above) for name, item in fields.items()}


def _key(name):
    if isinstance(name, bytes):
        return str(name, "utf-8")
    if name is None or isinstance(name, (str, int, float)):
        return name
    raise TypeError("keys must be str, int, float, bool or None, not %s" % type(name).__name__)
