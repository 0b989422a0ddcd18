//! What single instructions do, and what is an error.

#![cfg(test)]

use tithe_ptx_interpreter::{Grid, Memory, Module, PtxError};

const NAN: u64 = 0x7FFF_FFFF_FFFF_FFFF;
const INFINITE: u64 = f64::INFINITY.to_bits();

/// Runs a kernel of 32 lanes that writes `%rd0` of each; `%rd1` and `%fd1` are the first word given, `%rd2` and `%fd2`
/// the second, `%r3` is the lane. The body starts at line 14.
fn run(body: &str, words: [u64; 2]) -> Result<Vec<u64>, PtxError> {
    let ptx = format!(
        ".extern .shared .align 16 .b8 ring[];\n.visible .entry test(\n.param .u64 one,\n.param .u64 two,\n\
         .param .u64 out\n)\n{{\nld.param.u64 %rd1, [one];\nld.param.u64 %rd2, [two];\nld.param.u64 %rd3, [out];\n\
         mov.b64 %fd1, %rd1;\nmov.b64 %fd2, %rd2;\nmov.u32 %r3, %tid.x;\n{body}\nmul.wide.u32 %rd4, %r3, 8;\n\
         add.s64 %rd4, %rd3, %rd4;\nst.global.u64 [%rd4], %rd0;\nret;\n}}\n"
    );
    let mut memory = Memory::default();
    let out = memory.push(vec![0; 256]);
    let grid = Grid { blocks: 1, warps: 1, shared: 256 };
    Module::parse(&ptx)?.launch("test", grid, &[words[0], words[1], out], &mut memory)?;
    let words = memory.buffer(out).as_chunks().0;
    Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

fn check(body: &str, words: [u64; 2], expected: u64) {
    assert_eq!(run(body, words), Ok(vec![expected; 32]), "{body} of {words:x?}");
}

fn check_doubles(instruction: &str, [left, right]: [f64; 2], expected: u64) {
    let body = format!("{instruction} %fd0, %fd1, %fd2;\nmov.b64 %rd0, %fd0;");
    check(&body, [left.to_bits(), right.to_bits()], expected);
}

#[test]
fn doubles_round_to_nearest_and_have_one_nan() {
    check_doubles("add.rn.f64", [0.1, 0.2], (0.1 + 0.2_f64).to_bits());
    check_doubles("sub.rn.f64", [f64::INFINITY, f64::INFINITY], NAN);
    check_doubles("mul.rn.f64", [5e-324, 0.5], 0);
    check_doubles("mul.rn.f64", [1e300, 1e300], INFINITE);
    check_doubles("div.rn.f64", [1.0, -0.0], f64::NEG_INFINITY.to_bits());
    check_doubles("div.rn.f64", [0.0, -0.0], NAN);
    check_doubles("min.f64", [f64::NAN, 2.0], 2.0_f64.to_bits());
    check_doubles("min.f64", [2.0, f64::NAN], 2.0_f64.to_bits());
    check_doubles("min.f64", [f64::NAN, f64::NAN], NAN);
    check_doubles("min.f64", [0.0, -0.0], (-0.0_f64).to_bits());
    check_doubles("min.f64", [-3.0, 2.0], (-3.0_f64).to_bits());
    let reciprocal = "rcp.rn.f64 %fd0, %fd1;\nabs.f64 %fd0, %fd0;\nmov.b64 %rd0, %fd0;";
    check(reciprocal, [(-3.0_f64).to_bits(), 0], (1.0 / 3.0_f64).to_bits());
}

#[test]
fn singles_round_to_nearest_and_have_one_nan() {
    let check_singles = |instruction: &str, [left, right]: [f32; 2], expected: u32| {
        let body = format!(
            "mov.b64 {{%r1,%r9}}, %rd1;\nmov.b64 {{%r2,%r9}}, %rd2;\nmov.b32 %f1, %r1;\nmov.b32 %f2, %r2;\n\
             {instruction};\nmov.b32 %r0, %f0;\ncvt.u64.u32 %rd0, %r0;"
        );
        check(&body, [left.to_bits().into(), right.to_bits().into()], expected.into());
    };
    check_singles("add.rn.f32 %f0, %f1, %f2", [0.1, 0.2], (0.1 + 0.2_f32).to_bits());
    check_singles("sub.rn.f32 %f0, %f1, %f2", [f32::INFINITY, f32::INFINITY], 0x7FFF_FFFF);
    check_singles("mul.rn.f32 %f0, %f1, %f2", [1e-45, 0.5], 0);
    check_singles("mul.rn.f32 %f0, %f1, 0f40000000", [1.5, 0.0], 3.0_f32.to_bits());
    check_singles("div.rn.f32 %f0, %f1, %f2", [1.0, 3.0], (1.0 / 3.0_f32).to_bits());
    check_singles("sqrt.rn.f32 %f0, %f1", [2.0, 0.0], 2.0_f32.sqrt().to_bits());
    check_singles("sqrt.rn.f32 %f0, %f1", [-2.0, 0.0], 0x7FFF_FFFF);
    check_singles("neg.f32 %f0, %f1", [2.0, 0.0], (-2.0_f32).to_bits());
    check_singles(
        "mov.b64 {%r1,%r2}, %rd1;\ncvt.rn.f32.s32 %f0, %r1",
        [f32::from_bits(0xFFFF_FFFF), 0.0],
        (-1.0_f32).to_bits(),
    );
    check(
        "mov.b64 {%r1,%r2}, %rd1;\nmov.b32 %f1, %r1;\ncvt.f64.f32 %fd0, %f1;\nmov.b64 %rd0, %fd0;",
        [0.1_f32.to_bits().into(), 0],
        f64::from(0.1_f32).to_bits(),
    );
    check("sqrt.rn.f64 %fd0, %fd1;\nmov.b64 %rd0, %fd0;", [2.0_f64.to_bits(), 0], 2.0_f64.sqrt().to_bits());
    for (value, expected) in [(7.9, 7), (-3.0, 0), (1e12, 0xFFFF_FFFF), (f64::NAN, 0)] {
        check("cvt.rzi.u32.f64 %r1, %fd1;\ncvt.u64.u32 %rd0, %r1;", [value.to_bits(), 0], expected);
    }
    let above = "mov.b32 %f1, %r3;\nsetp.gtu.f32 %p1, %f1, 0f00000003;\nselp.b64 %rd0, 1, 0, %p1;";
    assert_eq!(run(above, [0; 2]), Ok((0..32).map(|lane| u64::from(lane > 3)).collect()));
    check("setp.gtu.f32 %p1, 0f7FFFFFFF, 0f3F800000;\nselp.b64 %rd0, 1, 0, %p1;", [0; 2], 1);
}

#[test]
fn comparisons_know_signs_and_nan() {
    let check = |comparison: &str, [left, right]: [u64; 2], expected: bool| {
        let class = if comparison.ends_with("f64") { "fd" } else { "rd" };
        let body = format!("setp.{comparison} %p1, %{class}1, %{class}2;\nselp.b64 %rd0, 1, 0, %p1;");
        check(&body, [left, right], u64::from(expected));
    };
    let [one, two] = [1.0, 2.0_f64].map(f64::to_bits);
    for (name, of_one_two, of_equal, of_nan) in [
        ("lt.f64", true, false, false),
        ("le.f64", true, true, false),
        ("gt.f64", false, false, false),
        ("ge.f64", false, true, false),
        ("eq.f64", false, true, false),
        ("ltu.f64", true, false, true),
        ("leu.f64", true, true, true),
        ("geu.f64", false, true, true),
        ("neu.f64", true, false, true),
    ] {
        check(name, [one, two], of_one_two);
        check(name, [one, one], of_equal);
        check(name, [NAN, one], of_nan);
        check(name, [one, NAN], of_nan);
    }
    check("neu.f64", [0, (-0.0_f64).to_bits()], false);
    check("lt.s32", [0xFFFF_FFFF, 1], true);
    check("lt.u32", [0xFFFF_FFFF, 1], false);
    check("ge.s32", [0xFFFF_FFFF, 1], false);
    check("ge.u32", [0xFFFF_FFFF, 1], true);
    check("gt.u32", [1, 1], false);
    check("le.u32", [1, 1], true);
    check("le.u32", [0xFFFF_FFFF, 1], false);
    check("eq.s64", [1 << 40, 0], false);
    check("ne.s64", [1 << 40, 0], true);
}

#[test]
fn words_wrap_widen_and_shift() {
    let narrow = |body: &str, first, second, expected| {
        let load = "mov.b64 {%r1,%r9}, %rd1;\nmov.b64 {%r2,%r9}, %rd2;\nmov.u32 %r9, 0;\n";
        check(&format!("{load}{body}\nmov.b64 %rd0, {{%r0,%r9}};"), [first, second], expected);
    };
    narrow("add.s32 %r0, %r1, %r2;", 0xFFFF_FFFF, 2, 1);
    narrow("sub.s32 %r0, %r1, %r2;", 0, 1, 0xFFFF_FFFF);
    narrow("add.s32 %r0, %r1, -1;", 0, 0, 0xFFFF_FFFF);
    narrow("mad.lo.s32 %r0, %r1, %r2, 7;", 0x1_0000, 0x1_0001, 0x1_0007);
    narrow("shl.b32 %r0, %r1, 31;", 3, 0, 0x8000_0000);
    narrow("shl.b32 %r0, %r1, %r2;", 3, 32, 0);
    narrow("shr.u32 %r0, %r1, 31;", 0x8000_0000, 0, 1);
    narrow("and.b32 %r0, %r1, -2;", 7, 0, 6);
    narrow("xor.b32 %r0, %r1, %r2;", 6, 3, 5);
    narrow("not.b32 %r0, %r1;", 6, 0, 0xFFFF_FFF9);
    narrow("min.u32 %r0, %r1, %r2;", 0xFFFF_FFFF, 3, 3);
    narrow("mul.lo.s32 %r0, %r1, %r2;", 0x1_0001, 0x1_0001, 0x2_0001);
    narrow("mul.hi.u32 %r0, %r1, %r2;", 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFE);
    narrow("cvt.u32.u64 %r0, %rd1;", 0x7_0000_0009, 0, 9);
    check("mul.lo.s64 %rd0, %rd1, %rd2;", [1 << 40, 3 << 23 | 1 << 10], 1 << 63 | 1 << 50);
    check("mov.b64 {%r1,%r2}, %rd1;\nmul.wide.u32 %rd0, %r1, %r1;", [0xFFFF_FFFF, 0], 0xFFFF_FFFE_0000_0001);
    check("mov.b64 {%r1,%r2}, %rd1;\ncvt.s64.s32 %rd0, %r1;", [0xFFFF_FFFE, 0], (-2_i64).cast_unsigned());
    check("mov.b64 {%r1,%r2}, %rd1;\ncvt.u64.u32 %rd0, %r1;", [0xFFFF_FFFE, 0], 0xFFFF_FFFE);
    let number = "mov.b64 {%r1,%r2}, %rd1;\ncvt.rn.f64.u32 %fd0, %r1;\nmov.b64 %rd0, %fd0;";
    check(number, [0xFFFF_FFFE, 0], 4_294_967_294.0_f64.to_bits());
    check("shr.u64 %rd0, %rd1, 52;", [NAN, 0], 0x7FF);
    check("shl.b64 %rd0, %rd1, 64;", [NAN, 0], 0);
    check("or.b64 %rd0, %rd1, 4841369599423283200;", [1, 0], 0x4330_0000_0000_0001);
    check("add.s64 %rd0, %rd1, -1;", [0, 0], u64::MAX);
}

#[test]
fn lanes_part_meet_and_exchange() {
    let parted = "setp.lt.u32 %p1, %r3, 5;\nmov.u64 %rd0, 1;\n@%p1 bra $few;\nadd.s64 %rd0, %rd0, 10;\nbra.uni $met;\n\
                  $few:\nadd.s64 %rd0, %rd0, 100;\n$met:\nbar.warp.sync -1;\nadd.s64 %rd0, %rd0, 1000;";
    let expected = (0..32).map(|lane| if lane < 5 { 1101 } else { 1011 }).collect();
    assert_eq!(run(parted, [0; 2]), Ok(expected));

    let looped = "mov.u32 %r1, 0;\nmov.u64 %rd0, 0;\n$more:\nadd.s64 %rd0, %rd0, 3;\nadd.s32 %r1, %r1, 1;\n\
                  setp.lt.u32 %p1, %r1, %r3;\n@%p1 bra $more;\nshfl.sync.idx.b32 %r2|%p2, %r1, 31, 31, -1;\n\
                  @!%p2 bra $end;\ncvt.u64.u32 %rd5, %r2;\nadd.s64 %rd0, %rd0, %rd5;\n$end:";
    assert_eq!(run(looped, [0; 2]), Ok((0..32_u64).map(|lane| 3 * lane.max(1) + 31).collect()));

    let exchanged = "shfl.sync.bfly.b32 %r1|%p1, %r3, 16, 31, -1;\ncvt.u64.u32 %rd0, %r1;";
    assert_eq!(run(exchanged, [0; 2]), Ok((0..32).map(|lane| lane ^ 16).collect()));
    let clamped = "shfl.sync.bfly.b32 %r1|%p1, %r3, 16, 15, -1;\ncvt.u64.u32 %rd0, %r1;\n\
                   @%p1 bra $inside;\nadd.s64 %rd0, %rd0, 100;\n$inside:";
    let expected = (0..32).map(|lane| if lane < 16 { lane + 100 } else { lane - 16 }).collect();
    assert_eq!(run(clamped, [0; 2]), Ok(expected));

    let shared = "mul.wide.u32 %rd5, %r3, 8;\nmov.u64 %rd6, ring;\nadd.s64 %rd5, %rd6, %rd5;\nst.shared.f64 [%rd5], %fd1;\n\
                  ld.shared.f64 %fd3, [%rd5];\nmov.b64 %rd0, %fd3;";
    check(shared, [17, 0], 17);
}

#[test]
fn what_a_gpu_would_not_do_is_an_error() {
    let unknown = PtxError::Unknown { line: 14, text: "fma.rn.f64 %fd0, %fd1, %fd1, %fd2;".to_owned() };
    assert_eq!(run("fma.rn.f64 %fd0, %fd1, %fd1, %fd2;", [0; 2]), Err(unknown.clone()));
    assert_eq!(
        unknown.to_string(),
        "line 14 of the PTX is not understood: 'fma.rn.f64 %fd0, %fd1, %fd1, %fd2;'; teach it to the interpreter"
    );
    let nowhere = PtxError::Label { line: 14, label: "$nowhere".to_owned() };
    assert_eq!(run("bra $nowhere;", [0; 2]), Err(nowhere));
    let outside = |body, address| {
        assert_eq!(run(body, [0; 2]), Err(PtxError::Access { line: 14, width: 8, address }), "{body}");
    };
    outside("ld.global.f64 %fd0, [%rd3+256];", (1 << 32) + 256);
    outside("ld.global.u64 %rd0, [%rd3+-8];", (1 << 32) - 8);
    outside("ld.global.u64 %rd0, [%rd3+4];", (1 << 32) + 4);
    outside("st.shared.f64 [%rd1+256], %fd1;", 256);
    let parted = "setp.lt.u32 %p1, %r3, 5;\n@%p1 bra $few;\nbar.warp.sync -1;\n$few:\nmov.u64 %rd0, 1;";
    assert_eq!(run(parted, [0; 2]), Err(PtxError::Deadlock { line: 16 }));
    let endless = "$more:\nadd.s64 %rd0, %rd1, 1;\nbra $more;";
    assert!(matches!(run(endless, [0; 2]), Err(PtxError::Endless { .. })));
    assert_eq!(run("bar.warp.sync 1;", [0; 2]), Err(PtxError::Deadlock { line: 14 }));

    let module = Module::parse(".visible .entry empty(\n.param .u64 one\n)\n{\n}\n").expect("it is PTX");
    let grid = Grid { blocks: 1, warps: 1, shared: 0 };
    let launch = |name, arguments: &[u64]| module.launch(name, grid, arguments, &mut Memory::default());
    assert_eq!(launch("full", &[1]), Err(PtxError::Kernel("full".to_owned())));
    assert_eq!(launch("empty", &[]), Err(PtxError::Arguments { expected: 1, given: 0 }));
    assert_eq!(launch("empty", &[1]), Err(PtxError::End));
}
