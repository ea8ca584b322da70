//! From the client to the server: counting, refusing, cutting.

use std::io;
use std::time::Duration;

use super::capability::offence;
use super::connection::{Conversation, ToClient};
use super::wire::{self, Literal, Outbox, Reader};
use super::{Act, State};

/// What every server refuses as an argument of APPEND, so that the messages before it are not stored either.
const SYNTAX_ERROR: &[u8] = b" ()()\r\n";

/// One direction of a connection.
struct Side<'a> {
    from: &'a mut Reader,
    to_server: &'a Outbox,
    to_client: &'a ToClient,
    talk: &'a Conversation,
    state: &'a State,
}

/// The first line of a command.
struct Command {
    tag: String,
    verb: String,
    /// Where the arguments start.
    arguments: usize,
}

/// What follows a piece of a command.
enum Next {
    Command,
    End,
}

/// Runs until the client ends or a deed ends the connection.
pub(super) async fn run(
    from: &mut Reader,
    to_server: &Outbox,
    to_client: &ToClient,
    talk: &Conversation,
    state: &State,
) -> io::Result<()> {
    let mut side = Side { from, to_server, to_client, talk, state };
    while let Some(line) = wire::line(side.from).await? {
        if let Next::End = side.line(line).await? {
            break;
        }
    }
    Ok(())
}

impl Command {
    fn parse(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line);
        let mut words = text.trim_end().split(' ');
        let (tag, first) = (words.next()?, words.next()?);
        let mut arguments = tag.len() + 1 + first.len();
        let mut verb = first.to_uppercase();
        if verb == "UID"
            && let Some(second) = words.next()
        {
            arguments += 1 + second.len();
            verb = format!("UID {}", second.to_uppercase());
        }
        Some(Self { tag: tag.to_owned(), verb, arguments })
    }
}

impl Side<'_> {
    async fn line(&mut self, line: Vec<u8>) -> io::Result<Next> {
        if self.talk.talks() {
            if line.trim_ascii().eq_ignore_ascii_case(b"DONE") {
                self.talk.stop_talking();
            }
            return self.forward(line).await.map(|()| Next::Command);
        }
        let Some(command) = Command::parse(&line) else {
            return self.forward(line).await.map(|()| Next::Command);
        };
        let act = self.state.seen(&command.verb);
        match act {
            Some(Act::CutOnArrival) => Ok(Next::End),
            Some(Act::CutMidway) => self.half(&command, line).await,
            Some(Act::Stall) => std::future::pending().await,
            Some(Act::Late(time)) => self.late(&command, line, time).await,
            Some(Act::Answer(answer)) => self.refuse(&command, line, &answer).await,
            later => self.admit(&command, line, later).await,
        }
    }

    /// Forwards a command unless it makes use of what is hidden.
    async fn admit(&mut self, command: &Command, line: Vec<u8>, act: Option<Act>) -> io::Result<Next> {
        if let Some(answer) = self.objection(command, &line) {
            return self.refuse(command, line, &answer).await;
        }
        self.talk.begin(&command.tag, &command.verb, act);
        self.pass(command, line).await
    }

    fn objection(&self, command: &Command, line: &[u8]) -> Option<String> {
        let script = self.state.script();
        let arguments = line.get(command.arguments..).unwrap_or_default();
        let literal = Literal::announced(line);
        if let Some(capability) = offence(&script, &command.verb, arguments) {
            return Some(format!("BAD {capability} is not supported"));
        }
        if script.hides("LITERAL+") && literal.is_some_and(|literal| !literal.waits) {
            return Some("BAD LITERAL+ is not supported".to_owned());
        }
        let too_big = |limit| literal.is_some_and(|literal| literal.length > limit);
        (command.verb == "APPEND" && script.append_limit().is_some_and(too_big))
            .then(|| "NO [TOOBIG] Message is too large".to_owned())
    }

    /// Sends a command on, piece by piece, as long as each piece is allowed.
    async fn pass(&mut self, command: &Command, first: Vec<u8>) -> io::Result<Next> {
        // A mailbox name may be a literal itself; only what follows it is a message.
        let named = first.get(command.arguments..).is_some_and(|rest| rest.starts_with(b" {"));
        let names = u32::from(named);
        let mut line = first;
        for literals in 0.. {
            if literals > 0 && self.goes_too_far(command, literals > names, &line) {
                self.forward(SYNTAX_ERROR.to_vec()).await?;
                return self.swallow(line).await;
            }
            let Some(literal) = Literal::announced(&line) else {
                self.forward(line).await?;
                break;
            };
            if !self.announce(command, line, literal).await? {
                break;
            }
            self.content(literal.length).await?;
            match wire::line(self.from).await? {
                Some(next) => line = next,
                None => return Ok(Next::End),
            }
        }
        Ok(Next::Command)
    }

    /// Whether the rest of a command, after its first literal, makes use of what is hidden.
    fn goes_too_far(&self, command: &Command, has_message: bool, line: &[u8]) -> bool {
        let script = self.state.script();
        let another = command.verb == "APPEND" && has_message && !line.trim_ascii().is_empty();
        let unasked = Literal::announced(line).is_some_and(|literal| !literal.waits);
        (another && script.hides("MULTIAPPEND")) || (unasked && script.hides("LITERAL+"))
    }

    /// Sends the line that announces a literal; `false` when the server answers the command instead of asking for it.
    async fn announce(&mut self, command: &Command, line: Vec<u8>, literal: Literal) -> io::Result<bool> {
        if !literal.waits {
            self.forward(line).await?;
            return Ok(true);
        }
        let told = self.talk.await_continuation(&command.tag);
        self.forward(line).await?;
        told.await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    async fn content(&mut self, mut left: u64) -> io::Result<()> {
        while left > 0 {
            let bytes = wire::chunk(self.from, left).await?;
            left -= bytes.len() as u64;
            self.forward(bytes).await?;
        }
        Ok(())
    }

    /// Sends half of the first literal, or of the line when there is none, and ends.
    async fn half(&mut self, command: &Command, line: Vec<u8>) -> io::Result<Next> {
        self.talk.begin(&command.tag, &command.verb, None);
        match Literal::announced(&line) {
            None => self.forward(line.get(..line.len() / 2).unwrap_or_default().to_vec()).await?,
            Some(literal) => {
                if self.announce(command, line, literal).await? {
                    self.content(literal.length / 2).await?;
                }
            }
        }
        Ok(Next::End)
    }

    /// Takes a whole command, and sends it on when its time has come.
    async fn late(&mut self, command: &Command, mut line: Vec<u8>, time: Duration) -> io::Result<Next> {
        self.talk.begin(&command.tag, &command.verb, None);
        let mut whole = line.clone();
        while let Some(literal) = Literal::announced(&line).filter(|literal| !literal.waits) {
            let mut left = literal.length;
            while left > 0 {
                let bytes = wire::chunk(self.from, left).await?;
                left -= bytes.len() as u64;
                whole.extend(bytes);
            }
            line = wire::line(self.from).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            whole.extend(&line);
        }
        tokio::time::sleep(time).await;
        self.forward(whole).await.map(|()| Next::Command)
    }

    /// Answers a command ourselves and reads past it.
    async fn refuse(&mut self, command: &Command, line: Vec<u8>, answer: &str) -> io::Result<Next> {
        let next = self.swallow(line).await?;
        let _turn = self.to_client.turn.lock().await;
        let latency = self.state.script().latency * 2;
        wire::post(&self.to_client.outbox, latency, format!("{} {answer}\r\n", command.tag).into_bytes()).await?;
        Ok(next)
    }

    /// Reads past the rest of a command. A client that waits for a continuation sends nothing more: it gets its answer.
    async fn swallow(&mut self, mut line: Vec<u8>) -> io::Result<Next> {
        while let Some(literal) = Literal::announced(&line).filter(|literal| !literal.waits) {
            wire::discard(self.from, literal.length).await?;
            match wire::line(self.from).await? {
                Some(next) => line = next,
                None => return Ok(Next::End),
            }
        }
        Ok(Next::Command)
    }

    async fn forward(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let latency = self.state.script().latency;
        wire::post(self.to_server, latency, bytes).await
    }
}
