//! Starts real mail servers for transhume's tests and demo, and a wire proxy that breaks them
