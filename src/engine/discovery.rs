//! Who there is at the source, and who of them moves.

use super::{Event, Observer, Stop};
use crate::store::{AccountRow, Assignment, Project};
use transhume_contract::{AccountId, Fault, Source};

/// Lists every account of the source into the project. Interrupted, it is simply made again.
pub async fn discover(
    source: &dyn Source,
    project: &Project,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<u64, Fault> {
    let discovery = project.begin_discovery().await?;
    let (mut from, mut found) = (None, 0);
    loop {
        let page = stop.unless(source.accounts(from.as_ref())).await?;
        found += page.accounts.len() as u64;
        project.record_accounts(discovery, &page).await?;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let gone = project.finish_discovery(discovery).await?;
    if gone > 0 {
        let sentence = format!(
            "no longer listed by the source: {gone} of the accounts found earlier; what was pulled of them is kept"
        );
        observer.hear(Event::Note { account: None, sentence });
    }
    Ok(found)
}

/// One account that is to move: where from, where to.
#[derive(Clone, Debug)]
pub struct Mover {
    pub row: AccountRow,
    /// Its login at the target.
    pub target: AccountId,
    pub wave: String,
}

impl Mover {
    pub fn address(&self) -> &str {
        &self.row.account.address
    }
}

/// What one line of the accounts file says.
#[derive(Clone, Debug)]
pub struct Wish {
    pub source: String,
    pub target: String,
    pub wave: String,
}

/// Matches wishes with discovered accounts, by address or alias. Addresses nobody has are told apart.
pub async fn muster(project: &Project, wishes: &[Wish]) -> Result<(Vec<Mover>, Vec<String>), Fault> {
    let assignment = |wish: &Wish| Assignment {
        address: wish.source.clone(),
        wave: Some(wish.wave.clone()),
        target: Some(AccountId::new(wish.target.clone())),
    };
    let unknown = project.assign(wishes.iter().map(assignment).collect()).await?;
    let mut movers = Vec::new();
    for wish in wishes {
        if let Some(row) = project.account(&wish.source).await? {
            movers.push(Mover { row, target: AccountId::new(wish.target.clone()), wave: wish.wave.clone() });
        }
    }
    Ok((movers, unknown))
}
