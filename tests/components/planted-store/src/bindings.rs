//! What `wit-bindgen` makes of the contract.
#![expect(unsafe_code, reason = "generated")]

wit_bindgen::generate!({
    path: ["../../../wit/wasi-keyvalue", "../../../wit/stores", "wit"],
    world: "attesto-test:planted-store/planted-store",
    generate_all,
});

export!(Stores);

pub(crate) struct Stores;
