//! A module that does nothing: the floor under everything that runs as wasm.

use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, MemorySection, MemoryType,
    Module, TypeSection, ValType,
};

/// Where the host's buffers go: the module reads none of them, so all may lie in one place.
const BUFFER: i32 = 1024;

/// Answers `Continue` to request headers; nothing else is exported that Envoy would call per request.
pub(super) fn module() -> Vec<u8> {
    let functions: [(&str, u32, Option<i32>); 4] = [
        ("proxy_abi_version_0_2_1", 0, None),
        ("proxy_on_memory_allocate", 1, Some(BUFFER)),
        ("proxy_on_context_create", 2, None),
        ("proxy_on_request_headers", 3, Some(0)),
    ];
    let mut types = TypeSection::new();
    let i32s = |count| vec![ValType::I32; count];
    types.ty().function([], []);
    types.ty().function(i32s(1), i32s(1));
    types.ty().function(i32s(2), []);
    types.ty().function(i32s(3), i32s(1));
    let mut declared = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    for (index, (name, ty, result)) in (0..).zip(functions) {
        declared.function(ty);
        exports.export(name, ExportKind::Func, index);
        let mut body = Function::new([]);
        let mut instructions = body.instructions();
        if let Some(result) = result {
            instructions.i32_const(result);
        }
        instructions.end();
        code.function(&body);
    }
    exports.export("memory", ExportKind::Memory, 0);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 16,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut module = Module::new();
    module
        .section(&types)
        .section(&declared)
        .section(&memories)
        .section(&exports)
        .section(&code);
    module.finish()
}

#[cfg(test)]
mod tests {
    use crate::filter::exports;

    #[test]
    fn nothing_is_called_per_request_but_what_decides() {
        let names = exports::names(&super::module()).unwrap();
        let called: Vec<_> = names
            .iter()
            .filter(|name| name.starts_with("proxy_on_"))
            .collect();
        assert_eq!(
            called,
            [
                "proxy_on_memory_allocate",
                "proxy_on_context_create",
                "proxy_on_request_headers"
            ]
        );
    }
}
