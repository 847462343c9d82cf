//! Deciding, purely: values in, a plan out.
