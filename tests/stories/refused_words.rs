//! Words in `transhume.toml` and `accounts.csv` that cannot be used.

use crate::setting::{Story, files, ordinary};
use serde_json::json;

fn story() -> Story {
    Story::new(&ordinary(1, 2))
}

#[test]
fn invalid_toml() {
    let story = story();
    story.reconfigure("tenant = \"contoso\"", "tenant = \"contoso");
    story.run(&["run"]).is(2, "PROJECT/transhume.toml, line 3, column 18: invalid basic string, expected `\"`\nMend that line; `transhume init` in an empty directory writes a commented example.");
}

#[test]
fn a_word_without_quotes() {
    let story = story();
    for (right, wrong, column) in [
        ("tenant = \"contoso\"", "tenant = 127.0.0.1  # ours", 10),
        ("tenant = \"contoso\"", "tenant = contoso.example", 10),
        ("tenant = \"contoso\"", "tenant =contoso", 9),
    ] {
        story.reconfigure(right, wrong);
        story.run(&["run"]).is(
            2,
            &format!(
                "PROJECT/transhume.toml, line 3, column {column}: words need quotes, e.g. key = \"...\"\nMend \
                 that line; `transhume init` in an empty directory writes a commented example."
            ),
        );
        story.reconfigure(wrong, right);
    }
}

#[test]
fn an_unknown_key() {
    let story = story();
    story.reconfigure("client_id", "klient_id");
    story.run(&["run"]).is(
        2,
        "PROJECT/transhume.toml, line 4, column 1: unknown field `klient_id`, expected one of `tenant`, \
         `client_id`, `client_secret`, `certificate`, `legacy_assertion`, `device_code`, `cloud`, `graph_url`, \
         `login_url`, `ca_file`\nMend that line; `transhume init` in an empty directory writes a commented example.",
    );
}

#[test]
fn a_secret_that_nobody_set() {
    let story = story();
    let output = story.command(&["run"]).env_remove("STORY_SECRET").output().unwrap();
    story.said(&output).is(
        2,
        "the environment variable STORY_SECRET is not set\n\
         Set it to the secret before you run transhume, or name a file or command.",
    );
}

#[test]
fn no_project_at_all() {
    let story = story();
    std::fs::remove_dir_all(story.project()).unwrap();
    story
        .run(&["run"])
        .is(2, "there is no transhume.toml in PROJECT\nGo to the project's directory or name it with --project; `transhume init --project PROJECT` makes a new project.");
}

const UNKNOWN: &str = "accounts.csv, line 3: the tenant has no account nobody@valmont.example\n\
    Correct the address or remove the line; `transhume survey` lists the tenant's accounts.";

#[test]
fn an_account_the_tenant_does_not_know_is_named_at_the_end_and_stops_nobody_else() {
    let story = story();
    story.write("accounts.csv", format!("source,target\n{},a\nnobody@valmont.example,b\n", story.addresses[0]));
    let said = "nobody@valmont.example: accounts.csv, line 3: the tenant has no account nobody@valmont.example";
    let both = "2 accounts: 1 reached on both sides, 1 not; 1 blocker to mend first.";
    story.run(&["check"]).tells(1, &[&format!("BLOCKER  source  {said}"), "Correct the address or", both]);
    story.run(&["plan"]).tells(3, &[&format!("BLOCKER {said}. Correct the address or"), "; 1 blocker to mend first."]);
    let plan = story.run(&["plan", "--json"]).summary();
    assert_eq!(plan["human_hours"], json!(0.75), "an account of a quarter and a blocker of half an hour: {plan}");
    let run = story.run(&["run", "-q"]);
    run.is(3, UNKNOWN);
    run.tells(3, &["items pulled (", " placed ("]);
    assert!(!files(&story.project().join("mail/a/Maildir")).is_empty(), "the others move");
    for verb in ["pull", "push", "verify"] {
        story.run(&[verb, "-q"]).is(3, UNKNOWN);
    }
    let events = story.run(&["run", "--json"]).events();
    let unknown: Vec<_> = events.iter().filter(|event| event["type"] == "unknown").collect();
    assert_eq!(unknown.len(), 1);
    assert_eq!((&unknown[0]["account"], &unknown[0]["line"]), (&json!("nobody@valmont.example"), &json!(3)));
    for verb in ["check", "plan", "pull", "push", "run", "verify"] {
        assert_eq!(story.run(&[verb, "--json"]).summary()["unknown"], 1, "{verb}");
    }
    story.run(&["run", "--account", &story.addresses[0]]).ok();
}

#[test]
fn nobody_whom_the_tenant_knows_is_nothing_to_begin_with() {
    let story = story();
    story.write("accounts.csv", format!("source,target\n{},a\nnobody@valmont.example,b\n", story.addresses[0]));
    story.run(&["run", "--account", "nobody@valmont.example"]).is(2, UNKNOWN);
    story
        .run(&["run", "--account", "nobdoy@valmont.example"])
        .is(2, "nobdoy@valmont.example does not stand in accounts.csv\nAdd a line for it, or correct --account.");
    story.write("accounts.csv", "source,target\n# all misspelt\nnobody@valmont.example,b\n");
    for verb in ["check", "plan", "run", "verify"] {
        story.run(&[verb]).is(2, UNKNOWN);
    }
}

#[test]
fn two_addresses_of_one_account_are_named_with_their_lines_whoever_else_is_unknown() {
    let story = story();
    let (local, _) = story.addresses[0].split_once('@').unwrap();
    let alias = format!("{local}@valmont.onmicrosoft.com");
    story.write(
        "accounts.csv",
        format!("source,target\nnobody@valmont.example,n\n{},a\n{alias},b\n", story.addresses[0]),
    );
    story.run(&["run"]).is(
        2,
        &format!(
            "accounts.csv, line 4: {alias} is another address of the account on line 3\nRemove one of the two lines."
        ),
    );
}

#[test]
fn two_addresses_of_one_account() {
    let story = story();
    let (local, _) = story.addresses[0].split_once('@').unwrap();
    let alias = format!("{local}@valmont.onmicrosoft.com");
    story.write("accounts.csv", format!("source,target\n{},a\n{alias},b\n", story.addresses[0]));
    for verb in ["plan", "run", "push"] {
        let said = format!(
            "accounts.csv, line 3: {alias} is another address of the account on line 2\nRemove one of the two lines."
        );
        story.run(&[verb]).is(2, &said);
    }
}

#[test]
fn a_list_without_its_columns() {
    let story = story();
    story.write("accounts.csv", "who,where\nada,bob\n");
    story.run(&["run"]).is(2, "PROJECT/accounts.csv, line 1: the first line must name the columns source and target (and wave, if you use waves)\nMake the first line `source,target,wave` (semicolons and tabs serve too).");
}

#[test]
fn a_list_with_several_mistakes_names_each_with_its_line() {
    let story = story();
    story.write("accounts.csv", "source,target\nada@x,\nbob@x,b\ncy@x,b\n");
    story.run(&["status"]).is(
        2,
        "PROJECT/accounts.csv, line 2: source and target must both be filled in\nFill in the address at the source and \
         the login at the target, or put a # before the line to leave it out.\nPROJECT/accounts.csv, line 4: line 3 \
         already moves into b; two accounts cannot share a target\nGive each account a login of its own at the target.",
    );
}

#[test]
fn a_number_that_cannot_be() {
    let story = story();
    let imap = "connector = \"imap\"\nhost = \"mail.example.org\"\nport = 99999\nauthentication = \"master\"";
    story.reconfigure("connector = \"folder\"\npath = \"mail\"", imap);
    story.run(&["check"]).complains(
        2,
        &[
            "PROJECT/transhume.toml, line 12, column 8: ",
            "`99999`, expected a whole number from 0 to 65535\nMend that line; ",
        ],
    );
}

/// Also what is well-formed and cannot work, and what the library forgot the place of.
#[test]
fn whatever_is_wrong_is_named_with_its_line() {
    let story = story();
    let text = std::fs::read_to_string(story.project().join("transhume.toml")).unwrap();
    let (target, way) =
        ("connector = \"folder\"\npath = \"mail\"", "[source] needs exactly one of client_secret, certificate");
    let secret = "client_secret = { env = \"STORY_SECRET\" }\n";
    for (right, wrong, place, said) in [
        (secret, "", "line 1, column 1", way),
        (secret, &format!("{secret}device_code = true\n"), "line 6, column 1", way),
        ("tenant = \"contoso\"\n", "", "line 1, column 1", "missing field `tenant`"),
        ("\"contoso\"", "7", "line 3, column 10", "invalid type: integer `7`, expected words in quotes"),
        (
            "\"folder\"",
            "\"imaps\"",
            "line 10, column 13",
            "unknown variant `imaps`, expected one of `imap`, `dav`, `folder`",
        ),
        ("\"graph\"", "\"imap\"", "line 2, column 13", "unknown variant `imap`, expected `graph`"),
        (
            "\"folder\"",
            "\"graph\"",
            "line 10, column 13",
            "unknown variant `graph`, expected one of `imap`, `dav`, `folder`",
        ),
        (
            target,
            &format!("{target}\n\n[limits]\nlanes = 0"),
            "line 14, column 1",
            "[limits] accounts, lanes and window",
        ),
        (target, &format!("{target}\n\n[policy]\nexisting = \"yes\""), "line 14, column 12", "unknown variant `yes`"),
        (target, &format!("{target}\n\n[policy]\nexisitng = \"ask\""), "line 14, column 1", "unknown field `exisitng`"),
        (
            target,
            "connector = \"dav\"\nurl = \"https://x\"\nauthentication = \"master\"",
            "line 10, column 1",
            "[target.mail] a DAV server takes calendars, contacts and tasks",
        ),
        (
            target,
            "connector = \"imap\"\nhost = \"x\"\nauthentication = \"password\"",
            "line 12, column 1",
            "[target.mail] authentication = \"password\" needs `passwords`",
        ),
    ] {
        assert!(text.contains(right), "{right} does not stand in\n{text}");
        story.write("transhume.toml", text.replacen(right, wrong, 1));
        story
            .run(&["check"])
            .complains(2, &[&format!("PROJECT/transhume.toml, {place}: {said}"), "\nMend that line; "]);
    }
}

#[test]
fn a_flag_where_it_means_nothing() {
    let story = story();
    story.run(&["pull", "--dry-run"]).complains(2, &["unexpected argument '--dry-run'", "try '--help'"]);
    let shown = |verb: &str| story.run(&[verb, "--help"]).out;
    assert!(!shown("init").contains("--json") && !shown("simulate").contains("--no-progress"));
    assert!(shown("run").contains("--dry-run") && shown("run").contains("--wave") && shown("run").contains("--json"));
    let before = std::process::Command::new(env!("CARGO_BIN_EXE_transhume"))
        .arg("--project")
        .arg(story.project())
        .args(["status", "--json"])
        .output()
        .unwrap();
    let said = story.said(&before);
    assert_eq!((said.code, &said.summary()["verb"]), (Some(3), &json!("status")), "flags may stand before the verb");
}

#[test]
fn nobody_listed() {
    let story = story();
    story.write("accounts.csv", "source,target\n");
    story
        .run(&["run"])
        .is(2, "accounts.csv names no account\nRun `transhume survey --write-accounts` to fill it from the tenant.");
}

#[test]
fn a_spreadsheets_list_in_latin_1_with_semicolons_is_understood() {
    let story = story();
    let mut list = b"Source;Target;Wave\r\n".to_vec();
    list.extend(format!("{};", story.addresses[0]).bytes());
    list.extend(b"Ren\xe9e;\xe9t\xe9\r\n");
    story.write("accounts.csv", list);
    story.run(&["run", "--wave", "été"]).tells(0, &["> Renée"]);
    story
        .run(&["run", "--wave", "hiver"])
        .is(2, "no account in accounts.csv is in wave hiver\nCorrect --wave, or fill in the column wave.");
}

#[test]
fn a_verb_that_does_not_exist() {
    let said = story().run(&["migrate"]);
    said.complains(2, &["unrecognized subcommand 'migrate'", "try '--help'"]);
}
