use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use attesto::jose::{Algorithm, SigningKey};
use attesto_host::variables;
use clap::{Args, Subcommand};
use keystore::keys::{self, Key, Status};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::random::OsRandom;
use crate::{Failure, output};

/// How long a successor signs before the private half of its predecessor is thrown away: requests are in flight, and
/// instances look at the keys once a minute.
const GRACE: u64 = 120;

/// Arguments of `attesto keys`.
#[derive(Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make new signing keys
    Generate(Generate),
    /// Show the keys of a variables file, without their private halves
    List(List),
    /// Replace the signing keys of a variables file so that no token and no request fails
    ///
    /// The new keys are published at once and sign some minutes later, when every server and every verifier knows them.
    /// The keys before them stop signing at that moment and stay published until the last token they signed has
    /// expired. A running `attesto serve` with this --variables-file takes it up by itself.
    ///
    /// The file is replaced as a whole: comments in it are lost. If a key has become known to somebody else, give
    /// --activate-after 0 --keep-for 0: everything signed with the old keys is then void at once.
    Rotate(Rotate),
    /// Clear a variables file of what rotations have left: keys whose time has passed, and private halves of keys that
    /// sign no more
    Prune(Prune),
}

/// Arguments of `attesto keys generate`.
#[derive(Args)]
struct Generate {
    /// An algorithm to make a key for: ES256, Ed25519, PS256 or RS256; may be given more than once
    ///
    /// Every OpenID provider needs RS256 (OIDC Discovery §3); access tokens are signed with ES256 unless attesto.toml
    /// says otherwise.
    #[arg(long = "algorithm", value_name = "ALG", default_values = ["ES256", "RS256"])]
    algorithms: Vec<Algorithm>,

    /// Write a variables file for `attesto serve --variables-file`, readable by its owner only, instead of printing
    /// the private keys
    #[arg(long, value_name = "FILE")]
    variables_file: Option<PathBuf>,

    /// Print JSON: the private JWK Set or, with --variables-file, the names of the keys
    #[arg(long)]
    json: bool,
}

/// Arguments of `attesto keys list`.
#[derive(Args)]
struct List {
    /// The variables file
    #[arg(long, value_name = "FILE")]
    variables_file: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `attesto keys rotate`.
#[derive(Args)]
struct Rotate {
    /// The variables file
    #[arg(long, value_name = "FILE")]
    variables_file: PathBuf,

    /// An algorithm to rotate the key of; may be given more than once [default: all there are keys for]
    #[arg(long = "algorithm", value_name = "ALG")]
    algorithms: Vec<Algorithm>,

    /// How long the new keys are published before they sign, in seconds
    ///
    /// Not less than what verifiers keep a JWK Set for; at least 60 for servers to have the new keys.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    activate_after: u64,

    /// How long the old keys stay published after they have stopped signing, in seconds
    ///
    /// Not less than the longest lifetime of a token.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    keep_for: u64,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `attesto keys prune`.
#[derive(Args)]
struct Prune {
    /// The variables file
    #[arg(long, value_name = "FILE")]
    variables_file: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Keys {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Generate(generate) => generate.run(),
            Command::List(list) => print(&File::read(&list.variables_file)?.keys, now(), list.json),
            Command::Rotate(rotate) => rotate.run(now()),
            Command::Prune(prune) => {
                let mut file = File::read(&prune.variables_file)?;
                clear(&mut file.keys, now());
                file.write()?;
                print(&file.keys, now(), prune.json)
            }
        }
    }
}

impl Generate {
    fn run(&self) -> Result<(), Failure> {
        let made = self.algorithms.iter().map(|algorithm| SigningKey::generate(*algorithm, &mut OsRandom));
        let made = made.collect::<Result<Vec<_>, _>>()?;
        let mut pem = Zeroizing::new(String::new());
        for key in &made {
            pem.push_str(&key.to_pkcs8_pem()?);
            eprintln!("{} key {}", key.algorithm(), key.public_jwk(None).kid().unwrap_or_default());
        }
        let keys: Vec<Key> = made.into_iter().map(|key| new_key(key, None)).collect();
        // PEM can not say that an RSA key is for PS256.
        let needs_set = keys.iter().any(|key| key.algorithm == Algorithm::Ps256);
        let text = if needs_set || self.json { private_set(&keys) } else { pem };
        match &self.variables_file {
            None => output::write(&Zeroizing::new(format!("{}\n", text.trim_end())))?,
            Some(file) => {
                let text = toml(&BTreeMap::from([(keys::VARIABLE.to_owned(), text.to_string())]));
                let written = std::fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(file)
                    .and_then(|mut open| open.write_all(text.as_bytes()));
                written.map_err(|error| format!("--variables-file {}: {error}", file.display()))?;
                eprintln!("written to {}", file.display());
                if self.json {
                    print(&keys, now(), true)?;
                }
            }
        }
        Ok(())
    }
}

impl Rotate {
    fn run(&self, now: u64) -> Result<(), Failure> {
        let mut file = File::read(&self.variables_file)?;
        clear(&mut file.keys, now);
        let mut algorithms = self.algorithms.clone();
        if algorithms.is_empty() {
            algorithms.extend(file.keys.iter().filter(|key| key.signing.is_some()).map(|key| key.algorithm));
        }
        algorithms.sort_unstable();
        algorithms.dedup_by(|one, other| one.agrees_with(*other));
        let begins = now.saturating_add(self.activate_after);
        let ends = begins.saturating_add(self.keep_for);
        for algorithm in algorithms {
            let of_algorithm = |key: &&Key| key.algorithm.agrees_with(algorithm);
            if let Some(waiting) =
                file.keys.iter().filter(of_algorithm).find(|key| key.not_before > Some(now))
            {
                return Err(format!(
                    "the {algorithm} key {} has not begun to sign yet; rotate again after that, in {} s",
                    waiting.kid,
                    waiting.not_before.unwrap_or(now).saturating_sub(now)
                )
                .into());
            }
            for key in file.keys.iter_mut().filter(|key| key.algorithm.agrees_with(algorithm)) {
                key.expires = Some(key.expires.map_or(ends, |expires| expires.min(ends)));
            }
            let made = SigningKey::generate(algorithm, &mut OsRandom)?;
            file.keys.push(new_key(made, Some(begins)));
        }
        // With --keep-for 0 at once.
        clear(&mut file.keys, now);
        file.write()?;
        print(&file.keys, now, self.json)
    }
}

/// Drops what has expired, and private halves that are not needed any more.
fn clear(keys: &mut Vec<Key>, now: u64) {
    keys.retain(|key| key.expires.is_none_or(|expires| expires > now));
    let retired_for_long = |key: &Key| {
        let before = now.saturating_sub(GRACE);
        keys::status(key, keys, before) == Some(Status::Retired)
    };
    let retired: Vec<bool> = keys.iter().map(retired_for_long).collect();
    for (key, retired) in keys.iter_mut().zip(retired) {
        if retired {
            key.signing = None;
        }
    }
}

fn new_key(signing: SigningKey, not_before: Option<u64>) -> Key {
    let jwk = signing.public_jwk(None);
    Key {
        kid: jwk.kid().unwrap_or_default().to_owned(),
        algorithm: signing.algorithm(),
        public_jwk: jwk.to_value().to_string(),
        signing: Some(signing),
        not_before,
        expires: None,
    }
}

/// The keys as the keystore reads them.
fn private_set(keys: &[Key]) -> Zeroizing<String> {
    let members = |key: &Key| {
        let mut jwk: Value = serde_json::from_str(&key.public_jwk).unwrap_or_default();
        if let Value::Object(members) = &mut jwk {
            for (name, value) in key.signing.iter().flat_map(SigningKey::private_jwk_members) {
                members.insert(name.to_owned(), value.as_str().into());
            }
            let times = [("nbf", key.not_before), ("exp", key.expires)];
            members
                .extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), time?.into()))));
        }
        jwk
    };
    Zeroizing::new(json!({ "keys": keys.iter().map(members).collect::<Vec<_>>() }).to_string())
}

/// What may be shown of the keys.
fn print(keys: &[Key], now: u64, as_json: bool) -> Result<(), Failure> {
    let status = |key: &Key| match keys::status(key, keys, now) {
        Some(Status::Upcoming) => "upcoming",
        Some(Status::Active) => "active",
        Some(Status::Retired) => "retired",
        None => "expired",
    };
    if as_json {
        let shown = |key: &Key| {
            json!({
                "kid": key.kid,
                "alg": key.algorithm.name(),
                "status": status(key),
                "private": key.signing.is_some(),
                "signs_from": key.not_before,
                "published_until": key.expires,
            })
        };
        return output::write(&format!(
            "{}\n",
            json!({ "keys": keys.iter().map(shown).collect::<Vec<_>>() })
        ));
    }
    let mut text = String::new();
    for key in keys {
        let from = key.not_before.filter(|time| *time > now);
        let from = from.map(|time| format!(", signs in {} s", time.saturating_sub(now)));
        let until = key.expires.map(|time| format!(", published for {} s", time.saturating_sub(now)));
        text += &format!(
            "{:8} {:7} {}{}{}\n",
            status(key),
            key.algorithm.name(),
            key.kid,
            from.unwrap_or_default(),
            until.unwrap_or_default()
        );
    }
    output::write(&text)
}

/// A variables file and the keys in it.
struct File {
    path: PathBuf,
    variables: BTreeMap<String, String>,
    keys: Vec<Key>,
}

impl File {
    fn read(path: &Path) -> Result<Self, Failure> {
        let mut variables = variables::read_file(path)?;
        let text = Zeroizing::new(variables.remove(keys::VARIABLE).unwrap_or_default());
        let keys = keys::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), variables, keys })
    }

    /// Puts the whole file in the place of the old one at once, so that a server reads either: a half-written one would
    /// be no keys at all. It stays readable for whom it was.
    fn write(&self) -> Result<(), Failure> {
        let mut variables = self.variables.clone();
        variables.insert(keys::VARIABLE.to_owned(), private_set(&self.keys).to_string());
        let text = toml(&variables);
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let beside = self.path.with_file_name(format!(".{name}.{}", std::process::id()));
        let replace = || {
            let mode = std::fs::metadata(&self.path)?.permissions().mode() & 0o777;
            let mut open =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
            open.set_permissions(std::fs::Permissions::from_mode(mode))?;
            open.write_all(text.as_bytes())?;
            open.sync_all()?;
            std::fs::rename(&beside, &self.path)
        };
        replace().map_err(|error: std::io::Error| {
            // The original is untouched; what has been begun beside it holds keys.
            let _ = std::fs::remove_file(&beside);
            format!("{}: {error}", self.path.display()).into()
        })
    }
}

/// `name = "value"` lines; PEM stays readable in a literal string.
fn toml(variables: &BTreeMap<String, String>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for (name, value) in variables {
        let is_literal = |c: char| matches!(c, '\n' | '\t' | ' '..='~') && c != '\'';
        if value.chars().all(is_literal) {
            text.push_str(&format!("{name} = '''\n{value}'''\n"));
        } else {
            // JSON's escapes are TOML's as well, and what JSON leaves alone TOML does, but for one character.
            let quoted = Value::from(value.as_str()).to_string().replace('\u{7f}', "\\u007F");
            text.push_str(&format!("{name} = {quoted}\n"));
        }
    }
    text
}

/// Seconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "an operator's command runs at the time it is run at")]
fn now() -> u64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |duration| duration.as_secs())
}
