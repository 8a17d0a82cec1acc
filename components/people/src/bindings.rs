//! What wit-bindgen makes of `wit/`.

#![expect(unsafe_code, reason = "generated code; the contracts in wit/ are its documentation")]

use crate::component::Component;

wit_bindgen::generate!({
    path: ["../../wit/wasi-keyvalue", "../../wit/people", "wit"],
    world: "attesto-part:people/people",
    generate_all,
});

export!(Component with_types_in self);
