//! Distinguished names, from a certificate (RFC 5280 §4.1.2.4) and from the string that was registered (RFC 4514).

use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{
    Any, BmpString, Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef,
};
use x509_cert::der::{Decode, Encode, Tag, Tagged};
use x509_cert::name::Name;

/// A name in the form in which names that are the same are equal: relative names in the certificate's order, the
/// attributes of each of them in one order, and values as [`Value`] says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DistinguishedName(Vec<Vec<Attribute>>);

type Attribute = (ObjectIdentifier, Value);

/// The value of an attribute.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    /// A character string, prepared for comparison.
    ///
    /// "Conforming implementations MUST support name comparisons using caseIgnoreMatch" (RFC 5280 §7.1), whichever
    /// string type each side has: letters are in lower case, runs of white space are one space, and none stands at the
    /// ends. The other steps of RFC 4518 are not taken, compatibility normalization above all: names that are equal only
    /// by them are different here, which refuses.
    Text(String),
    /// Anything else: its DER, which must be the same.
    Der(Vec<u8>),
}

impl DistinguishedName {
    /// The name a certificate has.
    pub(super) fn of(name: &Name) -> Self {
        let attribute = |attribute: &AttributeTypeAndValue| (attribute.oid, Value::of(&attribute.value));
        Self(name.iter_rdn().map(|relative| sorted(relative.iter().map(attribute).collect())).collect())
    }

    /// Reads the string form of RFC 4514 §3, which begins with the last relative name. An empty string is no name: many
    /// certificates have an empty subject.
    ///
    /// Beyond the RFC, spaces around separators are ignored, as RFC 2253 §4 asked, and so is `OID.` before numbers.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let relative = |text| split(text, b'+').into_iter().map(attribute).collect::<Option<_>>().map(sorted);
        split(text, b',').into_iter().rev().map(relative).collect::<Option<_>>().map(Self)
    }
}

impl Value {
    fn of(value: &Any) -> Self {
        let text = match value.tag() {
            Tag::PrintableString => {
                value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.to_string())
            }
            Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.to_string()),
            Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok().map(|text| text.to_string()),
            Tag::BmpString => value.decode_as::<BmpString>().ok().map(|text| text.to_string()),
            _ => None,
        };
        match text {
            Some(text) => Self::text(&text),
            None => Self::Der(value.to_der().unwrap_or_default()),
        }
    }

    fn text(text: &str) -> Self {
        let words: Vec<_> = text.split_whitespace().collect();
        Self::Text(words.join(" ").chars().flat_map(char::to_lowercase).collect())
    }
}

fn sorted(mut attributes: Vec<Attribute>) -> Vec<Attribute> {
    attributes.sort();
    attributes
}

/// The parts of `text` between separators that no backslash stands before.
fn split(text: &str, separator: u8) -> Vec<&str> {
    let mut is_escaped = false;
    text.split(move |character: char| {
        let is_separator = !is_escaped && character == char::from(separator);
        is_escaped = !is_escaped && character == '\\';
        is_separator
    })
    .collect()
}

/// `attributeTypeAndValue = attributeType EQUALS attributeValue`
fn attribute(text: &str) -> Option<Attribute> {
    let (name, value) = text.split_once('=')?;
    let value = match value.trim_start_matches(' ').strip_prefix('#') {
        Some(digits) => Value::of(&Any::from_der(&octets(digits.trim_end_matches(' '))?).ok()?),
        None => Value::text(&unescaped(value)?),
    };
    Some((attribute_type(name.trim_matches(' '))?, value))
}

/// `attributeType = descr / numericoid`; names are case-insensitive (RFC 4512 §1.4).
fn attribute_type(name: &str) -> Option<ObjectIdentifier> {
    let name = match name.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("oid.") => name.get(4..)?,
        _ => name,
    };
    let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, oid)| *oid);
    ObjectIdentifier::new(known.unwrap_or(name)).ok()
}

/// The names of RFC 4514 §3, and those of other attributes that RFC 5280, RFC 4519, X.520 and certificates for
/// websites and payment services use.
const NAMES: [(&str, &str); 32] = [
    ("CN", "2.5.4.3"),
    ("commonName", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("localityName", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("stateOrProvinceName", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("organizationName", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("organizationalUnitName", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("countryName", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("domainComponent", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("userId", "0.9.2342.19200300.100.1.1"),
    ("SN", "2.5.4.4"),
    ("surname", "2.5.4.4"),
    ("givenName", "2.5.4.42"),
    ("initials", "2.5.4.43"),
    ("title", "2.5.4.12"),
    ("serialNumber", "2.5.4.5"),
    ("dnQualifier", "2.5.4.46"),
    ("pseudonym", "2.5.4.65"),
    ("postalCode", "2.5.4.17"),
    ("businessCategory", "2.5.4.15"),
    ("organizationIdentifier", "2.5.4.97"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("jurisdictionL", "1.3.6.1.4.1.311.60.2.1.1"),
    ("jurisdictionST", "1.3.6.1.4.1.311.60.2.1.2"),
    ("jurisdictionC", "1.3.6.1.4.1.311.60.2.1.3"),
];

/// `string`, without its escapes: `pair = ESC ( ESC / special / hexpair )`.
fn unescaped(text: &str) -> Option<String> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        match octet {
            b'\\' => {
                let (escaped, after) = rest.split_first()?;
                rest = after;
                match escaped {
                    b'\\' | b'"' | b'+' | b',' | b';' | b'<' | b'>' | b' ' | b'#' | b'=' => {
                        octets.push(*escaped)
                    }
                    high => {
                        let (low, after) = rest.split_first()?;
                        rest = after;
                        octets.push(hex_pair(*high, *low)?);
                    }
                }
            }
            // They must be escaped; a quoted value is of RFC 2253.
            b'"' | b';' | b'<' | b'>' | 0 => return None,
            octet => octets.push(*octet),
        }
    }
    String::from_utf8(octets).ok()
}

/// `hexstring = SHARP 1*hexpair`, after its SHARP.
fn octets(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| hex_pair(*high, *low)).collect()
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> DistinguishedName {
        DistinguishedName::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn text_of(text: &str) -> String {
        match parse(text).0.into_iter().next_back().and_then(|relative| relative.into_iter().next()) {
            Some((_, Value::Text(text))) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_examples_of_rfc_4514_section_4_are_read() {
        let relative: Vec<_> = parse("UID=jsmith,DC=example,DC=net").0.iter().map(Vec::len).collect();
        assert_eq!(relative, [1, 1, 1]);
        let relative: Vec<_> =
            parse("OU=Sales+CN=J.  Smith,DC=example,DC=net").0.iter().map(Vec::len).collect();
        assert_eq!(relative, [1, 1, 2]);
        assert_eq!(text_of(r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#), "james \"jim\" smith, iii");
        assert_eq!(text_of(r"CN=Before\0dAfter,DC=example,DC=net"), "before after");
        assert_eq!(text_of(r"CN=Lu\C4\8Di\C4\87"), "lu\u{10d}i\u{107}");
        let octet_string = Value::Der(vec![0x04, 0x02, 0x48, 0x69]);
        let oid = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.1466.0");
        assert_eq!(parse("1.3.6.1.4.1.1466.0=#04024869").0, [[(oid, octet_string)]]);
    }

    #[test]
    fn names_that_differ_in_spelling_alone_are_the_same() {
        for (one, other) in [
            ("CN=Client,O=Bank", "cn=CLIENT,o=bank"),
            ("CN=Client,O=Bank", " CN = Client , O = Bank "),
            ("CN=a  b", "CN= A B "),
            ("CN=a\\ ", "CN=a"),
            ("CN=a+OU=b", "OU=b+CN=a"),
            ("CN=\u{c4}\u{d6}", "CN=\u{e4}\u{f6}"),
            ("CN=Hi", "2.5.4.3=Hi"),
            ("CN=Hi", "OID.2.5.4.3=Hi"),
            ("CN=Hi", "commonName=Hi"),
            // A UTF8String, a PrintableString, an IA5String, a BMPString.
            ("CN=Hi", "CN=#0C024869"),
            ("CN=Hi", "CN=#13024869"),
            ("CN=Hi", "CN=#16024869"),
            ("CN=Hi", "CN= #1E0400480069 "),
            ("organizationIdentifier=PSDDE-BAFIN-1", "2.5.4.97=#0C0D50534444452D424146494E2D31"),
        ] {
            assert_eq!(DistinguishedName::parse(one), DistinguishedName::parse(other), "{one} {other}");
        }
    }

    #[test]
    fn names_that_differ_in_more_are_not() {
        for (one, other) in [
            ("CN=a,O=b", "O=b,CN=a"),
            ("CN=a,O=b", "CN=a+O=b"),
            ("CN=a", "CN=a,CN=a"),
            ("CN=a", "CN=a+CN=a"),
            ("CN=a", "OU=a"),
            ("CN=a b", "CN=ab"),
            ("CN=a", "CN=\u{e1}"),
            // The same octets as another type.
            ("CN=Hi", "CN=#04024869"),
            ("CN=Hi", "CN=#14024869"),
            (r"CN=a\\\,O=b", r"CN=a\\,O=b"),
        ] {
            assert_ne!(parse(one), parse(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            " ",
            ",",
            "CN",
            "=a",
            "CN=a,",
            "CN=a,,O=b",
            "CN=a+",
            "CN=a;O=b",
            "CN=\"a\"",
            "CN=<a>",
            "CN=a\0",
            "CN=a\\",
            "CN=a\\x",
            "CN=a\\4",
            "CN=\\FF",
            "XX=a",
            "2.5.4.=a",
            "9.5.4.3=a",
            "CN=#",
            "CN=#0",
            "CN=#0C02486",
            "CN=#0C0248",
            "CN=#0C02486900",
            "CN=#xx",
            "/C=DE/CN=a",
        ] {
            assert_eq!(DistinguishedName::parse(text), None, "{text:?}");
        }
    }
}
