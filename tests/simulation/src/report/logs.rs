//! The logs of the functions, kept by thread, since each thread plays its own schedules.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ToThread;

impl Write for ToThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.with_borrow_mut(|written| written.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for ToThread {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

/// Keeps what is logged from now on, and nothing from before. The logs of a whole process are
/// kept in this way once one schedule was played in it.
pub(crate) fn start() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .without_time()
            .with_writer(ToThread)
            .finish();
        let _ = tracing::subscriber::set_global_default(subscriber);
    });
    take();
}

/// Takes out what was logged on this thread.
pub(crate) fn take() -> String {
    let bytes = WRITTEN.with_borrow_mut(std::mem::take);
    String::from_utf8_lossy(&bytes).into_owned()
}
