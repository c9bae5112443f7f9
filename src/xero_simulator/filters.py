"""Xero's `where` and `order`: a small C#-like language, compiled to a test over one record's fields.

A record's fields are given by name through a `Field`; `Contact.ContactID` is a name like any other.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from xero_simulator.errors import BadQuery
from xero_simulator.wire import guid_or_none

Getter = Callable[[Any], Any]
Test = Callable[[Any], Any]

TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>-?\d+(?:\.\d+)?)[mMdDfF]?(?![\w.])
    | (?P<name>[A-Za-z_][\w]*)
    | (?P<sign>==|!=|<>|>=|<=|&&|\|\||[()=<>!.,])
    )""",
    re.VERBOSE,
)
LONGEST_QUERY = 20_000
DEEPEST_QUERY = 60
TWO = 2
METHODS: dict[str, Callable[..., Any]] = {
    "contains": lambda text, part: part.casefold() in text.casefold(),
    "startswith": lambda text, part: text.casefold().startswith(part.casefold()),
    "endswith": lambda text, part: text.casefold().endswith(part.casefold()),
    "equals": lambda text, other: text.casefold() == other.casefold(),
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "tostring": lambda text: text,
}
PARTS: dict[str, Callable[[Any], Any]] = {
    "length": lambda text: Decimal(len(text)),
    "year": lambda day: Decimal(day.year),
    "month": lambda day: Decimal(day.month),
    "day": lambda day: Decimal(day.day),
    "date": lambda moment: moment,
    "value": lambda value: value,
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str


def _tokens(query: str) -> list[Token]:
    tokens, position = [], 0
    query = query.strip()
    while position < len(query):
        match = TOKEN.match(query, position)
        if match is None:
            raise BadQuery(f"Unexpected character at position {position} in '{query[:200]}'")
        kind = str(match.lastgroup)
        tokens.append(Token(kind, match[kind]))
        position = match.end()
    return [*tokens, Token("end", "")]


class Parser:
    """Recursive descent over: or, and, not, comparison, operand."""

    def __init__(self, query: str, fields: dict[str, Getter]) -> None:
        if len(query) > LONGEST_QUERY:
            raise BadQuery("The query is too long")
        self._tokens = _tokens(query)
        self._at = 0
        self._depth = 0
        self._fields = {name.lower(): getter for name, getter in fields.items()}
        self.named: set[str] = set()

    def parse(self) -> Test:
        test = self._either()
        if self._next.kind != "end":
            raise BadQuery(f"Operator expected at '{self._next.text}'")
        return test

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _takes(self, *texts: str) -> bool:
        if self._next.kind != "text" and self._next.text.lower() in texts:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise BadQuery(f"'{text}' expected, not '{self._next.text}'")

    def _either(self) -> Test:
        tests = [self._both()]
        while self._takes("or", "||", "orelse"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda record: any(_truth(test(record)) for test in tests)

    def _both(self) -> Test:
        tests = [self._negation()]
        while self._takes("and", "&&", "andalso"):
            tests.append(self._negation())
        if len(tests) == TWO:
            first, second = tests
            return lambda record: _truth(first(record)) and _truth(second(record))
        return tests[0] if len(tests) == 1 else lambda record: all(_truth(test(record)) for test in tests)

    def _negation(self) -> Test:
        self._depth += 1
        if self._depth > DEEPEST_QUERY:
            raise BadQuery("The query is nested too deeply")
        if self._takes("not", "!"):
            inner = self._negation()
            test: Test = lambda record: not _truth(inner(record))  # noqa: E731 - one of two closures
        else:
            test = self._comparison()
        self._depth -= 1
        return test

    def _comparison(self) -> Test:
        left = self._operand()
        sign = self._next.text
        if self._next.kind != "sign" or sign not in {"==", "=", "!=", "<>", ">", "<", ">=", "<="}:
            return left
        self._take()
        right = self._operand()
        if sign in {"==", "=", "!=", "<>"}:
            same = _equality(left, right)
            return same if sign in {"==", "="} else lambda record: not same(record)
        compare = COMPARE[sign]
        return lambda record: _ordered(compare, left(record), right(record))

    def _operand(self) -> Test:
        token = self._take()
        if token.kind == "text":
            return self._members(_constant(re.sub(r"\\(.)", r"\1", token.text[1:-1])))
        if token.kind == "number":
            return _constant(Decimal(token.text))
        if token.text == "(":
            inner = self._either()
            self._expect(")")
            return self._members(inner)
        if token.kind == "name":
            return self._named(token.text)
        raise BadQuery(f"Expression expected at '{token.text}'")

    def _named(self, name: str) -> Test:
        literals = {"true": True, "false": False, "null": None}
        if name.lower() in literals:
            return _constant(literals[name.lower()])
        if name.lower() == "guid":
            return self._guid()
        if name.lower() == "datetime":
            return self._date_time()
        path = name
        while path.lower() not in self._fields and self._next.text == ".":
            self._take()
            path += "." + self._take().text
        getter = self._fields.get(path.lower())
        if getter is None:
            raise BadQuery(f"No property or field '{path}' exists")
        self.named.add(path.lower())
        return self._members(getter)

    def _members(self, test: Test) -> Test:
        while self._next.text == "." and self._next.kind == "sign":
            self._take()
            test = self._member(test, self._take().text)
        return test

    def _member(self, inner: Test, name: str) -> Test:
        if name.lower() == "hasvalue":
            return lambda record: inner(record) is not None
        if name.lower() in PARTS and self._next.text != "(":
            part = PARTS[name.lower()]
            return lambda record: _on_value(part, inner(record))
        method = METHODS.get(name.lower())
        if method is None:
            raise BadQuery(f"No applicable method '{name}' exists")
        arguments = self._arguments()
        return lambda record: _on_value(method, inner(record), *(argument(record) for argument in arguments))

    def _arguments(self) -> list[Test]:
        self._expect("(")
        arguments: list[Test] = []
        while not self._takes(")"):
            if arguments:
                self._expect(",")
            arguments.append(self._either())
        return arguments

    def _guid(self) -> Test:
        texts = [argument(None) for argument in self._arguments()]
        guid = guid_or_none(texts[0]) if len(texts) == 1 and isinstance(texts[0], str) else None
        if guid is None:
            raise BadQuery("Guid should contain 32 digits with 4 dashes")
        return _constant(guid)

    def _date_time(self) -> Test:
        if self._takes("."):
            self._expect("parse")
            texts = [argument(None) for argument in self._arguments()]
            return _constant(_parse_moment(texts))
        numbers = [argument(None) for argument in self._arguments()]
        try:
            year, month, day, hour, minute, second = [*(int(number) for number in numbers), 0, 0, 0][:6]
            return _constant(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
        except (ValueError, TypeError, OverflowError):
            raise BadQuery("DateTime needs year, month and day that make a date") from None


def _parse_moment(texts: list[Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(texts[0]))
    except (ValueError, IndexError):
        raise BadQuery("String was not recognized as a valid DateTime") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal; it is known before any record is looked at."""

    value: Any

    def __call__(self, _record: Any) -> Any:
        return self.value


def _constant(value: Any) -> Test:
    return Constant(value)


def _equality(left: Test, right: Test) -> Test:
    """Equality with a text, which is what most queries ask, is prepared once rather than for each record."""
    if not (isinstance(right, Constant) and isinstance(right.value, str)):
        return lambda record: _same(left(record), right(record))
    wanted, folded = right.value, right.value.casefold()

    def is_text(record: Any) -> bool:
        value = left(record)
        if isinstance(value, str):
            return value == wanted or value.casefold() == folded
        return _same(value, wanted)

    return is_text


def _truth(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise BadQuery("Expression of type 'Boolean' expected")


def _plain(value: Any) -> Any:
    """Dates become moments, so that both compare."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


def _same(left: Any, right: Any) -> bool:
    left, right = _plain(left), _plain(right)
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold()
    if left is not None and right is not None and _kind(left) is not _kind(right):
        raise BadQuery("Operator '==' incompatible with operand types")
    return bool(left == right)


def _kind(value: Any) -> type:
    return next((kind for kind in (bool, str, datetime) if isinstance(value, kind)), Decimal)


def _ordered(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return compare(left, right)
    left, right = _plain(left), _plain(right)
    if left is None or right is None:
        return False
    if _kind(left) is not _kind(right):
        raise BadQuery("Operator incompatible with operand types")
    return compare(left, right)


def _on_value(act: Callable[..., Any], value: Any, *arguments: Any) -> Any:
    """C# fails on a member of nothing; Xero then answers that the query cannot be run."""
    if value is None:
        raise BadQuery("Object reference not set to an instance of an object")
    try:
        return act(_plain(value), *arguments)
    except (TypeError, AttributeError, InvalidOperation):
        raise BadQuery("No applicable method exists for this type") from None


def compile_where(query: str, fields: dict[str, Getter]) -> Callable[[Any], bool]:
    """A test for records. Raises BadQuery here, or later when a record has nothing where the query needs something."""
    test = Parser(query, fields).parse()
    return lambda record: _truth(test(record))


def fields_asked(where: str, order: str, fields: dict[str, Getter]) -> set[str]:
    """The fields that a query looks at, in lower case. Raises BadQuery."""
    parser = Parser(where, fields)
    if where:
        parser.parse()
    return parser.named | {part.split()[0].lower() for part in order.split(",") if part.strip()}


def compile_order(order: str, fields: dict[str, Getter]) -> list[tuple[Getter, bool]]:
    """The fields to sort by and whether downwards: `UpdatedDateUTC DESC, InvoiceNumber`."""
    known = {name.lower(): getter for name, getter in fields.items()}
    keys = []
    for part in order.split(","):
        words = part.split()
        if not words:
            continue
        direction = words[1].lower() if len(words) > 1 else "asc"
        getter = known.get(words[0].lower())
        if getter is None or direction not in {"asc", "desc", "ascending", "descending"} or len(words) > 2:
            raise BadQuery(f"No property or field '{part.strip()}' exists")
        keys.append((getter, direction.startswith("desc")))
    return keys


def sort_records(records: list[Any], order: str, fields: dict[str, Getter]) -> list[Any]:
    """Sorted by several fields; nothing comes before something."""
    for getter, downwards in reversed(compile_order(order, fields)):
        records = sorted(records, key=lambda record: _sort_key(getter(record)), reverse=downwards)
    return records


def _sort_key(value: Any) -> tuple[bool, Any]:
    plain = _plain(value)
    if isinstance(plain, str):
        return True, plain.casefold()
    return plain is not None, plain if plain is not None else 0
