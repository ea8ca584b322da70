//! From the server to the client: hiding, cutting and holding answers.

use std::io;

use super::capability::edited;
use super::connection::{Conversation, ToClient};
use super::wire::{self, Literal, Reader};
use super::{Act, State};

/// Runs until the server ends or a deed ends the connection.
pub(super) async fn run(mut from: Reader, to_client: &ToClient, talk: &Conversation, state: &State) -> io::Result<()> {
    while let Some(line) = wire::line(&mut from).await? {
        let act = notice(&line, talk);
        match act {
            Some(Act::CutBefore) => return Ok(()),
            Some(Act::StallReply) => std::future::pending().await,
            _ => response(&mut from, line, to_client, state).await?,
        }
        if act == Some(Act::CutAfter) {
            return Ok(());
        }
    }
    Ok(())
}

/// Tells the other direction what a line means to it.
fn notice(line: &[u8], talk: &Conversation) -> Option<Act> {
    let tag = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    match tag {
        b"*" => None,
        b"+" | b"+\r\n" => {
            talk.continued();
            None
        }
        tag => talk.end(&String::from_utf8_lossy(tag)),
    }
}

/// Sends one response on, edited, with the literals in it.
async fn response(from: &mut Reader, first: Vec<u8>, to: &ToClient, state: &State) -> io::Result<()> {
    let _turn = to.turn.lock().await;
    let latency = state.script().latency;
    let mut line = edited(&state.script(), &first);
    loop {
        let literal = Literal::announced(&line);
        wire::post(&to.outbox, latency, line).await?;
        let Some(literal) = literal else {
            return Ok(());
        };
        let mut left = literal.length;
        while left > 0 {
            let bytes = wire::chunk(from, left).await?;
            left -= bytes.len() as u64;
            wire::post(&to.outbox, latency, bytes).await?;
        }
        line = wire::line(from).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    }
}
