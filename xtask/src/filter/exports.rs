//! Which functions of the module Envoy may call.
//!
//! The SDK exports every callback of the ABI, also those the filter leaves at their empty default, and Envoy
//! calls what is exported: for every response, for every body chunk, at the end of every stream. Each call crosses
//! into the VM for nothing. So the export section keeps a committed list; a test holds it against the callbacks that
//! `filter/src` implements.

mod reachable;

use anyhow::{Result, bail};
use wasm_encoder::{ExportKind, ExportSection, Module, RawSection};
use wasmparser::{ExternalKind, Parser, Payload};

/// What makes an export worth its calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// Envoy does not load or drive the module without it.
    Abi,
    /// The filter implements this method of the SDK's traits.
    Callback(&'static str),
}

/// The whole export section of the module, proxy-wasm ABI 0.2.1.
pub const KEPT: &[(&str, Purpose)] = &[
    ("memory", Purpose::Abi),
    ("_initialize", Purpose::Abi),
    ("proxy_abi_version_0_2_1", Purpose::Abi),
    ("proxy_on_memory_allocate", Purpose::Abi),
    ("proxy_on_context_create", Purpose::Abi),
    // Ends a context: without it the SDK's table of streams would grow for ever.
    ("proxy_on_delete", Purpose::Abi),
    ("proxy_on_configure", Purpose::Callback("on_configure")),
    ("proxy_on_tick", Purpose::Callback("on_tick")),
    (
        "proxy_on_http_call_response",
        Purpose::Callback("on_http_call_response"),
    ),
    // One method of the SDK's for both ways a gRPC call ends.
    (
        "proxy_on_grpc_receive",
        Purpose::Callback("on_grpc_call_response"),
    ),
    (
        "proxy_on_grpc_close",
        Purpose::Callback("on_grpc_call_response"),
    ),
    (
        "proxy_on_request_headers",
        Purpose::Callback("on_http_request_headers"),
    ),
    // Only called where there is a body or trailers: a held request's must not let it go on.
    (
        "proxy_on_request_body",
        Purpose::Callback("on_http_request_body"),
    ),
    (
        "proxy_on_request_trailers",
        Purpose::Callback("on_http_request_trailers"),
    ),
    (
        "proxy_on_response_headers",
        Purpose::Callback("on_http_response_headers"),
    ),
];

/// `module` with only `kept` exports and what they call, and without custom sections (names, producers).
///
/// # Errors
///
/// When the bytes are no module, or one of `kept` is not exported.
pub fn keep_only(module: &[u8], kept: &[(&str, Purpose)]) -> Result<Vec<u8>> {
    let exported = names(module)?;
    let missing: Vec<_> = kept
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !exported.iter().any(|e| e == name))
        .collect();
    if !missing.is_empty() {
        bail!("the linked module does not export {}", missing.join(", "));
    }

    let mut kept_module = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::CustomSection(_) => {}
            Payload::ExportSection(reader) => {
                let mut section = ExportSection::new();
                for export in reader.clone() {
                    let export = export?;
                    if kept.iter().any(|(name, _)| *name == export.name) {
                        section.export(export.name, kind(export.kind)?, export.index);
                    }
                }
                kept_module.section(&section);
            }
            Payload::CodeSectionStart { .. } => {
                let exported = |name: &str| kept.iter().any(|(kept, _)| *kept == name);
                kept_module.section(&reachable::code(module, exported)?);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    kept_module.section(&RawSection {
                        id,
                        data: &module[range],
                    });
                }
            }
        }
    }
    Ok(kept_module.finish())
}

/// The names a module exports, in their order.
///
/// # Errors
///
/// When the bytes are no module.
pub fn names(module: &[u8]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ExportSection(reader) = payload? {
            for export in reader {
                names.push(export?.name.to_owned());
            }
        }
    }
    Ok(names)
}

fn kind(kind: ExternalKind) -> Result<ExportKind> {
    Ok(match kind {
        ExternalKind::Func => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Tag => ExportKind::Tag,
        ExternalKind::FuncExact => bail!("an export of an exactly typed function"),
    })
}

#[cfg(test)]
mod tests;
