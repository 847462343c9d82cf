//! What `--help` says, which is what people learn the commands from.

use super::world::shows;
use crate::support::cli::Cli;

#[test]
fn each_command_explains_itself() {
    let cli = Cli::empty();
    for command in ["list", "download", "sync", "clear-cache"] {
        shows(&cli, &format!("help-{command}"), &format!("{command} --help"));
    }
    assert!(!cli.home("").exists());
}
