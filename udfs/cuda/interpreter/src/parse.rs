//! One instruction of PTX.

use crate::instruction::{Binary, Comparison, Instruction, Line, Unary};
use crate::operands::Operands;

/// A statement without its semicolon. Branches lead to the number that `label` gives their label. `None` where it is
/// not of the known subset.
pub(crate) fn statement(
    text: &str,
    line: usize,
    operands: &mut Operands,
    parameters: &[String],
    label: &mut impl FnMut(&str) -> usize,
) -> Option<Line> {
    let (guard, text) = match text.strip_prefix('@') {
        Some(guarded) => {
            let (predicate, rest) = guarded.split_once(char::is_whitespace)?;
            let name = predicate.trim_start_matches('!');
            (Some((operands.predicate(name)?, name == predicate)), rest.trim())
        }
        None => (None, text),
    };
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let arguments = split(rest);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let instruction = match (name, arguments.as_slice()) {
        ("ret", []) => Instruction::Return,
        ("bra" | "bra.uni", [to]) => Instruction::Branch { to: label(to) },
        ("bar.warp.sync", [members]) => Instruction::Synchronise { members: operands.value(members, 32)? },
        ("ld.param.u64" | "ld.param.u32", [to, parameter]) => {
            let parameter = parameter.strip_prefix('[')?.strip_suffix(']')?;
            let index = parameters.iter().position(|name| name == parameter)?;
            Instruction::Parameter { to: operands.register(to)?, index }
        }
        ("mov.b64", [to, from]) => pair(operands, to, from)?,
        ("mad.lo.s32", [to, left, right, plus]) => Instruction::MultiplyAdd {
            to: operands.register(to)?,
            left: operands.value(left, 32)?,
            right: operands.value(right, 32)?,
            plus: operands.value(plus, 32)?,
        },
        ("selp.b32" | "selp.f32" | "selp.b64" | "selp.f64", [to, yes, no, by]) => {
            let bits = if name.ends_with("32") { 32 } else { 64 };
            Instruction::Select {
                to: operands.register(to)?,
                yes: operands.value(yes, bits)?,
                no: operands.value(no, bits)?,
                by: operands.predicate(by)?,
            }
        }
        ("and.pred", [to, left, right]) => Instruction::And {
            to: operands.predicate(to)?,
            left: operands.predicate(left)?,
            right: operands.predicate(right)?,
        },
        ("or.pred", [to, left, right]) => Instruction::Or {
            to: operands.predicate(to)?,
            left: operands.predicate(left)?,
            right: operands.predicate(right)?,
        },
        ("shfl.sync.bfly.b32" | "shfl.sync.idx.b32", [to, from, lane, clamp, members]) => {
            let (to, inside) = to.split_once('|')?;
            Instruction::Shuffle {
                butterfly: name == "shfl.sync.bfly.b32",
                to: operands.register(to)?,
                inside: operands.predicate(inside)?,
                from: operands.value(from, 32)?,
                lane: operands.value(lane, 32)?,
                clamp: operands.value(clamp, 32)?,
                members: operands.value(members, 32)?,
            }
        }
        (_, [first, second]) if name.starts_with("ld.") || name.starts_with("st.") => {
            access(operands, name, first, second)?
        }
        (_, [to, from]) => one(operands, name, to, from)?,
        (_, [to, left, right]) => two(operands, name, to, left, right)?,
        _ => return None,
    };
    Some(Line { line, guard, instruction })
}

/// At commas outside of braces.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
        inside = letter == '{' || (inside && letter != '}');
        match parts.last_mut() {
            Some(part) if letter != ',' || inside => part.push(letter),
            _ => parts.push(String::new()),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn pair(operands: &mut Operands, to: &str, from: &str) -> Option<Instruction> {
    let halves = |text: &str| -> Option<(String, String)> {
        let (low, high) = text.strip_prefix('{')?.strip_suffix('}')?.split_once(',')?;
        Some((low.to_owned(), high.to_owned()))
    };
    Some(match (halves(to), halves(from)) {
        (Some((low, high)), None) => Instruction::Split {
            low: operands.register(&low)?,
            high: operands.register(&high)?,
            from: operands.value(from, 64)?,
        },
        (None, Some((low, high))) => Instruction::Join {
            to: operands.register(to)?,
            low: operands.value(&low, 32)?,
            high: operands.value(&high, 32)?,
        },
        _ => Instruction::Move { to: operands.register(to)?, from: operands.value(from, 64)? },
    })
}

fn access(operands: &mut Operands, name: &str, first: &str, second: &str) -> Option<Instruction> {
    let (load, shared, width) = match name {
        "ld.global.f64" | "ld.global.u64" => (true, false, 8),
        "ld.global.u32" => (true, false, 4),
        "ld.shared.f64" => (true, true, 8),
        "st.global.f64" | "st.global.u64" => (false, false, 8),
        "st.shared.f64" => (false, true, 8),
        _ => return None,
    };
    let (address, value) = if load { (second, first) } else { (first, second) };
    let address = address.strip_prefix('[')?.strip_suffix(']')?;
    let (address, offset) = address.split_once('+').unwrap_or((address, "0"));
    let (address, offset) = (operands.value(address, 64)?, offset.parse().ok()?);
    Some(if load {
        Instruction::Load { shared, width, to: operands.register(value)?, address, offset }
    } else {
        Instruction::Store { shared, width, from: operands.value(value, 64)?, address, offset }
    })
}

fn one(operands: &mut Operands, name: &str, to: &str, from: &str) -> Option<Instruction> {
    let operation = match name {
        "mov.u32" | "mov.b32" | "mov.f32" => {
            return Some(Instruction::Move { to: operands.register(to)?, from: operands.value(from, 32)? });
        }
        "mov.u64" | "mov.f64" | "cvta.to.global.u64" | "cvt.u64.u32" => {
            return Some(Instruction::Move { to: operands.register(to)?, from: operands.value(from, 64)? });
        }
        "abs.f64" => Unary::AbsF64,
        "neg.f32" => Unary::NegateF32,
        "rcp.rn.f64" => Unary::ReciprocalF64,
        "sqrt.rn.f32" => Unary::RootF32,
        "sqrt.rn.f64" => Unary::RootF64,
        "cvt.f64.f32" => Unary::F64OfF32,
        "cvt.rn.f64.u32" => Unary::F64OfU32,
        "cvt.rn.f32.s32" => Unary::F32OfS32,
        "cvt.rzi.u32.f64" => Unary::U32OfF64,
        "cvt.s64.s32" => Unary::S64OfS32,
        "cvt.u32.u64" => Unary::Low32,
        "not.b32" => Unary::Not32,
        _ => return None,
    };
    Some(Instruction::Unary { operation, to: operands.register(to)?, from: operands.value(from, 64)? })
}

fn two(operands: &mut Operands, name: &str, to: &str, left: &str, right: &str) -> Option<Instruction> {
    let operation = match name {
        "add.rn.f64" => Binary::AddF64,
        "sub.rn.f64" => Binary::SubF64,
        "mul.rn.f64" => Binary::MulF64,
        "div.rn.f64" => Binary::DivF64,
        "min.f64" => Binary::MinF64,
        "add.rn.f32" => Binary::AddF32,
        "sub.rn.f32" => Binary::SubF32,
        "mul.rn.f32" => Binary::MulF32,
        "div.rn.f32" => Binary::DivF32,
        "min.u32" => Binary::MinU32,
        "add.s32" => Binary::Add32,
        "sub.s32" => Binary::Sub32,
        "add.s64" => Binary::Add64,
        "and.b32" | "and.b64" => Binary::And,
        "or.b32" | "or.b64" => Binary::Or,
        "xor.b32" | "xor.b64" => Binary::Xor,
        "shl.b32" => Binary::ShiftLeft32,
        "shl.b64" => Binary::ShiftLeft64,
        "shr.u32" => Binary::ShiftRight32,
        "shr.u64" => Binary::ShiftRight64,
        "mul.wide.u32" => Binary::MulWideU32,
        "mul.hi.u32" => Binary::MulHighU32,
        "mul.lo.s32" => Binary::Mul32,
        "mul.lo.s64" => Binary::Mul64,
        _ => return compare(operands, name, to, left, right),
    };
    let bits = if name.ends_with("32") { 32 } else { 64 };
    let (left, right) = (operands.value(left, bits)?, operands.value(right, bits)?);
    Some(Instruction::Binary { operation, to: operands.register(to)?, left, right })
}

fn compare(operands: &mut Operands, name: &str, to: &str, left: &str, right: &str) -> Option<Instruction> {
    let comparison = match name {
        "setp.eq.s32" | "setp.eq.s64" => Comparison::Equal,
        "setp.ne.s32" | "setp.ne.s64" => Comparison::NotEqual,
        "setp.lt.s32" => Comparison::LessS32,
        "setp.ge.s32" => Comparison::GreaterEqualS32,
        "setp.lt.u32" => Comparison::LessU32,
        "setp.le.u32" => Comparison::LessEqualU32,
        "setp.gt.u32" => Comparison::GreaterU32,
        "setp.ge.u32" => Comparison::GreaterEqualU32,
        "setp.eq.f64" => Comparison::EqualF64,
        "setp.ltu.f64" => Comparison::LessOrUnorderedF64,
        "setp.leu.f64" => Comparison::LessEqualOrUnorderedF64,
        "setp.gtu.f32" => Comparison::GreaterOrUnorderedF32,
        "setp.lt.f64" => Comparison::LessF64,
        "setp.le.f64" => Comparison::LessEqualF64,
        "setp.gt.f64" => Comparison::GreaterF64,
        "setp.ge.f64" => Comparison::GreaterEqualF64,
        "setp.geu.f64" => Comparison::GreaterEqualOrUnorderedF64,
        "setp.neu.f64" => Comparison::NotEqualOrUnorderedF64,
        _ => return None,
    };
    let bits = if name.ends_with("32") { 32 } else { 64 };
    let (left, right) = (operands.value(left, bits)?, operands.value(right, bits)?);
    Some(Instruction::Compare { comparison, to: operands.predicate(to)?, left, right })
}
