//! What the engine asks of the conversions, without knowing any format.

use std::io::{Read, Write};
use transhume_contract::{Digest, Facts, Fault, Loss, Part, Profile, Workload};

/// An original as a conversion sees it: named parts, each readable from its first byte.
pub trait Original {
    fn parts(&self) -> &[Part];
    fn open(&self, name: &str) -> std::io::Result<Box<dyn Read + '_>>;
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
    /// Of the tables in force.
    fn tables(&self) -> Digest;
    /// Writes the rendering. `Unmappable` where none can be made.
    fn render(
        &self,
        workload: Workload,
        original: &dyn Original,
        profile: &Profile,
        out: &mut dyn Write,
    ) -> Result<Rendered, Fault>;
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
}

/// Comparable meaning, read independently of the conversions.
pub trait Meaning: Send + Sync {
    /// How a rendering differs in meaning from its original beyond the losses named; empty when it does not.
    fn differences(
        &self,
        workload: Workload,
        original: &dyn Original,
        rendering: &mut dyn Read,
        losses: &[Loss],
    ) -> std::io::Result<Vec<String>>;
}
