//! Black-box stories: the real binary against a simulated tenant and a real Dovecot (or a folder, where the server
//! does not matter).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asking;
mod certificate;
mod corrected;
mod deleted;
mod demo;
mod doubled;
mod estimated;
mod foreseen;
mod groupware;
mod groupware_refused;
mod halted;
mod happy;
mod kept;
mod left_behind;
mod lost;
mod mailbox;
mod mistyped;
mod people;
mod planned;
mod refused_folders;
mod refused_source;
mod refused_store;
mod refused_target;
mod refused_words;
mod secret_places;
mod secrets;
mod setting;
mod simulated;
mod stopped;
mod told;
mod unlisted;
mod unmounted;
mod untold;
mod verified;
mod waits;
