use super::ln;

/// Quantile of the standard normal distribution for `0 < p < 1`: Wichura's algorithm AS 241, PPND7 (Applied
/// Statistics 37(3), 1988), accurate to about one part in ten million.
#[must_use]
#[inline]
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * (((59.109_374_720 * r + 159.291_132_02) * r + 50.434_271_938) * r + 3.387_132_717_9)
            / (((67.187_563_600 * r + 78.757_757_664) * r + 17.895_169_469) * r + 1.0);
    }
    let r = (-ln(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let z = if r <= 5.0 {
        let r = r - 1.6;
        (((0.170_238_211_03 * r + 1.306_728_481_6) * r + 2.756_815_390_0) * r + 1.423_437_277_7)
            / ((0.120_211_329_75 * r + 0.737_001_642_50) * r + 1.0)
    } else {
        let r = r - 5.0;
        (((0.017_337_203_997 * r + 0.428_682_943_37) * r + 3.081_226_386_0) * r + 6.657_905_115_0)
            / ((0.012_258_202_635 * r + 0.241_978_942_25) * r + 1.0)
    };
    if q < 0.0 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_tabulated_quantiles() {
        let check = |p: f64, expected: f64| {
            assert!((normal_quantile(p) - expected).abs() <= 2e-7 * expected.abs().max(1.0), "p = {p}");
            if p < 0.5 {
                assert!(
                    (normal_quantile(1.0 - p) + expected).abs() <= 2e-7 * expected.abs().max(1.0),
                    "1 - {p}"
                );
            }
        };
        check(0.5, 0.0);
        check(0.25, -0.674_489_750_196_081_7);
        check(0.1, -1.281_551_565_544_600_4);
        check(0.05, -1.644_853_626_951_472_7);
        check(0.025, -1.959_963_984_540_054);
        check(0.001, -3.090_232_306_167_813_5);
        check(1e-6, -4.753_424_308_822_899);
        check(2.0_f64.powi(-33), NORMAL_QUANTILE_OF_2_TO_MINUS_33);
    }

    const NORMAL_QUANTILE_OF_2_TO_MINUS_33: f64 = -6.337_957_754_553_789;
}
