//! A plain folder as a target of transhume: Maildir++ and a manifest
