"""What a pydantic model has against a value, in words for who sent it. Pure."""

from typing import Any

NO_OBJECT = "must be a JSON object"
_NO_OBJECT_TYPES = ("model_type", "model_attributes_type")


def fault_of(error: Any) -> str:
    """The words of one of a `ValidationError`'s errors, to stand behind the name of a member.

    A check of our own says them itself; pydantic's own name neither the model nor what was sent.
    """
    reason = error.get("ctx", {}).get("error")
    if isinstance(reason, ValueError):
        message = str(reason)
    elif error["type"] in _NO_OBJECT_TYPES:
        message = NO_OBJECT
    else:
        message = str(error["msg"]).removeprefix("Input ")
    return message[:1].lower() + message[1:]
