//! A warp: 32 lanes with a program counter each. Those at the lowest one go on together; at a `.sync` instruction
//! lanes wait until all that it names have come to it.

use std::array::from_fn;
use std::cmp::Ordering;

use crate::PtxError;
use crate::instruction::{Binary, Comparison, Instruction, Line, Slot, Unary};
use crate::memory::{self, Memory};
use crate::module::Kernel;
use crate::operands::SPECIAL;

pub(crate) const LANES: u32 = 32;
const COUNT: usize = 32;

type Lanes = [u64; COUNT];

/// Instructions after which a warp is taken to be in a loop without end.
const MOST_INSTRUCTIONS: u32 = 1 << 22;

pub(crate) struct Warp {
    registers: Vec<Lanes>,
    /// A bit for each lane.
    predicates: Vec<u32>,
    counters: [usize; COUNT],
    alive: u32,
    /// Those that wait.
    blocked: u32,
}

/// What lanes that have executed an instruction do next.
enum Next {
    Following,
    /// The lanes given go there, the others on.
    Jump(u32, usize),
    Wait,
    End(u32),
}

impl Warp {
    /// `special` gives the special registers of a lane.
    pub(crate) fn new(kernel: &Kernel, special: impl Fn(u32) -> [u32; SPECIAL.len()]) -> Self {
        let mut registers: Vec<Lanes> = kernel.operands.initial.iter().map(|value| [*value; COUNT]).collect();
        for (lane, number) in (0..LANES).zip(0_usize..) {
            for (register, value) in registers.iter_mut().zip(special(lane)) {
                register[number] = u64::from(value);
            }
        }
        let predicates = vec![0; kernel.operands.predicates()];
        Self { registers, predicates, counters: [0; COUNT], alive: u32::MAX, blocked: 0 }
    }

    pub(crate) fn run(
        mut self,
        kernel: &Kernel,
        arguments: &[u64],
        memory: &mut Memory,
        shared: &mut [u8],
    ) -> Result<(), PtxError> {
        let mut executed = 0;
        while self.alive != 0 {
            let ready = self.alive & !self.blocked;
            let Some(mut at) = members(ready).map(|lane| self.counters[lane]).min() else {
                let stuck = members(self.alive).map(|lane| self.counters[lane]).min().unwrap_or(0);
                return Err(PtxError::Deadlock { line: kernel.lines.get(stuck).map_or(0, |line| line.line) });
            };
            let group = mask(|lane| self.alive >> lane & 1 == 1 && self.counters[lane] == at);
            // Straight on to the next lanes ahead, which then come along.
            let ahead =
                members(self.alive).map(|lane| self.counters[lane]).filter(|counter| *counter > at).min();
            let limit = ahead.unwrap_or(usize::MAX);
            loop {
                let line = kernel.lines.get(at).ok_or(PtxError::End)?;
                executed += 1;
                if executed > MOST_INSTRUCTIONS {
                    return Err(PtxError::Endless { line: line.line });
                }
                let next = self.execute(line, group, arguments, memory, shared)?;
                let waits = matches!(next, Next::Wait);
                self.blocked = if waits { self.blocked | group } else { self.blocked & !group };
                let (jumping, to) = match next {
                    Next::Jump(lanes, to) => (lanes, to),
                    Next::End(lanes) => {
                        self.alive &= !lanes;
                        (0, 0)
                    }
                    Next::Following if at + 1 < limit => {
                        at += 1;
                        continue;
                    }
                    Next::Following | Next::Wait => (0, 0),
                };
                for lane in members(group) {
                    let following = if waits { at } else { at + 1 };
                    self.counters[lane] = if jumping >> lane & 1 == 1 { to } else { following };
                }
                break;
            }
        }
        Ok(())
    }

    fn execute(
        &mut self,
        line: &Line,
        group: u32,
        arguments: &[u64],
        memory: &mut Memory,
        shared: &mut [u8],
    ) -> Result<Next, PtxError> {
        let active = match line.guard {
            None => group,
            Some((predicate, true)) => group & self.predicates[predicate],
            Some((predicate, false)) => group & !self.predicates[predicate],
        };
        let line_number = line.line;
        match line.instruction {
            Instruction::Branch { to } => return Ok(Next::Jump(active, to)),
            Instruction::Return => return Ok(Next::End(active)),
            Instruction::Move { to, from } => self.write(to, active, self.registers[from]),
            Instruction::Parameter { to, index } => self.write(to, active, [arguments[index]; COUNT]),
            Instruction::Unary { operation, to, from } => {
                let result = unary(operation, &self.registers[from]);
                self.write(to, active, result);
            }
            Instruction::Binary { operation, to, left, right } => {
                let result = binary(operation, &self.registers[left], &self.registers[right]);
                self.write(to, active, result);
            }
            Instruction::MultiplyAdd { to, left, right, plus } => {
                let [left, right, plus] = [left, right, plus].map(|slot| self.registers[slot]);
                let value = |lane: usize| {
                    low(left[lane]).wrapping_mul(low(right[lane])).wrapping_add(low(plus[lane]))
                };
                self.write(to, active, from_fn(|lane| u64::from(value(lane))));
            }
            Instruction::Compare { comparison, to, left, right } => {
                let result = compare(comparison, &self.registers[left], &self.registers[right]);
                self.predict(to, active, result);
            }
            Instruction::And { to, left, right } => {
                self.predict(to, active, self.predicates[left] & self.predicates[right]);
            }
            Instruction::Or { to, left, right } => {
                self.predict(to, active, self.predicates[left] | self.predicates[right]);
            }
            Instruction::Select { to, yes, no, by } => {
                let (yes, no, by) = (self.registers[yes], self.registers[no], self.predicates[by]);
                let result = from_fn(|lane| if by >> lane & 1 == 1 { yes[lane] } else { no[lane] });
                self.write(to, active, result);
            }
            Instruction::Split { low: to_low, high, from } => {
                let from = self.registers[from];
                self.write(to_low, active, from.map(|bits| bits & 0xFFFF_FFFF));
                self.write(high, active, from.map(|bits| bits >> 32));
            }
            Instruction::Join { to, low, high } => {
                let (low, high) = (self.registers[low], self.registers[high]);
                self.write(to, active, from_fn(|lane| low[lane] & 0xFFFF_FFFF | high[lane] << 32));
            }
            Instruction::Load { shared: in_shared, width, to, address, offset } => {
                for lane in members(active) {
                    let address = self.registers[address][lane].wrapping_add_signed(offset);
                    let bytes = bytes(in_shared, memory, shared, address, width).ok_or(PtxError::Access {
                        line: line_number,
                        width,
                        address,
                    })?;
                    let mut word = [0; 8];
                    word[..width].copy_from_slice(bytes);
                    self.registers[to][lane] = u64::from_le_bytes(word);
                }
            }
            Instruction::Store { shared: in_shared, width, from, address, offset } => {
                for lane in members(active) {
                    let address = self.registers[address][lane].wrapping_add_signed(offset);
                    let bytes = bytes(in_shared, memory, shared, address, width).ok_or(PtxError::Access {
                        line: line_number,
                        width,
                        address,
                    })?;
                    bytes.copy_from_slice(&self.registers[from][lane].to_le_bytes()[..width]);
                }
            }
            Instruction::Synchronise { members } => {
                return if self.all_here(members, active, line_number)? {
                    Ok(Next::Following)
                } else {
                    Ok(Next::Wait)
                };
            }
            Instruction::Shuffle { butterfly, to, inside, from, lane, clamp, members } => {
                if !self.all_here(members, active, line_number)? {
                    return Ok(Next::Wait);
                }
                let [from, by, clamp] = [from, lane, clamp].map(|slot| self.registers[slot]);
                let source = |lane: usize| {
                    let segment = (clamp[lane] >> 8 & 31) as usize;
                    let by = (by[lane] & 31) as usize;
                    let first = lane & segment;
                    let last = first | (clamp[lane] & 31) as usize & !segment;
                    let source = if butterfly { lane ^ by } else { first | by & !segment };
                    if source <= last { (source, true) } else { (lane, false) }
                };
                if self::members(active).any(|lane| active >> source(lane).0 & 1 == 0) {
                    return Err(PtxError::Deadlock { line: line_number });
                }
                self.write(to, active, from_fn(|lane| from[source(lane).0]));
                self.predict(inside, active, mask(|lane| source(lane).1));
            }
        }
        Ok(Next::Following)
    }

    /// Whether all lanes are here that the lanes here name.
    fn all_here(&self, names: Slot, here: u32, line: usize) -> Result<bool, PtxError> {
        let mut named = members(here).map(|lane| low(self.registers[names][lane]));
        let first = named.next().unwrap_or(0);
        if named.any(|other| other != first) || here & !first != 0 {
            return Err(PtxError::Deadlock { line });
        }
        Ok(here == first)
    }

    fn write(&mut self, to: Slot, active: u32, values: Lanes) {
        let register = &mut self.registers[to];
        if active == u32::MAX {
            *register = values;
        } else {
            for lane in members(active) {
                register[lane] = values[lane];
            }
        }
    }

    fn predict(&mut self, to: usize, active: u32, values: u32) {
        self.predicates[to] = self.predicates[to] & !active | values & active;
    }
}

fn bytes<'a>(
    in_shared: bool,
    memory: &'a mut Memory,
    shared: &'a mut [u8],
    address: u64,
    width: usize,
) -> Option<&'a mut [u8]> {
    if in_shared { memory::at(shared, address, width) } else { memory.at(address, width) }
}

/// The lanes of a mask, in their order.
fn members(mask: u32) -> impl Iterator<Item = usize> {
    (0..COUNT).filter(move |lane| mask >> lane & 1 == 1)
}

fn mask(holds: impl Fn(usize) -> bool) -> u32 {
    (0..COUNT).fold(0, |mask, lane| mask | u32::from(holds(lane)) << lane)
}

fn low(bits: u64) -> u32 {
    (bits & 0xFFFF_FFFF) as u32
}

fn double(bits: u64) -> f64 {
    f64::from_bits(bits)
}

fn single(bits: u64) -> f32 {
    f32::from_bits(low(bits))
}

/// The bits of a result in single precision.
fn single_result(value: f32) -> u64 {
    u64::from(if value.is_nan() { 0x7FFF_FFFF } else { value.to_bits() })
}

/// The bits of a result.
fn result(value: f64) -> u64 {
    if value.is_nan() { 0x7FFF_FFFF_FFFF_FFFF } else { value.to_bits() }
}

fn unary(operation: Unary, from: &Lanes) -> Lanes {
    match operation {
        Unary::AbsF64 => from.map(|bits| result(double(bits).abs())),
        Unary::ReciprocalF64 => from.map(|bits| result(1.0 / double(bits))),
        Unary::NegateF32 => from.map(|bits| single_result(-single(bits))),
        Unary::RootF32 => from.map(|bits| single_result(single(bits).sqrt())),
        Unary::RootF64 => from.map(|bits| result(double(bits).sqrt())),
        Unary::F64OfF32 => from.map(|bits| result(f64::from(single(bits)))),
        Unary::F32OfS32 => from.map(|bits| single_result(low(bits).cast_signed() as f32)),
        Unary::U32OfF64 => from.map(|bits| u64::from(whole(double(bits)))),
        Unary::Low32 => from.map(|bits| u64::from(low(bits))),
        Unary::Not32 => from.map(|bits| u64::from(!low(bits))),
        Unary::F64OfU32 => from.map(|bits| f64::from(low(bits)).to_bits()),
        Unary::S64OfS32 => from.map(|bits| i64::from(low(bits).cast_signed()).cast_unsigned()),
    }
}

/// Without its fraction; what is beyond the words becomes the nearest, NaN becomes 0.
#[expect(clippy::cast_possible_truncation, reason = "the conversion is meant to saturate")]
#[expect(clippy::cast_sign_loss, reason = "the conversion is meant to saturate")]
fn whole(value: f64) -> u32 {
    value as u32
}

/// Of two numbers the lesser, −0 before 0; of a number and NaN the number.
fn minimum(left: f64, right: f64) -> f64 {
    match (left.is_nan(), right.is_nan()) {
        (true, _) => right,
        (_, true) => left,
        _ if left.total_cmp(&right).is_lt() => left,
        _ => right,
    }
}

fn binary(operation: Binary, left: &Lanes, right: &Lanes) -> Lanes {
    fn each(left: &Lanes, right: &Lanes, operation: impl Fn(u64, u64) -> u64) -> Lanes {
        from_fn(|lane| operation(left[lane], right[lane]))
    }
    let doubles =
        |operation: fn(f64, f64) -> f64| each(left, right, |a, b| result(operation(double(a), double(b))));
    let singles = |operation: fn(f32, f32) -> f32| {
        each(left, right, |a, b| single_result(operation(single(a), single(b))))
    };
    match operation {
        Binary::AddF32 => singles(|a, b| a + b),
        Binary::SubF32 => singles(|a, b| a - b),
        Binary::MulF32 => singles(|a, b| a * b),
        Binary::DivF32 => singles(|a, b| a / b),
        Binary::MinU32 => each(left, right, |a, b| u64::from(low(a).min(low(b)))),
        Binary::AddF64 => each(left, right, |a, b| result(double(a) + double(b))),
        Binary::SubF64 => each(left, right, |a, b| result(double(a) - double(b))),
        Binary::MulF64 => each(left, right, |a, b| result(double(a) * double(b))),
        Binary::DivF64 => each(left, right, |a, b| result(double(a) / double(b))),
        Binary::MinF64 => doubles(minimum),
        Binary::Add32 => each(left, right, |a, b| u64::from(low(a).wrapping_add(low(b)))),
        Binary::Sub32 => each(left, right, |a, b| u64::from(low(a).wrapping_sub(low(b)))),
        Binary::Add64 => each(left, right, u64::wrapping_add),
        Binary::And => each(left, right, |a, b| a & b),
        Binary::Or => each(left, right, |a, b| a | b),
        Binary::Xor => each(left, right, |a, b| a ^ b),
        Binary::ShiftLeft32 => each(left, right, |a, b| u64::from(low(a).checked_shl(low(b)).unwrap_or(0))),
        Binary::ShiftLeft64 => each(left, right, |a, b| a.checked_shl(low(b)).unwrap_or(0)),
        Binary::ShiftRight32 => each(left, right, |a, b| u64::from(low(a).checked_shr(low(b)).unwrap_or(0))),
        Binary::ShiftRight64 => each(left, right, |a, b| a.checked_shr(low(b)).unwrap_or(0)),
        Binary::MulWideU32 => each(left, right, |a, b| u64::from(low(a)) * u64::from(low(b))),
        Binary::MulHighU32 => each(left, right, |a, b| (u64::from(low(a)) * u64::from(low(b))) >> 32),
        Binary::Mul32 => each(left, right, |a, b| u64::from(low(a).wrapping_mul(low(b)))),
        Binary::Mul64 => each(left, right, u64::wrapping_mul),
    }
}

fn compare(comparison: Comparison, left: &Lanes, right: &Lanes) -> u32 {
    fn each(left: &Lanes, right: &Lanes, holds: impl Fn(u64, u64) -> bool) -> u32 {
        mask(|lane| holds(left[lane], right[lane]))
    }
    let unordered_or = |holds: fn(Ordering) -> bool| {
        each(left, right, |a, b| double(a).partial_cmp(&double(b)).is_none_or(holds))
    };
    match comparison {
        Comparison::Equal => each(left, right, |a, b| a == b),
        Comparison::NotEqual => each(left, right, |a, b| a != b),
        Comparison::LessS32 => each(left, right, |a, b| low(a).cast_signed() < low(b).cast_signed()),
        Comparison::GreaterEqualS32 => each(left, right, |a, b| low(a).cast_signed() >= low(b).cast_signed()),
        Comparison::LessU32 => each(left, right, |a, b| low(a) < low(b)),
        Comparison::LessEqualU32 => each(left, right, |a, b| low(a) <= low(b)),
        Comparison::GreaterU32 => each(left, right, |a, b| low(a) > low(b)),
        Comparison::GreaterEqualU32 => each(left, right, |a, b| low(a) >= low(b)),
        Comparison::LessF64 => each(left, right, |a, b| double(a) < double(b)),
        Comparison::LessEqualF64 => each(left, right, |a, b| double(a) <= double(b)),
        Comparison::GreaterF64 => each(left, right, |a, b| double(a) > double(b)),
        Comparison::GreaterEqualF64 => each(left, right, |a, b| double(a) >= double(b)),
        Comparison::EqualF64 => each(left, right, |a, b| double(a) == double(b)),
        Comparison::LessOrUnorderedF64 => unordered_or(Ordering::is_lt),
        Comparison::LessEqualOrUnorderedF64 => unordered_or(Ordering::is_le),
        Comparison::GreaterEqualOrUnorderedF64 => unordered_or(Ordering::is_ge),
        Comparison::GreaterOrUnorderedF32 => {
            each(left, right, |a, b| single(a).partial_cmp(&single(b)).is_none_or(Ordering::is_gt))
        }
        Comparison::NotEqualOrUnorderedF64 => each(left, right, |a, b| double(a) != double(b)),
    }
}
