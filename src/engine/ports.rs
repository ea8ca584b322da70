//! What the engine asks of the conversions, without knowing any format.

use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    sync::Arc,
};
use transhume_contract::{Digest, Facts, Fault, ItemId, Loss, Part, Profile, Role, What, Workload};

/// An original as a conversion sees it: named parts, each readable from its first byte.
pub trait Original {
    fn parts(&self) -> &[Part];
    fn open(&self, name: &str) -> std::io::Result<Box<dyn Read + '_>>;
}

/// Whose items they are, and who is who: what a rendering must know of people. Plain data, part of a rendering's
/// identity where its workload has people in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The account's address at the source.
    pub owner: String,
    /// The account's own time zone, as the source names it.
    pub zone: Option<String>,
    /// The territory of its language, two letters of ISO 3166: some names of zones stand for another one there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub territory: Option<String>,
    /// The colours of the account's categories as the source names them, by name in small letters.
    #[serde(serialize_with = "plainly")]
    pub colours: Arc<BTreeMap<String, String>>,
    /// The addresses at the target of everyone who moves, by each of their addresses at the source in small letters.
    #[serde(serialize_with = "plainly")]
    pub people: Arc<BTreeMap<String, String>>,
}

fn plainly<S: serde::Serializer>(shared: &BTreeMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    shared.serialize(serializer)
}

/// What an account's settings say of it that its renderings need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Its time zone, as the source names it.
    pub zone: Option<String>,
    /// The territory of its language, two letters of ISO 3166.
    pub territory: Option<String>,
    /// The colours of its categories as the source names them, by name in small letters.
    pub colours: BTreeMap<String, String>,
}

/// For whom renderings are made.
#[derive(Clone, Debug)]
pub struct Audience {
    pub profile: Profile,
    pub setting: Setting,
    /// The key that an item has from its source stands elsewhere at the target: the rendering gets one of its own, which is
    /// always the same.
    pub apart: bool,
    /// Of all this: part of each rendering's identity.
    pub digest: Digest,
}

impl Audience {
    /// For a target, whoever the people are.
    pub fn of(profile: Profile) -> Result<Self, Fault> {
        let digest = Digest::of(&text(&profile)?);
        Ok(Self { profile, setting: Setting::default(), apart: false, digest })
    }

    /// For a target and these people.
    pub fn among(profile: Profile, setting: Setting) -> Result<Self, Fault> {
        let digest = Digest::of(&[text(&profile)?, text(&setting)?].concat());
        Ok(Self { profile, setting, apart: false, digest })
    }

    /// The same for one item.
    #[must_use]
    pub fn of_one(&self, apart: bool) -> Self {
        if !apart {
            return self.clone();
        }
        let digest = Digest::of(&[self.digest.as_bytes().as_slice(), b"apart"].concat());
        Self { apart, digest, ..self.clone() }
    }
}

fn text(of: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(of)
        .map_err(|error| Fault::new(What::Unmappable, format!("an audience has no form: {error}")).report())
}

/// What a rendering turned out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub losses: Vec<Loss>,
    /// The bytes are those of this part of the original, unchanged.
    pub same_as: Option<String>,
    /// What a target may know the item by.
    pub natural_key: Option<String>,
}

/// A file for the administrator, made from an account's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// `rules.sieve`.
    pub name: String,
    pub text: String,
    pub losses: Vec<Loss>,
}

/// Pure conversions: from an original to the standard form, for what a target accepts.
pub trait Render: Send + Sync {
    /// Raised whenever the output for the same input may differ.
    fn edition(&self, workload: Workload) -> u32;
    /// Of the tables in force behind a workload: a row that is corrected renders anew what it speaks of, and nothing else.
    fn tables(&self, workload: Workload) -> Digest;
    /// Writes the rendering. `Unmappable` where none can be made.
    fn render(
        &self,
        workload: Workload,
        original: &dyn Original,
        audience: &Audience,
        out: &mut dyn Write,
    ) -> Result<Rendered, Fault>;
    /// What the account's settings say of it. What they do not speak of, and what the source would not give, is left
    /// open; what cannot be read is a fault.
    fn own(&self, _settings: &dyn Original) -> std::io::Result<Own> {
        Ok(Own::default())
    }
    /// What the rendering of an item will be known by at a target, where that is made from its id at the source; elsewhere
    /// the source tells it in the facts.
    fn made_key(&self, _workload: Workload, _item: &ItemId, _profile: &Profile) -> Option<String> {
        None
    }
    /// The facts as the target can hold them.
    fn facts(&self, workload: Workload, facts: &Facts, profile: &Profile) -> (Facts, Vec<Loss>);
    /// Files for the administrator from an account's settings. `places` tells where a collection of the source stands
    /// at the target.
    fn handover(
        &self,
        workload: Workload,
        settings: &dyn Original,
        places: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<Handover>;
    /// The colour of a collection as `#rrggbb`, from that or from the source's word for it; none where the target shall
    /// pick one.
    fn colour(&self, told: &str) -> Option<String> {
        Some(told.to_owned())
    }
    /// What a name says of a collection, where its source does not.
    fn well_known(&self, _workload: Workload, _name: &str) -> Option<Role> {
        None
    }
}

/// Comparable meaning, read independently of the conversions.
pub trait Meaning: Send + Sync {
    /// How a rendering, or what a target made of it, differs in meaning from its original beyond the losses named;
    /// empty when it does not.
    fn differences(
        &self,
        workload: Workload,
        original: &dyn Original,
        setting: &Setting,
        rendering: &mut dyn Read,
        losses: &[Loss],
    ) -> std::io::Result<Vec<String>>;

    /// How what stands at a target was changed since it was sent there, whatever its original says; empty where nobody
    /// but the target itself wrote into it. It is people's where this cannot tell.
    fn changed(&self, _workload: Workload, sent: &[u8], there: &[u8]) -> Vec<String> {
        if sent == there { Vec::new() } else { vec!["it was written anew".to_owned()] }
    }

    /// How its texts read otherwise than they were sent, where [`Meaning::differences`] allows two readers of an original
    /// to read them in other letters.
    fn reworded(&self, _workload: Workload, _sent: &[u8], _there: &[u8]) -> Vec<String> {
        Vec::new()
    }
}
