//! The size of each function, and the time that it takes to start.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use binaries::lambda_api::Function;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use simulator::{Project, Simulator};
use tokio::time::Instant;

use crate::{median, megabytes, milliseconds, print as table, real_time, times};

/// Everything that is deployed, after the function that does nothing.
pub(crate) const NAMES: [&str; 5] = ["bare", "ingest", "sweep", "park", "checkup"];

/// The number of times that each start is measured, in turn with the others.
const STARTS: usize = 41;

pub(crate) type Variables = Vec<(&'static str, String)>;

/// Variables with which every function starts, and makes no request while it does:
/// what the start asks of AWS is AWS's time.
pub(crate) fn variables(twilio: &Simulator, project: Project, aws: &str, api: &str) -> Variables {
    let account = twilio.account();
    let active = project.chat_task_channel;
    let inactive = {
        let mut state = twilio.state();
        state.create_task_channel(project.workspace, "Inactive", "inactive")
    };
    let pair = format!("{active}:{}", inactive.unwrap());
    vec![
        ("AWS_ENDPOINT_URL", aws.to_owned()),
        ("CHANNELS_TABLE", "channels".to_owned()),
        ("TWILIO_ACCOUNT_SID", account.sid.to_string()),
        ("TWILIO_AUTH_TOKENS", account.auth_token),
        ("TWILIO_API_URL", api.to_owned()),
        ("AWS_LAMBDA_LOG_LEVEL", "warn".to_owned()),
        ("PARK_TASK_CHANNELS", pair),
    ]
}

pub(crate) fn print(folder: &Path) {
    let (twilio, project) = Simulator::with_flex(1).unwrap();
    let variables = variables(&twilio, project, "http://127.0.0.1:1", "http://127.0.0.1:1");
    let mut starts: Vec<Vec<Duration>> = vec![Vec::new(); NAMES.len()];
    let mut memory = [0; NAMES.len()];
    let runtime = real_time();
    for _ in 0..STARTS {
        for (index, name) in NAMES.iter().enumerate() {
            let (took, peak) = runtime.block_on(start(&folder.join(name), &variables));
            starts[index].push(took);
            memory[index] = memory[index].max(peak);
        }
    }
    let bare = median(&mut starts[0]);
    let rows = NAMES.iter().enumerate().map(|(index, name)| {
        let program = std::fs::read(folder.join(name)).unwrap();
        let took = median(&mut starts[index]);
        [
            (*name).to_owned(),
            megabytes(program.len() as u64),
            megabytes(zipped(&program)),
            milliseconds(took),
            times(took, bare),
            megabytes(memory[index]),
        ]
    });
    table(
        &format!("Functions: exec to first /next, median of {STARTS}"),
        ["", "binary", "zip", "start", "bare's", "memory by then"],
        rows.collect(),
    );
}

async fn start(binary: &Path, variables: &Variables) -> (Duration, u64) {
    let began = Instant::now();
    let function = Function::start(binary, variables).await;
    function.ready().await;
    let took = began.elapsed();
    let peak = function.peak_memory().unwrap_or(0);
    function.stop().await;
    (took, peak)
}

/// Returns the size of the program in a zip, whose own few bytes are left out.
fn zipped(program: &[u8]) -> u64 {
    let mut zip = DeflateEncoder::new(Vec::new(), Compression::default());
    zip.write_all(program).unwrap();
    zip.finish().unwrap().len() as u64
}
