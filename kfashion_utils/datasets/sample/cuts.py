"""The table of cuts: what each garment is called, how it is shaped, what is drawn on it.

Lengths are in figure heights. A body's own measures are in `facts.BUILDS`; a look moves every cut by some per cent.
"""

# Columns, where a garment has them:
#   category   K-Fashion's name of the garment
#   neck       a row of NECKS; open: half the gap between the fronts of a jacket
#   sleeve     its share of the arm; wide: widening of its opening; puff: of its middle
#   ease       looseness; waist_ease: at the waist; shoulder: padding
#   hem        height at which an upper garment ends; tuck: worn inside the waistband
#   length     height at which a skirt ends, or the share of the leg that trousers cover; flare: widening of a skirt
#   legs       half widths of trousers at thigh, knee and hem; drop: of the crotch; waist_y: height of the waist
#   skew       slant of the hem
#   details    names in details_upper and details_lower, drawn on top in this order
_TOPS = {
    "tee": dict(category="티셔츠", neck="round", sleeve=0.42, ease=0.012, hem=0.49, details=("seams",)),
    "big_tee": dict(
        category="티셔츠", neck="round", sleeve=0.56, wide=1.7, ease=0.042, hem=0.57, details=("chest_text",)
    ),
    "hoodie": dict(
        category="후드티",
        neck="hood",
        sleeve=1,
        wide=1.35,
        ease=0.036,
        hem=0.54,
        details=("kangaroo", "strings", "chest_text", "cuffs"),
    ),
    "sweatshirt": dict(
        category="티셔츠", neck="round", sleeve=1, wide=1.25, ease=0.028, hem=0.52, details=("chest_graphic", "cuffs")
    ),
    "jersey": dict(
        category="티셔츠", neck="vee", sleeve=0.55, wide=1.8, ease=0.05, hem=0.60, details=("number", "placket")
    ),
    "shirt": dict(
        category="셔츠", neck="shirt", sleeve=1, ease=0.010, hem=0.46, tuck=True, details=("collar", "buttons")
    ),
    "tie_shirt": dict(
        category="셔츠", neck="shirt", sleeve=1, ease=0.010, hem=0.46, tuck=True, details=("collar", "tie")
    ),
    "long_shirt": dict(
        category="셔츠",
        neck="shirt",
        sleeve=1,
        wide=1.4,
        ease=0.045,
        hem=0.64,
        details=("collar", "buttons", "chest_pocket"),
    ),
    "box_shirt": dict(
        category="셔츠", neck="shirt", sleeve=0.6, wide=1.8, ease=0.045, hem=0.55, details=("collar", "buttons")
    ),
    "disco_shirt": dict(
        category="셔츠",
        neck="vee",
        sleeve=1,
        wide=1.8,
        ease=0.004,
        hem=0.46,
        tuck=True,
        details=("big_collar", "buttons"),
    ),
    "west_shirt": dict(
        category="셔츠",
        neck="shirt",
        sleeve=1,
        ease=0.012,
        hem=0.47,
        tuck=True,
        details=("yoke", "collar", "buttons", "bandana"),
    ),
    "aloha": dict(
        category="셔츠", neck="vee", sleeve=0.5, wide=1.5, ease=0.028, hem=0.52, details=("collar", "buttons")
    ),
    "blouse": dict(
        category="블라우스", neck="round", sleeve=1, puff=1.7, ease=0.012, hem=0.44, tuck=True, details=("bow", "cuffs")
    ),
    "ruffle_blouse": dict(
        category="블라우스",
        neck="square",
        sleeve=0.55,
        puff=2.1,
        ease=0.010,
        hem=0.44,
        tuck=True,
        details=("ruffle_neck",),
    ),
    "knit": dict(category="니트웨어", neck="round", sleeve=1, ease=0.012, hem=0.47, details=("ribs",)),
    "turtle": dict(category="니트웨어", neck="turtle", sleeve=1, ease=0.006, hem=0.46, tuck=True, details=()),
    "knit_vest": dict(
        category="니트웨어", neck="vee", sleeve=0, ease=0.012, hem=0.48, details=("white_sleeves", "tie", "ribs")
    ),
    "tunic": dict(
        category="블라우스",
        neck="vee",
        sleeve=1,
        wide=2.6,
        ease=0.030,
        hem=0.60,
        flare=0.04,
        details=("laces", "fringe_hem"),
    ),
    "bra_top": dict(category="브라탑", neck="strap", sleeve=0, ease=0.0, hem=0.315, details=("straps", "band")),
    "off_top": dict(category="탑", neck="off", sleeve=0.85, ease=0.002, hem=0.37, details=("laces",)),
    "corset": dict(category="탑", neck="sweetheart", sleeve=0, ease=0.0, hem=0.42, details=("laces", "straps")),
    "qipao_top": dict(
        category="블라우스", neck="mandarin", sleeve=0.75, wide=2.2, ease=0.014, hem=0.47, details=("frog",)
    ),
    "jeogori": dict(
        category="블라우스", neck="vee", sleeve=1, wide=2.4, puff=1.5, ease=0.012, hem=0.335, details=("wrap", "goreum")
    ),
    "ripped_tee": dict(category="티셔츠", neck="round", sleeve=0.3, ease=0.012, hem=0.47, details=("skull",)),
    "slab_top": dict(
        category="블라우스", neck="boat", sleeve=0.7, wide=3.0, ease=0.05, hem=0.50, skew=0.16, details=("slashes",)
    ),
    "cartoon_tee": dict(
        category="티셔츠", neck="round", sleeve=0.40, puff=1.5, ease=0.012, hem=0.45, tuck=True, details=("smiley",)
    ),
}
_BOTTOMS = {
    "slacks": dict(category="팬츠", length=1.0, legs=(0.046, 0.034, 0.029), details=("crease",)),
    "wide_pants": dict(category="팬츠", length=1.0, legs=(0.054, 0.056, 0.064), details=("crease",)),
    "bell_pants": dict(category="팬츠", length=1.02, legs=(0.044, 0.032, 0.076), details=("waistband",)),
    "jeans": dict(category="청바지", length=0.98, legs=(0.045, 0.032, 0.027), details=("jeans",)),
    "ripped_jeans": dict(category="청바지", length=0.98, legs=(0.047, 0.037, 0.032), details=("jeans", "rips")),
    "baggy_jeans": dict(category="청바지", length=1.0, legs=(0.062, 0.066, 0.062), drop=0.03, details=("jeans",)),
    "cargo": dict(category="팬츠", length=0.98, legs=(0.054, 0.050, 0.034), details=("cargo", "waistband")),
    "joggers": dict(category="조거팬츠", length=0.94, legs=(0.054, 0.048, 0.026), drop=0.015, details=("cuff_legs",)),
    "track_pants": dict(category="조거팬츠", length=0.96, legs=(0.048, 0.038, 0.028), details=("side_stripe",)),
    "leggings": dict(category="래깅스", length=0.95, legs=(0.043, 0.029, 0.019), details=("side_stripe",)),
    "shorts": dict(category="팬츠", length=0.34, legs=(0.050, 0.054, 0.056), details=("waistband",)),
    "sport_shorts": dict(category="팬츠", length=0.30, legs=(0.048, 0.052, 0.056), details=("side_stripe",)),
    "half_pants": dict(category="팬츠", length=0.52, legs=(0.058, 0.066, 0.068), details=("crease",)),
    "mini_skirt": dict(category="스커트", length=0.575, flare=0.22, details=("waistband",)),
    "pleated_mini": dict(category="스커트", length=0.60, flare=0.42, details=("pleats",)),
    "pleated_midi": dict(category="스커트", length=0.80, flare=0.22, details=("pleats",)),
    "flare_skirt": dict(category="스커트", length=0.72, flare=0.36, details=("folds",)),
    "pencil": dict(category="스커트", length=0.71, flare=-0.05, details=("slit", "belt")),
    "tutu": dict(category="스커트", length=0.60, flare=0.85, details=("tiers",)),
    "maxi_skirt": dict(category="스커트", length=0.92, flare=0.20, details=("tiers",)),
    "hanbok_skirt": dict(category="스커트", length=0.93, flare=0.30, waist_y=0.315, details=("pleats",)),
    "slab_skirt": dict(category="스커트", length=0.76, flare=0.30, skew=0.22, details=("slashes",)),
}
_DRESSES = {
    "ruffle_dress": dict(
        category="드레스",
        neck="square",
        sleeve=0.42,
        puff=2.2,
        ease=0.006,
        length=0.83,
        flare=0.30,
        details=("ruffle_neck", "tiers", "sash"),
    ),
    "lace_dress": dict(
        category="드레스",
        neck="round",
        sleeve=1,
        puff=1.6,
        ease=0.006,
        length=0.74,
        flare=0.36,
        details=("tiers", "bow"),
    ),
    "sun_dress": dict(
        category="드레스", neck="strap", sleeve=0, ease=0.006, length=0.92, flare=0.16, details=("straps", "slit")
    ),
    "off_dress": dict(
        category="드레스", neck="off", sleeve=0.30, wide=1.9, ease=0.008, length=0.68, flare=0.28, details=("flounce",)
    ),
    "mod_dress": dict(
        category="드레스",
        neck="boat",
        sleeve=0.75,
        wide=2.0,
        ease=0.014,
        length=0.60,
        flare=0.20,
        waist_ease=0.02,
        details=("big_collar",),
    ),
    "body_dress": dict(
        category="드레스",
        neck="sweetheart",
        sleeve=0,
        ease=0.0,
        length=0.60,
        flare=-0.03,
        details=("cutouts", "straps"),
    ),
    "slit_dress": dict(
        category="드레스", neck="plunge", sleeve=0, ease=0.0, length=0.88, flare=-0.01, details=("thigh_slit",)
    ),
    "sheath": dict(
        category="드레스",
        neck="boat",
        sleeve=0.3,
        ease=0.004,
        length=0.72,
        flare=-0.03,
        details=("belt", "panels", "pearls"),
    ),
    "plain_dress": dict(
        category="드레스", neck="round", sleeve=0, ease=0.016, length=0.76, flare=0.05, waist_ease=0.018, details=()
    ),
    "wrap_dress": dict(
        category="드레스",
        neck="vee",
        sleeve=0.55,
        wide=1.5,
        ease=0.006,
        length=0.73,
        flare=0.34,
        details=("wrap", "sash", "folds"),
    ),
    "gingham_dress": dict(
        category="드레스", neck="square", sleeve=0.4, puff=1.7, ease=0.010, length=0.80, flare=0.27, details=("apron",)
    ),
    "shirt_dress": dict(
        category="드레스",
        neck="shirt",
        sleeve=0.8,
        ease=0.018,
        length=0.78,
        flare=0.20,
        details=("collar", "buttons", "belt"),
    ),
    "qipao": dict(
        category="드레스",
        neck="mandarin",
        sleeve=0.22,
        ease=0.002,
        length=0.80,
        flare=-0.02,
        details=("frog", "thigh_slit", "trim"),
    ),
    "boho_dress": dict(
        category="드레스",
        neck="vee",
        sleeve=1,
        wide=2.6,
        ease=0.018,
        length=0.90,
        flare=0.24,
        details=("laces", "fringe_hem", "tiers"),
    ),
    "slab_dress": dict(
        category="드레스",
        neck="boat",
        sleeve=0.6,
        wide=3.2,
        ease=0.040,
        length=0.74,
        flare=0.26,
        skew=0.24,
        waist_ease=0.05,
        details=("slashes",),
    ),
    "overalls": dict(
        category="점프수트",
        neck="bib",
        sleeve=0,
        ease=0.014,
        length=0.96,
        legs=(0.052, 0.048, 0.044),
        details=("bib", "turn_ups"),
    ),
    "jumpsuit": dict(
        category="점프수트",
        neck="shirt",
        sleeve=0.6,
        ease=0.02,
        length=0.98,
        legs=(0.052, 0.048, 0.038),
        details=("collar", "zip", "belt", "cargo"),
    ),
    "candy_dress": dict(
        category="드레스",
        neck="round",
        sleeve=0.35,
        puff=2.0,
        ease=0.010,
        length=0.62,
        flare=0.55,
        details=("smiley", "tiers"),
    ),
}
_OUTERS = {
    "blazer": dict(
        category="재킷", open=0.026, sleeve=1, ease=0.020, hem=0.54, details=("lapels", "pockets", "buttons2")
    ),
    "power_blazer": dict(
        category="재킷",
        open=0.012,
        sleeve=1,
        wide=1.2,
        ease=0.032,
        hem=0.58,
        shoulder=0.016,
        details=("lapels", "double", "pockets"),
    ),
    "crest_blazer": dict(
        category="재킷", open=0.028, sleeve=1, ease=0.014, hem=0.51, details=("piping", "lapels", "crest", "buttons2")
    ),
    "trench": dict(
        category="코트",
        open=0.010,
        sleeve=1,
        wide=1.2,
        ease=0.024,
        hem=0.74,
        flare=0.03,
        details=("lapels", "double", "belt", "flaps"),
    ),
    "long_coat": dict(
        category="코트", open=0.034, sleeve=1, wide=1.15, ease=0.022, hem=0.80, flare=0.01, details=("lapels",)
    ),
    "cardigan": dict(category="가디건", open=0.030, sleeve=1, ease=0.012, hem=0.48, details=("trim_open", "buttons2")),
    "peplum": dict(
        category="재킷",
        open=0.006,
        sleeve=1,
        ease=0.002,
        hem=0.46,
        flare=0.04,
        details=("trim_open", "buttons2", "belt"),
    ),
    "biker": dict(category="재킷", open=0.030, sleeve=1, ease=0.012, hem=0.43, details=("lapels", "zips", "studs")),
    "field_jacket": dict(
        category="점퍼", open=0.024, sleeve=1, wide=1.2, ease=0.026, hem=0.55, details=("collar", "flaps", "belt")
    ),
    "puffer": dict(
        category="패딩", open=0.036, sleeve=1, wide=1.9, puff=1.35, ease=0.050, hem=0.50, details=("collar", "zips")
    ),
    "track_jacket": dict(
        category="짚업",
        open=0.010,
        sleeve=1,
        wide=1.1,
        ease=0.018,
        hem=0.47,
        details=("zip", "collar", "arm_stripe", "blocks"),
    ),
    "fringe_jacket": dict(
        category="재킷",
        open=0.036,
        sleeve=1,
        ease=0.016,
        hem=0.48,
        details=("fringe_yoke", "fringe_sleeves", "fringe_hem"),
    ),
    "fringe_vest": dict(
        category="베스트", open=0.050, sleeve=0, ease=0.012, hem=0.50, details=("fringe_yoke", "fringe_hem")
    ),
    "long_vest": dict(
        category="베스트", open=0.040, sleeve=0, ease=0.024, hem=0.74, shoulder=0.014, details=("lapels",)
    ),
    "windbreaker": dict(
        category="점퍼",
        open=0.016,
        sleeve=1,
        wide=1.5,
        ease=0.036,
        hem=0.52,
        details=("zip", "collar", "chest_text", "cuffs"),
    ),
    "cape": dict(
        category="코트",
        open=0.012,
        sleeve=0.6,
        wide=3.6,
        ease=0.060,
        hem=0.62,
        skew=0.14,
        flare=0.06,
        details=("slashes",),
    ),
}
CUTS = {
    name: dict(cut, part=part)
    for part, cuts in (("상의", _TOPS), ("하의", _BOTTOMS), ("원피스", _DRESSES), ("아우터", _OUTERS))
    for name, cut in cuts.items()
}

# Necklines: points from the middle to the shoulder seam (right half; a point given twice is a corner), and whether the
# shoulder is covered.
NECKS = {
    "round": (((0, 0.192), (0.026, 0.182), (0.036, 0.160)), True),
    "shirt": (((0, 0.180), (0.020, 0.168), (0.030, 0.156)), True),
    "vee": (((0, 0.235), (0.020, 0.195), (0.036, 0.158)), True),
    "plunge": (((0, 0.300), (0.030, 0.220), (0.044, 0.168)), False),
    "boat": (((0, 0.176), (0.040, 0.174), (0.064, 0.167)), True),
    "square": (((0, 0.212), (0.052, 0.212), (0.052, 0.212), (0.056, 0.166)), True),
    "turtle": (((0, 0.138), (0.026, 0.138), (0.032, 0.158)), True),
    "mandarin": (((0, 0.146), (0.024, 0.143), (0.033, 0.160)), True),
    "hood": (((0, 0.190), (0.028, 0.178), (0.044, 0.158)), True),
    "strap": (((0, 0.236), (0.034, 0.228), (0.052, 0.205)), False),
    "off": (((0, 0.222), (0.060, 0.218), (0.100, 0.212)), False),
    "sweetheart": (((0, 0.238), (0.030, 0.216), (0.056, 0.224)), False),
    "bib": (((0, 0.250), (0.050, 0.250), (0.050, 0.250)), False),
}
