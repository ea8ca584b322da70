"""Drives the simulator with Microsoft's official SDK, unpatched, and prints what it saw as JSON.

The only settings are those the SDK offers to everybody: the authority, the base address, the authority to trust.
"""

import asyncio
import json
import os

from azure.identity import ClientSecretCredential
from azure.core.exceptions import ClientAuthenticationError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.users.item.mail_folders.item.child_folders.child_folders_request_builder import (
    ChildFoldersRequestBuilder,
)
from msgraph.generated.users.item.mail_folders.item.messages.delta.delta_request_builder import DeltaRequestBuilder
from msgraph.generated.users.item.mail_folders.mail_folders_request_builder import MailFoldersRequestBuilder
from msgraph.generated.users.users_request_builder import UsersRequestBuilder

URL = os.environ["SIMULATOR"]
TENANT = os.environ["SIMULATOR_TENANT"]


def credential(secret):
    return ClientSecretCredential(
        TENANT, "app", secret, authority=URL, disable_instance_discovery=True
    )


def client():
    provider = AzureIdentityAuthenticationProvider(
        credential("secret"), scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[URL.split("//")[1], "localhost"]
    )
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = URL + "/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def pages(builder, query=None, prefer=None):
    """Every row of a collection, following links as the SDK does, and the last page."""
    headers = RequestConfiguration()
    first = RequestConfiguration(query_parameters=query)
    if prefer:
        headers.headers.add("Prefer", prefer)
        first.headers.add("Prefer", prefer)
    page, rows = await builder.get(first), []
    while True:
        rows.extend(page.value)
        if not page.odata_next_link:
            return rows, page
        page = await builder.with_url(page.odata_next_link).get(headers)


async def users(graph):
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        select=["id", "userPrincipalName", "userType", "assignedLicenses"], top=2
    )
    return (await pages(graph.users, query))[0]


async def folders(graph, user):
    """The tree, one level at a time."""
    root = graph.users.by_user_id(user).mail_folders
    top = MailFoldersRequestBuilder.MailFoldersRequestBuilderGetQueryParameters(include_hidden_folders="true")
    query = ChildFoldersRequestBuilder.ChildFoldersRequestBuilderGetQueryParameters(include_hidden_folders="true")
    waiting, _ = await pages(root, top)
    found = []
    while waiting:
        folder = waiting.pop()
        found.append(folder)
        if folder.child_folder_count:
            below = root.by_mail_folder_id(folder.id).child_folders
            waiting.extend((await pages(below, query))[0])
    return found


async def delta(graph, user, folder):
    builder = graph.users.by_user_id(user).mail_folders.by_mail_folder_id(folder).messages.delta
    prefer = 'odata.maxpagesize=20, IdType="ImmutableId"'
    try:
        rows, last = await pages(builder, prefer=prefer)
    except ODataError as error:  # a message that cannot be converted spoils its page; ids can still be listed
        assert error.error.code == "InternalServerError", error
        query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(select=["id"])
        rows, last = await pages(builder, query, prefer)
    again = await builder.with_url(last.odata_delta_link).get()
    return {row.id: row for row in rows}, len(again.value)


async def read(graph, user, rows):
    """MIME and attachments of every message; how many failed, and with which codes."""
    seen = {"bytes": 0, "attachments": 0, "attachment_bytes": 0, "kinds": [], "refused": []}
    for row in rows.values():
        message = graph.users.by_user_id(user).messages.by_message_id(row.id)
        try:
            seen["bytes"] += len(await message.content.get() or b"")  # an empty message comes as none
            for attachment in (await message.attachments.get()).value:
                seen["attachments"] += 1
                seen["kinds"].append(attachment.odata_type)
                seen["attachment_bytes"] += len(getattr(attachment, "content_bytes", None) or b"")
        except ODataError as error:
            seen["refused"].append([error.response_status_code, error.error.code])
    seen["kinds"] = sorted(set(seen["kinds"]))
    return seen


async def refused(call):
    try:
        await call
    except ODataError as error:
        return [error.response_status_code, error.error.code, bool(error.error.inner_error.request_id)]
    return None


def wrong_secret():
    try:
        credential("wrong").get_token("https://graph.microsoft.com/.default")
    except ClientAuthenticationError as error:
        return "AADSTS7000215" in str(error)
    return False


async def main():
    graph = client()
    seen = {"users": [], "mailboxes": {}, "no_mailbox": {}}
    for user in await users(graph):
        seen["users"].append(user.user_principal_name)
        try:
            settings = await graph.users.by_user_id(user.id).mailbox_settings.get()
        except ODataError as error:
            seen["no_mailbox"][user.user_principal_name] = error.error.code
            continue
        box = {"purpose": str(settings.user_purpose), "folders": 0, "messages": 0, "again": 0, "read": []}
        for folder in await folders(graph, user.id):
            rows, again = await delta(graph, user.id, folder.id)
            box["folders"] += 1
            box["messages"] += len(rows)
            box["again"] += again
            box["read"].append(await read(graph, user.id, rows))
        seen["mailboxes"][user.user_principal_name] = box
    seen["nobody"] = await refused(graph.users.by_user_id("nobody@example.org").get())
    first = graph.users.by_user_id(seen["users"][0])
    seen["nothing"] = await refused(first.messages.by_message_id("AAMkAGabsentabsentabsent=").get())
    seen["wrong_secret"] = wrong_secret()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
