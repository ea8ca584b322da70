//! IMAP servers as targets of transhume
