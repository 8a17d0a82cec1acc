//! The protocol engine of Attesto: OAuth 2.0 and OpenID Connect as pure functions.

pub mod jose;
pub mod verifier;
