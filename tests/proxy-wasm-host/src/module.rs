//! Compiled modules: one per process and module, and on disk where the caller names a directory.
//!
//! Compiling a filter of a megabyte takes seconds, loading what was compiled takes milliseconds. Test
//! runners start a process per test, so the directory is what makes a suite fast.

use std::collections::HashMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use sha2::{Digest, Sha256};
use wasmtime::{Config, Engine, Module};

use crate::error::StartError;
use crate::lock::lock;

/// Versions of the ABI this host speaks; a module names its own by an export.
const ABI_VERSIONS: [&str; 2] = ["proxy_abi_version_0_2_1", "proxy_abi_version_0_2_0"];

/// The engine all modules of this process run in. It counts fuel.
pub(crate) fn engine() -> Result<&'static Engine, StartError> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| {
        let mut config = Config::new();
        config.consume_fuel(true);
        Engine::new(&config).map_err(|error| format!("{error:?}"))
    });
    engine
        .as_ref()
        .map_err(|error| StartError::Compile(error.clone()))
}

/// Compiles a module, or finds it compiled in this process or in `directory`.
pub(crate) fn load(wasm: &[u8], directory: Option<&Path>) -> Result<Module, StartError> {
    static LOADED: OnceLock<Mutex<HashMap<[u8; 32], Module>>> = OnceLock::new();
    let digest: [u8; 32] = Sha256::digest(wasm).into();
    // Held while compiling: a second test thread with the same module waits instead of compiling too.
    let mut loaded = lock(LOADED.get_or_init(Mutex::default));
    if let Some(module) = loaded.get(&digest) {
        return Ok(module.clone());
    }
    let engine = engine()?;
    let module = match directory.and_then(|directory| Artefact::open(engine, directory, &digest)) {
        Some(artefact) => artefact.load_or_compile(engine, wasm)?,
        None => compile(engine, wasm)?,
    };
    if !module
        .exports()
        .any(|export| ABI_VERSIONS.contains(&export.name()))
    {
        return Err(StartError::AbiVersion);
    }
    loaded.insert(digest, module.clone());
    Ok(module)
}

fn compile(engine: &Engine, wasm: &[u8]) -> Result<Module, StartError> {
    Module::new(engine, wasm).map_err(|error| StartError::Compile(format!("{error:?}")))
}

/// A compiled module on disk, locked against other processes that want to compile the same one.
struct Artefact {
    path: PathBuf,
    _lock: File,
}

impl Artefact {
    /// `None` where the directory can't be used: then there is no cache, which is slow but right.
    fn open(engine: &Engine, directory: &Path, digest: &[u8; 32]) -> Option<Self> {
        fs::create_dir_all(directory).ok()?;
        // Wasmtime's version, its settings and the target's CPU features, so that none can be mixed up.
        let mut compatibility = DefaultHasher::new();
        engine
            .precompile_compatibility_hash()
            .hash(&mut compatibility);
        let digest = u128::from_be_bytes(*digest.first_chunk()?);
        let name = format!("{digest:032x}-{:016x}", compatibility.finish());
        let lock = File::create(directory.join(format!("{name}.lock"))).ok()?;
        lock.lock().ok()?;
        Some(Self {
            path: directory.join(format!("{name}.cwasm")),
            _lock: lock,
        })
    }

    fn load_or_compile(&self, engine: &Engine, wasm: &[u8]) -> Result<Module, StartError> {
        if let Some(module) = self.load(engine) {
            return Ok(module);
        }
        let module = compile(engine, wasm)?;
        if let Ok(bytes) = module.serialize() {
            // A file that could not be written is compiled again next time.
            let _ = self.store(&bytes);
        }
        Ok(module)
    }

    #[expect(
        unsafe_code,
        reason = "wasmtime trusts a serialised module as it trusts its own machine code; the caller \
                  names a directory that only this user's tests write to"
    )]
    fn load(&self, engine: &Engine) -> Option<Module> {
        // SAFETY: the file was written by `store` from `Module::serialize` under a name made of the
        // module's hash and the engine's compatibility hash; wasmtime checks its own header besides.
        self.path
            .exists()
            .then(|| unsafe { Module::deserialize_file(engine, &self.path) })?
            .ok()
    }

    /// Renames a complete file into place, so that a process killed half-way leaves no half of a module.
    fn store(&self, bytes: &[u8]) -> std::io::Result<()> {
        let unfinished = self
            .path
            .with_extension(format!("{}.tmp", std::process::id()));
        File::create(&unfinished)?.write_all(bytes)?;
        fs::rename(unfinished, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiled_module_is_kept_on_disk_and_a_broken_file_is_compiled_again() {
        let wasm = wat::parse_str("(module (func (export \"f\")))").unwrap();
        let directory =
            std::env::temp_dir().join(format!("proxy-wasm-host-{}", std::process::id()));
        let engine = engine().unwrap();
        let artefact = Artefact::open(engine, &directory, &Sha256::digest(&wasm).into()).unwrap();
        assert!(artefact.load(engine).is_none(), "nothing is there yet");
        artefact.load_or_compile(engine, &wasm).unwrap();
        assert!(artefact.load(engine).unwrap().get_export("f").is_some());
        fs::write(&artefact.path, "not a compiled module").unwrap();
        assert!(artefact.load(engine).is_none());
        assert!(
            artefact
                .load_or_compile(engine, &wasm)
                .unwrap()
                .get_export("f")
                .is_some()
        );
        assert!(artefact.load(engine).is_some(), "it was replaced");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_used_only_costs_time() {
        let wasm = wat::parse_str("(module (func (export \"proxy_abi_version_0_2_1\")))").unwrap();
        assert!(load(&wasm, Some(Path::new("/dev/null/no"))).is_ok());
    }
}
