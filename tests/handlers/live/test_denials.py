"""Failed verifications are told once a minute, by how many there were, and by nothing else."""

import json

from tests.handlers.live.calls import Organiser


async def test_a_minute_of_failures_is_one_event_without_who_or_what(acme: Organiser) -> None:
    made = await acme.create(visibility_mode="token")
    for number in range(7):
        answer = await acme.verify(made["slug"], "token", f"wt_guess{number}", X_Forwarded_For=f"198.51.100.{number}")
        assert answer.status_code == 403
    assert "access.denied" not in await acme.kinds()
    await acme.advance(60_000)
    await acme.until("access.denied")
    told = [each for each in await acme.told() if each["type"] == "live.access.denied"]
    assert [(each["data"]["kind"], each["data"]["count"]) for each in told] == [("token", 7)]
    assert "guess" not in json.dumps(told) and "198.51" not in json.dumps(told)
    await acme.verify(made["slug"], "token", "wt_again")
    await acme.advance(60_000)
    await acme.until("access.denied", 2)


async def test_failures_of_a_deleted_event_are_forgotten(acme: Organiser) -> None:
    made, other = await acme.create(visibility_mode="token"), await acme.create(visibility_mode="token")
    for each in (made, other):
        await acme.verify(each["slug"], "token", "wt_x")
    await acme.good("DELETE", f"events/{made['event_id']}")
    await acme.advance(60_000)
    await acme.until("access.denied", 2)
