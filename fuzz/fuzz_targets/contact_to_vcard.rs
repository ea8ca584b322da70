#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| transhume_fuzz::contact_to_vcard(data));
