//! The key-value stores over a gate that is none: it reads, then writes. The contract suite must not pass it.

mod bindings;
mod bucket;

#[path = "../../../../components/store-key-value/src/code_store.rs"]
mod code_store;
#[path = "../../../../components/store-key-value/src/component.rs"]
mod component;
#[path = "../../../../components/store-key-value/src/consent_grant_store.rs"]
mod consent_grant_store;
#[path = "../../../../components/store-key-value/src/document_cache.rs"]
mod document_cache;
#[path = "../../../../components/store-key-value/src/key_value.rs"]
mod key_value;
#[path = "../../../../components/store-key-value/src/maintenance.rs"]
mod maintenance;
#[path = "../../../../components/store-key-value/src/nonce_store.rs"]
mod nonce_store;
#[path = "../../../../components/store-key-value/src/par_store.rs"]
mod par_store;
#[path = "../../../../components/store-key-value/src/refresh_store.rs"]
mod refresh_store;
#[path = "../../../../components/store-key-value/src/replay_store.rs"]
mod replay_store;
#[path = "../../../../components/store-key-value/src/revoked_token_store.rs"]
mod revoked_token_store;
