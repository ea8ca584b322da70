"""Reads calendars, contacts and tasks with Microsoft's official SDK, unpatched, and prints what it saw as JSON."""

import asyncio
import json

from drive import client, pages, users
from msgraph.generated.models.event_type import EventType
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.wellknown_list_name import WellknownListName
from msgraph.generated.users.item.calendar_view.calendar_view_request_builder import CalendarViewRequestBuilder
from msgraph.generated.users.item.calendars.item.events.delta.delta_request_builder import DeltaRequestBuilder
from msgraph.generated.users.item.events.item.event_item_request_builder import EventItemRequestBuilder
from msgraph.generated.users.item.todo.lists.item.tasks.tasks_request_builder import TasksRequestBuilder
from kiota_abstractions.base_request_configuration import RequestConfiguration

PREFER = 'odata.maxpagesize=50, IdType="ImmutableId"'


async def followed(builder, query=None):
    """A round of change tracking, and how many rows the next one brings."""
    rows, last = await pages(builder, query, PREFER)
    again = await builder.with_url(last.odata_delta_link).get()
    return {row.id: row for row in rows}, len(again.value)


async def one_event(me, id, seen):
    one = me.events.by_event_id(id)
    request = RequestConfiguration()
    request.headers.add("Prefer", PREFER)
    try:
        event = await one.get(request)
    except ODataError as error:
        assert error.error.code == "ErrorCorruptData", error
        return
    seen["read"] += 1
    if event.type == EventType.SeriesMaster:
        request.query_parameters = EventItemRequestBuilder.EventItemRequestBuilderGetQueryParameters(
            select=["cancelledOccurrences", "exceptionOccurrences"], expand=["exceptionOccurrences"]
        )
        lists = await one.get(request)
        seen["exceptions"] += len(lists.exception_occurrences)
        seen["cancelled"] += len(lists.cancelled_occurrences)
    if event.has_attachments:
        seen["attachments"] += len((await one.attachments.get()).value)


async def calendars(me, seen):
    # the SDK has no way to leave these two out
    always = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
        start_date_time="0001-01-01T00:00:00Z", end_date_time="9999-12-31T00:00:00Z"
    )
    groups, _ = await pages(me.calendar_groups)
    for group in groups:
        for calendar in (await pages(me.calendar_groups.by_calendar_group_id(group.id).calendars))[0]:
            one = me.calendars.by_calendar_id(calendar.id)
            events, _ = await pages(one.events, prefer=PREFER)
            seen["listed"] += len(events)
            tracked, again = await followed(one.events.delta, always)
            seen["tracked"] += len(tracked)
            seen["again"] += again
            for event in events:
                await one_event(me, event.id, seen)
    query = CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters(
        start_date_time="2026-01-01T00:00:00Z", end_date_time="2027-01-01T00:00:00Z"
    )
    seen["days"] = len((await pages(me.calendar_view, query, PREFER))[0])


async def contacts(me, seen):
    waiting = [me.contact_folders.by_contact_folder_id("contacts")]
    for folder in (await pages(me.contact_folders))[0]:
        waiting.append(me.contact_folders.by_contact_folder_id(folder.id))
    while waiting:
        folder = waiting.pop()
        below = (await pages(folder.child_folders))[0]
        waiting.extend(me.contact_folders.by_contact_folder_id(child.id) for child in below)
        rows, again = await followed(folder.contacts.delta)
        seen["contacts"] += len(rows)
        seen["again"] += again
        for id in rows:
            try:
                seen["photos"] += bool(await me.contacts.by_contact_id(id).photo.content.get())
            except ODataError as error:
                assert error.error.code in ("ErrorItemNotFound", "ErrorCorruptData"), error


async def tasks(me, seen):
    for one in (await pages(me.todo.lists))[0]:
        builder = me.todo.lists.by_todo_task_list_id(one.id).tasks
        rows, again = await followed(builder.delta)
        query = TasksRequestBuilder.TasksRequestBuilderGetQueryParameters(expand=["checklistItems"])
        listed, _ = await pages(builder, query, PREFER)
        assert len(rows) == len(listed), one.display_name
        seen["again"] += again
        if one.wellknown_list_name == WellknownListName.FlaggedEmails:
            continue
        seen["tasks"] += len(listed)
        seen["steps"] += sum(len(task.checklist_items or []) for task in listed)


async def main():
    graph = client()
    found = {}
    for user in await users(graph):
        me = graph.users.by_user_id(user.id)
        names = ["listed", "tracked", "read", "exceptions", "cancelled", "attachments", "contacts", "photos", "tasks", "steps", "again"]
        seen = dict.fromkeys(names, 0)
        try:
            await calendars(me, seen)
        except ODataError as error:
            assert error.error.code == "MailboxNotEnabledForRESTAPI", error
            continue
        await contacts(me, seen)
        await tasks(me, seen)
        found[user.user_principal_name] = seen
    print(json.dumps(found))


asyncio.run(main())
