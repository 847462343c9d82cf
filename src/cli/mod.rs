//! The only floor that prints, prompts, reads the environment and exits.
