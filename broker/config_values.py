"""The kinds of values that settings have, each with its check (`broker.config` says which setting has which). Pure."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator

from broker.scopes import is_scope

_PUBLIC_URL = re.compile(r"(https?://[^\s/?#@]+(/[^\s?#]*[^\s?#/])?)?")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^\s/?#@]+")
_ENGINE_URL = re.compile(r"embedded|(rediss?|unix)://\S+")
_CLUSTER_URL = re.compile(r"rediss?\+cluster://([^\s/?#@]*@)?[^\s/?#@,]+(,[^\s/?#@,]+)*(/0?)?(\?[^\s#]*)?")
_LISTEN = re.compile(r"(localhost|[0-9.]+|\[[0-9a-f:]+\]):([0-9]{1,5})")


def _check_public_url(text: str) -> str:
    if not _PUBLIC_URL.fullmatch(text):
        raise ValueError("must be empty or an http or https URL without query and without a slash at its end")
    return text


def _check_origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError('must be "*" or an origin such as https://app.example.com, without a path')
    return text


EMBEDDED = "embedded"
"""The URL of the engine that the server starts itself."""


def _check_engine_url(text: str) -> str:
    if not _ENGINE_URL.fullmatch(text) and not _CLUSTER_URL.fullmatch(text):
        raise ValueError('must be "embedded", redis://..., rediss://..., unix://... or redis+cluster://host:port,...')
    return text


def _check_admin_listen(text: str) -> str:
    match = _LISTEN.fullmatch(text)
    if text and not (match and int(match[2]) <= 65_535 and _is_loopback(match[1].strip("[]"))):
        raise ValueError("must be empty or a loopback address with a port, such as 127.0.0.1:9001")
    return text


def _is_loopback(host: str) -> bool:
    return host == "localhost" or ip_address(host).is_loopback


def _check_scope(text: str) -> str:
    if not is_scope(text):
        raise ValueError('must be "admin", "metrics", "pub:<channel>" or "sub:<channel>"')
    return text


def _parse_network(text: Any) -> IPv4Network | IPv6Network:
    if not isinstance(text, str):
        raise ValueError("must be a network such as 10.0.0.0/8")
    return ip_network(text)


Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_parse_network)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Size = Annotated[int, Field(ge=1, le=1_073_741_824)]
Seconds = Annotated[float, Field(ge=0.01, le=31_536_000, allow_inf_nan=False)]
WholeSeconds = Annotated[int, Field(ge=1, le=31_536_000)]
Rate = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
PublicUrl = Annotated[str, AfterValidator(_check_public_url)]
Origin = Annotated[str, AfterValidator(_check_origin)]
Scope = Annotated[str, AfterValidator(_check_scope)]
EngineUrl = Annotated[str, AfterValidator(_check_engine_url)]
AdminListen = Annotated[str, AfterValidator(_check_admin_listen)]
