// The draws of tithe-compute's `income/draw.rs`: a block for each creator, a thread for each draw.
#include "elementary.cuh"

enum { PRICES, SIDELINES, REACH, DONATIONS, GROUP_BUYS, CAMPAIGN_SALES, DEAL_PRICES, MONTHS };
enum {
    REACH_UNKNOWN = 1,
    FOLLOWERS_UNKNOWN = 2,
    DEALS_WEIGH = 4,
    NARROW_DEALS = 8,
    NARROW_CAMPAIGNS = 16,
    REMITTED = 32,
    DECLARED = 64,
};

#define REACH_SHIFT 26
#define EXACT 6.0
#define PLACED 8
#define MONTHS_OF_A_YEAR 12

struct Lognormal { double location, spread; };
// A table of thresholds: where it begins, its entries, the number of the first and how far apart they are.
struct Counts { u64 first, length; double least, step; };
struct Sum { double spread, excess; };
struct Beta { double a, b, ln_factor; };

// Sixty-seven words of eight bytes.
struct Row {
    u64 key;
    u64 flags;
    u64 ln_probabilities;
    u64 donates_below, sells_below, member_below, strange_below;
    Counts deals, campaigns;
    double ln_followers, followers_spread;
    Lognormal views;
    double views_slope;
    double price_intercept, price_slope, ln_least_price;
    double price_gain, multiplier_spread, mean_ln_price, half_price_precision;
    double seen_count, seen_sum;
    Sum deal_sum;
    double common_loading;
    Lognormal affiliate, other;
    double fan_funded_from, donation_loading;
    Lognormal donation, membership, campaign;
    Sum campaign_sum;
    double shares_ads_from;
    Lognormal ads;
    double ln_remittance, remittance_spread, strange_spread, remitted_donations;
    double declared, reported, ln_declared, contamination_spread, ln_contamination;
    Beta compliant, evading;
    double peak_season, taxable_share, platform_contribution;
};

struct Words { unsigned x, y, z, w; };

__device__ inline Words philox(u64 key, unsigned draw, unsigned purpose, unsigned step) {
    unsigned c0 = draw, c1 = purpose, c2 = step, c3 = 0;
    unsigned k0 = (unsigned)key, k1 = (unsigned)(key >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const unsigned first_high = __umulhi(0xD2511F53u, c0), first_low = 0xD2511F53u * c0;
        const unsigned second_high = __umulhi(0xCD9E8D57u, c2), second_low = 0xCD9E8D57u * c2;
        c0 = second_high ^ c1 ^ k0;
        c1 = second_low;
        c2 = first_high ^ c3 ^ k1;
        c3 = first_low;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {c0, c1, c2, c3};
}

__device__ inline float logarithm_single(float x) {
    const unsigned bits = __float_as_uint(x) + (0x3F800000u - 0x3F3504F3u);
    const float exponent = (float)((int)(bits >> 23) - 127);
    const float f = __uint_as_float((bits & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
    const float s = f / (2.0f + f);
    const float z = s * s;
    const float tail = z * (0.6666666f + z * (0.40000972f + z * (0.28498787f + z * 0.24279079f)));
    const float half_square = 0.5f * f * f;
    return exponent * 0.693147180559945309417232121458f + (f - (half_square - s * (half_square + tail)));
}

__device__ inline double normal(unsigned word) {
    const unsigned below = word < ~word ? word : ~word;
    const float p = ((float)(int)below + 0.5f) * (1.0f / 4294967296.0f);
    const float q = 0.5f - p;
    float size;
    if (q <= 0.425f) {
        const float r = 0.180625f - q * q;
        size = q * (((59.109375f * r + 159.29114f) * r + 50.434272f) * r + 3.3871326f) /
               (((67.18756f * r + 78.75776f) * r + 17.89517f) * r + 1.0f);
    } else {
        const float r = sqrtf(-logarithm_single(p)) - 1.6f;
        size = (((0.17023821f * r + 1.3067285f) * r + 2.7568154f) * r + 1.4234372f) /
               ((0.12021133f * r + 0.73700166f) * r + 1.0f);
    }
    return (double)__uint_as_float(__float_as_uint(size) ^ (~word & 0x80000000u));
}

// Of any number.
__device__ inline double logarithm_of_any(double x) {
    if (!(x > 0.0 && x < INFINITE)) return x == 0.0 ? -INFINITE : x > 0.0 ? x : from_bits(0x7FF8000000000000ull);
    if (x >= 2.2250738585072014e-308) return logarithm(x);
    // k in logarithm() less 54, and as exact.
    const u64 bits = to_bits(x * 18014398509481984.0) + 0x00095F619980C433ull;
    const double k = exponent_field(bits) - 1023.0 + -54.0;
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
    const double half_square = 0.5 * f * f;
    return k * LN_2_HIGH - ((half_square - (s * (half_square + z * p) + k * LN_2_LOW)) - f);
}

// How many of a table's thresholds a word reaches, at most up to its last entry.
__device__ inline double count_of(const Counts& counts, const unsigned* thresholds, u64 table, unsigned word) {
    const unsigned length = (unsigned)counts.length;
    const unsigned* of_table = thresholds + counts.first + table * length;
    unsigned low = 0, high = length - 1;
    while (low < high) {
        const unsigned middle = (low + high) / 2;
        if (of_table[middle] <= word) low = middle + 1;
        else high = middle;
    }
    return counts.least + counts.step * (double)low;
}

__device__ inline double approximation(const Sum& sum, unsigned word, double count, double location) {
    if (count < 1.0) return 0.0;
    const double variance = logarithm_of_any(1.0 + sum.excess / count);
    const double center = logarithm_of_any(count) + location + 0.5 * (sum.spread * sum.spread - variance);
    return exponential(center + sqrt(variance) * normal(word));
}

__device__ inline double lognormal_sum(const Sum& sum, bool narrow, u64 key, unsigned draw, unsigned purpose, double count,
                                       double location) {
    if (count < 1.0) return 0.0;
    Words words = philox(key, draw, purpose, 0);
    if (narrow || count > EXACT) return approximation(sum, words.x, count, location);
    double total = 0.0, left = count;
    while (true) {
        total = total + exponential(location + sum.spread * normal(words.x));
        left = left - 1.0;
        if (left < 1.0) return total;
        const bool last = left == count - 4.0;
        words = last ? philox(key, draw, purpose, 1) : Words{words.y, words.z, words.w, 0};
    }
}

__device__ inline double density(const Beta& beta, double ln_x, double ln_rest) {
    return exponential(beta.ln_factor + (beta.a - 1.0) * ln_x + (beta.b - 1.0) * ln_rest);
}

__device__ inline double ln_density_of_declared(const Row& row, double received) {
    const double z = (row.ln_declared - logarithm_of_any(received)) / row.contamination_spread;
    const double contaminated = row.ln_contamination - 0.5 * z * z;
    const double unreported = received - row.reported;
    const double share = (row.declared - row.reported) / unreported;
    if (unreported <= 0.0 || share >= 1.0) return contaminated;
    const double ln_share = logarithm_of_any(share), ln_rest = logarithm_of_any(1.0 - share);
    const double clean = density(row.compliant, ln_share, ln_rest) + density(row.evading, ln_share, ln_rest);
    return logarithm_of_any(clean / unreported + exponential(contaminated));
}

struct Lump { double amount, count; };

__device__ inline double parts_of(const Lump& lump) { return lump.count < (double)PLACED ? lump.count : (double)PLACED; }

__device__ inline double part_of(const Lump& lump) { return lump.count < 1.0 ? 0.0 : lump.amount / parts_of(lump); }

__device__ inline double reached(double amount) {
    return (amount >= 50000.0 ? 1.0 : 0.0) + (amount >= 200000.0 ? 1.0 : 0.0);
}

__device__ inline double highest_of_one(const unsigned* most_together, unsigned word, const Lump& lump) {
    const unsigned* most = most_together + PLACED * (unsigned)parts_of(lump);
    double together = 1.0;
    for (int place = 0; place < PLACED && word >= most[place]; place++) together = together + 1.0;
    return part_of(lump) * together;
}

// The parts of a lump that fall in a month, added to what is in it.
__device__ inline double with_parts(double month, int number, const Lump& lump, unsigned first, unsigned second) {
    const double part = part_of(lump);
    double left = lump.count;
    for (int place = 0; place < PLACED && left >= 1.0; place++) {
        const unsigned byte = (place < 4 ? first : second) >> (8 * (place % 4)) & 255;
        if ((int)(byte * MONTHS_OF_A_YEAR >> 8) == number) month = month + part;
        left = left - 1.0;
    }
    return month;
}

__device__ inline double peak(const unsigned* most_together, const Words& words, const Lump& first, const Lump& second) {
    if (first.count < 1.0) return highest_of_one(most_together, words.x, second);
    if (second.count < 1.0) return highest_of_one(most_together, words.x, first);
    double highest = 0.0;
    for (int number = 0; number < MONTHS_OF_A_YEAR; number++) {
        const double month = with_parts(with_parts(0.0, number, first, words.x, words.y), number, second, words.z, words.w);
        if (month > highest) highest = month;
    }
    return highest;
}

// `found` has, for each row, nine columns of `count` draws: advertising, sponsorship, donations, group buys, everything
// else, total, taxable, months, logarithm of the weight.
extern "C" __global__ void income_draws(const Row* rows, unsigned first, unsigned count, const unsigned* thresholds,
                                        const double* ln_probabilities, const unsigned* most_together, double* found) {
    const Row& row = rows[blockIdx.x];
    double* columns = found + (u64)blockIdx.x * 9 * count;
    const unsigned flags = (unsigned)row.flags;
    for (unsigned place = threadIdx.x; place < count; place += blockDim.x) {
        const unsigned draw = first + place;
        const Words prices = philox(row.key, draw, PRICES, 0);
        double ln_followers = row.ln_followers, ln_views = row.views.location;
        unsigned range = 0;
        if (flags & REACH_UNKNOWN) {
            const Words reach = philox(row.key, draw, REACH, 0);
            ln_followers = ln_followers + row.followers_spread * normal(reach.x);
            ln_views = ln_views + (row.views_slope * ln_followers + row.views.spread * normal(reach.y));
            if (flags & FOLLOWERS_UNKNOWN) range = reach.x >> REACH_SHIFT;
        }
        const double formula = row.price_intercept + row.price_slope * ln_followers;
        const double ln_price = formula > row.ln_least_price ? formula : row.ln_least_price;
        const double surprise = row.mean_ln_price - ln_price;
        const double multiplier = row.price_gain * surprise + row.multiplier_spread * normal(prices.x);
        double ln_weight = -row.half_price_precision * (surprise * surprise);
        if (flags & DEALS_WEIGH) ln_weight = ln_weight + ln_probabilities[row.ln_probabilities + range];
        const double unseen = count_of(row.deals, thresholds, range, prices.z);
        const double location = ln_price + multiplier;
        const double sponsorship =
            row.seen_sum + (flags & NARROW_DEALS
                                ? approximation(row.deal_sum, prices.w, unseen, location)
                                : lognormal_sum(row.deal_sum, false, row.key, draw, DEAL_PRICES, unseen, location));

        const Words sidelines = philox(row.key, draw, SIDELINES, 0);
        double donations = 0.0;
        if ((sidelines.z & 0xFFFF) < (unsigned)row.donates_below && ln_followers >= row.fan_funded_from) {
            const Words words = philox(row.key, draw, DONATIONS, 0);
            const double loaded = row.donation_loading * multiplier;
            donations = exponential(ln_views + loaded + row.donation.location + row.donation.spread * normal(words.x));
            if (words.y < (unsigned)row.member_below)
                donations = donations + exponential(ln_followers + loaded + row.membership.location +
                                                    row.membership.spread * normal(words.z));
        }
        const double loaded = ln_views + row.common_loading * multiplier;
        const double center = loaded + row.ads.location;
        double ads = 0.0;
        if (flags & REMITTED) {
            const double spread =
                sidelines.w < (unsigned)row.strange_below ? row.strange_spread : row.remittance_spread;
            const double ln_owed = row.ln_remittance + spread * normal(prices.y);
            const double left = exponential(ln_owed) - row.remitted_donations * donations;
            if (left > 0.0) {
                ads = left;
                const double ln_ads = logarithm_of_any(ads);
                const double z = (ln_ads - center) / row.ads.spread;
                ln_weight = ln_weight + (ln_owed - ln_ads - 0.5 * (z * z));
            } else {
                ln_weight = -INFINITE;
            }
        } else if (ln_followers >= row.shares_ads_from) {
            ads = exponential(center + row.ads.spread * normal(prices.y));
        }
        const double affiliate =
            exponential(loaded + row.affiliate.location + row.affiliate.spread * normal(sidelines.x));
        const double other = exponential(loaded + row.other.location + row.other.spread * normal(sidelines.y));
        Lump sales = {0.0, 0.0};
        if (sidelines.z >> 16 < (unsigned)row.sells_below) {
            const Words words = philox(row.key, draw, GROUP_BUYS, 0);
            sales.count = count_of(row.campaigns, thresholds, 0, words.x);
            const double where = row.campaign.location + 0.5 * ln_followers + multiplier +
                                 row.campaign.spread * normal(words.y);
            sales.amount = lognormal_sum(row.campaign_sum, (flags & NARROW_CAMPAIGNS) != 0, row.key, draw, CAMPAIGN_SALES,
                                         sales.count, where);
        }
        const double group_buy = sales.amount + affiliate;
        const double total = ads + sponsorship + donations + group_buy + other;
        if (flags & DECLARED) ln_weight = ln_weight + ln_density_of_declared(row, total);

        const double steady = (donations + affiliate + other + ads * row.peak_season) * (1.0 / 12.0);
        const Lump deals = {sponsorship, row.seen_count + unseen};
        const double of_deals = part_of(deals), of_sales = part_of(sales);
        double months = reached(steady + (of_deals > of_sales ? of_deals : of_sales));
        if (months < reached((steady + (deals.amount + sales.amount)) * (1.0 + 1e-9)))
            months = reached(steady + peak(most_together, philox(row.key, draw, MONTHS, 0), deals, sales));

        columns[place] = ads;
        columns[(u64)count + place] = sponsorship;
        columns[(u64)count * 2 + place] = donations;
        columns[(u64)count * 3 + place] = group_buy;
        columns[(u64)count * 4 + place] = other;
        columns[(u64)count * 5 + place] = total;
        columns[(u64)count * 6 + place] =
            row.taxable_share * ((ads + donations) * row.platform_contribution + sponsorship + group_buy + other);
        columns[(u64)count * 7 + place] = months;
        columns[(u64)count * 8 + place] = ln_weight;
    }
}
