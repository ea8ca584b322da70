//! The contract between transhume's engine and its connectors
