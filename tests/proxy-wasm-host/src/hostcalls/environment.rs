//! Logging, the clock, the tick and the configuration.

use crate::abi::{LogLevel, Status};
use crate::clock::Timer;
use crate::guest::{Answer, Guest};

pub(super) fn log(guest: &mut Guest<'_>, level: u32, text: u32, size: u32) -> Answer {
    let level = LogLevel::try_from(level)?;
    let message = guest.read(text, size)?;
    guest
        .state()
        .log(level, String::from_utf8_lossy(&message).into_owned());
    Ok(())
}

pub(super) fn log_level(guest: &mut Guest<'_>, level_at: u32) -> Answer {
    let level = guest.state().plugin.log_level;
    Ok(guest.write_u32(level_at, level as u32)?)
}

pub(super) fn current_time(guest: &mut Guest<'_>, time_at: u32) -> Answer {
    let now = guest.state().shared().clock.wall();
    Ok(guest.write_u64(time_at, now)?)
}

/// The period is the root context's, whichever context sets it; 0 stops the tick.
pub(super) fn set_tick_period(guest: &mut Guest<'_>, milliseconds: u32) -> Answer {
    let period = u64::from(milliseconds) * 1_000_000;
    let due = guest
        .state()
        .shared()
        .clock
        .elapsed()
        .saturating_add(period);
    guest.state_mut().tick = (period > 0).then_some(Timer { period, due });
    Ok(())
}

pub(super) fn configuration(guest: &mut Guest<'_>, bytes_at: u32, size_at: u32) -> Answer {
    let state = guest.state();
    let bytes = if state.configuring {
        state.plugin.configuration.clone()
    } else {
        state.plugin.vm_configuration.clone()
    };
    if bytes.len() > u32::MAX as usize {
        return Err(Status::InternalFailure.into());
    }
    guest.give(&bytes, bytes_at, size_at)
}
