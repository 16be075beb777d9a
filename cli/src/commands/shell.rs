//! `janitor completions SHELL` and `janitor man`: made of the command line itself.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;

use output::Outcome;

/// Which shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// Writes what completes the command in a shell.
pub(crate) fn completions(options: &Completions, mut command: Command) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, "janitor", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Outcome::Good)
}

/// Writes the manual page, with every command in it.
pub(crate) fn man(mut command: Command) -> anyhow::Result<Outcome> {
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(
            page,
            ".SH \"JANITOR {}\"\n{about}",
            sub.get_name().to_uppercase()
        )?;
        let man = clap_mangen::Man::new(sub.clone());
        man.render_synopsis_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    io::stdout().lock().write_all(&page)?;
    Ok(Outcome::Good)
}
