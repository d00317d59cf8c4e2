"""iCal subscriptions: other people's calendars, polled and merged as events that change with their feed only."""
