"""What tools/mutate.py breaks: each formula, and the table of methods. An edit is (file, old text, new text)."""

LUT, BINS, SPACES, LAB = (f"cheq/_core/formulas/{name}.h" for name in ("lut", "bins", "spaces", "lab"))
CLIP, TILES, CLAHE = "cheq/_core/formulas/clip.h", "cheq/_core/jobs/tile_luts.h", "cheq/_clahe.py"
ADAPT, GRAYS, CELLS = "cheq/_core/formulas/adapt.h", "cheq/_core/jobs/grays.h", "cheq/_core/jobs/cells.h"
MATCH, SORT, RANKED = "cheq/_core/formulas/match.h", "cheq/_core/jobs/sort.h", "cheq/_core/jobs/match.h"
MATCHING, STEPS, COLOR = "cheq/_match.py", "cheq/_steps.py", "cheq/_core/color.pyx"
LEVELS, FLOATS = "cheq/_core/jobs/levels.h", "cheq/_core/kernels/floats.h"
FLOATS_JOB, LOOKUP = "cheq/_core/jobs/floats.h", "cheq/_core/jobs/lookup.h"
METHODS, MAKERS = "cheq/_methods.py", "cheq/_core/jobs/makers.h"


def new_method(level):
    """A method that is in every table, with a naive version: "plain". ``level``: its formula in C."""
    otsu = "/* ---- Otsu's threshold"
    formula = f"""CHEQ_BODY void cheq_lut_plain(const void *context, const cheq_counts *counts,
                              const cheq_entries *to) {{
    const cheq_summary plane = cheq_summarize(counts);
    (void)context;
    if (plane.total == 0 || plane.first == plane.last) {{
        cheq_put_identity(counts, to);
        return;
    }}
    uint64_t running = 0;
    for (size_t i = 0; i < counts->n; i++) {{
        const size_t bin = cheq_bin_at(counts, i);
        running += cheq_count_at(counts, bin);
        cheq_put_level(to, bin, (uint32_t)({level}));
    }}
}}

CHEQ_MAKER(plain)

"""
    row = '        {.name = "plain", .make = cheq_make_plain},\n'
    opencv = '        if method == "opencv":\n            lut[place] = _opencv_lut(counts)\n'
    naive = """        if method == "plain":
            one = np.count_nonzero(counts) < 2
            lut[place] = levels if one else np.cumsum(counts) * np.uint64(levels[-1]) // counts.sum()
        elif method == "opencv":
            lut[place] = _opencv_lut(counts)
"""
    pillow = '    "pillow": ("uint8",),\n'
    return [
        (LUT, otsu, formula + otsu),
        (MAKERS, "CHEQ_MAKER_COUNT = 5", "CHEQ_MAKER_COUNT = 6"),
        (MAKERS, '        {.name = "otsu"', row + '        {.name = "otsu"'),
        (
            METHODS,
            '    ("pillow", ("uint8",), True),\n',
            '    ("pillow", ("uint8",), True),\n    ("plain", ("uint8", "uint16"), True),\n',
        ),
        ("tests/reference.py", pillow, pillow + '    "plain": ("uint8", "uint16"),\n'),
        ("tests/reference.py", 'LEVELS = ("opencv", "pillow")', 'LEVELS = ("opencv", "pillow", "plain")'),
        ("tests/reference.py", opencv, naive),
    ]


# With these the core passes, or a failure of the others says nothing.
CONTROLS = {
    "nothing": [],
    "a new method": new_method("running * (to->levels - 1) / plane.total"),
}

MUTATIONS = {
    "a new method with a wrong formula": new_method("running * to->levels / (plane.total + 1)"),
    # ---- opencv
    "opencv: the first bin counts": [(LUT, "(float)(total - first_count)", "(float)total")],
    "opencv: cut off, not rounded": [(LUT, "shifted = x + 12582912.0f", "shifted = x - 0.5f + 12582912.0f")],
    "opencv: from the first bin on": [
        (LUT, "uint64_t s = 0;", "uint64_t s = cheq_count_at(counts, plane.first);"),
        (LUT, "int32_t sums[CHEQ_RUN], sum = 0;", "int32_t sums[CHEQ_RUN], sum = (int32_t)counts->hist32[begin - 1];"),
    ],
    # ---- pillow
    "pillow: without half a step": [(LUT, "uint64_t sum = step / 2;", "uint64_t sum = 0;")],
    "pillow: a wrong divisor": [(LUT, "plane.last)) / 255 : 0;", "plane.last)) / 256 : 0;")],
    "pillow: not cut off": [(LUT, "level < 255 ? (uint32_t)level : 255", "(uint32_t)level")],
    # ---- skimage
    "skimage: 0 below the first bin": [(LUT, "bin < plane.first ? least :", "bin < plane.first ? 0.0 :")],
    "skimage: pixels below a level": [
        (LUT, "cheq_pixels_to_double(running) / total", "cheq_pixels_to_double(running - 1) / total")
    ],
    "skimage: float32 stays float64": [
        (BINS, "bins->single ? (double)(float)(cdf[i] / of) : cdf[i] / of", "cdf[i] / of")
    ],
    "skimage: left edges for centers": [(BINS, "(left + right) / 2.0", "left")],
    # ---- numpy
    "numpy: a wrong factor": [(BINS, "#define CHEQ_RECIPE_TOP 255.0", "#define CHEQ_RECIPE_TOP 256.0")],
    "numpy: levels of 255 times the range": [(LUT, "CHEQ_RECIPE_TOP : 1.0", "CHEQ_RECIPE_TOP : 1.0 - 1e-3")],
    "numpy: density without width": [(BINS, "(hist[i]) / width /", "(hist[i]) /")],
    # ---- what these have in common
    "levels: 256 for 255": [(LUT, "cheq_round(c * (double)(to->levels - 1))", "cheq_round(c * (double)to->levels)")],
    "levels: the sign": [(LUT, "(uint8_t)(level ^ to->flip)", "(uint8_t)level")],
    "nothing counted: 0 for NaN": [(LUT, "[bin] = NAN;", "[bin] = 0.0;")],
    "bins: a margin of .25": [(BINS, "== largest ? 0.5 : 0.0;", "== largest ? 0.25 : 0.0;")],
    "bins: an upper edge belongs to the bin": [
        (BINS, "(x >= bins->inner[i + 1])", "(x > bins->inner[i + 1])"),
        (BINS, "if (CHEQ_RARELY(value < j->x))", "if (CHEQ_RARELY(value <= j->x))"),
        (FLOATS, "if (CHEQ_RARELY(x < inner[guess]))", "if (CHEQ_RARELY(x <= inner[guess]))"),
    ],
    "floats: what is not finite, outside the mask too": [(FLOATS_JOB, "!= 0) & (!finite", "!= 0) | (!finite")],
    "floats: outside the mask": [(FLOATS_JOB, "(kept & ~selected)", "(kept & selected)")],
    "bins: of no width": [(BINS, "(!(bins->edges[i] < bins->edges[i + 1]))", "(0)")],
    "interpolation: from the other side": [
        (BINS, "double y = j->slope * (value - j->x) + j->y", "double y = j->slope * (value - j[1].x) + j[1].y")
    ],
    # ---- 16 bits
    "words: noted bins but the last": [(LEVELS, "i <= range->highest / CHEQ_NOTED", "i < range->highest / CHEQ_NOTED")],
    "words: noted bins keep their counts": [(LEVELS, "hist[counts->listed[i]] = 0;", "(void)hist;")],
    "words: one of four twice": [(LOOKUP, "? t : 3 - t)", "? t : 2 - (t & 2))")],
    "words: the mask when bins are noted": [
        (LEVELS, "cheq_count_some_words(words, mask, n, is_signed, hist, noted)",
         "cheq_count_some_words(words, NULL, n, is_signed, hist, noted)"),
    ],
    "words: without their sign": [(LOOKUP, "((const int16_t *)pixels)[i] + 0x8000", "((const uint16_t *)pixels)[i]")],
    # ---- Otsu
    "otsu: the last of equal ones": [(LUT, "if (sigma > most)", "if (sigma >= most)")],
    "otsu: the threshold is above": [(LUT, "bin > threshold ? to->levels", "bin >= threshold ? to->levels")],
    "otsu: another mean": [(LUT, "mu1 *= q1;", "mu1 *= q1 + 1e-9;")],
    # ---- colors
    "gray, opencv: a weight": [(SPACES, "{9798, 19235, 3735, 15}", "{9798, 19234, 3736, 15}")],
    "gray, pillow: a weight": [(SPACES, "{19595, 38470, 7471, 16}", "{19595, 38469, 7472, 16}")],
    "gray: cut off": [(SPACES, "(high + (low >> 8) + 128) >> 8", "(high + (low >> 8)) >> 8")],
    "gray, 16 bits: cut off": [(SPACES, "(sum + (1u << (w.bits - 1)))", "(sum)")],
    "ycrcb: a weight of Y": [
        (SPACES, '"ycrcb", .luma = {4899, 9617, 1868, 14}', '"ycrcb", .luma = {4899, 9616, 1869, 14}')
    ],
    "ycrcb: a weight of B": [(SPACES, "-5636, 29049}", "-5636, 29040}")],
    "yuv: a weight of V": [(SPACES, "{14369, 8061", "{14360, 8061")],
    "chromas do not saturate at 127": [(SPACES, "0, 0), -128, 127)", "0, 0), -128, 126)")],
    "lab: the exact root of 49": [(LAB, "i == 49 ? 9454 : i", "i")],
    "lab: the exact root of 628": [(LAB, "i == 628 ? 22126 : root", "root")],
    "lab: another root": [(LAB, "next * CHEQ_LINEAR_ONE <= most", "next * (CHEQ_LINEAR_ONE - 1) <= most")],
    "lab: linear light that is cut off": [(LAB, "cheq_linear(v / 255.0) + 0.5", "cheq_linear(v / 255.0)")],
    "lab: a color's curve from the next level": [(LAB, "(level - 0.5) / 255", "(level - 0.4) / 255")],
    "lab: the white of another light": [(LAB, ".x = {1777, 778}", ".x = {1778, 778}")],
    "lab: L is not rounded": [(LAB, "(fy - 17801)", "(fy - 17856)")],
    "lab: a chroma without its half": [(LAB, "+ (low >= 65536 - 8 * 128)", "")],
    "lab: another line": [(LAB, ".line = 108,", ".line = 107,")],
    "lab: the line is rounded down": [
        (LAB, "(low < 0 ? -whole : whole)", "(low < 0 ? -whole - (rest % by->line_parts != 0) : whole)"),
    ],
    # ---- CLAHE, opencv
    "clahe: double arithmetic": [
        (CLIP, "const float upper = upper_left * left + upper_right * right, lower = lower_left * left",
         "const double upper = (double)upper_left * left + upper_right * right, lower = (double)lower_left * left"),
    ],
    "clahe: vertical first": [
        (CLIP, "upper_left * left + upper_right * right,", "upper_left * above + lower_left * below,"),
        (CLIP, "lower_left * left + lower_right * right;", "upper_right * above + lower_right * below;"),
        (CLIP, "level(upper * above + lower * below, 1.0f)", "level(upper * left + lower * right, 1.0f)"),
    ],
    "clahe: half up": [
        (CLIP, "cheq_opencv_level(upper * above + lower * below, 1.0f)",
         "(uint32_t)(upper * above + lower * below + 0.5f)"),
    ],
    "clahe: x / tile": [
        (CLIP, "inverse = 1.0f / (float)axis->tile", "inverse = (float)axis->tile"),
        (CLIP, "return (float)x * inverse - 0.5f;", "return (float)x / inverse - 0.5f;"),
    ],
    "clahe: a swapped grid": [(CLAHE, "columns, rows = tile_grid_size", "rows, columns = tile_grid_size")],
    "clahe: an even side does not grow": [(CLAHE, "side + number - side % number", "side + -side % number")],
    "clahe: mirrored with the edge": [
        (CLIP, "(cheq_mirrored){2 * (length - 1) - place, 2", "(cheq_mirrored){2 * length - 1 - place, 2"),
    ],
    "clahe: a limit that is rounded": [(CLIP, "area / (double)levels);", "area / (double)levels + 0.5);")],
    "clahe: a limit of 0": [(CLIP, "clip.most = most > 1 ? most : 1;", "clip.most = most;")],
    "clahe: the rest in the first levels": [(CLIP, "step = rest ? clip->levels / rest : clip->levels;", "step = 1;")],
    "clahe: a rest that is not shared out": [(CLIP, "(float)(running + extra)", "(float)running")],
    "clahe: the rest from step on": [(CLIP, "* shares->turn) + 1;", "* shares->turn);")],
    "clahe: 256 for 255": [(CLIP, "(float)(levels - 1) / (float)area", "(float)levels / (float)area")],
    "clahe: the area of all pixels under a mask": [(TILES, "if (counted != (uint32_t)clip.area)", "if (0)")],
    "clahe: the first limit for all planes": [(TILES, "clip_limits[group * job->clip_step]", "clip_limits[0]")],
    # ---- CLAHE, skimage
    "adapt: levels of float32 in double": [(GRAYS, "level_of_float(single)", "level_of_double((double)single)")],
    "adapt: int16 without its last bit": [(ADAPT, "(uint16_t)(x << 1 | x >> 14)", "(uint16_t)(x << 1)")],
    "adapt: bytes times 256": [(GRAYS, "257.0", "256.0")],
    "adapt: 16384 for 16383": [(ADAPT, "grays->range * (CHEQ_GRAYS - 1)", "grays->range * CHEQ_GRAYS")],
    "adapt: grays rounded down": [(ADAPT, "gray = (gray + 0x1p52) - 0x1p52;", "gray = floor(gray);")],
    "adapt: mirrored with the edge": [(ADAPT, "period = 2 * (n - 1);", "period = 2 * n - 1;")],
    "adapt: a limit of 0": [(ADAPT, "(int32_t)(most > 1 ? most : 1)", "(int32_t)most")],
    "adapt: bins that none reaches have no share": [
        (CELLS, "hist[0], job->nbins, job->limit", "hist[0], job->bins, job->limit"),
    ],
    "adapt: bins near the limit are not filled": [(ADAPT, "hist[i] = hist[i] >= upper ? limit : hist[i];", "")],
    "adapt: the rest without steps": [(ADAPT, "step = below / excess;", "step = 1;")],
    "adapt: one round for the rest": [(ADAPT, "while (excess > 0 && excess < before);", "while (0);")],
    "adapt: LUTs are rounded": [(ADAPT, "(int32_t)((double)count * scale)", "(int32_t)((double)count * scale + 0.5)")],
    "adapt: the middles of pixels": [(ADAPT, "(double)position / (double)tile", "(position + 0.5) / (double)tile")],
    "adapt: products in float32": [
        (ADAPT, "(float)(a[bin] * of_a[i])", "(float)a[bin] * (float)of_a[i]"),
    ],
    "adapt: weights are multiplied from the first axis on": [
        (CELLS, "of_outer = strip->at[outer].weight[lut / 2];",
         "first = outer ? strip->at[0].weight[strip->upper[0]] : 1.0,"
         " of_outer = first * strip->at[outer].weight[lut / 2];"),
        (CELLS, "for (int a = outer - 1; a >= 0; a--) {\n            const double weight",
         "for (int a = outer - 1; a > 0; a--) {\n            const double weight"),
    ],
    "adapt: sums in double": [(ADAPT, "float of = begins", "double of = begins")],
    "adapt: results are rounded": [(CELLS, "(int32_t)strip->room->sum[i]", "lrintf(strip->room->sum[i])")],
    "adapt: results from 0": [(ADAPT, "(gray - lowest) / (double)(highest - lowest)", "gray / (double)highest")],
    "adapt: a constant is 0": [(ADAPT, "return gray > 0 ? 1.0 : 0.0;", "return 0.0;")],
    # ---- matching
    "match: nearest levels are cut off": [(MATCH, "(int32_t)cheq_round(value)", "(int32_t)value")],
    "match: nearest levels of channels too": [(MATCH, "truncates ? (int32_t)value :", "0 ? (int32_t)value :")],
    "match: channels are cut off to below": [
        (MATCH, "truncates ? (int32_t)value", "truncates ? (int32_t)floor(value)"),
    ],
    "match: levels that the reference has not": [
        (MATCH, "if (count > 0 && n + 1 < learning->room)", "if (n + 1 < learning->room)"),
        (MATCHING, "min(pixels, _methods.levels_of(kind))", "_methods.levels_of(kind)"),
    ],
    "match: shares in float32": [
        (MATCH, "cheq_match_at(cheq_pixels_to_double(running) / total",
         "cheq_match_at((double)((float)running / (float)total)"),
    ],
    "match: the reference's shares in float32": [
        (MATCH, "share = cheq_pixels_to_double(running) / total",
         "share = (double)((float)running / (float)total)"),
    ],
    "match: pixels below a level": [
        (MATCH, "cheq_match_at(cheq_pixels_to_double(running) / total",
         "cheq_match_at((double)(running - count) / total"),
    ],
    "match: below the reference's first share": [(MATCH, "share <= at->x || at + 1", "at + 1")],
    "match: a knot's own share is between": [(MATCH, "share >= at[1].x", "share > at[1].x")],
    "match: a knot's -0.0 is 0.0": [(MATCH, "share <= at->x", "share < at->x")],
    "match: signed levels from 0": [(MATCH, "learning->lowest + (double)(int64_t)bin", "(double)bin")],
    "match: floats of two zeros": [
        (RANKED, "first == next || (first == zero - 1 && next == zero)", "first == next && zero"),
    ],
    "match: shares of floats in float32": [
        (RANKED, "cheq_match_at((double)running / total", "cheq_match_at((double)((float)running / (float)total)"),
    ],
    "match: the reference's shares of floats": [
        (RANKED, "(double)end / (double)plane.ranked", "(double)end / (double)(plane.ranked + 1)"),
    ],
    "match: floats are counted outside the mask": [
        (RANKED, "running += room->counted", "running += 1 | room->counted"),
    ],
    "match: the total of all floats": [(RANKED, "total = (double)plane.counted", "total = (double)plane.ranked")],
    "match: axes from the front": [(MATCHING, "tuple(axis % most - most for", "tuple(axis % most for")],
    "match: a reference of all planes for the first": [
        (MATCHING, "slice(None) if length == 1 else place for", "place for"),
    ],
    "match: lightness is cut off": [
        (COLOR, "open_targets(&opened, targets, False)", "open_targets(&opened, targets, True)"),
    ],
    "sort: 32 bits of 64": [(SORT, "if (end - begin > 1) {", "if (0) {")],
    "sort: long runs by their upper bits": [(SORT, "keys[place] << 32 | place", "(keys[place] >> 32) << 32 | place")],
    "sort: short runs without their last": [(SORT, "last < n; last++", "last < n - 1; last++")],
    "sort: a digit is left out": [(SORT, "CHEQ_DIGIT_BITS = 11", "CHEQ_DIGIT_BITS = 10")],
    "sort: the bits of another range": [
        (SORT, "differing >> below > UINT32_MAX", "differing >> below > UINT32_MAX * 2ull"),
    ],
    "weights: levels of weight 0 are there": [
        (MATCHING, "contiguousarray(counts != 0)", "contiguousarray(counts >= 0)"),
    ],
    "weights: sums by pairs": [(MATCHING, "sums / sums[:, -1:]", "sums / counts.sum(axis=-1, keepdims=True)")],
    "weights: 0 below the first level": [(STEPS, "np.maximum(sums, weights[weights > 0][0])", "sums")],
    "weights: the range of all levels": [
        (STEPS, "levels[present], _methods.NBINS", "levels[present] + 1, _methods.NBINS"),
    ],
    # ---- the tables
    "table: opencv without uint16": [(METHODS, '("opencv", ("uint8", "uint16")', '("opencv", ("uint8",)')],
    "table: float32 becomes float64": [(METHODS, "images == np.float32", "False")],
    "table: skimage is numpy": [(METHODS, "MAKERS[name]", 'MAKERS[name.replace("skimage", "numpy")]')],
    "table: another distribution": [(MAKERS, "= cheq_skimage_distribution", "= cheq_recipe_distribution")],
}  # fmt: skip
