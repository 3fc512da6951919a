//! The export section: what is rewritten, and that the committed list says what the filter implements.

use wasm_encoder::{
    CodeSection, CustomSection, Function, FunctionSection, MemorySection, MemoryType, TypeSection,
};

use super::*;

/// A module of one memory and a function per name, with a custom section.
fn module(functions: &[&str]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut declared, mut code, mut exports) = (
        FunctionSection::new(),
        CodeSection::new(),
        ExportSection::new(),
    );
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    exports.export("memory", ExportKind::Memory, 0);
    for (index, name) in (0_u32..).zip(functions) {
        declared.function(0);
        let mut body = Function::new([]);
        body.instructions().end();
        code.function(&body);
        exports.export(name, ExportKind::Func, index);
    }
    let names = CustomSection {
        name: "producers".into(),
        data: b"a compiler".as_slice().into(),
    };
    let mut module = Module::new();
    module
        .section(&types)
        .section(&declared)
        .section(&memories)
        .section(&exports)
        .section(&code);
    module.section(&names);
    module.finish()
}

fn sections(module: &[u8]) -> Vec<(u8, Vec<u8>)> {
    Parser::new(0)
        .parse_all(module)
        .filter_map(|payload| payload.unwrap().as_section())
        .map(|(id, range)| (id, module[range].to_vec()))
        .collect()
}

#[test]
fn unlisted_exports_and_custom_sections_go_and_all_else_stays() {
    let linked = module(&["proxy_on_tick", "proxy_on_log", "proxy_on_delete"]);
    let kept = [
        ("memory", Purpose::Abi),
        ("proxy_on_delete", Purpose::Abi),
        ("proxy_on_tick", Purpose::Callback("on_tick")),
    ];
    let module = keep_only(&linked, &kept).unwrap();
    assert_eq!(
        names(&module).unwrap(),
        ["memory", "proxy_on_tick", "proxy_on_delete"]
    );

    let export_section = 7;
    let custom_section = 0;
    let expected: Vec<_> = sections(&linked)
        .into_iter()
        .filter(|(id, _)| *id != custom_section)
        .collect();
    for ((id, data), (expected_id, expected_data)) in sections(&module).into_iter().zip(&expected) {
        assert_eq!(id, *expected_id);
        assert_eq!(data == *expected_data, id != export_section, "section {id}");
    }
    assert_eq!(sections(&module).len(), expected.len());
}

#[test]
fn a_module_without_a_listed_export_is_refused_by_name() {
    let error = keep_only(&module(&["proxy_on_tick"]), KEPT)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("_initialize") && error.contains("proxy_on_delete"),
        "{error}"
    );
    assert!(!error.contains("proxy_on_tick"), "{error}");
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    assert!(keep_only(b"not wasm at all", KEPT).is_err());
}
