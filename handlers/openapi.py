"""The OpenAPI 3.1 document, made of the table of operations, and the page that shows it.

Its prose and its schemas stand beside the handlers; what is implied (credentials, the error body, the statuses that an
access brings) is added here.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from handlers.operations import Access, Answer, Operation, Parameter
from handlers.responses import json_answer

VERSION = "0.1.0"
STATIC = Path(__file__).parent / "static"
ERROR = {"$ref": "#/components/schemas/Error"}
ALWAYS = (429,)
"""What any request may get: its address has sent too many, where `[rates]` limits that."""
IMPLIED: dict[Access, tuple[int, ...]] = {
    "none": (),
    "optional": (),
    "read": (401, 403, 404),
    "publish": (401, 403),
    "token": (401,),
    "metrics": (401, 403),
    "admin": (401, 403),
    "tenant": (401, 403),
}
MEANING = {
    400: "The request is malformed",
    401: "No credential, or one that does not verify",
    403: "The credential does not give this right",
    404: "There is no such thing",
    405: "Another method; see Allow",
    409: "The state does not allow it",
    410: "Events after the cursor are no longer kept",
    413: "Too large",
    416: "There is no such page",
    422: "The Idempotency-Key came with another body before",
    426: "This is a WebSocket",
    429: "A limit is reached; see Retry-After",
    500: "A defect of the server",
    503: "Try again; see Retry-After",
}
COMPONENTS: dict[str, Any] = {
    "schemas": {
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {"error": {"type": "string"}, "details": {"type": "array", "items": {"type": "object"}}},
        }
    },
    "securitySchemes": {
        "channelToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of a tenant."},
    },
}


def render_openapi(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tidemark",
            "version": VERSION,
            "description": "A realtime channel broker: a channel is a log, every reader is a cursor that moves.",
        },
        "paths": paths,
        "components": COMPONENTS,
    }


def openapi_operations(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """The operations that serve the document of these operations, and their own part in it."""

    async def openapi(_: Request) -> Response:
        return json_answer(document())

    @cache
    def document() -> dict[str, Any]:
        return render_openapi([*operations, *own])

    own = (
        Operation(
            "GET",
            "/openapi.json",
            openapi,
            "This document",
            "none",
            {200: Answer("OpenAPI 3.1", {"type": "object"})},
            tag="operation",
        ),
        Operation(
            "GET",
            "/docs",
            docs,
            "A page to read and try this document",
            "none",
            {200: Answer("The page", media_type="text/html")},
            tag="operation",
        ),
    )
    return own


async def docs(_: Request) -> Response:
    """The documentation page; all that it needs is served from here."""
    return FileResponse(STATIC / "docs.html", headers={"Content-Security-Policy": "default-src 'self'; img-src data:"})


def _operation(operation: Operation) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "operationId": operation.handler.__name__,
        "summary": operation.summary,
        "description": (operation.handler.__doc__ or "").strip(),
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation.path), *map(_parameter, operation.parameters)],
        "responses": _responses(operation),
    }
    if operation.access != "none":
        optional: list[dict[str, list[str]]] = [{}] if operation.access in ("optional", "read") else []
        scheme = "apiKey" if operation.access == "tenant" else "channelToken"
        rendered["security"] = [*optional, {scheme: []}]
    if operation.body is not None:
        rendered["requestBody"] = {"required": True, "content": {"application/json": {"schema": operation.body}}}
    return rendered


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _responses(operation: Operation) -> dict[str, Any]:
    answers = {str(status): _answer(answer) for status, answer in operation.answers.items()}
    statuses = {*ALWAYS, *IMPLIED[operation.access], *operation.refusals}
    error = ERROR if operation.error is None else operation.error
    refusals = {
        str(status): {"description": MEANING[status], "content": {"application/json": {"schema": error}}}
        for status in sorted(statuses)
    }
    return {**answers, **refusals}


def _answer(answer: Answer) -> dict[str, Any]:
    if answer.schema is None and answer.media_type == "application/json":
        return {"description": answer.description}
    schema = {"type": "string"} if answer.schema is None else answer.schema
    return {"description": answer.description, "content": {answer.media_type: {"schema": schema}}}
