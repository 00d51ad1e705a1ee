//! Holding every table against a rebuild from the logs.
