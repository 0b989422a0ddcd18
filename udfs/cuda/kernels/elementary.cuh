// Exponential and logarithm of tithe-compute's `random/elementary.rs`, operation by operation. Compile without
// contraction (--fmad=false).
#pragma once

typedef unsigned long long u64;

#define INFINITE __longlong_as_double(0x7FF0000000000000ll)
__device__ constexpr double LN_2_HIGH = 0.6931471805598903;
__device__ constexpr double LN_2_LOW = 5.497923018708371e-14;
__device__ constexpr double LN_2 = 0.693147180559945309417232121458;
__device__ constexpr double LOG2_E = 1.44269504088896340735992468100;

__device__ inline double from_bits(u64 bits) { return __longlong_as_double((long long)bits); }
__device__ inline u64 to_bits(double value) { return (u64)__double_as_longlong(value); }

__device__ inline double exponent_field(u64 bits) {
    const double two_to_52 = 4503599627370496.0;
    return from_bits(bits >> 52 | to_bits(two_to_52)) - two_to_52;
}

__device__ inline double exponential(double x) {
    if (x < -708.0) return 0.0;
    if (x > 709.0) return INFINITE;
    const double rounding = 6755399441055744.0;
    const double shifted = x * LOG2_E + rounding;
    const double power = shifted - rounding;
    double r = power * -LN_2_HIGH + x;
    r = power * -LN_2_LOW + r;
    double p = 2.5095554677111112e-8;
    p = p * r + 2.761380686153829e-7;
    p = p * r + 2.755728006701698e-6;
    p = p * r + 2.4801536388690766e-5;
    p = p * r + 1.984126985433861e-4;
    p = p * r + 1.3888888905881542e-3;
    p = p * r + 8.333333333332155e-3;
    p = p * r + 4.166666666665136e-2;
    p = p * r + 1.6666666666666666e-1;
    const double tail = r * r * (p * r + 0.5);
    const double scale = from_bits((to_bits(shifted) + 1023) << 52);
    return (1.0 + (r + tail)) * scale;
}

// Of a positive, normal and finite number.
__device__ inline double logarithm(double x) {
    const u64 bits = to_bits(x) + 0x00095F619980C433ull;
    const double k = exponent_field(bits) - 1023.0;
    const double f = from_bits((bits & 0x000FFFFFFFFFFFFFull) + 0x3FE6A09E667F3BCDull) - 1.0;
    const double s = f / (2.0 + f);
    const double z = s * s;
    double p = 0.14616585424888623;
    p = p * z + 0.15331710618210773;
    p = p * z + 0.18182889455674947;
    p = p * z + 0.22222211130259878;
    p = p * z + 0.2857142862600327;
    p = p * z + 0.39999999999899444;
    p = p * z + 0.666666666666667;
    const double tail = z * p;
    const double half_square = 0.5 * f * f;
    return k * LN_2_HIGH - ((half_square - (s * (half_square + tail) + k * LN_2_LOW)) - f);
}
