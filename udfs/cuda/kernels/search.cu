// The searches of tithe-compute's `forecast/search.rs`: a warp for each, a lane for each of 32 candidates, three rounds.
#include "elementary.cuh"

#define LANES 32
#define MOST 4
#define ROUNDS 3
#define ALL 0xffffffffu
#define SHRINK 0.35

enum { PLAIN, PLAIN_RELATIVE, ADDITIVE_SEASON, MULTIPLICATIVE_SEASON };

struct Coordinate { double start, low, high; };

// Nineteen words of eight bytes.
struct Search {
    u64 first_value;
    u64 first_factor;  // or the first line
    u64 length;
    u64 season;  // factors; 0 without season
    u64 damped;
    double level, slope;
    Coordinate coordinates[MOST];
};

struct SmoothingFound { u64 found; double likelihood, squared, level, slope, alpha, beta, gamma, damping; };
struct ThetaFound { double alpha, line_weight, level, decay; };

// The lane with the least rank, the first of equal ones, where it is below `best`; -1 if there is none.
__device__ inline int winner(double rank, double& best) {
    int lane = threadIdx.x % LANES;
    double least = rank < INFINITE ? rank : INFINITE;
    for (int distance = LANES / 2; distance > 0; distance /= 2) {
        const double other = __shfl_xor_sync(ALL, least, distance);
        const int other_lane = __shfl_xor_sync(ALL, lane, distance);
        if (other < least || (other == least && other_lane < lane)) { least = other; lane = other_lane; }
    }
    if (!(least < best)) return -1;
    best = least;
    return lane;
}

__device__ inline double candidate(const Coordinate& c, double centre, double half, double offset, bool start) {
    const double open = centre + offset * half;
    const double above = open > c.low ? open : c.low;
    return start ? c.start : above < c.high ? above : c.high;
}

__device__ inline void normalise(double& mantissa, double& exponent) {
    const u64 bits = to_bits(mantissa);
    exponent = exponent + (exponent_field(bits) - 1023.0);
    mantissa = from_bits((bits & 0x000FFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
}

__device__ inline double minus_two_log_likelihood(double squared, double mantissa, double exponent, double n) {
    const double variance = squared / n;
    const bool told = variance >= 2.2250738585072014e-308 && variance <= 1.7976931348623157e308;
    const double errors = logarithm(told ? variance : 1.0);
    const double forecasts = logarithm(mantissa) + exponent * LN_2;
    const double value = n * errors + 2.0 * forecasts;
    return told ? value : variance < 2.2250738585072014e-308 ? -1e9 : INFINITE;
}

extern __shared__ double rings[];

template <int FORM, bool TREND>
__device__ void smoothing(const Search* searches, unsigned count, unsigned most_season, const double* values,
                          const double* factors, const double* offsets, SmoothingFound* found, double* last_factors) {
    constexpr bool seasonal = FORM == ADDITIVE_SEASON || FORM == MULTIPLICATIVE_SEASON;
    constexpr bool relative = FORM == PLAIN_RELATIVE || FORM == MULTIPLICATIVE_SEASON;
    const unsigned lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
    const unsigned index = blockIdx.x * (blockDim.x / LANES) + warp;
    if (index >= count) return;
    const Search* search = searches + index;
    const bool damped = TREND && search->damped != 0;
    const int dimensions = 1 + TREND + seasonal + damped;
    const unsigned length = search->length, season = search->season;
    const double n = (double)length;
    const double* series = values + search->first_value;
    double* ring = rings + (u64)warp * most_season * LANES + lane;
    double centre[MOST], half[MOST], at[MOST] = {0.0, 0.0, 0.0, 0.0};
    for (int i = 0; i < MOST; i++) {
        const Coordinate c = search->coordinates[i];
        centre[i] = 0.5 * (c.low + c.high);
        half[i] = 0.5 * (c.high - c.low);
    }
    double best = INFINITE;
    if (lane == 0) found[index].found = 0;
    __syncwarp();
    for (int round = 0; round < ROUNDS; round++) {
        const double* offset = offsets + (((dimensions - 1) * ROUNDS + round) * MOST) * LANES + lane;
        for (int i = 0; i < MOST; i++)
            if (i < dimensions)
                at[i] = candidate(search->coordinates[i], centre[i], half[i], offset[i * LANES], round == 0 && lane == 0);
        const double alpha = at[0];
        const double beta = TREND ? at[1] * alpha : 0.0;
        const double gamma = seasonal ? at[1 + TREND] * (1.0 - alpha) : 0.0;
        const double damping = !TREND ? 0.0 : damped ? at[2 + seasonal] : 1.0;
        if (seasonal)
            for (unsigned place = 0; place < season; place++) ring[place * LANES] = factors[search->first_factor + place];
        double level = search->level, slope = search->slope, squared = 0.0, mantissa = 1.0, exponent = 0.0;
        unsigned place = 0;
        for (unsigned t = 0; t < length; t++) {
            const double value = series[t];
            double factor = seasonal ? ring[place * LANES] : 0.0;
            const double kept = TREND ? damping * slope : slope;
            const double base = TREND ? level + kept : level;
            double forecast = base, error;
            if (FORM == MULTIPLICATIVE_SEASON) { forecast = base * factor; error = value - forecast; }
            else if (FORM == ADDITIVE_SEASON) error = (value - factor) - base;
            else error = value - base;
            double counted = error;
            if (relative) { counted = error / forecast; mantissa = mantissa * fabs(forecast); }
            squared = squared + counted * counted;
            const double of_level = FORM == MULTIPLICATIVE_SEASON ? base * counted : error;
            const double of_season = FORM == MULTIPLICATIVE_SEASON ? factor * counted : error;
            level = base + alpha * of_level;
            if (TREND) slope = kept + beta * of_level;
            if (seasonal) {
                ring[place * LANES] = factor + gamma * of_season;
                place = place + 1 == season ? 0 : place + 1;
            }
            if (relative && (t % 8 == 7 || t + 1 == length)) normalise(mantissa, exponent);
        }
        const double rank = relative ? minus_two_log_likelihood(squared, mantissa, exponent, n) : squared;
        const int won = winner(fabs(level) < INFINITE ? rank : INFINITE, best);
        if (won >= 0) {
            if ((int)lane == won) {
                const double likelihood = minus_two_log_likelihood(squared, mantissa, exponent, n);
                found[index] = {1, likelihood, squared, level, slope, alpha, beta, gamma, damping};
                if (seasonal)
                    for (unsigned p = 0; p < season; p++) last_factors[search->first_factor + p] = ring[p * LANES];
            }
            __syncwarp();
            for (int i = 0; i < MOST; i++) centre[i] = __shfl_sync(ALL, at[i], won);
        }
        for (int i = 0; i < MOST; i++) half[i] = half[i] * SHRINK;
    }
}

#define SMOOTHING(NAME, FORM, TREND)                                                                                  \
    extern "C" __global__ void NAME(const Search* searches, unsigned count, unsigned most_season, const double* values, \
                                    const double* factors, const double* offsets, SmoothingFound* found,              \
                                    double* last_factors) {                                                           \
        smoothing<FORM, TREND>(searches, count, most_season, values, factors, offsets, found, last_factors);          \
    }

SMOOTHING(plain, PLAIN, false)
SMOOTHING(plain_trend, PLAIN, true)
SMOOTHING(plain_relative, PLAIN_RELATIVE, false)
SMOOTHING(plain_relative_trend, PLAIN_RELATIVE, true)
SMOOTHING(additive_season, ADDITIVE_SEASON, false)
SMOOTHING(additive_season_trend, ADDITIVE_SEASON, true)
SMOOTHING(multiplicative_season, MULTIPLICATIVE_SEASON, false)
SMOOTHING(multiplicative_season_trend, MULTIPLICATIVE_SEASON, true)

extern "C" __global__ void theta(const Search* searches, unsigned count, const double* values, const double* lines,
                                 const double* offsets, ThetaFound* found) {
    const unsigned lane = threadIdx.x % LANES;
    const unsigned index = blockIdx.x * (blockDim.x / LANES) + threadIdx.x / LANES;
    if (index >= count) return;
    const Search* search = searches + index;
    const unsigned length = search->length;
    const double* series = values + search->first_value;
    const double* line = lines + 2 * search->first_factor;
    double centre[3], half[3], at[3];
    for (int i = 0; i < 3; i++) {
        const Coordinate c = search->coordinates[i];
        centre[i] = 0.5 * (c.low + c.high);
        half[i] = 0.5 * (c.high - c.low);
    }
    double best = INFINITE;
    if (lane == 0) found[index] = {0.5, 0.5, series[0], 0.5};
    __syncwarp();
    for (int round = 0; round < ROUNDS; round++) {
        const double* offset = offsets + ((2 * ROUNDS + round) * MOST) * LANES + lane;
        for (int i = 0; i < 3; i++)
            at[i] = candidate(search->coordinates[i], centre[i], half[i], offset[i * LANES], round == 0 && lane == 0);
        const double alpha = at[1], line_weight = 1.0 - exponential(-at[2]);
        const double keep = 1.0 - alpha, inverse = 1.0 / alpha;
        double level = alpha * series[0] + keep * at[0], decay = keep, squared = 0.0;
        for (unsigned t = 1; t < length; t++) {
            const double value = series[t], intercept = line[2 * t - 2], slope = line[2 * t - 1];
            const double next = decay * keep;
            const double risen = (1.0 - next) * inverse;
            const double error = value - (level + line_weight * (intercept * decay + slope * risen));
            if (t >= 3) squared = squared + error * error;
            level = alpha * value + keep * level;
            decay = next;
        }
        const int won = winner(squared, best);
        if (won >= 0) {
            if ((int)lane == won) found[index] = {alpha, line_weight, level, decay};
            __syncwarp();
            for (int i = 0; i < 3; i++) centre[i] = __shfl_sync(ALL, at[i], won);
        }
        for (int i = 0; i < 3; i++) half[i] = half[i] * SHRINK;
    }
}
