//! Addresses and names that are not somewhere on the public Internet. A server that fetches what strangers name must not
//! reach these.
//!
//! One table for the two places that ask: the `outbound` part, which sees URLs, and the embedded host, which sees what names
//! resolve to.

mod address;
mod name;

pub use address::is_special_address;
pub use name::is_special_name;
