//! Counters, gauges and histograms.

use crate::abi::MetricType;
use crate::guest::{Answer, Guest};
use crate::lock::lock;

pub(super) fn define(
    guest: &mut Guest<'_>,
    metric_type: u32,
    name: u32,
    name_size: u32,
    id_at: u32,
) -> Answer {
    let name = guest.read(name, name_size)?;
    let metric_type = MetricType::try_from(metric_type)?;
    let state = guest.state_mut();
    let name = String::from_utf8_lossy(&name);
    let id = state
        .metric_ids
        .define(&mut lock(&state.shared).metrics, metric_type, &name);
    Ok(guest.write_u32(id_at, id)?)
}

pub(super) fn increment(guest: &mut Guest<'_>, id: u32, offset: i64) -> Answer {
    let state = guest.state();
    Ok(state
        .metric_ids
        .increment(&mut state.shared().metrics, id, offset)?)
}

pub(super) fn record(guest: &mut Guest<'_>, id: u32, value: u64) -> Answer {
    let state = guest.state();
    Ok(state
        .metric_ids
        .record(&mut state.shared().metrics, id, value)?)
}

pub(super) fn get(guest: &mut Guest<'_>, id: u32, value_at: u32) -> Answer {
    let state = guest.state();
    let value = state.metric_ids.get(&mut state.shared().metrics, id)?;
    Ok(guest.write_u64(value_at, value)?)
}
