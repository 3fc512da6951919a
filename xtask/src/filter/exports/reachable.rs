//! Which functions of a module can still run when it exports fewer: the linker kept the others for exports that are
//! gone by now.

use std::collections::BTreeSet;

use anyhow::Result;
use wasm_encoder::{CodeSection, Function};
use wasmparser::{
    ElementItems, ExternalKind, FunctionBody, Operator, OperatorsReader, Parser, Payload,
    TableInit, TypeRef,
};

/// The code section of `module`, in which a function that no export in `exported` leads to has no body but a trap.
///
/// A function whose place in a table is known somewhere counts as called: which of them are is not looked into.
///
/// # Errors
///
/// When the bytes are no module.
pub(super) fn code(module: &[u8], exported: impl Fn(&str) -> bool) -> Result<CodeSection> {
    let mut imported = 0_u32;
    let mut called = Vec::new();
    let mut bodies: Vec<FunctionBody<'_>> = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    imported += u32::from(matches!(
                        import?.ty,
                        TypeRef::Func(_) | TypeRef::FuncExact(_)
                    ));
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export?;
                    if export.kind == ExternalKind::Func && exported(export.name) {
                        called.push(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => called.push(func),
            Payload::TableSection(reader) => {
                for table in reader {
                    if let TableInit::Expr(expression) = table?.init {
                        mentioned(expression.get_operators_reader(), &mut called)?;
                    }
                }
            }
            Payload::GlobalSection(reader) => {
                for global in reader {
                    mentioned(global?.init_expr.get_operators_reader(), &mut called)?;
                }
            }
            Payload::ElementSection(reader) => {
                for element in reader {
                    match element?.items {
                        ElementItems::Functions(functions) => {
                            for function in functions {
                                called.push(function?);
                            }
                        }
                        ElementItems::Expressions(_, expressions) => {
                            for expression in expressions {
                                mentioned(expression?.get_operators_reader(), &mut called)?;
                            }
                        }
                    }
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            _ => {}
        }
    }

    let mut reached = BTreeSet::new();
    while let Some(function) = called.pop() {
        let Some(index) = function.checked_sub(imported) else {
            continue;
        };
        if reached.insert(index)
            && let Some(body) = bodies.get(index as usize)
        {
            mentioned(body.get_operators_reader()?, &mut called)?;
        }
    }

    let mut trap = Function::new([]);
    trap.instructions().unreachable().end();
    let mut code = CodeSection::new();
    for (index, body) in (0_u32..).zip(&bodies) {
        if reached.contains(&index) {
            code.raw(&module[body.range()]);
        } else {
            code.function(&trap);
        }
    }
    Ok(code)
}

/// Notes each function that is called or referred to.
fn mentioned(operators: OperatorsReader<'_>, called: &mut Vec<u32>) -> Result<()> {
    for operator in operators {
        match operator? {
            Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index } => called.push(function_index),
            _ => {}
        }
    }
    Ok(())
}
