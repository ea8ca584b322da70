//! transhume's pure conversions and the meaning of their results
