//! The part of WASI preview 1 that Envoy gives a module: output to the log, the manual clock, environment
//! variables and random numbers from a seed. There are no files and no sockets.

use wasmtime::{Caller, Error, Linker, Result};

use crate::abi::LogLevel;
use crate::guest::Guest;
use crate::state::VmState;

const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const FAULT: u32 = 21;
const INVAL: u32 = 28;
const NOENT: u32 = 44;
const NOSYS: u32 = 52;
const NOTSUP: u32 = 58;

/// The most bytes one `random_get` gives.
const MAX_RANDOM: u32 = 64 * 1024;

type Errno = std::result::Result<(), u32>;

/// Links WASI under both names it goes by.
pub(crate) fn link(linker: &mut Linker<VmState>) -> Result<()> {
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        link_environment(linker, module)?;
        link_files(linker, module)?;
    }
    Ok(())
}

fn link_environment(linker: &mut Linker<VmState>, module: &str) -> Result<()> {
    linker.func_wrap(
        module,
        "clock_time_get",
        |caller: Caller<'_, VmState>, clock: u32, _precision: u64, time_at: u32| {
            errno(caller, "clock_time_get", |guest| {
                clock_time(guest, clock, time_at)
            })
        },
    )?;
    linker.func_wrap(
        module,
        "clock_res_get",
        |caller: Caller<'_, VmState>, _clock: u32, resolution_at: u32| {
            errno(caller, "clock_res_get", |guest| {
                put_u64(guest, resolution_at, 1)
            })
        },
    )?;
    linker.func_wrap(
        module,
        "random_get",
        |caller: Caller<'_, VmState>, start: u32, size: u32| {
            errno(caller, "random_get", |guest| random(guest, start, size))
        },
    )?;
    linker.func_wrap(
        module,
        "environ_sizes_get",
        |caller: Caller<'_, VmState>, count_at: u32, size_at: u32| {
            errno(caller, "environ_sizes_get", |guest| {
                let variables = environment(guest);
                put_u32(guest, count_at, variables.len())?;
                put_u32(guest, size_at, variables.iter().map(Vec::len).sum())
            })
        },
    )?;
    linker.func_wrap(
        module,
        "environ_get",
        |caller: Caller<'_, VmState>, pointers: u32, text: u32| {
            errno(caller, "environ_get", |guest| {
                environ(guest, pointers, text)
            })
        },
    )?;
    linker.func_wrap(
        module,
        "args_sizes_get",
        |caller: Caller<'_, VmState>, count_at: u32, size_at: u32| {
            errno(caller, "args_sizes_get", |guest| {
                put_u32(guest, count_at, 0)?;
                put_u32(guest, size_at, 0)
            })
        },
    )?;
    linker.func_wrap(module, "args_get", |_: u32, _: u32| SUCCESS)?;
    linker.func_wrap(module, "sched_yield", || SUCCESS)?;
    linker.func_wrap(
        module,
        "poll_oneoff",
        |caller: Caller<'_, VmState>, _in: u32, _out: u32, _subscriptions: u32, count_at: u32| {
            errno(caller, "poll_oneoff", |guest| put_u32(guest, count_at, 0))
        },
    )?;
    linker.func_wrap(module, "proc_exit", |code: u32| -> Result<()> {
        Err(Error::msg(format!("the module exited with code {code}")))
    })?;
    Ok(())
}

fn link_files(linker: &mut Linker<VmState>, module: &str) -> Result<()> {
    linker.func_wrap(
        module,
        "fd_write",
        |caller: Caller<'_, VmState>, fd: u32, pieces: u32, count: u32, written_at: u32| {
            errno(caller, "fd_write", |guest| {
                write(guest, fd, pieces, count, written_at)
            })
        },
    )?;
    linker.func_wrap(
        module,
        "fd_fdstat_get",
        |caller: Caller<'_, VmState>, fd: u32, stat_at: u32| {
            errno(caller, "fd_fdstat_get", |guest| {
                if !matches!(fd, 1 | 2) {
                    return Err(BADF);
                }
                for (offset, field) in [(0, 0), (8, 64), (16, 0)] {
                    put_u64(guest, stat_at.wrapping_add(offset), field)?;
                }
                Ok(())
            })
        },
    )?;
    linker.func_wrap(module, "fd_fdstat_set_flags", |_: u32, _: u32| NOSYS)?;
    linker.func_wrap(module, "fd_filestat_get", |_: u32, _: u32| BADF)?;
    linker.func_wrap(module, "fd_read", |_: u32, _: u32, _: u32, _: u32| NOSYS)?;
    linker.func_wrap(module, "fd_seek", |_: u32, _: i64, _: u32, _: u32| SUCCESS)?;
    linker.func_wrap(module, "fd_close", |_: u32| SUCCESS)?;
    linker.func_wrap(module, "fd_prestat_get", |_: u32, _: u32| BADF)?;
    linker.func_wrap(module, "fd_prestat_dir_name", |_: u32, _: u32, _: u32| {
        NOSYS
    })?;
    linker.func_wrap(
        module,
        "path_open",
        |_: u32, _: u32, _: u32, _: u32, _: u32, _: i64, _: i64, _: u32, _: u32| NOENT,
    )?;
    linker.func_wrap(
        module,
        "path_filestat_get",
        |_: u32, _: u32, _: u32, _: u32, _: u32| NOTSUP,
    )?;
    Ok(())
}

fn errno(
    caller: Caller<'_, VmState>,
    name: &'static str,
    run: impl FnOnce(&mut Guest<'_>) -> Errno,
) -> Result<u32> {
    let mut guest = Guest::new(caller, name)?;
    Ok(run(&mut guest).err().unwrap_or(SUCCESS))
}

fn clock_time(guest: &mut Guest<'_>, clock: u32, time_at: u32) -> Errno {
    let now = match clock {
        0 => guest.state().shared().clock.wall(),
        1 => guest.state().shared().clock.elapsed(),
        _ => return Err(NOTSUP),
    };
    put_u64(guest, time_at, now)
}

fn random(guest: &mut Guest<'_>, start: u32, size: u32) -> Errno {
    if size > MAX_RANDOM {
        return Err(INVAL);
    }
    let mut bytes = Vec::with_capacity(size as usize + 8);
    while bytes.len() < size as usize {
        bytes.extend(guest.state_mut().next_random().to_le_bytes());
    }
    bytes.truncate(size as usize);
    put(guest, start, &bytes)
}

/// Each variable as `NAME=value` and a NUL.
fn environment(guest: &Guest<'_>) -> Vec<Vec<u8>> {
    let variables = &guest.state().plugin.environment;
    variables
        .iter()
        .map(|(name, value)| format!("{name}={value}\0").into_bytes())
        .collect()
}

fn environ(guest: &mut Guest<'_>, mut pointer_at: u32, mut text_at: u32) -> Errno {
    for variable in environment(guest) {
        put(guest, pointer_at, &text_at.to_le_bytes())?;
        put(guest, text_at, &variable)?;
        pointer_at = pointer_at.wrapping_add(4);
        text_at = text_at.wrapping_add(u32::try_from(variable.len()).map_err(|_| FAULT)?);
    }
    Ok(())
}

/// Standard output becomes log lines at info, standard error at error; one line end is cut off.
fn write(guest: &mut Guest<'_>, fd: u32, pieces: u32, count: u32, written_at: u32) -> Errno {
    let level = match fd {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return Err(BADF),
    };
    let mut text = Vec::new();
    for index in 0..count {
        let piece_at = index
            .checked_mul(8)
            .and_then(|offset| pieces.checked_add(offset));
        let piece = guest.read(piece_at.ok_or(FAULT)?, 8).map_err(|_| FAULT)?;
        let (start, size) = piece.split_first_chunk::<4>().ok_or(FAULT)?;
        let size = size.first_chunk::<4>().ok_or(FAULT)?;
        let bytes = guest.read(u32::from_le_bytes(*start), u32::from_le_bytes(*size));
        text.extend(bytes.map_err(|_| FAULT)?);
    }
    let written = text.len();
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    if written > 0 {
        guest
            .state()
            .log(level, String::from_utf8_lossy(&text).into_owned());
    }
    put_u32(guest, written_at, written)
}

fn put(guest: &mut Guest<'_>, start: u32, bytes: &[u8]) -> Errno {
    guest.write(start, bytes).map_err(|_| FAULT)
}

fn put_u32(guest: &mut Guest<'_>, start: u32, value: usize) -> Errno {
    put(
        guest,
        start,
        &u32::try_from(value).map_err(|_| FAULT)?.to_le_bytes(),
    )
}

fn put_u64(guest: &mut Guest<'_>, start: u32, value: u64) -> Errno {
    put(guest, start, &value.to_le_bytes())
}
