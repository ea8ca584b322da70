"""Reads drives, sites and channels with Microsoft's official SDK, unpatched, and prints what it saw as JSON."""

import asyncio
import json

from drive import client, pages, users
from msgraph.generated.models.o_data_errors.o_data_error import ODataError


async def listed(drive, folder):
    """Everything below a folder, by listing children."""
    found = []
    for item in (await pages(drive.items.by_drive_item_id(folder).children))[0]:
        found.append(item)
        if item.folder and item.folder.child_count:
            found.extend(await listed(drive, item.id))
    return found


async def parts(drive, item, seen):
    """Content, former versions, permissions of one file."""
    one = drive.items.by_drive_item_id(item.id)
    try:
        content = await one.content.get() or b""  # an empty file comes as none
        seen["fetched"] += 1
        seen["bytes"] += len(content)
        seen["as_told"] += len(content) == item.size
    except ODataError as error:
        code = error.error.code
        seen["refused"][code] = seen["refused"].get(code, 0) + 1
    if item.shared:
        seen["permissions"] += len((await one.permissions.get()).value)
    if item.name and "versions" in item.name:
        versions = (await one.versions.get()).value
        seen["versions"] += len(versions)
        oldest = drive.items.by_drive_item_id(item.id).versions.by_drive_item_version_id(versions[-1].id)
        seen["oldest"] += len(await oldest.content.get())


async def drive_of(graph, user):
    mine = await graph.users.by_user_id(user.id).drive.get()
    drive = graph.drives.by_drive_id(mine.id)
    tracked = drive.items.by_drive_item_id("root").delta
    rows, last = await pages(tracked)
    again = await tracked.with_url(last.odata_delta_link).get()
    items = {row.id: row for row in rows}
    root = next(row.id for row in rows if row.root)
    names = ["fetched", "bytes", "as_told", "permissions", "versions", "oldest"]
    seen = dict.fromkeys(names, 0) | {"refused": {}, "items": len(items), "again": len(again.value)}
    seen["kind"] = mine.drive_type
    seen["listed"] = len(await listed(drive, root))
    seen["hashed"] = sum(bool(row.file and row.file.hashes and row.file.hashes.quick_xor_hash) for row in items.values())
    for item in items.values():
        if item.file:
            await parts(drive, item, seen)
    return seen


async def sites(graph):
    seen = {}
    page = await graph.sites.get_all_sites.get()
    for site in page.value:
        try:
            drives = (await graph.sites.by_site_id(site.id).drives.get()).value
            seen[site.display_name or site.web_url] = [drive.name for drive in drives]
        except ODataError as error:
            seen[site.display_name or site.web_url] = error.error.code
    return seen


async def channels(graph):
    seen = {}
    for group in (await graph.groups.get()).value:
        team = graph.teams.by_team_id(group.id)
        for channel in (await team.channels.get()).value:
            folder = team.channels.by_channel_id(channel.id).files_folder
            try:
                seen[channel.display_name] = (await folder.get()).name
            except ODataError as error:
                seen[channel.display_name] = error.error.code
    return seen


async def main():
    graph = client()
    found = {"drives": {}, "none": []}
    for user in await users(graph):
        try:
            found["drives"][user.user_principal_name] = await drive_of(graph, user)
        except ODataError as error:
            assert error.error.code == "ResourceNotFound", error
            found["none"].append(user.user_principal_name)
    found["sites"] = await sites(graph)
    found["channels"] = await channels(graph)
    print(json.dumps(found))


asyncio.run(main())
