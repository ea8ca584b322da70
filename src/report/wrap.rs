//! Sentences that fit the terminal. Tables are fitted where they are made, and what is redirected stays whole, so that it
//! can be searched.

use unicode_width::UnicodeWidthChar;

/// How much further in the following lines of a sentence stand than its first.
const HANG: usize = 4;
/// Room that a line keeps at least, however far in it stands.
const LEAST: usize = 20;

/// Breaks lines that are wider, at spaces, and within a command in backticks only where it is wider by itself.
pub fn wrapped(text: &str, width: Option<usize>) -> String {
    match width.filter(|width| *width >= LEAST) {
        None => text.to_owned(),
        Some(width) => text.split('\n').map(|line| broken(line, width)).collect::<Vec<_>>().join("\n"),
    }
}

fn broken(line: &str, width: usize) -> String {
    let hang = Some(indent(line) + HANG).filter(|hang| hang + LEAST <= width).unwrap_or(0);
    let (mut text, mut from, mut room) = (String::new(), 0, width);
    while let Some(at) = break_in(line, from, room) {
        text += line[from..at].trim_end();
        from = at + indent(&line[at..]);
        if from == line.len() {
            break;
        }
        text += &format!("\n{:hang$}", "");
        room = width - hang;
    }
    text + &line[from..]
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The space at which a line breaks of which too much is left from this byte on. `None` where it fits, or has no space to
/// break at. Whether a space stands within a command, the whole line tells: one that was broken already goes on in the rest.
fn break_in(line: &str, from: usize, room: usize) -> Option<usize> {
    let rest = &line[from..];
    let end = from + fitting(rest, room)?;
    let begin = from + indent(rest);
    let spaces = || rest.match_indices(' ').map(|(at, _)| from + at).filter(move |at| *at > begin);
    let is_between_commands = |at: usize| line[..at].matches('`').count().is_multiple_of(2);
    let whole = spaces().rfind(|at| *at <= end && is_between_commands(*at));
    whole.or_else(|| spaces().rfind(|at| *at <= end)).or_else(|| spaces().find(|at| *at > end))
}

/// The byte from which on a text has no room; `None` where all of it has. Letters of some scripts take two columns.
fn fitting(text: &str, room: usize) -> Option<usize> {
    let mut taken = 0;
    let mut ends = text.char_indices().map(|(at, letter)| {
        taken += letter.width().unwrap_or(0);
        (at, taken)
    });
    ends.find(|(_, taken)| *taken > room).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::wrapped;
    use unicode_width::UnicodeWidthStr;

    const SAID: &str = "BLOCKER ada: the mailbox holds mäil already; `transhume plan` tells what it is\n\
                        \x20   Empty it at the target, or set `existing` under [policy] in transhume.toml\nshort";

    #[test]
    fn sentences_fit_and_lose_no_word() {
        for width in 20..90 {
            let text = wrapped(SAID, Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&text), words(SAID), "{width}");
        }
    }

    #[test]
    fn following_lines_stand_further_in_and_commands_stay_whole() {
        assert_eq!(
            wrapped(SAID, Some(60)),
            "BLOCKER ada: the mailbox holds mäil already;\n    `transhume plan` tells what it is\n    \
             Empty it at the target, or set `existing` under [policy]\n        in transhume.toml\nshort"
        );
    }

    #[test]
    fn a_command_that_had_to_be_broken_does_not_turn_words_and_commands_about() {
        let said =
            "`transhume explain somebody@example.org again` tells it; `transhume status` tells where all of them stand";
        assert_eq!(
            wrapped(said, Some(30)),
            "`transhume explain\n    somebody@example.org\n    again` tells it;\n    `transhume status` tells\n    where all of them stand"
        );
    }

    #[test]
    fn letters_that_take_two_columns_are_counted_so() {
        let said = "folder 未分類の重要な書類 of ada@example.org 受信トレイの中 is not taken by the target";
        for width in 24..90 {
            let text = wrapped(said, Some(width));
            assert!(text.lines().all(|line| line.width() <= width), "{width}: {text}");
        }
    }

    #[test]
    fn what_has_no_space_is_never_cut_and_what_is_redirected_stays_whole() {
        let long = "https://example.org/".repeat(5);
        assert_eq!(wrapped(&format!("see {long} there"), Some(40)), format!("see\n    {long}\n    there"));
        assert_eq!(wrapped(&format!("{long}   "), Some(40)), long);
        assert_eq!(wrapped(SAID, None), SAID);
    }
}
