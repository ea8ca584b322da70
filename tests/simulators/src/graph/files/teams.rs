//! Teams, as far as files need them: channels, and the folders of their files (Microsoft Graph docs: list channels, channel
//! get filesFolder).

use serde_json::{Map, Value};

use super::super::list::chosen;
use super::super::{Answer, Scene};
use super::page::of_rows;
use super::reach;
use super::row::{Choice, View};
use crate::tenant::Group;
use crate::tenant::sharepoint::Channel;
use crate::wire::{Refusal, Reply};

const READ_TEAMS: &[&str] =
    &["Team.ReadBasic.All", "TeamSettings.Read.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All"];
#[rustfmt::skip]
const READ_CHANNELS: &[&str] = &[
    "Channel.ReadBasic.All", "ChannelSettings.Read.All", "ChannelSettings.ReadWrite.All", "Group.Read.All",
    "Group.ReadWrite.All", "Directory.Read.All",
];

/// Answers what follows `teams`.
pub(super) fn answer(scene: &Scene<'_>, rest: &[&str]) -> Answer {
    match rest {
        [team] => one(scene, team),
        [team, "channels" | "allChannels"] => channels(scene, team),
        [team, "channels" | "allChannels", channel] => one_channel(scene, team, channel),
        [team, "channels" | "allChannels", channel, "filesFolder"] => files_folder(scene, team, channel),
        [_, other, ..] => Err(Refusal::not_simulated(&format!("teams/{other}"))),
        [] => Err(Refusal::not_simulated("the list of teams")),
    }
}

fn need(scene: &Scene<'_>, any: &[&str]) -> Result<(), Refusal> {
    if scene.granted(any) {
        return Ok(());
    }
    let message = format!(
        "Missing role permissions on the request. API requires one of '{}'. Roles on the request '{}'.",
        any.join(", "),
        scene.caller.grants.join(", ")
    );
    Err(Refusal::new(403, "Forbidden", message))
}

fn team<'a>(scene: &Scene<'a>, id: &str) -> Result<&'a Group, Refusal> {
    let is_team = |group: &&Group| {
        let options = group.resource["resourceProvisioningOptions"].as_array();
        options.is_some_and(|options| options.iter().any(|option| option == "Team"))
    };
    let found = scene.world.tenant.group(id).filter(is_team);
    found.ok_or_else(|| Refusal::new(404, "NotFound", format!("No team found with Group Id {id}")))
}

fn channel<'a>(scene: &Scene<'a>, team: &'a Group, id: &str) -> Result<&'a Channel, Refusal> {
    let mut channels = scene.world.tenant.sharepoint.channels_of(&team.id);
    channels.find(|channel| channel.id == id).ok_or_else(|| Refusal::new(404, "NotFound", "Channel not found."))
}

fn one(scene: &Scene<'_>, id: &str) -> Answer {
    need(scene, READ_TEAMS)?;
    let group = team(scene, id)?;
    let mut answer = Map::new();
    answer.insert("@odata.context".to_owned(), scene.call.context("teams/$entity").into());
    for name in ["id", "displayName", "description", "visibility", "createdDateTime"] {
        answer.insert(name.to_owned(), group.resource.get(name).cloned().unwrap_or_default());
    }
    answer.insert("isArchived".to_owned(), false.into());
    Ok(Reply::json(answer))
}

fn row(scene: &Scene<'_>, channel: &Channel) -> Value {
    let mut resource = channel.entry.resource.clone();
    if let Some(members) = resource.as_object_mut() {
        members.shift_remove("filesFolder");
    }
    chosen(&resource, scene.call.query.select().as_deref())
}

fn channels(scene: &Scene<'_>, id: &str) -> Answer {
    need(scene, READ_CHANNELS)?;
    let group = team(scene, id)?;
    let rows = scene.world.tenant.sharepoint.channels_of(&group.id).map(|channel| row(scene, channel)).collect();
    let context = format!("teams('{}')/channels", group.id);
    Ok(Reply::json(of_rows(scene, &context, &context, rows)?))
}

fn one_channel(scene: &Scene<'_>, id: &str, key: &str) -> Answer {
    need(scene, READ_CHANNELS)?;
    let group = team(scene, id)?;
    let mut answer = row(scene, channel(scene, group, key)?);
    answer["@odata.context"] = scene.call.context(&format!("teams('{}')/channels/$entity", group.id)).into();
    Ok(Reply::json(answer))
}

/// The folder of a channel lies in the library of the team, or in that of a site of its own where the channel is private or
/// shared. A channel that nobody opened has none yet.
fn files_folder(scene: &Scene<'_>, id: &str, key: &str) -> Answer {
    reach::need_files(scene)?;
    let channel = channel(scene, team(scene, id)?, key)?;
    let folder = &channel.entry.resource["filesFolder"];
    let drive = folder["parentReference"]["driveId"].as_str().and_then(|id| scene.world.tenant.sharepoint.drive(id));
    let not_ready = || {
        let message = "Folder location for this channel is not ready yet, please try again later.";
        Refusal::new(404, "NotFound", message)
    };
    let drive = drive.ok_or_else(not_ready)?;
    reach::open(scene, drive)?;
    let tree = drive.tree.read();
    let slot = folder["id"].as_str().and_then(|id| tree.named(id)).ok_or_else(not_ready)?;
    let item = tree.item(slot).ok_or_else(not_ready)?;
    let mut answer = Map::new();
    answer.insert("@odata.context".to_owned(), scene.call.context("filesFolder/$entity").into());
    answer.extend(View::new(scene, drive, &tree, Choice::default()).row(slot, item));
    Ok(Reply::json(answer))
}
