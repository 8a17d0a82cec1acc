//! What `wit-bindgen` makes of the contracts.

spin_sdk::wit_bindgen::generate!({
    path: [
        "../../wit/keystore",
        "../../wit/clients",
        "../../wit/people",
        "../../wit/rules",
        "../../wit/outbound",
        "../../wit/stores",
        "wit",
    ],
    world: "attesto-part:authorization-server/authorization-server",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    generate_all,
});
