//! HTML as plain text, for programs that show nothing else. The HTML itself stands beside it whole.
//!
//! Lines end where blocks and rows end, list items begin with a dash, table cells are set apart, and links keep where
//! they lead: `our plan <https://x.example/plan>`. Anything is read, in one go through the text; what is no tag is text.

mod tokens;

use mail_parser::decoders::html::html_to_text;
use tokens::{Tag, Token, Tokens};

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 26] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "ol",
    "p",
    "section",
    "ul",
];

pub(crate) fn plain(html: &str) -> String {
    let mut page = Page::default();
    for token in Tokens::of(html) {
        match token {
            Token::Text(text) => page.text(text),
            Token::Open(tag) => page.open(&tag),
            Token::Close(name) => page.close(&name),
        }
    }
    page.finish()
}

/// Text in the making. No-break spaces stand in it as such until the end, so that a line of them stays a line.
#[derive(Default)]
struct Page {
    text: String,
    /// White space was seen, and is worth one space if a word follows on the line.
    gap: bool,
    /// Depth of `pre`, where white space counts.
    verbatim: u32,
    link: Option<Link>,
}

struct Link {
    target: Option<String>,
    /// Where its words begin.
    from: usize,
}

impl Page {
    fn text(&mut self, raw: &str) {
        for c in decoded(raw).chars() {
            match c {
                _ if self.verbatim > 0 => self.text.push(c),
                ' ' | '\t' | '\n' | '\r' | '\x0c' => self.gap = true,
                c => {
                    self.space();
                    self.text.push(c);
                }
            }
        }
    }

    fn space(&mut self) {
        if std::mem::take(&mut self.gap) && !self.text.is_empty() && !self.text.ends_with([' ', '\n', '\t']) {
            self.text.push(' ');
        }
    }

    fn open(&mut self, tag: &Tag) {
        match tag.name.as_str() {
            "br" => self.end_line(),
            "li" | "tr" => {
                self.begin_line();
                self.text.push_str(if tag.name == "li" { "- " } else { "" });
            }
            "td" | "th" => self.cell(),
            "pre" => {
                self.begin_line();
                self.verbatim += 1;
            }
            "a" => self.link = Some(Link { target: tag.target.as_deref().map(decoded), from: self.text.len() }),
            name if BLOCKS.contains(&name) => self.begin_line(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "a" => self.leads_to(),
            "pre" => {
                self.verbatim = self.verbatim.saturating_sub(1);
                self.begin_line();
            }
            "li" | "tr" | "table" => self.begin_line(),
            name if BLOCKS.contains(&name) => self.begin_line(),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        self.gap = false;
        self.text.push('\n');
    }

    fn begin_line(&mut self) {
        self.gap = false;
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn cell(&mut self) {
        self.gap = false;
        if !self.text.is_empty() && !self.text.ends_with(['\n', '\t']) {
            self.text.push('\t');
        }
    }

    /// Where a link leads, unless its words say so.
    fn leads_to(&mut self) {
        let Some(Link { target: Some(target), from }) = self.link.take() else { return };
        let target: String = target.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let words = self.text.get(from..).unwrap_or_default();
        if leads_away(&target) && !bare(words).contains(&bare(&target)) {
            self.gap = true;
            self.space();
            self.text.push_str(&format!("<{target}>"));
        }
    }

    fn finish(self) -> String {
        let mut plain = String::with_capacity(self.text.len());
        let mut blank = 0;
        for line in self.text.replace('\u{a0}', " ").lines().map(str::trim_end) {
            blank = if line.is_empty() { blank + 1 } else { 0 };
            if blank < 2 {
                plain.push_str(line);
                plain.push('\n');
            }
        }
        plain.trim().to_owned()
    }
}

/// Places within the page, and scripts, lead nowhere else.
fn leads_away(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
    ["http", "https", "mailto", "tel", "ftp", "sip", "msteams", "callto"].contains(&scheme.as_str())
        && !target.contains(['<', '>'])
}

/// An address without its scheme and what is written in different ways.
fn bare(address: &str) -> String {
    let address = address.split_once(':').map_or(address, |(_, rest)| rest);
    let kept = address.chars().filter(|c| !c.is_whitespace());
    kept.collect::<String>().trim_matches('/').to_lowercase()
}

/// Character references undone; one that nobody knows stands as it is.
fn decoded(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let name = after.bytes().take(33).position(|byte| byte == b';').and_then(|end| after.get(..end));
        let name = name.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'#'));
        match name {
            Some(name) if !name.is_empty() => {
                text.push_str(&referred(name));
                rest = &after[name.len() + 1..];
            }
            _ => {
                text.push('&');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// A character by its name or number. Numbers from 128 to 159 mean what they mean in windows-1252 (HTML 13.2.5.80).
fn referred(name: &str) -> String {
    let number = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
        Some(number) => u32::from_str_radix(number, 16).ok(),
        None => number.parse().ok(),
    });
    match number {
        Some(number @ 128..=159) => {
            let byte = [u8::try_from(number).unwrap_or(b'?')];
            encoding_rs::WINDOWS_1252.decode(&byte).0.into_owned()
        }
        _ => html_to_text(&format!("&{name};")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::plain;

    #[test]
    fn what_people_see_is_what_stands() {
        let cases = [
            ("<div>a</div><div>b</div>", "a\nb"),
            ("<p class=MsoNormal>One</p><p>&nbsp;</p><p>Two</p>", "One\n\nTwo"),
            ("a<br>b<br/>c", "a\nb\nc"),
            ("one\n two\t<b>three</b>, <i>four</i>five", "one two three, fourfive"),
            ("<ul><li>x<li>y</ul>z", "- x\n- y\nz"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>e", "a\tb\nc\td\ne"),
            (
                "see <a href=\"https://x.example/a?b=1&amp;c=2\">our plan</a>.",
                "see our plan <https://x.example/a?b=1&c=2>.",
            ),
            ("<a href='https://x.example/'>https://x.example</a>", "https://x.example"),
            ("<a href=mailto:a@x.example>a@x.example</a> <a href='#top'>top</a>", "a@x.example top"),
            ("<a href=https://t.example/join><img src=x></a>", "<https://t.example/join>"),
            ("<a title=\"a > b\" href=\"https://x.example/\">c</a>", "c <https://x.example/>"),
            ("<html><head><title>T</title><style>p{}</style></head><body>x</body></html>", "x"),
            ("<head><meta x><body>x", "x"),
            ("a<!-- b > c -->d<![if !mso]>e<![endif]><?xml f?>g", "adeg"),
            ("a<script>if (b < c) {}</script>d<STYLE>e</style >f", "adf"),
            ("1 < 2 && 3 > 2 <3 a<b", "1 < 2 && 3 > 2 <3 a<b"),
            ("&lt;p&gt; &amp;amp; &eacute;&#233;&#xE9; &#150; &unknown; &", "<p> &amp; ééé – &unknown; &"),
            ("<pre>a\n  b</pre>c", "a\n  b\nc"),
            ("שלום <b>👩‍👩‍👧</b>", "שלום 👩‍👩‍👧"),
            ("<a href=\"https://x.example/", "<a href=\"https://x.example/"),
            ("a<p b=\"c>d<p>e", "a\nd\ne"),
        ];
        for (html, text) in cases {
            assert_eq!(plain(html), text, "{html}");
        }
    }

    /// Two megabytes of what makes careless readers slow or overflow their stack.
    #[test]
    fn hostile_pages_are_read_in_one_go() {
        for piece in [
            "<!---->",
            "<head>",
            "<a href=x>",
            "&",
            "<",
            "<b ",
            "<p a=\"",
            "<a b='\">",
            "</a>",
            "<pre>",
            "&lt;",
            "<li>",
            "x\u{a0}",
        ] {
            let begun = std::time::Instant::now();
            plain(&piece.repeat((2 << 20) / piece.len()));
            assert!(begun.elapsed().as_secs() < 20, "{piece}: {:?}", begun.elapsed());
        }
    }
}
