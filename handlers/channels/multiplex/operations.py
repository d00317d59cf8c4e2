"""The operation of `/api/v1/ws` for the table: what a plain GET is told. Its protocol is in the AsyncAPI document."""

from handlers.channels.event_operations import TOKEN
from handlers.channels.multiplex.socket import many_upgrade_required
from handlers.operations import Answer, Operation

MULTIPLEX_PATH = "/api/v1/ws"

OPERATIONS = (
    Operation(
        "GET",
        MULTIPLEX_PATH,
        many_upgrade_required,
        "Follow many channels on one WebSocket, and publish to them",
        "none",
        {101: Answer("Commands and answers as /asyncapi.json says, and one event per text frame")},
        refusals=(426,),
        parameters=(TOKEN,),
        tag="events",
    ),
)
