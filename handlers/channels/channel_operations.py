"""The operations on channels themselves: list, create, show, change, delete; and the API's own two."""

from handlers.channels.channel_list import list_channels
from handlers.channels.channel_schemas import (
    CHANNEL,
    CHANNEL_LIST,
    CHANNEL_META,
    CREATE,
    CREATED,
    PATCH,
    PATCH_META,
    PRESENT,
    ROLES,
    SHOWN_CHANNEL,
)
from handlers.channels.channels import (
    create_channel,
    delete_channel,
    get_channel,
    patch_channel,
    patch_channel_meta,
)
from handlers.channels.event_operations import CHANNEL as CHANNEL_PATH
from handlers.channels.event_operations import KEY, TOKEN
from handlers.channels.event_schemas import ULID
from handlers.channels.presence import get_presence
from handlers.channels.roles import get_api, list_roles
from handlers.health import OK
from handlers.operations import Answer, Operation, Parameter

API = "/api/v1"
CHANNELS_PATH = API + "/channels"

LIMIT = Parameter(
    "limit",
    "How many channels at most.",
    {"type": "integer", "minimum": 1, "maximum": 500, "default": 500},
)
CURSOR = Parameter("cursor", "Go on from here: the cursor of an earlier answer.", ULID)

OPERATIONS = (
    Operation("GET", API, get_api, "Is the API here", "none", {200: Answer("It is", OK)}),
    Operation(
        "GET",
        API + "/roles",
        list_roles,
        "The named sets of scopes of this server",
        "admin",
        {200: Answer("The roles", ROLES)},
        tag="tokens",
    ),
    Operation(
        "GET",
        CHANNELS_PATH,
        list_channels,
        "List channels, newest first",
        "optional",
        {200: Answer("A page of channels", CHANNEL_LIST)},
        refusals=(400, 503),
        parameters=(LIMIT, CURSOR, TOKEN),
    ),
    Operation(
        "POST",
        CHANNELS_PATH,
        create_channel,
        "Create a channel",
        "admin",
        {201: Answer("Created, with a token for it", CREATED)},
        refusals=(400, 409, 413, 422, 429, 503),
        parameters=(KEY,),
        body=CREATE,
    ),
    Operation(
        "GET",
        CHANNEL_PATH,
        get_channel,
        "Show one channel",
        "read",
        {200: Answer("The channel", SHOWN_CHANNEL)},
        refusals=(400, 503),
        parameters=(TOKEN,),
    ),
    Operation(
        "GET",
        CHANNEL_PATH + "/presence",
        get_presence,
        "Who reads the channel now",
        "token",
        {200: Answer("The first hundred people by when they came", PRESENT)},
        refusals=(400, 403, 404, 503),
        parameters=(TOKEN,),
    ),
    Operation(
        "PATCH",
        CHANNEL_PATH,
        patch_channel,
        "Change a channel",
        "admin",
        {200: Answer("The channel as it is now", CHANNEL)},
        refusals=(400, 404, 413, 422, 503),
        parameters=(KEY,),
        body=PATCH,
    ),
    Operation(
        "PATCH",
        CHANNEL_PATH + "/meta",
        patch_channel_meta,
        "Merge into a channel's meta",
        "admin",
        {200: Answer("The meta as it is now", CHANNEL_META)},
        refusals=(400, 404, 413, 422, 503),
        parameters=(KEY,),
        body=PATCH_META,
    ),
    Operation(
        "DELETE",
        CHANNEL_PATH,
        delete_channel,
        "Delete a channel and all that is in it",
        "admin",
        {204: Answer("Deleted")},
        refusals=(400, 404, 422, 503),
        parameters=(KEY,),
    ),
)
