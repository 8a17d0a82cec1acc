//! How an answer gets to the client (OAuth 2.0 Multiple Response Type Encoding Practices §2.1, OAuth 2.0 Form Post Response
//! Mode, JARM §2.3).

use crate::params::{Params, Repeated};

/// `response_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseMode {
    /// Where the answer's parameters are.
    pub encoding: Encoding,
    /// Whether they are the claims of a signed JWT, which alone is there (JARM §2).
    pub signed: bool,
}

/// Where the parameters of an answer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// In the query of the redirect URI.
    Query,
    /// In its fragment.
    Fragment,
    /// In a form the user agent posts to it.
    FormPost,
}

impl ResponseMode {
    /// What `response_type=code` means where the request does not say (Multiple Response Types §2.1).
    pub const DEFAULT: Self = Self { encoding: Encoding::Query, signed: false };

    /// Every value of `response_mode`. `jwt` is "the default […] for the requested response type" (JARM §2.3.4).
    pub const ALL: [(&'static str, Self); 7] = [
        ("query", Self::DEFAULT),
        ("fragment", Self { encoding: Encoding::Fragment, signed: false }),
        ("form_post", Self { encoding: Encoding::FormPost, signed: false }),
        ("jwt", Self { encoding: Encoding::Query, signed: true }),
        ("query.jwt", Self { encoding: Encoding::Query, signed: true }),
        ("fragment.jwt", Self { encoding: Encoding::Fragment, signed: true }),
        ("form_post.jwt", Self { encoding: Encoding::FormPost, signed: true }),
    ];

    /// The mode these parameters ask for; `None` where it is unknown or there twice.
    pub(super) fn requested(params: &Params) -> Option<Self> {
        match params.one("response_mode") {
            Ok(None) => Some(Self::DEFAULT),
            Ok(Some(value)) => Self::ALL.into_iter().find(|(name, _)| *name == value).map(|(_, mode)| mode),
            Err(Repeated) => None,
        }
    }
}
