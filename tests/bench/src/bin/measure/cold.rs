//! A cold start as a customer's first event meets it: from exec to ingest's first answer, with
//! the secret, the table and TLS to each, beside a function that makes two requests over TLS and
//! nothing else.
//!
//! Lambda gives a function its whole processor while it starts and a share of it afterwards, so
//! the processor's time before and after `/next` is told apart.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use binaries::lambda_api::{Function, socket};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::functions::Variables;
use crate::invocations::{Stage, invoke};
use crate::{median, milliseconds, print as table, real_time, times};

/// The number of cold starts of each, in turn with the others.
const STARTS: usize = 21;

/// A function with 256 MB has this share of a processor (AWS Lambda developer guide: 1,769 MB are
/// one, <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
const SHARE: f64 = 256.0 / 1769.0;

/// The name of the secret in the embedded Secrets Manager.
const SECRET: &str = "channel-janitor/twilio";

#[derive(Clone, Copy)]
struct Cold {
    /// Of the processor, until the first `/next`.
    start: Duration,
    /// Of the processor, from there to the first answer.
    first: Duration,
    /// From exec to the first answer.
    wall: Duration,
}

struct Kind {
    name: &'static str,
    binary: &'static str,
    variables: Variables,
}

pub(crate) fn print(folder: &Path) {
    let rows = real_time().block_on(async {
        let stage = Stage::set().await;
        let tls = Tls::before(&stage).await;
        stage.aws.secrets.put(SECRET, stage.secret().to_string());
        let kinds = kinds(&stage, &tls);
        let mut taken: Vec<Vec<Cold>> = vec![Vec::new(); kinds.len()];
        for _ in 0..STARTS {
            for (kind, taken) in kinds.iter().zip(&mut taken) {
                taken.push(cold(&stage, folder, kind).await);
            }
        }
        rows(&kinds, &taken)
    });
    table(
        &format!("A cold start to the first answer, median of {STARTS}; CPU is the function's own"),
        [
            "",
            "CPU to /next",
            "CPU, first event",
            "together",
            "two TLS requests'",
            "wall",
            "first event at 256 MB",
        ],
        rows,
    );
}

fn kinds(stage: &Stage, tls: &Tls) -> [Kind; 5] {
    let plain: Variables = stage.variables.clone();
    let mut secret: Variables = plain.clone();
    secret.retain(|(name, _)| *name != "TWILIO_AUTH_TOKENS");
    secret.push(("TWILIO_SECRET", SECRET.to_owned()));
    let over_tls = |from: &Variables| {
        let mut variables = from.clone();
        variables.retain(|(name, _)| *name != "AWS_ENDPOINT_URL");
        variables.extend(tls.variables());
        variables
    };
    [
        Kind {
            name: "nothing",
            binary: "bare",
            variables: plain.clone(),
        },
        Kind {
            name: "two TLS requests",
            binary: "bare-tls",
            variables: over_tls(&plain),
        },
        Kind {
            name: "ingest, keys at hand, no TLS",
            binary: "ingest",
            variables: plain.clone(),
        },
        Kind {
            name: "ingest, secret fetched, no TLS",
            binary: "ingest",
            variables: secret.clone(),
        },
        Kind {
            name: "ingest, secret and table over TLS",
            binary: "ingest",
            variables: over_tls(&secret),
        },
    ]
}

async fn cold(stage: &Stage, folder: &Path, kind: &Kind) -> Cold {
    let event = match kind.binary {
        "ingest" => stage.request(1),
        _ => json!({}),
    };
    let began = Instant::now();
    let function = Function::start(&folder.join(kind.binary), &kind.variables).await;
    function.ready().await;
    let start = function.cpu_time().unwrap_or_default();
    invoke(&function, event).await;
    let wall = began.elapsed();
    let first = function.cpu_time().unwrap_or_default() - start;
    function.stop().await;
    Cold { start, first, wall }
}

fn rows(kinds: &[Kind], taken: &[Vec<Cold>]) -> Vec<[String; 7]> {
    let of = |taken: &[Cold], figure: fn(&Cold) -> Duration| {
        median(&mut taken.iter().map(figure).collect::<Vec<_>>())
    };
    let together = |taken: &[Cold]| of(taken, |cold| cold.start + cold.first);
    let two_requests = together(&taken[1]);
    let row = |(kind, taken): (&Kind, &Vec<Cold>)| {
        let first = of(taken, |cold| cold.first);
        [
            kind.name.to_owned(),
            milliseconds(of(taken, |cold| cold.start)),
            milliseconds(first),
            milliseconds(together(taken)),
            times(together(taken), two_requests),
            milliseconds(of(taken, |cold| cold.wall)),
            milliseconds(first.div_f64(SHARE)),
        ]
    };
    kinds.iter().zip(taken).map(row).collect()
}

/// Two servers with TLS before the embedded services, with one certificate.
struct Tls {
    folder: TempDir,
    urls: [String; 2],
}

impl Tls {
    async fn before(stage: &Stage) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let folder = tempfile::tempdir().unwrap();
        let certificate = STANDARD.encode(made.cert.der());
        let pem =
            format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
        std::fs::write(folder.path().join("roots.pem"), pem).unwrap();
        let mut urls = Vec::new();
        for _ in 0..2 {
            let (listener, url) = socket().await;
            let port = url.rsplit(':').next().unwrap();
            urls.push(format!("https://localhost:{port}"));
            tokio::spawn(serve(listener, acceptor.clone(), stage.aws_address()));
        }
        let urls = urls.try_into().unwrap();
        Self { folder, urls }
    }

    fn variables(&self) -> Variables {
        let [secrets, table] = self.urls.clone();
        let roots = self.folder.path().join("roots.pem");
        vec![
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets),
            ("AWS_ENDPOINT_URL_DYNAMODB", table),
            ("AWS_CA_BUNDLE", roots.to_str().unwrap().to_owned()),
        ]
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, address: String) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, address) = (acceptor.clone(), address.clone());
        tokio::spawn(async move {
            let mut inside = acceptor.accept(stream).await.unwrap();
            let mut service = TcpStream::connect(address).await.unwrap();
            let _ = copy_bidirectional(&mut inside, &mut service).await;
        });
    }
}

impl Stage {
    fn secret(&self) -> Value {
        json!({ "TWILIO_AUTH_TOKENS": self.twilio.account().auth_token })
    }
}
