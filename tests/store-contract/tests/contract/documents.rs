//! Documents of others.

use serde_json::{Value, json};

use crate::{NOW, Store, stores};

const URL: &str = "https://client.example/jwks.json";

impl Store {
    fn put_document(&self, url: &str, body: &str, expires_at: u64) {
        let document = json!({ "url": url, "body": body, "fetched_at": NOW, "expires_at": expires_at });
        assert_eq!(self.call("/document-cache/put", &document), "ok");
    }

    fn document(&self, url: &str, now: u64) -> Value {
        self.call("/document-cache/get", &json!({ "url": url, "now": now }))
    }
}

#[test]
fn a_document_is_given_back_octet_for_octet_while_it_is_fresh() {
    for store in stores() {
        assert_eq!(store.document(URL, NOW), Value::Null);
        store.put_document(URL, "AP8", NOW + 60);
        let seen = json!({ "body": "AP8", "fetched_at": NOW, "expires_at": NOW + 60 });
        assert_eq!(store.document(URL, NOW + 59), seen);
        assert_eq!(store.document(URL, NOW + 60), Value::Null);
        assert_eq!(store.document("https://client.example/jwks.json?", NOW), Value::Null, "another URL");
    }
}

#[test]
fn a_document_takes_the_place_of_the_one_before_it() {
    for store in stores() {
        store.put_document(URL, "AA", NOW + 600);
        store.put_document(URL, "AQ", NOW + 60);
        assert_eq!(store.document(URL, NOW)["body"], "AQ");
        assert_eq!(store.document(URL, NOW + 60), Value::Null);
        store.put_document(URL, "Ag", NOW + 600);
        assert_eq!(store.document(URL, NOW + 60)["body"], "Ag");
    }
}

#[test]
fn a_document_that_is_deleted_is_gone() {
    for store in stores() {
        store.put_document(URL, "AA", NOW + 60);
        for _ in 0..2 {
            assert_eq!(store.call("/document-cache/delete", &json!({ "url": URL })), "ok");
            assert_eq!(store.document(URL, NOW), Value::Null);
        }
        store.put_document(URL, "AA", NOW + 60);
        assert_ne!(store.document(URL, NOW), Value::Null);
    }
}

#[test]
fn a_sweep_removes_documents_that_are_not_fresh() {
    for store in stores() {
        store.put_document(URL, "AA", NOW + 60);
        store.put_document("https://other.example/", "AA", NOW + 61);
        let sweep = |now| store.call("/maintenance/sweep", &json!({ "now": now, "limit": 1000 }));
        assert_eq!(sweep(NOW + 59), json!([]));
        assert_eq!(sweep(NOW + 60), json!([["document", 1]]));
        assert_ne!(store.document("https://other.example/", NOW + 60), Value::Null);
    }
}
