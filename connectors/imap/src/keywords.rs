//! How many keywords a mailbox holds, and what to do where it holds no more.
//!
//! Cyrus 3.6 takes 100 in a mailbox. A single message with one more is answered `NO Too many user flags in mailbox`; a
//! batch that crosses the limit gets no answer at all: the connection is closed, and nothing of it is stored. So a
//! batch that may cross it is sent message by message; what no longer fits is left out and named.

use crate::{ImapTarget, account::Lease, faults, flags::refused_keyword, handle};
use std::collections::BTreeSet;
use transhume_contract::{Fault, Handle, Loss};

/// Keywords a mailbox takes on a server that limits them.
const MOST: usize = 100;
/// Connections tried for a keyword that is set after its message.
const ATTEMPTS: usize = 2;

/// What this process knows of a mailbox's keywords.
#[derive(Clone, Debug, Default)]
pub struct Keywords {
    /// Those the server refused, as they were wanted.
    pub refused: Vec<String>,
    /// Those that stand there, in lower case; none before the mailbox was asked.
    pub standing: BTreeSet<String>,
    pub asked: bool,
    /// The connection was lost over a batch with keywords: perhaps because of them.
    pub suspected: bool,
}

/// Whether a batch with these keywords (in lower case) may be one the server cannot take.
pub async fn may_overflow(lease: &mut Lease, mailbox: &str, words: &[String]) -> bool {
    let account = lease.account().clone();
    let (asked, suspected) = account.keywords_in(mailbox, |known| (known.asked, known.suspected));
    if !suspected && !lease.link.is_cyrus() {
        return false;
    }
    if !asked {
        // What cannot be asked now is asked before the next batch; this one goes singly.
        let Ok(Ok(selected)) = lease.link.open(mailbox).await else { return true };
        account.keywords_in(mailbox, |known| {
            known.standing.extend(selected.keywords);
            known.asked = true;
        });
    }
    account.keywords_in(mailbox, |known| {
        let new: BTreeSet<_> = words.iter().filter(|word| !known.standing.contains(*word)).collect();
        !new.is_empty() && (suspected || known.standing.len() + new.len() > MOST)
    })
}

/// Sets keywords one by one on a message that was refused with all of them; answers those that are not set.
pub async fn set(
    target: &ImapTarget,
    lease: &mut Lease,
    mailbox: &str,
    handle: Option<&Handle>,
    keywords: &[String],
) -> Vec<(String, Loss)> {
    let mut refused = Vec::new();
    let uid = handle.and_then(|handle| handle::read(handle).ok()).map(|(_, uid)| uid);
    for keyword in keywords {
        let answer = match uid {
            Some(uid) => set_one(target, lease, mailbox, (uid, keyword)).await,
            None => Ok(Err("the message was refused with it".to_owned())),
        };
        let why = match answer {
            Ok(Ok(())) => continue,
            Ok(Err(words)) => {
                lease.account().keywords_in(mailbox, |known| known.refused.push(keyword.clone()));
                words
            }
            // That says nothing of the keyword: it is tried again with the next message.
            Err(fault) => fault.sentence,
        };
        refused.push((keyword.clone(), refused_keyword(keyword, why.trim_end_matches('.'))));
    }
    refused
}

/// Sets a keyword; on another connection if this one is lost over it. The inner error is the server's refusal.
async fn set_one(
    target: &ImapTarget,
    lease: &mut Lease,
    mailbox: &str,
    (uid, keyword): (u32, &str),
) -> Result<Result<(), String>, Fault> {
    let mut outcome = store(lease, mailbox, uid, keyword).await;
    for _ in 1..ATTEMPTS {
        if outcome.is_ok() {
            break;
        }
        target.accounts.renew(lease).await?;
        outcome = store(lease, mailbox, uid, keyword).await;
    }
    outcome
}

async fn store(lease: &mut Lease, mailbox: &str, uid: u32, keyword: &str) -> Result<Result<(), String>, Fault> {
    if let Err(answer) = lease.link.select(mailbox).await? {
        return Err(faults::refused(lease.link.place(), "to open the mailbox", &answer));
    }
    let answer = lease.link.ask(&format!("UID STORE {uid} +FLAGS ({keyword})"), |_| {}).await?;
    Ok(if answer.ok { Ok(()) } else { Err(answer.text) })
}
