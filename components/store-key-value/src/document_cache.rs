//! Documents of others: `document/<digest of the URL>` holds the last that was put.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::key_value::{KeyValue, Unavailable, key, octets, write};
use crate::maintenance::Sweepable;

/// A document, as kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The body.
    #[serde(with = "octets")]
    pub body: Vec<u8>,
    /// When it was fetched, seconds since the Unix epoch.
    pub fetched_at: u64,
    /// Until when it is fresh, seconds since the Unix epoch.
    pub expires_at: u64,
}

/// The document, while it is fresh.
pub fn get(store: &impl KeyValue, url: &str, now: u64) -> Result<Option<Document>, Unavailable> {
    let Some(value) = store.get(&key_of(url))? else { return Ok(None) };
    // What can not be read is fetched anew and written over: it is a copy, and nothing else is lost with it.
    let document = serde_json::from_slice::<Document>(&value).ok();
    Ok(document.filter(|document| now < document.expires_at))
}

/// Keeps a document, in the place of any before it.
pub fn put(store: &impl KeyValue, url: &str, document: &Document) -> Result<(), Unavailable> {
    write(store, &key_of(url), document)
}

/// Forgets the document.
pub fn delete(store: &impl Sweepable, url: &str) -> Result<(), Unavailable> {
    store.delete(&key_of(url))
}

fn key_of(url: &str) -> String {
    key("document", &Sha256::digest(url.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    const NOW: u64 = 1_800_000_000;
    const URL: &str = "https://client.example/jwks.json";

    fn document(body: &[u8], expires_at: u64) -> Document {
        Document { body: body.to_owned(), fetched_at: NOW, expires_at }
    }

    #[test]
    fn a_document_is_given_while_it_is_fresh_and_the_last_one_put_counts() {
        let store = Memory::default();
        put(&store, URL, &document(b"1", NOW + 60)).unwrap();
        assert_eq!(get(&store, URL, NOW + 59), Ok(Some(document(b"1", NOW + 60))));
        assert_eq!(get(&store, URL, NOW + 60), Ok(None));
        put(&store, URL, &document(b"2", NOW + 30)).unwrap();
        assert_eq!(get(&store, URL, NOW + 29), Ok(Some(document(b"2", NOW + 30))));
        assert_eq!(get(&store, URL, NOW + 30), Ok(None));
        assert_eq!(get(&store, "https://client.example/", NOW), Ok(None));
    }

    #[test]
    fn a_deleted_document_is_gone_and_deleting_none_is_no_fault() {
        let store = Memory::default();
        put(&store, URL, &document(b"1", NOW + 60)).unwrap();
        delete(&store, URL).unwrap();
        delete(&store, URL).unwrap();
        assert_eq!(get(&store, URL, NOW), Ok(None));
    }

    #[test]
    fn an_entry_that_can_not_be_read_is_no_document() {
        let store = Memory::default();
        store.set(&key_of(URL), b"not JSON").unwrap();
        assert_eq!(get(&store, URL, NOW), Ok(None));
    }
}
