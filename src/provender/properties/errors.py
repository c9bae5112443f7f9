"""What can be wrong with properties and their values."""

from provender.basics.errors import ProvenderError


class PropertyNameTaken(ProvenderError):
    """Another property has that name or tag."""

    code = "property-name-taken"

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"Another property has the {what} “{name}” already. Use it, or choose another {what}.")


class PropertyTypeFixed(ProvenderError):
    """The type of a property that has values can't change."""

    code = "property-type-fixed"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has values already, so its type stays. Make another property for another type.")


class OptionNameTaken(ProvenderError):
    """The property has an option of that name."""

    code = "option-name-taken"

    def __init__(self, property_name: str, name: str) -> None:
        super().__init__(f"{property_name} has an option “{name}” already. Use it, or choose another name.")


class OptionRefused(ProvenderError):
    """That option can't be chosen there."""

    code = "option-refused"

    def __init__(self, property_name: str, option: str) -> None:
        super().__init__(f"“{option}” can't be chosen for {property_name}. Choose one of its active options.")


class ValueRefused(ProvenderError):
    """A text that the property's type doesn't take."""

    code = "value-refused"

    def __init__(self, property_name: str, wanted: str, text: str) -> None:
        super().__init__(f"{property_name} takes {wanted}, and “{text}” isn't that. Write it anew.")


class PropertyNotThere(ProvenderError):
    """The property doesn't attach to that kind of document."""

    code = "property-not-there"

    def __init__(self, property_name: str, kind: str) -> None:
        super().__init__(f"{property_name} isn't for {kind}. Switch that on in the settings of the property first.")
