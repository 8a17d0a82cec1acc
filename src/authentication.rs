//! What is known of the event in which a person authenticated (RFC 9068 §2.2.1, OIDC Core §2). It stays the same for
//! every token that descends from one authorization.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::host::ResourceOwner;

/// One authentication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// `auth_time`: seconds since the Unix epoch.
    pub auth_time: u64,
    /// `acr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// `amr`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub amr: Vec<String>,
    /// OIDC Back-Channel Logout §2.1 `sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

impl Authentication {
    /// Adds `auth_time`, `acr` and `amr`, which access tokens and ID tokens carry alike.
    pub(crate) fn add_to(&self, claims: &mut Map<String, Value>) {
        claims.insert("auth_time".to_owned(), self.auth_time.into());
        if let Some(acr) = &self.acr {
            claims.insert("acr".to_owned(), acr.as_str().into());
        }
        if !self.amr.is_empty() {
            claims.insert("amr".to_owned(), self.amr.clone().into());
        }
    }
}

impl From<&ResourceOwner> for Authentication {
    fn from(owner: &ResourceOwner) -> Self {
        Self {
            auth_time: owner.auth_time,
            acr: owner.acr.clone(),
            amr: owner.amr.clone(),
            sid: owner.sid.clone(),
        }
    }
}
