//! Client authentication (RFC 6749 §2.3).

use ::http::header;
use base64ct::{Base64, Encoding};
use rand_core::CryptoRng;
use zeroize::Zeroize;

use crate::client::{Client, ClientAuthMethod};
use crate::client_assertion::{self, AssertionError, claimed_client_id};
use crate::client_keys::{self, ClientKeysError};
use crate::host::{Host, HostError};
use crate::http::Request;
use crate::mtls::{self, CertificateError, ClientCertificate};
use crate::params::{Params, decode};
use crate::replay::ReplayClaim;
use crate::secret::Secret;
use crate::server::Context;

/// How the request says who it is from.
#[derive(Debug)]
pub enum Credential {
    /// `Authorization: Basic` (RFC 6749 §2.3.1).
    Basic {
        /// The user-id.
        client_id: String,
        /// The password.
        client_secret: Secret<String>,
    },
    /// `client_id` and `client_secret` in the body (RFC 6749 §2.3.1).
    Post {
        /// `client_id`.
        client_id: String,
        /// `client_secret`.
        client_secret: Secret<String>,
    },
    /// `client_assertion` (RFC 7521 §4.2).
    Assertion {
        /// Whom it claims to be from.
        client_id: String,
        /// The assertion, not verified yet.
        assertion: Secret<String>,
    },
    /// A bare `client_id` (RFC 6749 §3.2.1): a public client, or one that its certificate proves (RFC 8705 §2).
    ClientId(String),
}

/// Why a client is not authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuthError {
    /// More than one method: "The client MUST NOT use more than one authentication method in each request" (§2.3).
    SeveralMethods,
    /// The request names two different clients.
    ClientIdMismatch,
    /// A parameter of client authentication is there twice.
    Repeated,
    /// No credential the server can read. `true` where the attempt was made in the `Authorization` header.
    NoCredential(bool),
    /// The credential does not prove what it claims. `true` as above.
    Failed(bool),
    /// The assertion proves nothing (RFC 7523 §3).
    Assertion(AssertionError),
    /// The assertion, or what came with it, had been used before (RFC 7523 §3).
    Replayed,
    /// What stands for the client's certificate is none: a malformed request, and nothing to bind a token to.
    MalformedCertificate(CertificateError),
    /// The certificate is not the client's (RFC 8705 §2), or there is none.
    Certificate(CertificateError),
    /// The client's keys could not be had.
    Keys(ClientKeysError),
    /// The registry did not answer.
    Host(HostError),
}

impl ClientAuthError {
    /// Whether the client "attempted to authenticate via the `Authorization` request header field" (§5.2): it is then
    /// told 401 with a challenge.
    pub fn in_header(&self) -> bool {
        matches!(self, Self::NoCredential(true) | Self::Failed(true))
    }

    /// What the client is not told, for the operator.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Assertion(error) => Some(format!("client assertion: {error}")),
            Self::Replayed => Some("client assertion: replayed".to_owned()),
            Self::MalformedCertificate(error) | Self::Certificate(error) => {
                Some(format!("client certificate: {error}"))
            }
            Self::Keys(error) => Some(format!("client keys: {error}")),
            _ => None,
        }
    }
}

/// An authenticated client.
#[derive(Debug)]
pub struct Authenticated {
    /// The client the credential proved.
    pub client: Client,
    /// The `jti` of its assertion, to be claimed when nothing else can refuse the request any more.
    pub claim: Option<ReplayClaim>,
    /// The certificate of its connection, whether or not it authenticated with it.
    pub certificate: Option<ClientCertificate>,
}

/// Authenticates the client of a request from a client.
///
/// A client that is unknown, revoked, registered for another method or without the right secret is
/// [`ClientAuthError::Failed`], whichever it is. To one who tries secrets it takes as long, too: the registry compares digests
/// in any case. Only who has a key or a certificate is looked at longer if the client exists; a `client_id` is no secret (RFC
/// 6749 §2.2).
pub async fn authenticate(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    request: &Request,
    params: &Params,
) -> Result<Authenticated, ClientAuthError> {
    let credential = credential(request, params)?;
    let certificate = mtls::certificate(&request.headers, &cx.facts, &cx.server.config)
        .map_err(ClientAuthError::MalformedCertificate)?;
    let (client, claim) = match credential {
        Credential::Basic { client_id, client_secret } => {
            (with_secret(cx, &client_id, &client_secret, ClientAuthMethod::ClientSecretBasic).await?, None)
        }
        Credential::Post { client_id, client_secret } => {
            (with_secret(cx, &client_id, &client_secret, ClientAuthMethod::ClientSecretPost).await?, None)
        }
        Credential::Assertion { client_id, assertion } => {
            let client = load(cx, &client_id).await?;
            if client.token_endpoint_auth_method != ClientAuthMethod::PrivateKeyJwt {
                return Err(ClientAuthError::Failed(false));
            }
            let claim = client_assertion::verify(cx, &client, assertion.expose()).await;
            (client, Some(claim.map_err(ClientAuthError::Assertion)?))
        }
        Credential::ClientId(client_id) => (by_connection(cx, &client_id, certificate.as_ref()).await?, None),
    };
    if !cx.server.config.token_endpoint_auth_methods_supported.contains(&client.token_endpoint_auth_method) {
        return Err(ClientAuthError::Failed(request.headers.contains_key(header::AUTHORIZATION)));
    }
    Ok(Authenticated { client, claim, certificate })
}

/// The client whose secret this is. The registry answers one question, so that neither it nor the time taken says what
/// was wrong.
async fn with_secret(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client_id: &str,
    client_secret: &Secret<String>,
    method: ClientAuthMethod,
) -> Result<Client, ClientAuthError> {
    cx.host
        .authenticate_client(client_id, client_secret)
        .await
        .map_err(ClientAuthError::Host)?
        .filter(|client| client.token_endpoint_auth_method == method)
        .ok_or(ClientAuthError::Failed(method == ClientAuthMethod::ClientSecretBasic))
}

async fn load(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client_id: &str,
) -> Result<Client, ClientAuthError> {
    let client = cx.host.load_client(client_id).await.map_err(ClientAuthError::Host)?;
    client.ok_or(ClientAuthError::Failed(false))
}

/// The client that names itself, and proves it by its connection or not at all: "the `client_id` … enables the
/// authorization server to easily identify the client independently from the content of the certificate" (RFC 8705 §2).
async fn by_connection(
    cx: &Context<'_, impl Host, impl CryptoRng>,
    client_id: &str,
    certificate: Option<&ClientCertificate>,
) -> Result<Client, ClientAuthError> {
    let client = load(cx, client_id).await?;
    match client.token_endpoint_auth_method {
        ClientAuthMethod::None => {}
        ClientAuthMethod::TlsClientAuth => {
            let subject = client.tls_client_auth_subject.as_ref().ok_or(ClientAuthError::Failed(false))?;
            certificate
                .ok_or(ClientAuthError::Failed(false))?
                .authenticates(subject, &cx.server.config, cx.now)
                .map_err(ClientAuthError::Certificate)?;
        }
        ClientAuthMethod::SelfSignedTlsClientAuth => {
            let certificate = certificate.ok_or(ClientAuthError::Failed(false))?;
            let no_keys = |error: ClientKeysError| ClientAuthError::Keys(error);
            let keys = client_keys::text(cx, &client).await.map_err(no_keys)?;
            if let Err(error) = certificate.is_among(&keys) {
                // The client may have published it since.
                let fresher = client_keys::fresher_text(cx, &client).await.map_err(no_keys)?;
                let keys = fresher.ok_or(ClientAuthError::Certificate(error))?;
                certificate.is_among(&keys).map_err(ClientAuthError::Certificate)?;
            }
        }
        ClientAuthMethod::ClientSecretBasic
        | ClientAuthMethod::ClientSecretPost
        | ClientAuthMethod::PrivateKeyJwt => return Err(ClientAuthError::Failed(false)),
    }
    Ok(client)
}

/// "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" (RFC 7523 §2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The one credential of the request.
pub fn credential(request: &Request, params: &Params) -> Result<Credential, ClientAuthError> {
    let one = |name| params.one(name).map_err(|_| ClientAuthError::Repeated);
    let body_client_id = one("client_id")?;
    let body_secret = one("client_secret")?;
    let assertion = (one("client_assertion")?, one("client_assertion_type")?);
    let mut headers = request.headers.get_all(header::AUTHORIZATION).iter();
    let header = headers.next();
    let methods = [header.is_some(), body_secret.is_some(), assertion != (None, None)];
    if headers.next().is_some() || methods.into_iter().filter(|used| *used).count() > 1 {
        return Err(ClientAuthError::SeveralMethods);
    }
    if let Some(value) = header {
        let (client_id, client_secret) =
            basic(value.as_bytes()).ok_or(ClientAuthError::NoCredential(true))?;
        return match body_client_id {
            Some(other) if other != client_id => Err(ClientAuthError::ClientIdMismatch),
            _ => Ok(Credential::Basic { client_id, client_secret }),
        };
    }
    match (body_client_id, body_secret, assertion) {
        (client_id, None, (Some(assertion), Some(JWT_BEARER))) => asserted(client_id, assertion),
        (_, _, (None, None)) => match (body_client_id, body_secret) {
            (Some(client_id), Some(client_secret)) => Ok(Credential::Post {
                client_id: client_id.to_owned(),
                client_secret: Secret::new(client_secret.to_owned()),
            }),
            (Some(client_id), None) => Ok(Credential::ClientId(client_id.to_owned())),
            (None, _) => Err(ClientAuthError::NoCredential(false)),
        },
        _ => Err(ClientAuthError::NoCredential(false)),
    }
}

/// "The `client_id` […] is unnecessary for client assertion authentication because the client is identified by the subject
/// within the assertion. If present, [its] value MUST identify the same client" (RFC 7521 §4.2).
fn asserted(client_id: Option<&str>, assertion: &str) -> Result<Credential, ClientAuthError> {
    let claimed = claimed_client_id(assertion).ok_or(ClientAuthError::NoCredential(false))?;
    match client_id {
        Some(other) if other != claimed => Err(ClientAuthError::ClientIdMismatch),
        _ => Ok(Credential::Assertion { client_id: claimed, assertion: Secret::new(assertion.to_owned()) }),
    }
}

/// Reads Basic credentials (RFC 7617 §2), whose user-id and password are form-encoded (RFC 6749 §2.3.1).
fn basic(value: &[u8]) -> Option<(String, Secret<String>)> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut bytes = Base64::decode_vec(token.trim()).ok()?;
    let credentials = std::str::from_utf8(&bytes).ok().and_then(|text| {
        let (client_id, client_secret) = text.split_once(':')?;
        Some((decode(client_id).ok()?, Secret::new(decode(client_secret).ok()?)))
    });
    bytes.zeroize();
    credentials.filter(|(client_id, _)| !client_id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Body;
    use ::http::{HeaderMap, HeaderValue, Method};

    fn request(authorization: &[&'static str]) -> Request {
        let mut headers = HeaderMap::new();
        for value in authorization {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        Request {
            method: Method::POST,
            path: "/oauth/token".into(),
            query: None,
            headers,
            body: Body::Complete(vec![]),
        }
    }

    fn read(authorization: &[&'static str], body: &str) -> Result<Credential, ClientAuthError> {
        credential(&request(authorization), &Params::parse(body.as_bytes()).expect("a form"))
    }

    #[test]
    fn the_example_of_rfc_6749_section_2_3_1_is_read() {
        match read(&["Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"], "grant_type=x") {
            Ok(Credential::Basic { client_id, client_secret }) => {
                assert_eq!(
                    (client_id.as_str(), client_secret.expose().as_str()),
                    ("s6BhdRkqt3", "gX1fBat3bV")
                );
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn user_id_and_password_are_form_decoded() {
        // "a:b+c" and "p%q" encoded by RFC 6749 Appendix B: a%3Ab%2Bc and p%25q
        let header = "Basic YSUzQWIlMkJjOnAlMjVx";
        match read(&[header], "") {
            Ok(Credential::Basic { client_id, client_secret }) => {
                assert_eq!((client_id.as_str(), client_secret.expose().as_str()), ("a:b+c", "p%q"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_methods_at_once_are_refused() {
        for body in ["client_secret=x", "client_assertion=x", "client_id=s6BhdRkqt3&client_secret=gX1fBat3bV"]
        {
            assert!(matches!(
                read(&["Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"], body),
                Err(ClientAuthError::SeveralMethods)
            ));
        }
        assert!(matches!(read(&["Basic YTpi", "Basic YTpi"], ""), Err(ClientAuthError::SeveralMethods)));
    }

    #[test]
    fn a_body_client_id_must_be_the_authenticated_one() {
        let header = "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW";
        assert!(read(&[header], "client_id=s6BhdRkqt3").is_ok());
        assert!(matches!(read(&[header], "client_id=other"), Err(ClientAuthError::ClientIdMismatch)));
    }

    #[test]
    fn what_is_not_basic_is_no_credential_in_the_header() {
        for header in [
            "Basic",
            "Basic ",
            "Basic ***",
            "Bearer abc",
            "Basic YQ==",
            "Basic OmI=",
            "Basic YTpi YTpi",
            "Basic /////w==",
        ] {
            assert!(matches!(read(&[header], ""), Err(ClientAuthError::NoCredential(true))), "{header}");
        }
    }

    #[test]
    fn identifier_and_secret_in_the_body_are_a_credential() {
        match read(&[], "client_id=a%3Ab&client_secret=b+c") {
            Ok(Credential::Post { client_id, client_secret }) => {
                assert_eq!((client_id.as_str(), client_secret.expose().as_str()), ("a:b", "b c"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn half_a_credential_in_the_body_is_none() {
        for body in ["", "client_secret=b", "client_assertion=x", "client_id=a&client_assertion_type=x"] {
            assert!(matches!(read(&[], body), Err(ClientAuthError::NoCredential(false))), "{body}");
        }
        assert!(matches!(
            read(&[], "client_id=a&client_secret=b&client_assertion=x"),
            Err(ClientAuthError::SeveralMethods)
        ));
    }
}
