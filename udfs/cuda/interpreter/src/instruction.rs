/// The place of a register, constant or special register among those of a kernel.
pub(crate) type Slot = usize;
/// The place of a predicate.
pub(crate) type Predicate = usize;

/// An instruction and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) line: usize,
    /// The predicate that lets lanes execute it, and the value it must have.
    pub(crate) guard: Option<(Predicate, bool)>,
    pub(crate) instruction: Instruction,
}

#[derive(Debug, Clone)]
pub(crate) enum Instruction {
    /// Also `cvta.to.global` and conversions that leave the bits as they are.
    Move {
        to: Slot,
        from: Slot,
    },
    Parameter {
        to: Slot,
        index: usize,
    },
    Unary {
        operation: Unary,
        to: Slot,
        from: Slot,
    },
    Binary {
        operation: Binary,
        to: Slot,
        left: Slot,
        right: Slot,
    },
    MultiplyAdd {
        to: Slot,
        left: Slot,
        right: Slot,
        plus: Slot,
    },
    Compare {
        comparison: Comparison,
        to: Predicate,
        left: Slot,
        right: Slot,
    },
    And {
        to: Predicate,
        left: Predicate,
        right: Predicate,
    },
    Or {
        to: Predicate,
        left: Predicate,
        right: Predicate,
    },
    Select {
        to: Slot,
        yes: Slot,
        no: Slot,
        by: Predicate,
    },
    Split {
        low: Slot,
        high: Slot,
        from: Slot,
    },
    Join {
        to: Slot,
        low: Slot,
        high: Slot,
    },
    Load {
        shared: bool,
        width: usize,
        to: Slot,
        address: Slot,
        offset: i64,
    },
    Store {
        shared: bool,
        width: usize,
        from: Slot,
        address: Slot,
        offset: i64,
    },
    Shuffle {
        butterfly: bool,
        to: Slot,
        inside: Predicate,
        from: Slot,
        lane: Slot,
        clamp: Slot,
        members: Slot,
    },
    Synchronise {
        members: Slot,
    },
    Branch {
        to: usize,
    },
    Return,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Unary {
    AbsF64,
    NegateF32,
    ReciprocalF64,
    RootF32,
    RootF64,
    F64OfF32,
    F64OfU32,
    F32OfS32,
    /// Toward zero, and to the nearest word there is.
    U32OfF64,
    S64OfS32,
    Low32,
    Not32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Binary {
    AddF64,
    SubF64,
    MulF64,
    DivF64,
    MinF64,
    AddF32,
    SubF32,
    MulF32,
    DivF32,
    MinU32,
    Add32,
    Sub32,
    Add64,
    And,
    Or,
    Xor,
    ShiftLeft32,
    ShiftLeft64,
    ShiftRight32,
    ShiftRight64,
    MulWideU32,
    MulHighU32,
    Mul32,
    Mul64,
}

/// The comparisons of numbers with a point named `…OrUnordered` hold where an operand is NaN, the others do not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    LessS32,
    GreaterEqualS32,
    LessU32,
    LessEqualU32,
    GreaterU32,
    GreaterEqualU32,
    EqualF64,
    LessF64,
    LessEqualF64,
    GreaterF64,
    GreaterEqualF64,
    LessOrUnorderedF64,
    LessEqualOrUnorderedF64,
    GreaterEqualOrUnorderedF64,
    NotEqualOrUnorderedF64,
    GreaterOrUnorderedF32,
}
