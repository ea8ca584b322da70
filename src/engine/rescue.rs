//! The steps that rescue what a migration alone cannot carry, while the source still lives.

/// The name of the loss of mail that rights management protects.
pub const RIGHTS_PROTECTED: &str = "rights_protected";

/// The step that rescues it.
pub const DECRYPT_FIRST: &str = "protected by rights management: unreadable once the tenant is gone; have its owner \
    decrypt it (Purview: Set-UserDecryption or an export with decryption), move it back into the mailbox, and run again";

/// So many messages of an account are protected, in a sentence.
pub fn protected_mail(items: u64) -> String {
    let are = if items == 1 { "is" } else { "are" };
    format!("{items} of its messages {are} {DECRYPT_FIRST}")
}
