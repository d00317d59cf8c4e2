"""The networks that tests open."""

from ipaddress import ip_network

LOOPBACK = [ip_network("127.0.0.0/8")]
