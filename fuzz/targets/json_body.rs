//! Parameters as a flat JSON object.

#![no_main]

use attesto::params::Params;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Ok(params) = Params::parse_json(octets) else { return };
    // As a form they are the same.
    let text = params.encode();
    let again = Params::parse(text.as_bytes()).expect("own encoding");
    assert_eq!(again.encode(), text);
    assert_eq!(again.refuse_repeated(), params.refuse_repeated());
});
