"""Calendars: events, holds, reminders and availability of an organisation's agents (contract calendar.md)."""
