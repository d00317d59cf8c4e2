"""What is wrong with a body is said in words of the API, not of the program."""

from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, ValidationError

from handlers.model_faults import fault_of


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("Must be even")
    return value


class Inner(BaseModel):
    many: int


class Asked(BaseModel):
    count: Annotated[int, AfterValidator(_even)] = 0
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (None, "must be a JSON object"),
        ([1], "must be a JSON object"),
        ({"inner": 5}, "must be a JSON object"),
        ({"count": 3}, "must be even"),
        ({"count": "x"}, "should be a valid integer, unable to parse string as an integer"),
        ({"inner": {}}, "field required"),
    ],
)
def test_a_fault_is_said_without_names_of_ours(body: Any, told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(body)
    assert [fault_of(each) for each in caught.value.errors(include_url=False)] == [told]
