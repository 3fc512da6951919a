//! A hostcall's view of the module that called: its memory, its allocator and the state of its VM.

use wasmtime::{Caller, Error};

use crate::abi::Status;
use crate::state::VmState;

/// Hostcalls the module's allocator may make, as in Envoy.
const WHILE_ALLOCATING: [&str; 4] = ["proxy_log", "fd_write", "clock_time_get", "poll_oneoff"];

/// The caller of a hostcall.
pub(crate) struct Guest<'a> {
    caller: Caller<'a, VmState>,
}

/// Why a hostcall does not answer `Ok`.
pub(crate) enum Failure {
    /// The module is told.
    Status(Status),
    /// The VM dies.
    Trap(Error),
}

/// What a hostcall answers.
pub(crate) type Answer = Result<(), Failure>;

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Trap(error)
    }
}

/// Runs a hostcall of the proxy-wasm ABI and turns its answer into a status.
pub(crate) fn answer(
    caller: Caller<'_, VmState>,
    hostcall: &'static str,
    run: impl FnOnce(&mut Guest<'_>) -> Answer,
) -> Result<u32, Error> {
    let mut guest = Guest::new(caller, hostcall)?;
    match run(&mut guest) {
        Ok(()) => Ok(Status::Ok as u32),
        Err(Failure::Trap(error)) => Err(error),
        Err(Failure::Status(status)) => {
            if !matches!(
                status,
                Status::NotFound | Status::Empty | Status::CasMismatch
            ) {
                guest.state().refuse(hostcall, status);
            }
            Ok(status as u32)
        }
    }
}

impl<'a> Guest<'a> {
    /// The caller, if it may call `hostcall` now.
    pub(crate) fn new(caller: Caller<'a, VmState>, hostcall: &'static str) -> Result<Self, Error> {
        if caller.data().allocating && !WHILE_ALLOCATING.contains(&hostcall) {
            return Err(Error::msg(format!(
                "{hostcall} called by the module's allocator"
            )));
        }
        let mut guest = Self { caller };
        *guest.state_mut().hostcalls.entry(hostcall).or_default() += 1;
        Ok(guest)
    }

    /// The state of the VM.
    pub(crate) fn state(&self) -> &VmState {
        self.caller.data()
    }

    /// The state of the VM, to change.
    pub(crate) fn state_mut(&mut self) -> &mut VmState {
        self.caller.data_mut()
    }

    /// Copies bytes out of the module's memory.
    pub(crate) fn read(&mut self, start: u32, size: u32) -> Result<Vec<u8>, Status> {
        let (memory, start) = (self.memory()?, start as usize);
        let end = start
            .checked_add(size as usize)
            .ok_or(Status::InvalidMemoryAccess)?;
        let bytes = memory.data(&self.caller).get(start..end);
        bytes.map(<[u8]>::to_vec).ok_or(Status::InvalidMemoryAccess)
    }

    /// Copies bytes into the module's memory.
    pub(crate) fn write(&mut self, start: u32, bytes: &[u8]) -> Result<(), Status> {
        let memory = self.memory()?;
        let written = memory.write(&mut self.caller, start as usize, bytes);
        written.map_err(|_| Status::InvalidMemoryAccess)
    }

    /// Writes a little-endian number.
    pub(crate) fn write_u32(&mut self, start: u32, value: u32) -> Result<(), Status> {
        self.write(start, &value.to_le_bytes())
    }

    /// Writes a little-endian number.
    pub(crate) fn write_u64(&mut self, start: u32, value: u64) -> Result<(), Status> {
        self.write(start, &value.to_le_bytes())
    }

    /// Hands bytes over: in memory from the module's allocator, or as a null pointer if there are none.
    pub(crate) fn give(&mut self, bytes: &[u8], pointer_at: u32, size_at: u32) -> Answer {
        let size = u32::try_from(bytes.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        let mut start = 0;
        if size > 0 {
            start = self.allocate(size)?;
            self.write(start, bytes)?;
        }
        self.write_u32(pointer_at, start)?;
        self.write_u32(size_at, size)?;
        Ok(())
    }

    fn allocate(&mut self, size: u32) -> Result<u32, Failure> {
        let allocate = self
            .state()
            .allocate
            .clone()
            .ok_or(Status::InvalidMemoryAccess)?;
        self.state_mut().allocating = true;
        let start = allocate.call(&mut self.caller, (size,))?;
        self.state_mut().allocating = false;
        if start == 0 {
            Err(Status::InvalidMemoryAccess.into())
        } else {
            Ok(start)
        }
    }

    fn memory(&self) -> Result<wasmtime::Memory, Status> {
        self.state().memory.ok_or(Status::InvalidMemoryAccess)
    }
}
