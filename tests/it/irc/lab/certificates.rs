//! Certificates for one network, made with OpenSSL: an authority, and what it issues.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Requests take nothing from the machine's own configuration, whose extensions a certificate of a server must not have.
const REQUEST: &str = "[req]\ndistinguished_name = name\n[name]\n";

/// An authority that no machine trusts unless told to.
pub(crate) struct Authority {
    dir: PathBuf,
}

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn new(dir: &Path) -> Self {
        let authority = Self { dir: dir.to_owned() };
        fs::write(dir.join("request.cnf"), REQUEST).expect("the request can be written");
        let extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
        authority.request("authority", "Test Authority", &extensions, false);
        authority
    }

    /// What a client must trust.
    pub(crate) fn file(&self) -> PathBuf {
        self.dir.join("authority.pem")
    }

    /// A certificate for this host, or for a client of that name.
    pub(crate) fn issue(&self, file: &str, host: &str) -> Certificate {
        let extensions = ["basicConstraints=critical,CA:FALSE", &format!("subjectAltName=DNS:{host}")];
        self.request(file, host, &extensions, true)
    }

    fn request(&self, file: &str, name: &str, extensions: &[&str], issued: bool) -> Certificate {
        let [cert, key] = ["pem", "key"].map(|kind| self.dir.join(format!("{file}.{kind}")));
        let mut command = Command::new("/usr/bin/openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        command.args(["-days", "30", "-config"]).arg(self.dir.join("request.cnf"));
        command.arg("-subj").arg(format!("/CN={name}")).arg("-keyout").arg(&key).arg("-out").arg(&cert);
        for extension in extensions {
            command.args(["-addext", extension]);
        }
        if issued {
            command.arg("-CA").arg(self.file()).arg("-CAkey").arg(self.dir.join("authority.key"));
        }
        openssl(&mut command);
        Certificate { cert, key }
    }
}

impl Certificate {
    /// The SHA-256 of the certificate in lower-case hexadecimal, as services want it.
    pub(crate) fn fingerprint(&self) -> String {
        let mut command = Command::new("/usr/bin/openssl");
        let printed = openssl(command.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(&self.cert));
        printed.trim().rsplit('=').next().expect("OpenSSL prints name=value").replace(':', "").to_lowercase()
    }
}

fn openssl(command: &mut Command) -> String {
    let output = command.output().expect("openssl runs (tests/run installs it)");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
