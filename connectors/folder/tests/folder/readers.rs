//! Other programs read what we wrote. They are installed by `scripts/install-test-servers readers`.

use std::process::{Command, Stdio};

use transhume_contract::{Facts, FlagState, Role, Target};

use crate::subject::{Subject, facts, placing};

async fn written() -> Subject {
    let on = Subject::new();
    let inbox = on.target.ensure(&on.want(&["Inbox"], Role::Inbox)).await.unwrap();
    let read = Facts { read: Some(true), flag: Some(FlagState::Flagged), ..facts() };
    let text = |n: u32| format!("From: a@x\r\nMessage-ID: <{n}@x>\r\nSubject: number {n}\r\n\r\nbody {n}\r\n");
    let batch = vec![placing("one", &text(1), read), placing("two", &text(2), facts())];
    on.place(&inbox, batch).await;
    let sub = on.ensure(&["Projects", "R&D"]).await;
    on.place(&sub, vec![placing("three", &text(3), facts())]).await;
    on
}

fn said(command: &mut Command) -> String {
    let output = command.output().expect("run scripts/install-test-servers readers");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[tokio::test]
async fn python_reads_messages_flags_dates_and_folders() {
    let on = written().await;
    let script = "import mailbox, sys\n\
        box = mailbox.Maildir(sys.argv[1], create=False)\n\
        for message in sorted(box, key=lambda m: m['Subject']):\n\
        \x20   print(message['Subject'], message.get_flags(), int(message.get_date()), message.get_payload().strip())\n\
        print(box.list_folders())\n\
        print(len(box.get_folder('Projects.R&-D')))\n";
    let text = said(Command::new("python3").arg("-c").arg(script).arg(on.home().join("Maildir")));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines, ["number 1 FS 1740823200 body 1", "number 2  1740823200 body 2", "['Projects.R&-D']", "1",]);
}

/// What mutt makes of the messages that match a pattern, decoded as for a person.
fn mutt(on: &Subject, pattern: &str) -> String {
    let rc = on.root.path().join("muttrc");
    let out = on.root.path().join("out");
    std::fs::write(&out, "").unwrap();
    // auto_tag makes one pipe of all that the pattern tagged.
    let script = "set wait_key=no pipe_decode=yes pipe_split=yes auto_tag=yes sleep_time=0 charset=utf-8\n\
        push 'T$PATTERN<enter>|cat >> $OUT<enter>q'\n";
    let script = script.replace("$OUT", &out.display().to_string()).replace("$PATTERN", pattern);
    std::fs::write(&rc, script).unwrap();
    let maildir = on.home().join("Maildir");
    on_a_terminal(&format!("mutt -n -R -F {} -f {}", rc.display(), maildir.display()));
    std::fs::read_to_string(&out).unwrap()
}

/// mutt wants a terminal: script(1) gives it one. Nobody types, and nobody hangs up: that would be a key, too.
fn on_a_terminal(command: &str) {
    let mut terminal = Command::new("script");
    terminal.arg("-qec").arg(command).arg("/dev/null").env("TERM", "vt100");
    let piped = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut running = piped.expect("run scripts/install-test-servers readers");
    let keys = running.stdin.take();
    let ended = running.wait_with_output().unwrap();
    drop(keys);
    assert!(
        ended.status.success(),
        "{}{}",
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    );
}

#[tokio::test]
async fn mutt_reads_text_and_flags() {
    let on = written().await;
    let all = mutt(&on, "~A");
    for part in ["Subject: number 1", "\nbody 1\n", "Subject: number 2", "\nbody 2\n"] {
        assert!(all.contains(part), "{part} in {all:?}");
    }
    let of = |text: String| (text.contains("number 1"), text.contains("number 2"));
    assert_eq!(of(mutt(&on, "~F")), (true, false), "flagged");
    assert_eq!(of(mutt(&on, "~R")), (true, false), "read");
}
