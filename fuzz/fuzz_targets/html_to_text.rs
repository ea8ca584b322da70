#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| transhume_fuzz::html_to_text(data));
