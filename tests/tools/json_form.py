"""Whether JSON has a published form: the words of JSON Schema that docs/hints.schema.json uses, and no others."""
import json
import pathlib

HINTS = pathlib.Path(__file__).resolve().parents[2] / "docs/hints.schema.json"
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
SILENT = {"$schema", "title", "description", "definitions", "$id"}


def is_kind(value, kind):
    if kind in ("number", "integer"):
        whole = kind == "integer"
        return isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])


def wrong(value, schema, root, at="#"):
    """Where the value has not the form, as lines."""
    out = []
    for word, rule in schema.items():
        if word == "$ref":
            out += wrong(value, root["definitions"][rule.removeprefix("#/definitions/")], root, at)
        elif word == "type":
            kinds = rule if isinstance(rule, list) else [rule]
            out += [] if any(is_kind(value, kind) for kind in kinds) else [f"{at}: {value!r} is no {rule}"]
        elif word == "enum":
            out += [] if value in rule else [f"{at}: {value!r} is none of {rule}"]
        elif word in ("minimum", "maximum"):
            beyond = is_kind(value, "number") and (value < rule if word == "minimum" else value > rule)
            out += [f"{at}: {value} is beyond the {word} {rule}"] if beyond else []
        elif word == "required":
            out += [f"{at}: no {name}" for name in rule if isinstance(value, dict) and name not in value]
        elif word == "properties":
            for name in rule.keys() & (value.keys() if isinstance(value, dict) else ()):
                out += wrong(value[name], rule[name], root, f"{at}/{name}")
        elif word == "additionalProperties":
            assert rule is False, "only false is known"
            known = schema.get("properties", {})
            out += [f"{at}: {name} is not published" for name in (value if isinstance(value, dict) else ()) if name not in known]
        elif word == "items":
            for number, item in enumerate(value if isinstance(value, list) else ()):
                out += wrong(item, rule, root, f"{at}/{number}")
        elif word == "anyOf":
            out += [] if any(not wrong(value, one, root, at) for one in rule) else [f"{at}: none of the forms"]
        else:
            assert word in SILENT, f"{word} is not known here"
    return out


def refusals(value, definition):
    """What keeps `value` from being a `definition` of docs/hints.schema.json, as lines."""
    root = json.loads(HINTS.read_text())
    return wrong(value, root["definitions"][definition], root)
