"""Publishes prices to a public channel, and serves a page that shows them as they change.

    .venv/bin/python -m examples.price_ticker --token $(./run token --scope admin)

The prices are a random walk. Each round is one batch: a reader sees all of it or nothing. The page begins with the
newest events and follows the channel by its cursor, so that a price that came while it was away is not missed.
"""

import argparse
import random
import time
from contextlib import suppress

from examples.own_channel import ensure_channel
from examples.page_server import serving_page
from tidemark_client import Client, Draft

FIRST = {"ACME": 120.0, "BOLT": 47.5, "CORK": 8.2, "DUNE": 310.0, "ECHO": 64.3}
STEP = 0.004


def moved(prices: dict[str, float], chance: random.Random) -> dict[str, float]:
    """The prices after a step of the walk, in whole cents and never below one."""
    return {name: max(0.01, round(price * (1 + chance.gauss(0, STEP)), 2)) for name, price in prices.items()}


def drafts(prices: dict[str, float]) -> list[Draft]:
    """A price each, as events."""
    return [Draft({"symbol": name, "price": price}, type="price") for name, price in prices.items()]


def main() -> None:
    """Publish until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--token", required=True, help="a token with the scope admin")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the broker [%(default)s]")
    parser.add_argument("--port", type=int, default=8010, help="where the page is served [%(default)s]")
    parser.add_argument("--channel", default="prices", help="the channel, which the page reads [%(default)s]")
    parser.add_argument("--every", type=float, default=1.0, metavar="SECONDS", help="between prices [%(default)s]")
    parser.add_argument("--rounds", type=int, default=None, help="stop after so many")
    parser.add_argument("--seed", type=int, default=None, help="walk the same way again")
    options = parser.parse_args()
    chance, prices, done = random.Random(options.seed), FIRST, 0
    calls = {"/channel": lambda _: {"channel": options.channel}}
    with Client(options.url, token=options.token) as client:
        ensure_channel(client, options.channel, "Prices", is_public=True)
        with serving_page("price_ticker", options.port, options.url, calls) as page:
            print(f"Prices at {page}", flush=True)
            while options.rounds is None or done < options.rounds:
                prices, done = moved(prices, chance), done + 1
                client.publish_batch(options.channel, drafts(prices))
                time.sleep(options.every)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
