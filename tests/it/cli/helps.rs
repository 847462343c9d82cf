//! The help of commands, as people read it.

use crate::support::cli::Cli;
use crate::support::snapshot;

#[test]
fn each_command_says_what_it_does() {
    let cli = Cli::empty();
    for command in ["init", "explain", "diff", "cache", "cache import"] {
        let help = cli.run(&format!("{command} --help")).ok();
        snapshot::check("cli", &format!("help-{}", command.replace(' ', "-")), &help.stdout);
    }
}
