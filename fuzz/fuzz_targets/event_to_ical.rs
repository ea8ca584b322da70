#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| transhume_fuzz::event_to_ical(data));
