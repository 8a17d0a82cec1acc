//! The protocol engine of Attesto: OAuth 2.0 and OpenID Connect as pure functions.
//!
//! Nothing here knows a transport, a runtime or a store. The current time and random bytes are arguments; what only
//! the host can do is behind the traits of [`host`]. A [`server::Server`] answers one request at a time:
//!
//! | module | what it holds |
//! |---|---|
//! | [`authorization`], [`consent`] | the authorization endpoint, from request to code |
//! | [`par`], [`pushed_request`], [`request_object`], [`resource`] | requests pushed ahead, signed, and for several resources |
//! | [`token`], [`client_auth`], [`authorization_code`], [`refresh_token`] | the token endpoint, from grant to tokens |
//! | [`revocation`], [`introspection`] | what becomes of issued tokens |
//! | [`access_token`], [`id_token`], [`userinfo`], [`authentication`] | what is issued, and what is said about people |
//! | [`metadata`], [`endpoints`], [`keys`] | what the server says of itself |
//! | [`pkce`], [`scope`], [`redirect_uri`], [`params`], [`client`], [`client_request`] | the words of the protocol, parsed once |
//! | [`scope_catalog`], [`principal_kind`] | which grants cover what, and who may be given a token |
//! | [`request_facts`], [`cors`] | where a request comes from, and what a browser's script may read |
//! | [`jose`], [`verifier`] | signed tokens, and the resource server's side |
//! | [`config`], [`event`], [`host`], [`http`], [`secret`] | settings, audit, the outside, and what must not leak |

pub mod access_token;
pub mod authentication;
pub mod authorization;
pub mod authorization_code;
pub mod client;
pub mod client_assertion;
pub mod client_auth;
pub mod client_keys;
pub mod client_request;
pub mod config;
pub mod confirmation;
pub mod consent;
pub mod cors;
pub mod dpop;
pub mod endpoints;
pub mod event;
pub mod host;
pub mod http;
pub mod id_token;
pub mod introspection;
mod issued_token;
pub mod jose;
pub mod keys;
pub mod metadata;
pub mod mtls;
pub mod par;
pub mod params;
pub mod pkce;
pub mod principal_kind;
pub mod pushed_request;
pub mod redirect_uri;
pub mod refresh_token;
pub mod replay;
pub mod request_facts;
pub mod request_object;
pub mod resource;
pub mod revocation;
pub mod revoked_tokens;
pub mod scope;
pub mod scope_catalog;
mod scope_grant;
pub mod secret;
pub mod sender_constraint;
pub mod server;
pub mod token;
pub mod userinfo;
pub mod verifier;
