use std::collections::HashMap;

use crate::instruction::{Predicate, Slot};

/// The slots of the special registers `%tid.x`, `%ntid.x` and `%ctaid.x`.
pub(crate) const SPECIAL: [&str; 3] = ["%tid.x", "%ntid.x", "%ctaid.x"];

/// The names of a kernel, and what its registers hold at first.
#[derive(Debug, Clone)]
pub(crate) struct Operands {
    slots: HashMap<String, Slot>,
    predicates: HashMap<String, Predicate>,
    pub(crate) initial: Vec<u64>,
    /// The name of dynamic shared memory, whose address is 0.
    shared: Option<String>,
}

/// What registers hold before they are written: nothing that a right result could be made of.
const UNWRITTEN: u64 = 0xA5A5_5A5A_C3C3_3C3C;

impl Operands {
    pub(crate) fn new(shared: Option<String>) -> Self {
        let slots = SPECIAL.iter().enumerate().map(|(slot, name)| ((*name).to_owned(), slot)).collect();
        Self { slots, predicates: HashMap::new(), initial: vec![0; SPECIAL.len()], shared }
    }

    pub(crate) fn predicates(&self) -> usize {
        self.predicates.len()
    }

    pub(crate) fn predicate(&mut self, name: &str) -> Option<Predicate> {
        let number = name.strip_prefix("%p")?;
        number.parse::<u32>().ok()?;
        let next = self.predicates.len();
        Some(*self.predicates.entry(name.to_owned()).or_insert(next))
    }

    /// A register that may be written.
    pub(crate) fn register(&mut self, name: &str) -> Option<Slot> {
        let number = ["%rd", "%fd", "%r", "%f"].iter().find_map(|class| name.strip_prefix(class))?;
        number.parse::<u32>().ok()?;
        Some(self.slot(name, UNWRITTEN))
    }

    /// A register, special register, number or the name of shared memory.
    pub(crate) fn value(&mut self, text: &str, bits: u32) -> Option<Slot> {
        if let Some(slot) = self.slots.get(text).filter(|_| text.starts_with('%')) {
            return Some(*slot);
        }
        if let Some(slot) = self.register(text) {
            return Some(slot);
        }
        let number = if Some(text) == self.shared.as_deref() {
            0
        } else if let Some(hexadecimal) = text.strip_prefix("0d").or_else(|| text.strip_prefix("0f")) {
            u64::from_str_radix(hexadecimal, 16).ok()?
        } else {
            let number = text.parse::<i64>().ok()?.cast_unsigned();
            if bits == 32 { number & 0xFFFF_FFFF } else { number }
        };
        Some(self.slot(&format!("constant {number}"), number))
    }

    fn slot(&mut self, name: &str, initial: u64) -> Slot {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        self.slots.insert(name.to_owned(), self.initial.len());
        self.initial.push(initial);
        self.initial.len() - 1
    }
}
