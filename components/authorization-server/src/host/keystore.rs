//! Signatures and tags, under keys that stay in the keystore.

use attesto::host::{HostError, Mac};
use attesto::jose::Signer;

use super::Parts;
use crate::bindings::attesto::keystore::keystore;
use crate::bindings::attesto::keystore::types::Error;

/// Octets of a tag, as the contract has it.
const TAG_LEN: usize = 32;

impl Signer for Parts {
    type Error = HostError;

    async fn sign(&self, kid: &str, input: &[u8]) -> Result<Vec<u8>, HostError> {
        keystore::sign(kid.to_owned(), input.to_vec()).await.map_err(|error| match error {
            Error::UnknownKey => HostError(format!("there is no key `{kid}`")),
            Error::Unavailable(cause) => HostError(cause),
        })
    }
}

impl Mac for Parts {
    async fn mac(&self, purpose: &str, input: &[u8]) -> Result<[u8; TAG_LEN], HostError> {
        let tag = keystore::mac(purpose.to_owned(), input.to_vec()).await.map_err(failed)?;
        tag.try_into()
            .map_err(|tag: Vec<u8>| HostError(format!("the keystore made a tag of {} bytes", tag.len())))
    }

    async fn verify_mac(&self, purpose: &str, input: &[u8], tag: &[u8]) -> Result<bool, HostError> {
        // No part of a tag is one, whatever a keystore makes of it.
        if tag.len() != TAG_LEN {
            return Ok(false);
        }
        keystore::verify_mac(purpose.to_owned(), input.to_vec(), tag.to_vec()).await.map_err(failed)
    }
}

fn failed(error: Error) -> HostError {
    match error {
        Error::UnknownKey => {
            HostError("the keystore speaks of a key, where it was asked for a tag".to_owned())
        }
        Error::Unavailable(cause) => HostError(cause),
    }
}
