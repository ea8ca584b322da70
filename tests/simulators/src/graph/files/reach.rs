//! Who may read which drive, and what stands in the way: each in the dialect of SharePoint.

use super::super::Scene;
use crate::options::{LockedSite, NoDrive};
use crate::tenant::sharepoint::{Drive, Owner, Site, State};
use crate::wire::Refusal;

#[rustfmt::skip]
const READ_FILES: &[&str] = &[
    "Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All",
    "Sites.FullControl.All",
];
const READ_OWN_FILES: &[&str] = &["Files.Read", "Files.ReadWrite"];
pub(super) const READ_SITES: &[&str] =
    &["Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"];
/// Who could share may see the secrets of shares.
const WRITE_FILES: &[&str] = &["Files.ReadWrite.All", "Sites.ReadWrite.All", "Sites.FullControl.All"];
const READ_SELECTED: &[&str] = &["Sites.Selected"];

/// # Errors
/// 403 for those who may not read the drive, and what stands in its way otherwise.
pub(super) fn open(scene: &Scene<'_>, drive: &Drive) -> Result<(), Refusal> {
    let state = scene.world.tenant.sharepoint.state(drive);
    if !permitted(scene, drive, state) {
        return Err(Refusal::drive_forbidden());
    }
    if state.missing {
        return Err(if matches!(drive.owner, Owner::User(_)) {
            no_drive(scene)
        } else {
            Refusal::drive_item_not_found()
        });
    }
    passable(scene, state)
}

fn permitted(scene: &Scene<'_>, drive: &Drive, state: State) -> bool {
    match &scene.caller.person {
        Some(person) => {
            let own = drive.owner == Owner::User(person.clone());
            own && (scene.granted(READ_OWN_FILES) || scene.granted(READ_FILES))
        }
        None => scene.granted(READ_FILES) || (state.selected && scene.granted(READ_SELECTED)),
    }
}

/// # Errors
/// As for [`open`].
pub(super) fn open_site(scene: &Scene<'_>, site: &Site) -> Result<(), Refusal> {
    let state = *site.state.read();
    let selected = state.selected && scene.granted(READ_SELECTED);
    if !scene.granted(READ_SITES) && !selected {
        return Err(Refusal::drive_forbidden());
    }
    if state.missing { Err(Refusal::drive_item_not_found()) } else { passable(scene, state) }
}

fn passable(scene: &Scene<'_>, state: State) -> Result<(), Refusal> {
    if state.locked {
        return Err(locked(scene));
    }
    if state.forbidden { Err(Refusal::drive_forbidden()) } else { Ok(()) }
}

fn locked(scene: &Scene<'_>) -> Refusal {
    match scene.world.knobs().switches.files.locked_site {
        LockedSite::NotAllowed => Refusal::new(
            423,
            "notAllowed",
            "Access to this site has been blocked. Please contact the administrator to resolve this problem.",
        ),
        LockedSite::ResourceLocked => {
            Refusal::new(423, "resourceLocked", "The resource you are attempting to access is locked")
        }
        LockedSite::AccessDenied => Refusal::drive_forbidden(),
    }
}

/// Somebody who never had a drive, in the words that tools met.
pub(super) fn no_drive(scene: &Scene<'_>) -> Refusal {
    match scene.world.knobs().switches.files.no_drive {
        NoDrive::NotFound => Refusal::new(404, "ResourceNotFound", "User's mysite not found."),
        NoDrive::NoAddress => Refusal::new(400, "BadRequest", "Unable to retrieve user's mysite URL."),
        NoDrive::NoLicence => Refusal::new(400, "BadRequest", "Tenant does not have a SPO license."),
    }
}

/// # Errors
/// 403 for those who may read no drive of a tenant at all.
pub(super) fn need_files(scene: &Scene<'_>) -> Result<(), Refusal> {
    let any = [READ_FILES, READ_OWN_FILES, READ_SELECTED].concat();
    if scene.granted(&any) { Ok(()) } else { Err(Refusal::drive_forbidden()) }
}

/// Whether the caller could make shares, and so may see their addresses.
pub(super) fn sees_secrets(scene: &Scene<'_>) -> bool {
    scene.granted(WRITE_FILES)
}

/// # Errors
/// 403 where a labelled file keeps a drive from being listed (microsoft-graph-docs#11561).
pub(super) fn listable(scene: &Scene<'_>, drive: &Drive) -> Result<(), Refusal> {
    if !scene.world.knobs().switches.files.labels_need_full_control || scene.granted(&["Sites.FullControl.All"]) {
        return Ok(());
    }
    let tree = drive.tree.read();
    let labelled = tree.items().any(|(_, item)| item.resource().contains_key("retentionLabel"));
    if labelled { Err(Refusal::drive_forbidden()) } else { Ok(()) }
}
