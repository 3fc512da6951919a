//! The export section: what is rewritten, and that the committed list says what the filter implements.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, ElementSection, Elements, Function, FunctionSection,
    MemorySection, MemoryType, RefType, TableSection, TableType, TypeSection,
};
use wasmparser::Operator;

use super::*;
use crate::workspace;

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

    let (export_section, code_section) = (7, 10);
    let custom_section = 0;
    let expected: Vec<_> = sections(&linked)
        .into_iter()
        .filter(|(id, _)| *id != custom_section)
        .collect();
    for ((id, data), (expected_id, expected_data)) in sections(&module).into_iter().zip(&expected) {
        assert_eq!(id, *expected_id);
        let rewritten = [export_section, code_section].contains(&id);
        assert_eq!(data != *expected_data, rewritten, "section {id}");
    }
    assert_eq!(sections(&module).len(), expected.len());
}

/// Four functions: `on_tick` calls the second, the table holds the third, nothing leads to the fourth but its export.
#[test]
fn code_that_no_kept_export_leads_to_is_a_trap() {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut declared = FunctionSection::new();
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 1,
        maximum: None,
        shared: false,
    });
    let mut exports = ExportSection::new();
    exports.export("on_tick", ExportKind::Func, 0);
    exports.export("on_log", ExportKind::Func, 3);
    let mut elements = ElementSection::new();
    elements.active(
        None,
        &ConstExpr::i32_const(0),
        Elements::Functions([2].as_slice().into()),
    );
    let mut code = CodeSection::new();
    for call in [Some(1), None, None, Some(1)] {
        declared.function(0);
        let mut body = Function::new([]);
        if let Some(callee) = call {
            body.instructions().call(callee);
        }
        body.instructions().nop().end();
        code.function(&body);
    }
    let mut linked = Module::new();
    linked
        .section(&types)
        .section(&declared)
        .section(&tables)
        .section(&exports)
        .section(&elements)
        .section(&code);

    let module = keep_only(&linked.finish(), &[("on_tick", Purpose::Abi)]).unwrap();
    let traps: Vec<bool> = Parser::new(0)
        .parse_all(&module)
        .filter_map(|payload| match payload.unwrap() {
            Payload::CodeSectionEntry(body) => {
                let first = body.get_operators_reader().unwrap().read().unwrap();
                Some(matches!(first, Operator::Unreachable))
            }
            _ => None,
        })
        .collect();
    assert_eq!(traps, [false, false, false, true]);
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

/// A callback that is implemented and not listed is never called; one listed and not implemented costs a call
/// into the VM each time and does nothing.
#[test]
fn the_list_is_the_callbacks_the_filter_implements() {
    let implemented = implemented(&workspace::root().join("filter/src"));
    let listed: BTreeSet<_> = KEPT
        .iter()
        .filter_map(|(_, purpose)| match purpose {
            Purpose::Callback(method) => Some(*method),
            Purpose::Abi => None,
        })
        .collect();
    assert_eq!(
        listed, implemented,
        "left: exports::KEPT, right: filter/src"
    );
}

/// The SDK's callbacks that the files below `folder` implement.
fn implemented(folder: &Path) -> BTreeSet<&'static str> {
    let mut methods = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            methods.append(&mut implemented(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let here = CALLBACKS.into_iter().filter(|method| {
                // A method of a trait is not `pub`.
                let signature = format!("fn {method}(");
                source
                    .lines()
                    .any(|line| line.trim_start().starts_with(&signature))
            });
            methods.extend(here);
        }
    }
    methods
}

/// Every callback of the SDK's traits.
const CALLBACKS: [&str; 24] = [
    "on_configure",
    "on_done",
    "on_downstream_close",
    "on_downstream_data",
    "on_foreign_function",
    "on_grpc_call_response",
    "on_grpc_stream_close",
    "on_grpc_stream_initial_metadata",
    "on_grpc_stream_message",
    "on_grpc_stream_trailing_metadata",
    "on_http_call_response",
    "on_http_request_body",
    "on_http_request_headers",
    "on_http_request_trailers",
    "on_http_response_body",
    "on_http_response_headers",
    "on_http_response_trailers",
    "on_log",
    "on_new_connection",
    "on_queue_ready",
    "on_tick",
    "on_upstream_close",
    "on_upstream_data",
    "on_vm_start",
];
