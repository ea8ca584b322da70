//! transhume
