//! The endpoints, driven natively over a host in memory. Expected values are written from the RFCs.

mod authorization;
mod host;
mod metadata;
mod token;
mod userinfo;
