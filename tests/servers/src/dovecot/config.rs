//! Dovecot's configuration, as text. The syntax is that of 2.3; 2.4 has another.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::certificate::CertificateFiles;
use crate::{DovecotOptions, Fsync, Login, SPECIAL_FOLDERS, Store};

/// Where everything of one server is.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub dir: PathBuf,
    pub homes: PathBuf,
    pub run: PathBuf,
    pub config: PathBuf,
    pub users: PathBuf,
    pub masters: PathBuf,
    /// How tokens are judged, and the key they are signed with.
    pub tokens: PathBuf,
    pub token_keys: PathBuf,
    pub log: PathBuf,
    pub ports: PathBuf,
    pub certificate: Option<CertificateFiles>,
    pub imap_port: u16,
    pub imaps_port: u16,
}

/// Whether this process may run servers under another user.
pub(crate) fn is_root() -> bool {
    effective_user() == Some(0)
}

fn effective_user() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|me| me.uid())
}

pub(crate) fn settings(layout: &Layout, options: &DovecotOptions) -> String {
    let mut text = core(layout, options);
    text += &databases(layout, options);
    text += &namespace(options);
    text += &listeners(layout);
    text += &encryption(layout);
    text += &quota(options);
    text += &identity();
    text
}

fn core(layout: &Layout, options: &DovecotOptions) -> String {
    let fsync = match options.fsync {
        Fsync::Default => "optimized",
        Fsync::Never => "never",
    };
    format!(
        "base_dir = {run}\nstate_dir = {run}\nlog_path = {log}\nprotocols = imap\nlisten = 127.0.0.1\n\
         disable_plaintext_auth = no\nauth_mechanisms = plain login{tokens}\nauth_master_user_separator = *\n\
         auth_failure_delay = 0\nmail_home = {homes}/%u\nmail_location = {location}\nmail_fsync = {fsync}\n\
         mail_max_userip_connections = {connections}\nmail_plugins = quota\n\
         protocol imap {{\n  mail_plugins = quota imap_quota imap_zlib\n}}\n",
        run = layout.run.display(),
        log = layout.log.display(),
        homes = layout.homes.display(),
        location = location(options.store),
        connections = options.connections,
        tokens = if options.token_key.is_some() { " xoauth2 oauthbearer" } else { "" },
    )
}

fn location(store: Store) -> &'static str {
    match store {
        Store::Maildir => "maildir:~/Maildir",
        Store::MaildirFs => "maildir:~/Maildir:LAYOUT=fs",
        Store::Sdbox => "sdbox:~/sdbox",
        Store::Mdbox => "mdbox:~/mdbox",
    }
}

fn databases(layout: &Layout, options: &DovecotOptions) -> String {
    let users = layout.users.display();
    let masters = layout.masters.display();
    let tokens = match options.token_key {
        Some(_) => format!(
            "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {}\n}}\n",
            layout.tokens.display()
        ),
        None => String::new(),
    };
    tokens
        + &format!(
            "passdb {{\n  driver = passwd-file\n  master = yes\n  args = scheme=PLAIN {masters}\n}}\n\
         passdb {{\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%u {users}\n}}\n\
         userdb {{\n  driver = passwd-file\n  args = username_format=%u {users}\n}}\n"
        )
}

fn namespace(options: &DovecotOptions) -> String {
    let mut text = format!(
        "namespace inbox {{\n  inbox = yes\n  separator = {}\n  prefix = {}\n",
        options.separator, options.prefix
    );
    let folders = if options.special_folders { SPECIAL_FOLDERS.as_slice() } else { &[] };
    for name in folders {
        let _ = write!(text, "  mailbox {name} {{\n    special_use = \\{name}\n    auto = subscribe\n  }}\n");
    }
    text + "}\n"
}

fn listeners(layout: &Layout) -> String {
    let imaps = if layout.certificate.is_some() { layout.imaps_port } else { 0 };
    format!(
        "service imap-login {{\n  inet_listener imap {{\n    port = {}\n  }}\n  inet_listener imaps {{\n    \
         port = {imaps}\n    ssl = yes\n  }}\n  process_min_avail = 1\n  client_limit = 1000\n  service_count = 0\n}}\n\
         service anvil {{\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n",
        layout.imap_port
    )
}

fn encryption(layout: &Layout) -> String {
    match &layout.certificate {
        None => "ssl = no\n".to_owned(),
        Some(files) => {
            format!("ssl = yes\nssl_cert = <{}\nssl_key = <{}\n", files.chain.display(), files.key.display())
        }
    }
}

/// JSON Web Tokens are checked against a key on disk, without asking anybody.
pub(crate) fn tokens(layout: &Layout) -> String {
    let keys = layout.token_keys.display();
    format!(
        "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={keys}/\nusername_attribute = sub\n"
    )
}

fn quota(options: &DovecotOptions) -> String {
    let largest = options.max_message.map(|bytes| format!("  quota_max_mail_size = {bytes}B\n")).unwrap_or_default();
    format!("plugin {{\n  quota = count:User quota\n  quota_vsizes = yes\n{largest}}}\n")
}

/// Mail belongs to `nobody` when we are root, for Dovecot refuses to serve root; else everything runs as ourselves.
fn identity() -> String {
    if is_root() {
        return "mail_uid = nobody\nmail_gid = nogroup\n".to_owned();
    }
    let user = effective_user().unwrap_or_default();
    let names = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let mine = names.lines().map(fields).find(|line| line.get(2) == Some(&user.to_string())).unwrap_or_default();
    let name = mine.first().cloned().unwrap_or_else(|| user.to_string());
    let group = mine.get(3).cloned().unwrap_or_else(|| user.to_string());
    format!(
        "mail_uid = {user}\nmail_gid = {group}\nfirst_valid_uid = 1\ndefault_internal_user = {name}\n\
         default_internal_group = {group}\ndefault_login_user = {name}\n\
         service anvil {{\n  chroot =\n}}\nservice imap-login {{\n  chroot =\n}}\n"
    )
}

/// Lines of a passwd-file: `user:password::::::extra`.
pub(crate) fn users(accounts: &[Login]) -> String {
    let mut text = String::new();
    for account in accounts {
        let _ = write!(text, "{}:{{PLAIN}}{}::::::", account.user, account.password);
        if let Some(bytes) = account.quota {
            let _ = write!(text, "userdb_quota_rule=*:bytes={bytes} ");
        }
        if let Some(store) = account.store {
            let _ = write!(text, "userdb_mail={}", location(store));
        }
        text.push('\n');
    }
    text
}
