//! Packages from Debian's archive, unpacked beside the build and never installed.
//!
//! The archive's address and keyring are read from the machine's own package sources, and only the suite's name is
//! replaced. apt runs with a state, a cache and a configuration of its own, so the machine's apt stays as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Where a machine keeps its package sources: one file and one folder.
const SOURCES: [&str; 2] = ["/etc/apt/sources.list", "/etc/apt/sources.list.d"];

/// One archive as a package source names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Archive {
    uri: String,
    /// `Signed-By` exactly as written: a keyring's path, a fingerprint, or a whole key over several lines.
    signed_by: Option<String>,
    trusted: Option<String>,
}

/// apt with a private state below one folder.
pub(crate) struct Apt {
    directory: PathBuf,
    archives: Vec<Archive>,
}

impl Apt {
    /// Prepares a private apt below `directory`.
    ///
    /// # Errors
    /// When this is no Debian machine, or its package sources name no Debian archive.
    pub(crate) fn new(directory: PathBuf) -> Result<Self> {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let Some(codename) = os_release_field(&release, "VERSION_CODENAME") else {
            bail!("this is no Debian machine (/etc/os-release names no VERSION_CODENAME)");
        };
        for tool in ["apt-get", "apt-config", "dpkg-deb"] {
            if process::find(tool).is_none() {
                bail!("this is no Debian machine (no `{tool}`)");
            }
        }
        let archives = archives(&read_sources(), codename);
        if archives.is_empty() {
            bail!("no package source below /etc/apt names an archive for `{codename}`");
        }
        Ok(Self { directory, archives })
    }

    /// Downloads each package (`name` or `name=version*`) from the first of `suites` that holds them all, and unpacks
    /// them into one folder, which is returned.
    ///
    /// # Errors
    /// When no suite holds the packages; the text says what each archive answered.
    pub(crate) fn unpack(&self, suites: &[&str], packages: &[String]) -> Result<PathBuf> {
        let mut answers = Vec::new();
        for suite in suites {
            for archive in &self.archives {
                match self.unpack_from(archive, suite, packages) {
                    Ok(root) => return Ok(root),
                    Err(error) => answers.push(format!("{suite}: {}", process::one_line(&error))),
                }
            }
        }
        bail!("Debian's archive does not give {} ({})", packages.join(" and "), answers.join("; "))
    }

    fn unpack_from(&self, archive: &Archive, suite: &str, packages: &[String]) -> Result<PathBuf> {
        let config = self.configure(archive, suite)?;
        let downloads = self.directory.join("packages");
        let root = self.directory.join("root");
        for fresh in [&downloads, &root] {
            remove(fresh)?;
            fs::create_dir_all(fresh)?;
        }
        process::quiet(Command::new("apt-get").arg("update").env("APT_CONFIG", &config))?;
        process::quiet(
            Command::new("apt-get")
                .arg("download")
                .args(packages)
                .env("APT_CONFIG", &config)
                .current_dir(&downloads),
        )?;
        for package in fs::read_dir(&downloads)? {
            process::quiet(Command::new("dpkg-deb").arg("-x").arg(package?.path()).arg(&root))?;
        }
        Ok(root)
    }

    /// Writes the private configuration: the machine's own settings (a proxy, say) without its update hooks, and with
    /// every folder apt writes to below ours.
    fn configure(&self, archive: &Archive, suite: &str) -> Result<PathBuf> {
        let directory = self.directory.join("apt");
        remove(&directory)?;
        for folder in ["lists/partial", "cache/archives/partial", "sources"] {
            fs::create_dir_all(directory.join(folder))?;
        }
        fs::write(directory.join("status"), "")?;
        fs::write(directory.join("sources/attesto.sources"), archive.stanza(suite))?;

        let own = process::quiet(Command::new("apt-config").arg("dump"))?;
        let mut config: String = own
            .lines()
            .filter(|line| !line.starts_with("APT::Update::"))
            .map(|line| format!("{line}\n"))
            .collect();
        let path = |name: &str| directory.join(name).display().to_string();
        for (key, value) in [
            ("Dir::State", path("")),
            ("Dir::State::Lists", path("lists")),
            ("Dir::State::status", path("status")),
            ("Dir::Cache", path("cache")),
            ("Dir::Etc::SourceList", "/dev/null".to_owned()),
            ("Dir::Etc::SourceParts", path("sources")),
            ("Dir::Etc::Main", "/dev/null".to_owned()),
            ("Dir::Etc::Parts", "/dev/null".to_owned()),
            // An archive that does not answer is a warning otherwise.
            ("APT::Update::Error-Mode", "any".to_owned()),
            // Root's apt would change to a user who may not be able to see this folder.
            ("APT::Sandbox::User", "root".to_owned()),
        ] {
            config.push_str(&format!("{key} \"{value}\";\n"));
        }
        let file = directory.join("apt.conf");
        fs::write(&file, config).with_context(|| format!("writing {}", file.display()))?;
        Ok(file)
    }
}

impl Archive {
    /// This archive with another suite, as a deb822 package source.
    fn stanza(&self, suite: &str) -> String {
        let mut stanza = format!("Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\n", self.uri);
        for (field, value) in [("Signed-By", &self.signed_by), ("Trusted", &self.trusted)] {
            if let Some(value) = value {
                stanza.push_str(&format!("{field}: {value}\n"));
            }
        }
        stanza
    }
}

/// Every source file of the machine, with its path's ending telling the format.
fn read_sources() -> Vec<(PathBuf, String)> {
    let [file, folder] = SOURCES.map(PathBuf::from);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    paths.sort();
    paths.insert(0, file);
    paths.into_iter().filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text))).collect()
}

/// The Debian archives among the machine's sources: those that serve `main` of the machine's own release. The security
/// archive is another place, without the other suites.
fn archives(sources: &[(PathBuf, String)], codename: &str) -> Vec<Archive> {
    let mut found: Vec<Archive> = Vec::new();
    for (path, text) in sources {
        let entries = match path.extension().and_then(|ending| ending.to_str()) {
            Some("sources") => deb822(text),
            Some("list") => text.lines().filter_map(one_line).collect(),
            _ => continue,
        };
        for entry in entries {
            let of_this_release = |suite: &String| {
                suite.strip_prefix(codename).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
                    && !suite.ends_with("-security")
            };
            if !entry.suites.iter().any(of_this_release)
                || !entry.components.iter().any(|name| name == "main")
            {
                continue;
            }
            for uri in entry.uris {
                let archive =
                    Archive { uri, signed_by: entry.signed_by.clone(), trusted: entry.trusted.clone() };
                if !found.contains(&archive) {
                    found.push(archive);
                }
            }
        }
    }
    found
}

/// A package source as read from either format.
#[derive(Default)]
struct Entry {
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    signed_by: Option<String>,
    trusted: Option<String>,
}

/// sources.list(5), "DEB822-STYLE FORMAT": stanzas of `Field: value`, continued by lines that start with white space.
fn deb822(text: &str) -> Vec<Entry> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.split(|line| line.trim().is_empty()).filter_map(stanza).collect()
}

fn stanza(lines: &[&str]) -> Option<Entry> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            value.push('\n');
            value.push_str(line);
        } else {
            let (name, value) = line.split_once(':')?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    let words = |name: &str| -> Vec<String> {
        field(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let enabled = field("enabled").is_none_or(|value| !matches!(value.as_str(), "no" | "false" | "0"));
    (enabled && words("types").iter().any(|kind| kind == "deb")).then(|| Entry {
        uris: words("uris"),
        suites: words("suites"),
        components: words("components"),
        signed_by: field("signed-by"),
        trusted: field("trusted"),
    })
}

/// sources.list(5), "ONE-LINE-STYLE FORMAT": `deb [option=value …] uri suite component…`.
fn one_line(line: &str) -> Option<Entry> {
    let rest = line.split('#').next()?.trim().strip_prefix("deb")?;
    let rest = rest.starts_with([' ', '\t']).then(|| rest.trim_start())?;
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let option = |name: &str| {
        options
            .split_whitespace()
            .find_map(|option| option.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Entry {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        // Several keyrings are separated by commas here and by white space in deb822.
        signed_by: option("signed-by").map(|keyrings| keyrings.replace(',', " ")),
        trusted: option("trusted"),
    })
}

fn os_release_field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(|value| value.trim_matches('"'))
}

fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("removing {}", directory.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Vec<Archive> {
        archives(&[(PathBuf::from(name), text.to_owned())], "bookworm")
    }

    fn archive(uri: &str, signed_by: Option<&str>) -> Archive {
        Archive { uri: uri.to_owned(), signed_by: signed_by.map(str::to_owned), trusted: None }
    }

    #[test]
    fn a_deb822_source_gives_its_archive_and_keyring_once() {
        let text = "Types: deb deb-src\n# mirror\nURIs: http://a.example/linux\nSuites: bookworm bookworm-updates\n\
                    Components: main contrib\nSigned-By: /keys/debian.gpg\n\n\
                    Types: deb\nURIs: http://a.example/linux-security\nSuites: bookworm-security\nComponents: main\n";
        assert_eq!(read("d.sources", text), [archive("http://a.example/linux", Some("/keys/debian.gpg"))]);
    }

    #[test]
    fn a_key_inside_a_deb822_source_is_carried_over_whole() {
        let text = "Types: deb\nURIs: http://a.example/linux\nSuites: bookworm\nComponents: main\nSigned-By:\n \
                    -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINB\n -----END PGP PUBLIC KEY BLOCK-----\n";
        let found = read("d.sources", text);
        let key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINB\n -----END PGP PUBLIC KEY BLOCK-----";
        assert_eq!(found, [archive("http://a.example/linux", Some(key))]);
        assert!(found[0].stanza("trixie-backports").ends_with(&format!("Signed-By: {key}\n")));
    }

    #[test]
    fn a_one_line_source_gives_its_archive_and_keyrings() {
        let text = "# deb http://old.example/linux bookworm main\n\
                    deb [arch=amd64 signed-by=/keys/a.gpg,/keys/b.gpg] http://a.example/linux bookworm main # note\n\
                    deb-src http://src.example/linux bookworm main\n";
        assert_eq!(
            read("d.list", text),
            [archive("http://a.example/linux", Some("/keys/a.gpg /keys/b.gpg"))]
        );
    }

    #[test]
    fn other_archives_and_disabled_sources_are_left_out() {
        let text = "deb http://cloud.example/apt cloud-sdk-bookworm main\ndeb http://node.example/apt nodistro main\n\
                    deb http://a.example/linux bookwormish main\ndeb http://a.example/linux bookworm contrib\n";
        assert_eq!(read("d.list", text), []);
        let text =
            "Enabled: no\nTypes: deb\nURIs: http://a.example/linux\nSuites: bookworm\nComponents: main\n";
        assert_eq!(read("d.sources", text), []);
        assert_eq!(read("d.list.disabled", "deb http://a.example/linux bookworm main\n"), []);
    }

    #[test]
    fn only_the_suite_is_replaced() {
        let stanza = archive("http://a.example/linux", Some("/keys/debian.gpg")).stanza("trixie-backports");
        assert_eq!(
            stanza,
            "Types: deb\nURIs: http://a.example/linux\nSuites: trixie-backports\nComponents: main\n\
             Signed-By: /keys/debian.gpg\n"
        );
    }

    #[test]
    fn the_release_name_is_read_with_and_without_quotes() {
        assert_eq!(
            os_release_field("ID=debian\nVERSION_CODENAME=trixie\n", "VERSION_CODENAME"),
            Some("trixie")
        );
        assert_eq!(os_release_field("VERSION_CODENAME=\"noble\"\n", "VERSION_CODENAME"), Some("noble"));
        assert_eq!(os_release_field("ID=arch\n", "VERSION_CODENAME"), None);
    }
}
