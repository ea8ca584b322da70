#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| transhume_fuzz::vcard_meaning(data));
