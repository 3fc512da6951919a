//! The remote key set as a state machine.
