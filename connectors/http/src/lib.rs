//! The road every HTTP connector of transhume travels: TLS, tokens, pacing, retries, redaction
