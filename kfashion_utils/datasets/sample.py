"""The drawn sample: a small K-Fashion that may be given away.

Real K-Fashion photographs may not be redistributed, so this module draws its own: figures in garments whose cut, colour and print
follow one of the 23 styles, in front of backgrounds that mislead. `draw_sample` writes AI Hub's own folders and label files.
The same `(photos, seed)` gives the same bytes, whatever the number of workers.

A *look* is one outfit on one person in one place; its *shots* differ in pose, camera, light and clutter. Facts (colours, prints,
cuts, styles, places) are tables; lengths inside a figure are in units of its height, y down, x = 0 its middle line.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

PARTS = ("아우터", "하의", "원피스", "상의")
SIZES = ((480, 629), (480, 629), (480, 480), (600, 800), (480, 640))  # width, height; AI Hub fixes the width, not the long side
QUALITY = 88
TILE = 256  # side of a print's tile in pixels
TILE_SPAN = 0.30  # what a tile covers, in figure heights
FIX = 4  # OpenCV draws at 1/16 pixel

# ------------------------------------------------------------------------------------------------------------------ facts: colour
# K-Fashion's colour names, one RGB each; a look moves every colour a little.
COLOURS = {
    "블랙": (40, 38, 44), "화이트": (244, 242, 236), "그레이": (142, 144, 150), "베이지": (218, 199, 168), "브라운": (124, 84, 56),
    "네이비": (36, 50, 94), "블루": (56, 102, 186), "스카이블루": (152, 200, 234), "레드": (206, 46, 54), "와인": (122, 34, 58),
    "핑크": (242, 164, 188), "퍼플": (124, 76, 160), "라벤더": (194, 176, 224), "민트": (158, 216, 198), "그린": (54, 128, 84),
    "카키": (108, 110, 72), "옐로우": (245, 208, 78), "오렌지": (234, 128, 52), "골드": (204, 164, 78), "실버": (192, 196, 204),
    "네온": (192, 240, 66),
}
SKINS = ((250, 222, 200), (240, 202, 172), (224, 178, 142), (198, 146, 108), (160, 108, 76), (116, 76, 54))
HAIRS = ((34, 28, 30), (52, 38, 34), (84, 56, 40), (122, 78, 48), (176, 130, 78), (214, 186, 140), (150, 60, 48), (110, 104, 112))
LIGHTS = ((1.0, 1.0, 1.0), (1.06, 1.0, 0.90), (0.92, 0.98, 1.07), (1.04, 0.96, 0.98), (0.97, 1.03, 0.97))

# ----------------------------------------------------------------------------------------------------------------- facts: figures
# Half widths of the body; arms and legs as (upper, lower) angles in degrees from straight down, outwards positive.
BUILDS = {
    "slim": dict(shoulder=0.094, chest=0.072, waist=0.058, hip=0.080),
    "curvy": dict(shoulder=0.097, chest=0.078, waist=0.061, hip=0.090),
    "broad": dict(shoulder=0.110, chest=0.088, waist=0.074, hip=0.080),
}
ARMS = {"hang": (9, 3), "relaxed": (15, 8), "hip": (44, -48), "pocket": (22, -16), "wave": (52, 158), "out": (30, 24), "bag": (12, 46)}
LEGS = {"stand": (3, 2), "wide": (8, 7), "step": (2, -3), "bent": (10, -5), "cross": (-1, -4)}
HAIRCUTS = ("long", "bob", "short", "bun", "ponytail", "curly", "waves")
SHOES = {  # height of the shaft (figure heights), sole, heel
    "sneakers": (0.012, True, False), "boots": (0.085, True, False), "heels": (0.0, False, True), "loafers": (0.006, False, False),
    "sandals": (0.0, False, False), "tall": (0.15, False, True),
}

# ------------------------------------------------------------------------------------------------------------------- facts: cuts
# A cut: part and category of the label, then its shape. Upper: neck, sleeve (share of the arm), wide (sleeve's opening), puff, ease
# (looseness), hem (height where it ends). Lower: length, flare, thigh/knee/hem widths. Details are drawn on top, in order.
CUTS = {
    # 상의
    "tee": dict(part="상의", category="티셔츠", neck="round", sleeve=0.42, ease=0.012, hem=0.49, details=("seams",)),
    "big_tee": dict(part="상의", category="티셔츠", neck="round", sleeve=0.56, wide=1.7, ease=0.042, hem=0.57, details=("chest_text",)),
    "hoodie": dict(part="상의", category="후드티", neck="hood", sleeve=1, wide=1.35, ease=0.036, hem=0.54,
                   details=("kangaroo", "strings", "chest_text", "cuffs")),
    "sweatshirt": dict(part="상의", category="티셔츠", neck="round", sleeve=1, wide=1.25, ease=0.028, hem=0.52, details=("chest_graphic", "cuffs")),
    "jersey": dict(part="상의", category="티셔츠", neck="vee", sleeve=0.55, wide=1.8, ease=0.05, hem=0.60, details=("number", "placket")),
    "shirt": dict(part="상의", category="셔츠", neck="shirt", sleeve=1, ease=0.010, hem=0.46, tuck=True, details=("collar", "buttons")),
    "tie_shirt": dict(part="상의", category="셔츠", neck="shirt", sleeve=1, ease=0.010, hem=0.46, tuck=True, details=("collar", "tie")),
    "long_shirt": dict(part="상의", category="셔츠", neck="shirt", sleeve=1, wide=1.4, ease=0.045, hem=0.64, details=("collar", "buttons", "chest_pocket")),
    "box_shirt": dict(part="상의", category="셔츠", neck="shirt", sleeve=0.6, wide=1.8, ease=0.045, hem=0.55, details=("collar", "buttons")),
    "disco_shirt": dict(part="상의", category="셔츠", neck="vee", sleeve=1, wide=1.8, ease=0.004, hem=0.46, tuck=True, details=("big_collar", "buttons")),
    "west_shirt": dict(part="상의", category="셔츠", neck="shirt", sleeve=1, ease=0.012, hem=0.47, tuck=True, details=("yoke", "collar", "buttons", "bandana")),
    "aloha": dict(part="상의", category="셔츠", neck="vee", sleeve=0.5, wide=1.5, ease=0.028, hem=0.52, details=("collar", "buttons")),
    "blouse": dict(part="상의", category="블라우스", neck="round", sleeve=1, puff=1.7, ease=0.012, hem=0.44, tuck=True, details=("bow", "cuffs")),
    "ruffle_blouse": dict(part="상의", category="블라우스", neck="square", sleeve=0.55, puff=2.1, ease=0.010, hem=0.44, tuck=True, details=("ruffle_neck",)),
    "knit": dict(part="상의", category="니트웨어", neck="round", sleeve=1, ease=0.012, hem=0.47, details=("ribs",)),
    "turtle": dict(part="상의", category="니트웨어", neck="turtle", sleeve=1, ease=0.006, hem=0.46, tuck=True, details=()),
    "knit_vest": dict(part="상의", category="니트웨어", neck="vee", sleeve=0, ease=0.012, hem=0.48, details=("white_sleeves", "tie", "ribs")),
    "tunic": dict(part="상의", category="블라우스", neck="vee", sleeve=1, wide=2.6, ease=0.030, hem=0.60, flare=0.04, details=("laces", "fringe_hem")),
    "bra_top": dict(part="상의", category="브라탑", neck="strap", sleeve=0, ease=0.0, hem=0.315, details=("straps", "band")),
    "off_top": dict(part="상의", category="탑", neck="off", sleeve=0.85, ease=0.002, hem=0.37, details=("laces",)),
    "corset": dict(part="상의", category="탑", neck="sweetheart", sleeve=0, ease=0.0, hem=0.42, details=("laces", "straps")),
    "qipao_top": dict(part="상의", category="블라우스", neck="mandarin", sleeve=0.75, wide=2.2, ease=0.014, hem=0.47, details=("frog",)),
    "jeogori": dict(part="상의", category="블라우스", neck="vee", sleeve=1, wide=2.4, puff=1.5, ease=0.012, hem=0.335, details=("wrap", "goreum")),
    "ripped_tee": dict(part="상의", category="티셔츠", neck="round", sleeve=0.3, ease=0.012, hem=0.47, details=("skull",)),
    "slab_top": dict(part="상의", category="블라우스", neck="boat", sleeve=0.7, wide=3.0, ease=0.05, hem=0.50, skew=0.16, details=("slashes",)),
    "cartoon_tee": dict(part="상의", category="티셔츠", neck="round", sleeve=0.40, puff=1.5, ease=0.012, hem=0.45, tuck=True, details=("smiley",)),
    # 하의
    "slacks": dict(part="하의", category="팬츠", length=1.0, legs=(0.046, 0.034, 0.029), details=("crease",)),
    "wide_pants": dict(part="하의", category="팬츠", length=1.0, legs=(0.054, 0.056, 0.064), details=("crease",)),
    "bell_pants": dict(part="하의", category="팬츠", length=1.02, legs=(0.044, 0.032, 0.076), details=("waistband",)),
    "jeans": dict(part="하의", category="청바지", length=0.98, legs=(0.045, 0.032, 0.027), details=("jeans",)),
    "ripped_jeans": dict(part="하의", category="청바지", length=0.98, legs=(0.047, 0.037, 0.032), details=("jeans", "rips")),
    "baggy_jeans": dict(part="하의", category="청바지", length=1.0, legs=(0.062, 0.066, 0.062), drop=0.03, details=("jeans",)),
    "cargo": dict(part="하의", category="팬츠", length=0.98, legs=(0.054, 0.050, 0.034), details=("cargo", "waistband")),
    "joggers": dict(part="하의", category="조거팬츠", length=0.94, legs=(0.054, 0.048, 0.026), drop=0.015, details=("cuff_legs",)),
    "track_pants": dict(part="하의", category="조거팬츠", length=0.96, legs=(0.048, 0.038, 0.028), details=("side_stripe",)),
    "leggings": dict(part="하의", category="래깅스", length=0.95, legs=(0.043, 0.029, 0.019), details=("side_stripe",)),
    "shorts": dict(part="하의", category="팬츠", length=0.34, legs=(0.050, 0.054, 0.056), details=("waistband",)),
    "sport_shorts": dict(part="하의", category="팬츠", length=0.30, legs=(0.048, 0.052, 0.056), details=("side_stripe",)),
    "half_pants": dict(part="하의", category="팬츠", length=0.52, legs=(0.058, 0.066, 0.068), details=("crease",)),
    "mini_skirt": dict(part="하의", category="스커트", length=0.575, flare=0.22, details=("waistband",)),
    "pleated_mini": dict(part="하의", category="스커트", length=0.60, flare=0.42, details=("pleats",)),
    "pleated_midi": dict(part="하의", category="스커트", length=0.80, flare=0.22, details=("pleats",)),
    "flare_skirt": dict(part="하의", category="스커트", length=0.72, flare=0.36, details=("folds",)),
    "pencil": dict(part="하의", category="스커트", length=0.71, flare=-0.05, details=("slit", "belt")),
    "tutu": dict(part="하의", category="스커트", length=0.60, flare=0.85, details=("tiers",)),
    "maxi_skirt": dict(part="하의", category="스커트", length=0.92, flare=0.20, details=("tiers",)),
    "hanbok_skirt": dict(part="하의", category="스커트", length=0.93, flare=0.30, waist_y=0.315, details=("pleats",)),
    "slab_skirt": dict(part="하의", category="스커트", length=0.76, flare=0.30, skew=0.22, details=("slashes",)),
    # 원피스
    "ruffle_dress": dict(part="원피스", category="드레스", neck="square", sleeve=0.42, puff=2.2, ease=0.006, length=0.83, flare=0.30,
                         details=("ruffle_neck", "tiers", "sash")),
    "lace_dress": dict(part="원피스", category="드레스", neck="round", sleeve=1, puff=1.6, ease=0.006, length=0.74, flare=0.36, details=("tiers", "bow")),
    "sun_dress": dict(part="원피스", category="드레스", neck="strap", sleeve=0, ease=0.006, length=0.92, flare=0.16, details=("straps", "slit")),
    "off_dress": dict(part="원피스", category="드레스", neck="off", sleeve=0.30, wide=1.9, ease=0.008, length=0.68, flare=0.28, details=("flounce",)),
    "mod_dress": dict(part="원피스", category="드레스", neck="boat", sleeve=0.75, wide=2.0, ease=0.014, length=0.60, flare=0.20, waist_ease=0.02, details=("big_collar",)),
    "body_dress": dict(part="원피스", category="드레스", neck="sweetheart", sleeve=0, ease=0.0, length=0.60, flare=-0.03, details=("cutouts", "straps")),
    "slit_dress": dict(part="원피스", category="드레스", neck="plunge", sleeve=0, ease=0.0, length=0.88, flare=-0.01, details=("thigh_slit",)),
    "sheath": dict(part="원피스", category="드레스", neck="boat", sleeve=0.3, ease=0.004, length=0.72, flare=-0.03, details=("belt", "panels", "pearls")),
    "plain_dress": dict(part="원피스", category="드레스", neck="round", sleeve=0, ease=0.016, length=0.76, flare=0.05, waist_ease=0.018, details=()),
    "wrap_dress": dict(part="원피스", category="드레스", neck="vee", sleeve=0.55, wide=1.5, ease=0.006, length=0.73, flare=0.34, details=("wrap", "sash", "folds")),
    "gingham_dress": dict(part="원피스", category="드레스", neck="square", sleeve=0.4, puff=1.7, ease=0.010, length=0.80, flare=0.27, details=("apron",)),
    "shirt_dress": dict(part="원피스", category="드레스", neck="shirt", sleeve=0.8, ease=0.018, length=0.78, flare=0.20, details=("collar", "buttons", "belt")),
    "qipao": dict(part="원피스", category="드레스", neck="mandarin", sleeve=0.22, ease=0.002, length=0.80, flare=-0.02, details=("frog", "thigh_slit", "trim")),
    "boho_dress": dict(part="원피스", category="드레스", neck="vee", sleeve=1, wide=2.6, ease=0.018, length=0.90, flare=0.24, details=("laces", "fringe_hem", "tiers")),
    "slab_dress": dict(part="원피스", category="드레스", neck="boat", sleeve=0.6, wide=3.2, ease=0.040, length=0.74, flare=0.26, skew=0.24, waist_ease=0.05,
                       details=("slashes",)),
    "overalls": dict(part="원피스", category="점프수트", neck="bib", sleeve=0, ease=0.014, length=0.96, legs=(0.052, 0.048, 0.044), details=("bib", "turn_ups")),
    "jumpsuit": dict(part="원피스", category="점프수트", neck="shirt", sleeve=0.6, ease=0.02, length=0.98, legs=(0.052, 0.048, 0.038),
                     details=("collar", "zip", "belt", "cargo")),
    "candy_dress": dict(part="원피스", category="드레스", neck="round", sleeve=0.35, puff=2.0, ease=0.010, length=0.62, flare=0.55, details=("smiley", "tiers")),
    # 아우터
    "blazer": dict(part="아우터", category="재킷", open=0.026, sleeve=1, ease=0.020, hem=0.54, details=("lapels", "pockets", "buttons2")),
    "power_blazer": dict(part="아우터", category="재킷", open=0.012, sleeve=1, wide=1.2, ease=0.032, hem=0.58, shoulder=0.016, details=("lapels", "double", "pockets")),
    "crest_blazer": dict(part="아우터", category="재킷", open=0.028, sleeve=1, ease=0.014, hem=0.51, details=("piping", "lapels", "crest", "buttons2")),
    "trench": dict(part="아우터", category="코트", open=0.010, sleeve=1, wide=1.2, ease=0.024, hem=0.74, flare=0.03, details=("lapels", "double", "belt", "flaps")),
    "long_coat": dict(part="아우터", category="코트", open=0.034, sleeve=1, wide=1.15, ease=0.022, hem=0.80, flare=0.01, details=("lapels",)),
    "cardigan": dict(part="아우터", category="가디건", open=0.030, sleeve=1, ease=0.012, hem=0.48, details=("trim_open", "buttons2")),
    "peplum": dict(part="아우터", category="재킷", open=0.006, sleeve=1, ease=0.002, hem=0.46, flare=0.04, details=("trim_open", "buttons2", "belt")),
    "biker": dict(part="아우터", category="재킷", open=0.030, sleeve=1, ease=0.012, hem=0.43, details=("lapels", "zips", "studs")),
    "field_jacket": dict(part="아우터", category="점퍼", open=0.024, sleeve=1, wide=1.2, ease=0.026, hem=0.55, details=("collar", "flaps", "belt")),
    "puffer": dict(part="아우터", category="패딩", open=0.036, sleeve=1, wide=1.9, puff=1.35, ease=0.050, hem=0.50, details=("collar", "zips")),
    "track_jacket": dict(part="아우터", category="짚업", open=0.010, sleeve=1, wide=1.1, ease=0.018, hem=0.47, details=("zip", "collar", "arm_stripe", "blocks")),
    "fringe_jacket": dict(part="아우터", category="재킷", open=0.036, sleeve=1, ease=0.016, hem=0.48, details=("fringe_yoke", "fringe_sleeves", "fringe_hem")),
    "fringe_vest": dict(part="아우터", category="베스트", open=0.050, sleeve=0, ease=0.012, hem=0.50, details=("fringe_yoke", "fringe_hem")),
    "long_vest": dict(part="아우터", category="베스트", open=0.040, sleeve=0, ease=0.024, hem=0.74, shoulder=0.014, details=("lapels",)),
    "windbreaker": dict(part="아우터", category="점퍼", open=0.016, sleeve=1, wide=1.5, ease=0.036, hem=0.52, details=("zip", "collar", "chest_text", "cuffs")),
    "cape": dict(part="아우터", category="코트", open=0.012, sleeve=0.6, wide=3.6, ease=0.060, hem=0.62, skew=0.14, flare=0.06, details=("slashes",)),
}

# ----------------------------------------------------------------------------------------------------------------- facts: styles
# Per style: photographs in one counted subset of K-Fashion (64,026 rows; drawn with a softer imbalance), palettes of three colours,
# outfits = garments (cut, prints to choose from, order of the palette's colours), shoes, hats.
LOOKS = {
    "레트로": dict(count=483, palettes=("오렌지 브라운 옐로우", "브라운 베이지 오렌지", "옐로우 그린 브라운", "와인 옐로우 베이지", "민트 오렌지 브라운"),
        outfits=((("disco_shirt", "rings waves", "012"), ("bell_pants", "corduroy", "102")), (("mod_dress", "rings waves", "012"),),
                 (("disco_shirt", "waves rings", "210"), ("bell_pants", "corduroy", "012"))), shoes="boots heels", hats="none none glasses"),
    "로맨틱": dict(count=5537, palettes=("핑크 화이트 레드", "화이트 핑크 그린", "라벤더 화이트 핑크", "베이지 핑크 화이트", "스카이블루 화이트 핑크"),
        outfits=((("ruffle_dress", "floral", "012"),), (("lace_dress", "lace", "012"),),
                 (("ruffle_blouse", "lace floral", "102"), ("maxi_skirt", "floral", "012"))), shoes="heels sandals", hats="none none ribbon"),
    "리조트": dict(count=6471, palettes=("화이트 그린 스카이블루", "스카이블루 화이트 그린", "옐로우 그린 오렌지", "오렌지 화이트 그린", "민트 그린 핑크"),
        outfits=((("sun_dress", "tropical bloom", "012"),), (("aloha", "tropical", "012"), ("shorts", "linen", "102")),
                 (("off_dress", "tropical bloom", "012"),)), shoes="sandals", hats="straw straw none shades"),
    "매니시": dict(count=478, palettes=("그레이 화이트 네이비", "네이비 화이트 와인", "블랙 화이트 그레이", "브라운 베이지 네이비", "베이지 화이트 브라운"),
        outfits=((("tie_shirt", "solid", "120"), ("wide_pants", "pinstripe", "010"), ("power_blazer", "pinstripe", "010")),
                 (("tie_shirt", "solid", "120"), ("slacks", "pinstripe", "010"), ("blazer", "pinstripe", "010"))), shoes="loafers", hats="none fedora"),
    "모던": dict(count=5281, palettes=("블랙 화이트 그레이", "화이트 블랙 베이지", "그레이 블랙 화이트", "베이지 블랙 화이트", "네이비 화이트 그레이"),
        outfits=((("turtle", "solid", "000"), ("slacks", "solid", "000"), ("long_coat", "solid", "111")), (("plain_dress", "solid", "000"),),
                 (("turtle", "solid", "111"), ("slacks", "solid", "000"), ("long_vest", "solid", "000"))), shoes="loafers heels", hats="none none shades"),
    "밀리터리": dict(count=154, palettes=("카키 그린 브라운", "카키 베이지 블랙", "그린 카키 베이지", "브라운 카키 베이지"),
        outfits=((("tee", "solid", "222"), ("cargo", "camo", "012"), ("field_jacket", "solid canvas", "000")),
                 (("tee", "solid", "111"), ("cargo", "canvas", "000"), ("field_jacket", "camo", "012")), (("jumpsuit", "camo", "012"),)), shoes="boots", hats="none cap"),
    "섹시": dict(count=431, palettes=("블랙 레드 골드", "레드 블랙 골드", "와인 블랙 골드", "베이지 브라운 블랙", "골드 브라운 블랙"),
        outfits=((("body_dress", "leopard", "012"),), (("slit_dress", "satin", "012"),),
                 (("corset", "satin", "120"), ("mini_skirt", "leopard", "012")), (("off_top", "satin", "120"), ("mini_skirt", "leopard", "012"))),
        shoes="heels tall", hats="none"),
    "소피스트케이티드": dict(count=2097, palettes=("화이트 블랙 골드", "와인 베이지 골드", "네이비 화이트 골드", "베이지 브라운 골드", "블랙 화이트 골드"),
        outfits=((("sheath", "tweed", "012"),), (("turtle", "solid", "111"), ("pencil", "tweed", "012"), ("peplum", "tweed", "012"))), shoes="heels", hats="none"),
    "스트리트": dict(count=28286, palettes=("블랙 화이트 레드", "그레이 블랙 오렌지", "화이트 블랙 블루", "네온 블랙 화이트", "퍼플 화이트 블랙", "블루 화이트 블랙"),
        outfits=((("hoodie", "solid", "012"), ("joggers", "solid", "100")), (("big_tee", "letters", "012"), ("joggers", "solid", "100")),
                 (("windbreaker", "letters", "012"), ("big_tee", "solid", "120"), ("joggers", "solid", "100"))), shoes="sneakers", hats="cap beanie none"),
    "스포티": dict(count=1033, palettes=("블루 화이트 네온", "레드 화이트 블랙", "네온 블랙 화이트", "핑크 화이트 블랙", "오렌지 화이트 블랙"),
        outfits=((("bra_top", "mesh", "010"), ("leggings", "solid", "010"), ("track_jacket", "solid", "012")), (("bra_top", "mesh", "010"), ("sport_shorts", "solid", "010"), ("track_jacket", "solid", "012")),
                 (("tee", "solid", "111"), ("track_jacket", "solid", "012"), ("track_pants", "solid", "012"))), shoes="sneakers", hats="none cap band"),
    "아방가르드": dict(count=261, palettes=("블랙 화이트 그레이", "화이트 블랙 레드", "그레이 블랙 화이트", "블랙 와인 화이트"),
        outfits=((("slab_dress", "slabs", "012"),), (("slab_top", "slabs", "102"), ("slab_skirt", "slabs", "012")),
                 (("cape", "slabs", "012"), ("slab_skirt", "slabs", "102"))), shoes="boots tall", hats="none disc"),
    "오리엔탈": dict(count=308, palettes=("레드 골드 네이비", "화이트 레드 네이비", "민트 골드 와인", "네이비 골드 레드", "핑크 골드 퍼플"),
        outfits=((("qipao", "clouds", "012"),), (("jeogori", "clouds", "012"), ("hanbok_skirt", "medallion", "120")),
                 (("qipao_top", "medallion", "012"), ("maxi_skirt", "clouds", "120"))), shoes="loafers heels", hats="none pin"),
    "웨스턴": dict(count=105, palettes=("브라운 베이지 블루", "베이지 브라운 네이비", "브라운 화이트 블루", "카키 브라운 블루"),
        outfits=((("west_shirt", "denim", "211"), ("jeans", "denim", "200"), ("fringe_jacket", "suede", "010")),
                 (("west_shirt", "plains", "120"), ("jeans", "denim", "200"), ("fringe_jacket", "suede", "010"))), shoes="tall", hats="cowboy cowboy none"),
    "젠더리스": dict(count=687, palettes=("베이지 화이트 브라운", "그레이 화이트 블랙", "라벤더 그레이 화이트", "민트 화이트 그레이", "스카이블루 네이비 화이트"),
        outfits=((("box_shirt", "halves", "010"), ("half_pants", "solid", "000")), (("long_shirt", "halves", "010"), ("wide_pants", "solid", "000")),
                 (("long_shirt", "halves", "100"), ("half_pants", "solid", "111"))), shoes="loafers sneakers", hats="none"),
    "컨트리": dict(count=2255, palettes=("레드 화이트 베이지", "그린 화이트 베이지", "브라운 화이트 베이지", "블루 화이트 베이지", "옐로우 화이트 베이지"),
        outfits=((("gingham_dress", "gingham", "012"),), (("ruffle_blouse", "gingham", "012"), ("maxi_skirt", "linen", "222")),
                 (("shirt_dress", "gingham", "012"),)), shoes="boots loafers", hats="straw none none"),
    "클래식": dict(count=2292, palettes=("베이지 브라운 화이트", "브라운 베이지 화이트", "그레이 블랙 화이트", "네이비 베이지 화이트", "블랙 베이지 화이트"),
        outfits=((("knit", "solid", "222"), ("slacks", "houndstooth", "021"), ("trench", "solid", "000")), (("shirt", "solid", "222"), ("pleated_midi", "houndstooth", "021"), ("cardigan", "ribbed", "000")),
                 (("shirt", "solid", "222"), ("slacks", "solid", "111"), ("blazer", "houndstooth", "021"))), shoes="loafers heels", hats="none none beret"),
    "키치": dict(count=316, palettes=("핑크 옐로우 스카이블루", "옐로우 핑크 퍼플", "네온 핑크 블루", "레드 옐로우 블루", "라벤더 네온 핑크"),
        outfits=((("cartoon_tee", "hearts", "012"), ("tutu", "candy", "120")), (("candy_dress", "hearts", "012"),),
                 (("cartoon_tee", "candy", "012"), ("pleated_mini", "hearts", "120"))), shoes="sneakers boots", hats="ribbon none none"),
    "톰보이": dict(count=457, palettes=("화이트 네이비 블루", "화이트 레드 블루", "그레이 블랙 네이비", "베이지 브라운 블루", "옐로우 화이트 블루"),
        outfits=((("tee", "breton", "012"), ("overalls", "denim", "200")), (("sweatshirt", "breton", "012"), ("ripped_jeans", "denim", "200"))),
        shoes="sneakers", hats="cap none beanie"),
    "펑크": dict(count=21, palettes=("블랙 레드 화이트", "블랙 퍼플 실버", "레드 블랙 실버", "블랙 그린 실버"),
        outfits=((("ripped_tee", "solid", "000"), ("pleated_mini", "tartan", "102"), ("biker", "leather", "000")),
                 (("ripped_tee", "zebra", "021"), ("slacks", "tartan", "102"), ("biker", "leather", "000"))), shoes="boots tall", hats="mohawk none"),
    "페미닌": dict(count=6325, palettes=("화이트 핑크 베이지", "핑크 와인 화이트", "스카이블루 화이트 네이비", "네이비 화이트 핑크", "라벤더 화이트 퍼플", "베이지 브라운 화이트"),
        outfits=((("blouse", "solid", "111"), ("flare_skirt", "dots", "012")), (("wrap_dress", "dots", "012"),), (("blouse", "dots", "012"), ("flare_skirt", "solid", "000"))),
        shoes="heels", hats="none none beret"),
    "프레피": dict(count=162, palettes=("네이비 와인 화이트", "그린 네이비 화이트", "와인 네이비 화이트", "네이비 옐로우 화이트"),
        outfits=((("tie_shirt", "solid", "210"), ("pleated_mini", "tartan", "102"), ("crest_blazer", "solid", "010")), (("knit_vest", "argyle", "012"), ("pleated_mini", "tartan", "102"))), shoes="loafers", hats="none"),
    "히피": dict(count=455, palettes=("오렌지 퍼플 옐로우", "브라운 옐로우 퍼플", "블루 오렌지 옐로우", "베이지 와인 민트", "핑크 스카이블루 옐로우"),
        outfits=((("tunic", "tiedye", "012"), ("bell_pants", "patchwork denim", "120")), (("boho_dress", "tiedye", "012"),),
                 (("tunic", "tiedye", "012"), ("bell_pants", "paisley patchwork", "120"), ("fringe_vest", "suede", "200"))), shoes="sandals boots", hats="band band none"),
    "힙합": dict(count=88, palettes=("블랙 화이트 골드", "레드 화이트 블랙", "화이트 네이비 레드", "옐로우 블랙 화이트", "실버 블랙 블루"),
        outfits=((("big_tee", "solid", "110"), ("baggy_jeans", "denim", "100"), ("puffer", "quilt", "000")), (("jersey", "jersey", "012"), ("baggy_jeans", "denim", "100"))),
        shoes="sneakers", hats="bucket cap"),
}
ALIASES = {"키치": "키치/키덜트", "펑크": "펑크/로커", "젠더리스": "젠더리스/젠더플루이드"}  # spellings that other releases use
JEWELLERY = {"힙합": "gold_chain", "펑크": "chain", "소피스트케이티드": "pearls"}
SHOPS = ("Maru", "Nabi", "Dalbit", "Onda", "Haneul", "Bomnal", "Garam", "Sollip", "Dotori", "Yeoul")


# ---------------------------------------------------------------------------------------------------------------- prints (tiles)
# A print turns three colours into one periodic tile, uint8 RGB (TILE, TILE, 3).
def _flat(colour):
    return np.full((TILE, TILE, 3), colour, np.uint8)


def _mix(first, second, share):
    return tuple(int(round(a + (b - a) * share)) for a, b in zip(first, second))


def _dark(colour, share=0.35):
    return _mix(colour, (18, 14, 22), share)


def _light(colour, share=0.35):
    return _mix(colour, (255, 255, 255), share)


def _fix(points):
    return np.round(np.asarray(points, np.float64) * (1 << FIX)).astype(np.int32)


def _fill(pixels, points, colour):
    cv2.fillPoly(pixels, [_fix(points)], tuple(map(int, colour)), cv2.LINE_AA, FIX)


def _stroke(pixels, points, colour, width=1.0, closed=False):
    cv2.polylines(pixels, [_fix(points)], closed, tuple(map(int, colour)), max(1, int(round(width))), cv2.LINE_AA, FIX)


def _disc(pixels, centre, radius, colour, thickness=-1):
    cv2.circle(pixels, tuple(int(v) for v in _fix(centre)), int(radius * (1 << FIX)), tuple(map(int, colour)), thickness, cv2.LINE_AA, FIX)


def _wrapped(draw, x, y, reach):
    """Calls `draw(x, y)` again across the tile's edges, so that the tile stays periodic."""
    for dx in (-TILE, 0, TILE):
        for dy in (-TILE, 0, TILE):
            if -reach < x + dx < TILE + reach and -reach < y + dy < TILE + reach:
                draw(x + dx, y + dy)


def _scatter(rng, count, jitter=0.28):
    """About `count` points of a jittered grid, in tile pixels."""
    side = max(1, int(round(count ** 0.5)))
    step = TILE / side
    return [((i + 0.5 * (j % 2) + 0.25 + rng.uniform(-jitter, jitter)) * step, (j + 0.5 + rng.uniform(-jitter, jitter)) * step)
            for j in range(side) for i in range(side)]


def _noise(rng, cells, low=0.0, high=1.0):
    """Periodic smooth noise, float (TILE, TILE) in low..high."""
    small = rng.uniform(low, high, (cells, cells)).astype(np.float32)
    small = np.pad(small, 2, mode="wrap")
    step = TILE // cells
    return cv2.resize(small, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)[2 * step:2 * step + TILE, 2 * step:2 * step + TILE]


def _tinted(colour, gain):
    return np.clip(np.asarray(colour, np.float32) * gain[..., None], 0, 255).astype(np.uint8)


def _grid(period_x, period_y):
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32)
    return (x / period_x) % 1, (y / period_y) % 1


def _bands(colours, period, axis=0):
    """Equal bands of the colours, `period` tile pixels together."""
    x, y = _grid(period, period)
    return np.asarray(colours, np.uint8)[((y, x)[axis] * len(colours)).astype(int) % len(colours)]


def solid(a, b, c, rng):
    return _tinted(a, 1 + 0.03 * (_noise(rng, 16) - 0.5))


def canvas(a, b, c, rng):
    x, y = _grid(4, 4)
    return _tinted(a, 0.94 + 0.08 * ((x < 0.5) ^ (y < 0.5)) + 0.1 * (_noise(rng, 32) - 0.5))


def linen(a, b, c, rng):
    threads = rng.uniform(0.93, 1.05, (TILE, 1)) * rng.uniform(0.93, 1.05, (1, TILE))
    return _tinted(a, threads)


def ribbed(a, b, c, rng):
    x, _ = _grid(16, 16)
    return _tinted(a, 0.86 + 0.2 * np.abs(x - 0.5) * 2)


def corduroy(a, b, c, rng):
    x, _ = _grid(10.667, 10)
    return _tinted(a, 0.76 + 0.32 * np.sin(np.pi * x))


def denim(a, b, c, rng):
    blue = _mix(a, (66, 98, 150), 0.80)
    y, x = np.mgrid[0:TILE, 0:TILE]
    twill = ((x + y) % 4 < 2) * 0.10
    return _tinted(blue, 0.86 + twill + 0.30 * (_noise(rng, 4) - 0.4) + rng.normal(0, 0.05, (TILE, TILE)))


def leather(a, b, c, rng):
    shine = np.clip(_noise(rng, 8) - 0.55, 0, 1) * 2.2 + np.clip(_noise(rng, 16) - 0.7, 0, 1) * 1.6
    return np.clip(np.asarray(_dark(a, 0.4), np.float32) + 150 * shine[..., None], 0, 255).astype(np.uint8)


def suede(a, b, c, rng):
    return _tinted(a, 0.86 + 0.30 * _noise(rng, 16) * _noise(rng, 64) + rng.normal(0, 0.03, (TILE, TILE)))


def satin(a, b, c, rng):
    y, x = np.mgrid[0:TILE, 0:TILE] * (2 * np.pi / TILE)
    sheen = np.clip(np.sin(2 * x + y + 1.5 * np.sin(y)), 0, 1) ** 3
    return np.clip(np.asarray(a, np.float32) * 0.86 + 105 * sheen[..., None], 0, 255).astype(np.uint8)


def tweed(a, b, c, rng):
    flecks = rng.choice(4, (64, 64), p=(0.50, 0.26, 0.14, 0.10))
    tile = np.asarray((a, _mix(a, b, 0.6), _mix(a, c, 0.8), _dark(a)), np.uint8)[flecks]
    tile[::16, :], tile[:, ::16] = _mix(a, b, 0.8), _mix(a, b, 0.8)
    return cv2.resize(tile, (TILE, TILE), interpolation=cv2.INTER_NEAREST)


def mesh(a, b, c, rng):
    tile = _flat(a)
    for x, y in ((i * 16 + 8 * (j % 2), j * 16) for i in range(17) for j in range(17)):
        _disc(tile, (x, y), 3.5, _dark(a, 0.45))
    return tile


def lace(a, b, c, rng):
    tile = _flat(_mix(_light(a, 0.2), b, 0.2))
    thread = _dark(a, 0.30)
    for k in range(0, 2 * TILE, 16):
        _stroke(tile, [(k, 0), (k - TILE, TILE)], thread)
        _stroke(tile, [(k - TILE, 0), (k, TILE)], thread)
    for x, y in _scatter(rng, 16, 0.1):
        for turn in range(8):
            angle = turn * np.pi / 4
            _wrapped(lambda u, v: _disc(tile, (u + 13 * np.cos(angle), v + 13 * np.sin(angle)), 7, _light(a, 0.8)), x, y, 24)
        _wrapped(lambda u, v: _disc(tile, (u, v), 5, thread), x, y, 24)
    return tile


def pinstripe(a, b, c, rng):
    tile = solid(a, b, c, rng)
    line = _mix(a, b if sum(np.abs(np.subtract(a, b))) > 150 else (255, 255, 255), 0.75)
    for x in np.arange(8, TILE, 32):
        tile[:, int(x):int(x) + 5] = line
    return tile


def plains(a, b, c, rng):
    return _plaid(a, b, c, 64)


def tartan(a, b, c, rng):
    return _plaid(a, b, c, 85.33)


def _plaid(a, b, c, period):
    """Wide bars of `b` and thin lines of `c`, woven over `a`."""
    x, y = _grid(period, period)
    tile = _flat(a).astype(np.float32)
    for share in (x, y):
        bar = ((share > 0.10) & (share < 0.50))[..., None]
        tile = np.where(bar, tile * 0.5 + np.asarray(_dark(b, 0.15), np.float32) * 0.5, tile)
    for share in (x, y):
        tile = np.where(((share > 0.70) & (share < 0.77))[..., None], np.asarray(c, np.float32), tile)
    return tile.astype(np.uint8)


def gingham(a, b, c, rng):
    x, y = _grid(42.667, 42.667)
    cover = ((x < 0.5) * 0.5 + (y < 0.5) * 0.5)[..., None]
    return (np.asarray(_light(b, 0.4), np.float32) * (1 - cover) + np.asarray(a, np.float32) * cover).astype(np.uint8)


def houndstooth(a, b, c, rng):
    y, x = np.mgrid[0:8, 0:8]
    warp, weft = x < 4, y < 4
    twill = (x + y) % 4 < 2
    tooth = np.where(warp == weft, warp, np.where(twill, warp, weft))
    dark, pale = sorted((a, _light(b, 0.4)), key=sum)
    tile = np.where(tooth[..., None], np.uint8(_dark(dark, 0.3)), np.uint8(pale))
    return cv2.resize(np.tile(tile, (7, 7, 1)), (TILE, TILE), interpolation=cv2.INTER_AREA)


def argyle(a, b, c, rng):
    tile = _flat(a)
    w, h = 64, 85.33
    for j in range(-1, 7):
        for i in range(-1, 5):
            x, y = i * w + (w / 2) * (j % 2), j * h / 2
            _fill(tile, [(x, y - h / 2), (x + w / 2, y), (x, y + h / 2), (x - w / 2, y)], (a, b)[(j % 2)])
    for k in range(-5, 10):
        _stroke(tile, [(k * w, -h), (k * w + 4 * w, 3 * h + h)], c, 3)
        _stroke(tile, [(k * w, -h), (k * w - 4 * w, 3 * h + h)], c, 3)
    return tile


def breton(a, b, c, rng):
    _, y = _grid(36.57, 36.57)
    return np.where((y < 0.42)[..., None], np.uint8(b), np.uint8(_light(a, 0.3)))


def candy(a, b, c, rng):
    return _bands((a, _light(b, 0.1), c, (250, 248, 244)), 85.33, 1)


def jersey(a, b, c, rng):
    x, _ = _grid(64, 64)
    return np.where((np.abs(x - 0.5) < 0.10)[..., None], np.uint8(b), np.uint8(a))


def halves(a, b, c, rng):
    x, _ = _grid(TILE, TILE)
    return np.where((x < 0.5)[..., None], np.uint8(a), np.uint8(_mix(a, _dark(b, 0.35), 0.8)))


def dots(a, b, c, rng):
    tile = _flat(a)
    ink = b if sum(np.abs(np.subtract(a, b))) > 120 else c
    for j in range(8):
        for i in range(8):
            _wrapped(lambda u, v: _disc(tile, (u, v), 8.5, ink), i * 32 + 16 * (j % 2), j * 32 + 16, 12)
    return tile


def hearts(a, b, c, rng):
    tile = _flat(a)
    for k, (x, y) in enumerate(_scatter(rng, 16, 0.12)):
        _wrapped(lambda u, v: _heart(tile, u, v, 17, (b, c, (250, 250, 250))[k % 3]), x, y, 30)
    return tile


def _heart(pixels, x, y, size, colour):
    turn = np.linspace(0, 2 * np.pi, 24)
    across, down = 16 * np.sin(turn) ** 3, -(13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn))
    _fill(pixels, np.stack([x + across * size / 16, y + down * size / 16], 1), colour)


def rings(a, b, c, rng):
    tile = _flat(a)
    for j in range(3):
        for i in range(3):
            x, y = (i + 0.5 * (j % 2)) * 85.33 + 20, j * 85.33 + 42
            for radius, colour in ((40, b), (29, c), (18, a), (9, b)):
                _wrapped(lambda u, v: _disc(tile, (u, v), radius, colour), x, y, 44)
    return tile


def waves(a, b, c, rng):
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32)
    phase = (y / TILE * 2 + 0.22 * np.sin(x * 4 * np.pi / TILE)) % 1
    return np.asarray((a, b, c, _light(b, 0.3)), np.uint8)[(phase * 4).astype(int) % 4]


def floral(a, b, c, rng):
    tile = _flat(_light(a, 0.15))
    leaf = _mix(COLOURS["그린"], a, 0.25)
    for k, (x, y) in enumerate(_scatter(rng, 36)):
        _wrapped(lambda u, v: _flower(tile, u, v, 9, (b, c)[k % 2], leaf), x, y, 20)
    return tile


def bloom(a, b, c, rng):
    tile = _flat(a)
    angles = rng.uniform(0, 2 * np.pi, 9)
    for k, (x, y) in enumerate(_scatter(rng, 9, 0.15)):
        _wrapped(lambda u, v: _leaf(tile, u, v, 76, angles[k], _mix(COLOURS["그린"], b, 0.3)), x + 30, y + 26, 64)
        _wrapped(lambda u, v: _flower(tile, u, v, 24, (b, c)[k % 2], None), x, y, 44)
    return tile


def _flower(pixels, x, y, size, colour, leaf):
    if leaf is not None:
        _stroke(pixels, [(x - size * 1.6, y + size * 1.2), (x, y)], leaf, size * 0.5)
    for turn in np.arange(5) * 2 * np.pi / 5:
        _disc(pixels, (x + 0.75 * size * np.sin(turn), y - 0.75 * size * np.cos(turn)), size * 0.62, colour)
    _disc(pixels, (x, y), size * 0.4, (250, 222, 120))


def _leaf(pixels, x, y, size, angle, colour):
    t = np.linspace(0, np.pi, 8)
    along = np.concatenate([-np.cos(t), np.cos(t)]) * size / 2
    across = np.concatenate([np.sin(t), -np.sin(t)]) * size / 5
    c, s = np.cos(angle), np.sin(angle)
    _fill(pixels, np.stack([x + along * c - across * s, y + along * s + across * c], 1), colour)
    _stroke(pixels, [(x - c * size / 2, y - s * size / 2), (x + c * size / 2, y + s * size / 2)], _dark(colour), 1)


def tropical(a, b, c, rng):
    tile = _flat(a)
    green = COLOURS["그린"] if sum(np.abs(np.subtract(a, COLOURS["그린"]))) > 120 else _light(COLOURS["그린"], 0.5)
    for k, (x, y) in enumerate(_scatter(rng, 9, 0.18)):
        first = rng.uniform(0, 2 * np.pi)
        for fan in range(5):
            angle = first + (fan - 2) * 0.5
            _wrapped(lambda u, v: _leaf(tile, u + 26 * np.cos(angle), v + 26 * np.sin(angle), 56, angle, (green, _dark(green, 0.3), c)[k % 3]), x, y, 70)
    return tile


def paisley(a, b, c, rng):
    tile = _flat(a)
    turn = np.linspace(0, 2 * np.pi, 20)
    for k, (x, y) in enumerate(_scatter(rng, 16, 0.12)):
        side = 1 if k % 2 else -1
        for scale, colour in ((1.0, b), (0.66, c), (0.32, a)):
            drop = np.stack([side * scale * (15 * np.sin(turn) + 16 * np.clip(np.cos(turn), 0, 1) ** 2), scale * (-24 * np.cos(turn))], 1)
            _wrapped(lambda u, v: _fill(tile, drop + (u, v), colour), x, y, 40)
    return tile


def tiedye(a, b, c, rng):
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32) - TILE / 2
    radius, angle = np.hypot(x, y) / (TILE / 2), np.arctan2(y, x)
    phase = (radius * 2.0 + angle / np.pi + 0.18 * (_noise(rng, 8) - 0.5)) % 1
    colours = np.asarray((a, (248, 244, 238), b, c, a), np.float32)
    at = phase * 4
    low = at.astype(int).clip(0, 3)
    part = (at - low)[..., None]
    return (colours[low] * (1 - part) + colours[low + 1] * part).astype(np.uint8)


def patchwork(a, b, c, rng):
    tile = _flat(a)
    side = 64
    for j in range(4):
        for i in range(4):
            patch = tile[j * side:(j + 1) * side, i * side:(i + 1) * side]
            patch[:] = (a, b, c, _light(a), _dark(b, 0.2))[rng.integers(5)]
            if rng.random() < 0.5:
                for k in range(8, 64, 18):
                    _disc(patch, (k, k), 6, _light(c)), _disc(patch, (64 - k, k), 6, _light(c))
            cv2.rectangle(patch, (2, 2), (61, 61), (250, 240, 220), 1)
    return tile


def camo(a, b, c, rng):
    tile = _flat(_mix(a, COLOURS["베이지"], 0.35))
    for colour, cut in ((_mix(b, COLOURS["카키"], 0.5), 0.52), (_mix(c, COLOURS["브라운"], 0.5), 0.62), ((44, 46, 38), 0.70)):
        tile[_noise(rng, 8) * 0.75 + _noise(rng, 16) * 0.25 > cut] = colour
    return tile


def leopard(a, b, c, rng):
    coat = _mix(a, (214, 160, 92), 0.75)
    tile = _flat(coat)
    for x, y in _scatter(rng, 49, 0.2):
        size, turn = rng.uniform(9, 13), rng.uniform(0, 360)
        _wrapped(lambda u, v: (_disc(tile, (u, v), size * 0.7, _dark(coat, 0.35)),
                               cv2.ellipse(tile, (int(u), int(v)), (int(size), int(size * 0.8)), turn, 0, 250, (38, 26, 24), 6, cv2.LINE_AA)), x, y, 20)
    return tile


def zebra(a, b, c, rng):
    y, x = np.mgrid[0:TILE, 0:TILE] / TILE
    stripes = np.sin(2 * np.pi * (6 * y + 0.9 * np.sin(4 * np.pi * x) + 0.7 * _noise(rng, 8)))
    return np.where((stripes > 0)[..., None], np.uint8((28, 26, 30)), np.uint8(_light(b, 0.5)))


def letters(a, b, c, rng):
    tile = _flat(a)
    for row, words in enumerate(("WAVE 99", "SEOUL", "NO RULE", "FRESH")):
        _text(tile, words, 128 + 40 * (row % 2) - 20, row * 64 + 32, 40, (b, c)[row % 2], 8)
    return tile


def _text(pixels, words, x, y, height, colour, width):
    scale = height / 22
    (wide, tall), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, int(width))
    cv2.putText(pixels, words, (int(x - wide / 2), int(y + tall / 2)), cv2.FONT_HERSHEY_SIMPLEX, scale, tuple(map(int, colour)), int(width), cv2.LINE_AA)


def quilt(a, b, c, rng):
    _, y = _grid(51.2, 51.2)
    gain = 0.50 + 0.65 * np.sin(np.pi * y) ** 0.7 + 0.25 * np.clip(np.sin(np.pi * (y + 0.22)), 0, 1) ** 8
    return np.clip(np.asarray(_light(a, 0.12), np.float32) * gain[..., None] + 26 * (np.abs(y - 0.3) < 0.12)[..., None], 0, 255).astype(np.uint8)


def clouds(a, b, c, rng):
    tile = _flat(a)
    for j in range(0, 13):
        for i in range(-1, 6):
            x, y = i * 51.2 + 25.6 * (j % 2), j * 21.33
            for radius, colour in ((26, _dark(b, 0.1)), (22, a), (16, b), (11, a), (6, c)):
                _disc(tile, (x, y), radius, colour)
    return tile


def medallion(a, b, c, rng):
    tile = _flat(a)
    for x, y in ((64, 64), (192, 192)):
        _disc(tile, (x, y), 50, b)
        _disc(tile, (x, y), 43, _mix(a, b, 0.25))
        for ring, size in ((26, 13), (12, 9)):
            for turn in np.arange(8) * np.pi / 4:
                _disc(tile, (x + ring * np.cos(turn), y + ring * np.sin(turn)), size, (b, c)[ring == 12])
    for x, y in ((192, 64), (64, 192)):
        _flower(tile, x, y, 15, b, None)
    return tile


def slabs(a, b, c, rng):
    tile = _flat(a)
    x0, tilt = rng.uniform(0, 60), rng.uniform(50, 120)
    for x, width, colour in ((20, 70, b), (108, 22, c), (150, 48, _dark(b, 0.15))):
        for shift in (-2 * TILE, -TILE, 0, TILE):
            x1 = x + x0 + shift
            _fill(tile, [(x1, 0), (x1 + width, 0), (x1 + width * 0.4 + TILE, TILE), (x1 + TILE - width * 0.1 * tilt / 100, TILE)], colour)
    return tile


# print -> (tile, K-Fashion's name of the print, materials)
PRINTS = {
    "solid": (solid, "무지", ("우븐",)), "canvas": (canvas, "무지", ("우븐",)), "linen": (linen, "무지", ("린넨",)), "ribbed": (ribbed, "무지", ("니트",)),
    "corduroy": (corduroy, "무지", ("코듀로이",)), "denim": (denim, "무지", ("데님",)), "leather": (leather, "무지", ("가죽",)), "suede": (suede, "무지", ("스웨이드",)),
    "satin": (satin, "무지", ("실크",)), "tweed": (tweed, "믹스", ("트위드",)), "mesh": (mesh, "무지", ("메시", "스판덱스")), "lace": (lace, "무지", ("레이스", "우븐")),
    "pinstripe": (pinstripe, "스트라이프", ("울/캐시미어",)), "plains": (plains, "체크", ("우븐",)),
    "tartan": (tartan, "체크", ("울/캐시미어",)), "gingham": (gingham, "깅엄", ("린넨", "우븐")), "houndstooth": (houndstooth, "하운즈투스", ("울/캐시미어",)),
    "argyle": (argyle, "아가일", ("니트",)), "breton": (breton, "스트라이프", ("저지",)), "candy": (candy, "스트라이프", ("저지",)),
    "jersey": (jersey, "스트라이프", ("메시",)), "halves": (halves, "믹스", ("우븐",)), "dots": (dots, "도트", ("시폰",)), "hearts": (hearts, "하트", ("저지",)),
    "rings": (rings, "그래픽", ("저지",)), "waves": (waves, "지그재그", ("저지",)), "floral": (floral, "플로럴", ("시폰",)), "bloom": (bloom, "플로럴", ("시폰",)),
    "tropical": (tropical, "플로럴", ("린넨",)), "paisley": (paisley, "페이즐리", ("우븐",)), "tiedye": (tiedye, "타이다이", ("우븐",)),
    "patchwork": (patchwork, "믹스", ("데님", "우븐")), "camo": (camo, "카무플라쥬", ("우븐",)), "leopard": (leopard, "호피", ("벨벳",)), "zebra": (zebra, "지브라", ("저지",)),
    "letters": (letters, "레터링", ("저지",)), "quilt": (quilt, "무지", ("패딩",)), "clouds": (clouds, "그래픽", ("자카드", "실크")),
    "medallion": (medallion, "플로럴", ("자카드", "실크")), "slabs": (slabs, "그래픽", ("네오프렌",)),
}


# ---------------------------------------------------------------------------------------------------------------- figure geometry
def _smooth(points, closed=False, steps=5):
    """Catmull-Rom curve through `points`; a point given twice is a corner."""
    points = np.asarray(points, np.float64)
    if closed:
        points = np.concatenate([points[-1:], points, points[:2]])
    else:
        points = np.concatenate([points[:1], points, points[-1:]])
    t = (np.arange(steps) / steps)[None, :, None]
    p0, p1, p2, p3 = (points[i:len(points) - 3 + i, None] for i in range(4))
    curve = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t ** 2 + (3 * p1 - p0 - 3 * p2 + p3) * t ** 3)
    corner = (p1 == p2).all(-1)
    curve = np.where(corner[..., None], p1, curve).reshape(-1, 2)  # a zero-length piece would curl into an ear
    return curve if closed else np.concatenate([curve, points[-1:]])


def _mirrored(right):
    """Closed outline from its right half, which starts and ends on the middle line."""
    right = np.asarray(right)
    return np.concatenate([right, right[::-1] * (-1, 1)])


def _limb(path, widths, cap=False):
    """Outline of a limb: half `widths` at the points of `path`, smoothed; `cap` rounds its start, as a shoulder is."""
    path, widths = _smooth(path, steps=6), np.asarray(widths, np.float64)
    widths = np.interp(np.linspace(0, 1, len(path)), np.linspace(0, 1, len(widths)), widths)
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], 1) * widths[:, None]
    sides = [path + across, (path - across)[::-1]]
    if cap:
        turn = np.linspace(0, np.pi, 8)[1:-1, None]
        sides.append(path[0] - across[0] * np.cos(turn) - along[0] * widths[0] * np.sin(turn))
    return np.concatenate(sides)


def _part_of(path, share):
    """The first `share` of a path's length, as 7 points."""
    path = _smooth(path, steps=8)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0, min(share, 1.06), 7) * length[-1]
    last = path[-1] + (path[-1] - path[-2]) / max(length[-1] - length[-2], 1e-9) * np.maximum(at - length[-1], 0)[:, None]
    inside = np.stack([np.interp(at, length, path[:, 0]), np.interp(at, length, path[:, 1])], 1)
    return np.where((at > length[-1])[:, None], last, inside)


def _step(start, angle, length, side):
    return (start[0] + side * length * np.sin(np.radians(angle)), start[1] + length * np.cos(np.radians(angle)))


def _arm(body, angles, side):
    shoulder = (side * (body["shoulder"] - 0.012), 0.198)
    elbow = _step(shoulder, angles[0], 0.150, side)
    return [shoulder, elbow, _step(elbow, angles[1], 0.140, side)]


def _leg(body, angles, side):
    hip = (side * body["hip"] * 0.52, 0.485)
    knee = _step(hip, angles[0], 0.235, side)
    return [hip, knee, _step(knee, angles[1], 0.225, side)]


# Necklines: points from the middle to the shoulder seam, and whether the shoulder is covered.
NECKS = {
    "round": (((0, 0.192), (0.026, 0.182), (0.036, 0.160)), True), "shirt": (((0, 0.180), (0.020, 0.168), (0.030, 0.156)), True),
    "vee": (((0, 0.235), (0.020, 0.195), (0.036, 0.158)), True), "plunge": (((0, 0.300), (0.030, 0.220), (0.044, 0.168)), False),
    "boat": (((0, 0.176), (0.040, 0.174), (0.064, 0.167)), True), "square": (((0, 0.212), (0.052, 0.212), (0.052, 0.212), (0.056, 0.166)), True),
    "turtle": (((0, 0.138), (0.026, 0.138), (0.032, 0.158)), True), "mandarin": (((0, 0.146), (0.024, 0.143), (0.033, 0.160)), True),
    "hood": (((0, 0.190), (0.028, 0.178), (0.044, 0.158)), True), "strap": (((0, 0.236), (0.034, 0.228), (0.052, 0.205)), False),
    "off": (((0, 0.222), (0.060, 0.218), (0.100, 0.212)), False), "sweetheart": (((0, 0.238), (0.030, 0.216), (0.056, 0.224)), False),
    "bib": (((0, 0.250), (0.050, 0.250), (0.050, 0.250)), False),
}
NECK_NAMES = {"round": "라운드넥", "shirt": "노카라", "vee": "브이넥", "plunge": "브이넥", "boat": "보트넥", "square": "스퀘어넥", "turtle": "터틀넥",
              "mandarin": "노카라", "hood": "후드", "strap": "스퀘어넥", "off": "오프숄더", "sweetheart": "스위트하트", "bib": "스퀘어넥"}
COLLAR_NAMES = {"collar": "셔츠칼라", "big_collar": "셔츠칼라", "lapels": "테일러드칼라", "bow": "보우칼라", "frog": "차이나칼라"}
DETAIL_NAMES = {"buttons": "단추", "buttons2": "단추", "double": "더블브레스티드", "belt": "띠", "sash": "띠", "ruffle_neck": "러플", "tiers": "프릴", "bow": "리본",
                "pockets": "포켓", "chest_pocket": "포켓", "cargo": "포켓", "flaps": "포켓", "kangaroo": "포켓", "zip": "지퍼", "zips": "지퍼", "studs": "스터드",
                "fringe_hem": "프린지", "fringe_yoke": "프린지", "fringe_sleeves": "프린지", "pleats": "플리츠", "slit": "슬릿", "thigh_slit": "슬릿",
                "cutouts": "컷아웃", "laces": "레이스업", "rips": "디스트로이드", "goreum": "리본", "strings": "스트링", "crest": "자수", "slashes": "비대칭",
                "turn_ups": "롤업", "drape": "셔링", "flounce": "플레어", "folds": "플레어"}


def _half_bodice(cut, body, hem, hem_width):
    """Right half of a bodice's outline, neck to hem, middle line to middle line."""
    ease, tip = cut.get("ease", 0.01), cut.get("shoulder", 0)
    neck, covered = NECKS[cut.get("neck", "round")]
    chest, waist = body["chest"] + 0.004 + ease, body["waist"] + 0.004 + ease * 1.15 + cut.get("waist_ease", 0)
    points = list(neck)
    if covered:
        end = (body["shoulder"] + 0.006 + ease * 0.5 + tip, 0.187 + ease * 0.15)
        points += [end, end] if cut.get("sleeve", 0) else [(body["shoulder"] * 0.86 + tip, 0.178)] * 2
    points += [(chest, 0.262 + ease * 0.4)]
    if hem > 0.40:
        points += [(waist, 0.382)]
    if hem > 0.50:
        points += [(max(body["hip"] + 0.008 + ease * 0.8, waist), 0.475)]
    points += [(hem_width, hem), (hem_width, hem), (hem_width * 0.5, hem + 0.006), (0, hem + 0.008)]
    return _smooth(points)


def _skirt(cut, body, top):
    """Closed outline of a skirt, waist to hem; `skew` lets the hem run aslant."""
    hem, waist, hip = cut["length"], body["waist"] + 0.006 + cut.get("waist_ease", 0), body["hip"] + 0.008
    spread = max(hip + cut["flare"] * (hem - 0.42), hip * 0.72)
    tight = cut["flare"] < 0.25
    skew = cut.get("skew", 0)
    side = [(waist, top)] * 2 + ([(hip, 0.470)] if tight else [(waist + (spread - waist) * 0.42, top + (hem - top) * 0.33)])
    right = side + [(spread, hem + skew * spread)] * 2
    left = [(-x, y) for x, y in side] + [(-spread, hem - skew * spread)] * 2
    ripple = [(spread * k, hem + skew * spread * k + 0.012 * (1 - k * k) + 0.004 * np.sin(9 * k)) for k in (0.6, 0.2, -0.2, -0.6)]
    return np.concatenate([_smooth(right + ripple + left[::-1])])


def _trousers(cut, body, legs, top=0.375):
    """Pelvis, right leg, left leg."""
    thigh, knee, hem = cut["legs"]
    waist, hip, drop = body["waist"] + 0.008, body["hip"] + 0.006 + max(thigh - 0.046, 0) * 0.6, cut.get("drop", 0)
    pelvis = _mirrored(_smooth([(0, top), (waist, top), (waist, top), (hip, 0.465), (hip + 0.002, 0.52 + drop), (0.02, 0.545 + drop), (0, 0.540 + drop)]))
    pieces = [pelvis]
    for side in (1, -1):
        hip_joint, knee_joint, ankle = legs[side]
        path = _part_of([(side * (hip - thigh + 0.002), 0.485), knee_joint, ankle], cut["length"])
        reach = np.interp(np.linspace(0, cut["length"], 7), (0, 0.15, 0.5, 1.06), (thigh * 0.92, thigh, knee, hem))
        pieces.append(_limb(path, reach))
    return pieces


def _sleeve(cut, arm):
    share, wide, puff = cut["sleeve"], cut.get("wide", 1.0), cut.get("puff", 1.0)
    base = 0.030 + cut.get("ease", 0.01) * 0.45
    at = np.linspace(0, 1, 7)
    widths = base * (1 - 0.30 * at * share) * (1 + (puff - 1) * np.sin(np.pi * np.clip(at * 0.95 + 0.12, 0, 1))) * (1 + (wide - 1) * at ** 1.6)
    return _limb(_part_of(arm, share), widths, cap=True)


# ----------------------------------------------------------------------------------------------------------------- cloth, figure
@dataclass
class Cloth:
    """One garment of a look: its cut, its print's tile and its colours (three names, three RGB)."""
    name: str
    cut: dict
    print: str
    tile: np.ndarray
    names: tuple
    colours: tuple
    sized: dict = field(default_factory=dict)  # the tile at the sizes it was asked for

    def window(self, x, y, width, height, scale):
        """The print over a window of the picture; `scale` = pixels per figure height."""
        side = max(8, 4 * int(round(TILE_SPAN * scale / 4)))
        if side not in self.sized:
            self.sized[side] = cv2.resize(self.tile, (side, side), interpolation=cv2.INTER_AREA)
        tile = self.sized[side]
        return tile[((np.arange(height) + y) % side)[:, None], ((np.arange(width) + x) % side)[None]]

    @property
    def dark(self):
        return _dark(self.colours[0], 0.5)


def _lay(pixels, labels, pieces, cloth, scale, origin, code=None, shine=1.0):
    """Lays cloth over the union of `pieces` (pixels): print, soft volume, seams. `code` goes to `labels` where it is given."""
    height, width = pixels.shape[:2]
    every = np.concatenate(pieces)
    x0, y0 = np.maximum(np.floor(every.min(0)).astype(int) - 2, 0)
    x1, y1 = np.minimum(np.ceil(every.max(0)).astype(int) + 3, (width, height))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for piece in pieces:
        cv2.fillPoly(mask, [_fix(piece - (x0, y0))], 255, cv2.LINE_AA, FIX)
    print_ = cloth.window(x0 - int(origin[0]), y0 - int(origin[1]), x1 - x0, y1 - y0, scale)
    area = pixels[y0:y1, x0:x1]
    area[:] = cv2.blendLinear(_shaded(print_, mask, scale, shine), area, mask * np.float32(1 / 255), (255 - mask) * np.float32(1 / 255))
    if code is not None:
        inside = mask > 127
        labels[0, y0:y1, x0:x1][inside] = code
        labels[1, y0:y1, x0:x1][inside] |= 1 << (code % 10 - 1)
    for piece in pieces:
        _stroke(pixels, piece, cloth.dark, max(1, scale / 420), True)


def _shaded(print_, mask, scale, shine):
    """Volume from the silhouette itself: the blurred mask, lit from the upper left."""
    small = cv2.resize(mask, (mask.shape[1] // 4 + 1, mask.shape[0] // 4 + 1), interpolation=cv2.INTER_AREA)
    reach = max(3, int(scale * 0.012) | 1)
    soft = cv2.blur(small, (reach, reach), borderType=cv2.BORDER_CONSTANT)
    shift = np.float32([[1, 0, -reach * 0.35], [0, 1, -reach * 0.2]])
    soft = cv2.warpAffine(soft, shift, soft.shape[::-1])
    shade = cv2.resize(soft, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    shade = cv2.convertScaleAbs(shade, alpha=0.50 * shine, beta=255 * (0.80 - 0.32 * shine) + 8)
    return cv2.multiply(print_, cv2.merge([shade] * 3), scale=1 / 235)


class Figure:
    """A body in a pose on a picture: figure lengths in, pixels out. Knows where the arms and legs are."""

    def __init__(self, pixels, labels, person, pose):
        self.pixels, self.labels, self.person = pixels, labels, person
        self.scale, self.origin, self.lean, self.flip = pose["scale"], np.asarray(pose["origin"], float), pose["lean"], pose["flip"]
        self.body = person["body"]
        self.arms = {side: _arm(self.body, pose["arms"][side], side) for side in (1, -1)}
        self.legs = {side: _leg(self.body, pose["legs"][side], side) for side in (1, -1)}

    def place(self, points):
        points = np.asarray(points, np.float64)
        bent = points[:, 0] + self.lean * np.sin(np.pi * np.clip(points[:, 1], 0, 1) * 1.25)
        return self.origin + self.scale * np.stack([bent * self.flip, points[:, 1]], 1)

    def shape(self, points, colour, code=0):
        """A flat shape; it takes the labels' place with `code`, or leaves them with None."""
        points = self.place(points)
        _fill(self.pixels, points, colour)
        if code is not None:
            cv2.fillPoly(self.labels[0], [_fix(points)], code, cv2.LINE_8, FIX)
            if code == 0:
                cv2.fillPoly(self.labels[1], [_fix(points)], 0, cv2.LINE_8, FIX)

    def line(self, points, colour, width=0.003, curve=False):
        points = _smooth(points) if curve else points
        _stroke(self.pixels, self.place(points), colour, width * self.scale)

    def dot(self, x, y, radius, colour):
        _disc(self.pixels, self.place([(x, y)])[0], radius * self.scale, colour)

    def oval(self, x, y, rx, ry, colour, code=0):
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        self.shape(np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1), colour, code)

    def lay(self, pieces, cloth, code, shine=1.0):
        _lay(self.pixels, self.labels, [self.place(p) for p in pieces], cloth, self.scale, self.origin, code, shine)

    def words(self, text, x, y, height, colour):
        at = self.place([(x, y)])[0]
        _text(self.pixels, text, at[0], at[1], height * self.scale, colour, max(1, height * self.scale / 7))


def _draw_figure(figure, wardrobe):
    """Draws body and garments from back to front. `wardrobe` maps part to Cloth."""
    top, bottom, dress, outer = (wardrobe.get(part) for part in ("상의", "하의", "원피스", "아우터"))
    _hair_back(figure)
    if (top and top.cut.get("neck") == "hood"):
        figure.lay([_mirrored(_smooth([(0, 0.10), (0.050, 0.115), (0.066, 0.160), (0.04, 0.195), (0, 0.20)]))], top, _code(top))
    _legs_and_shoes(figure)
    _torso(figure)
    beneath = top and (top.cut.get("tuck", False) or dress)  # under the waistband, or under overalls
    if beneath:
        _wear_upper(figure, top)
    if bottom:
        _wear_lower(figure, bottom)
    if top and not beneath:
        _wear_upper(figure, top)
    if dress:
        _wear_dress(figure, dress)
    if outer:
        _wear_outer(figure, outer)
    for side in (-1, 1):
        _arm_and_sleeves(figure, side, [c for c in (top, dress, outer) if c])
    _head(figure)
    jewel = figure.person["jewel"]
    if jewel:
        DETAILS[jewel](figure, outer or top or dress)


def _code(cloth, second=False):
    return PARTS.index(cloth.cut["part"]) + 1 + 10 * second


def _decorate(figure, cloth):
    for name in cloth.cut["details"]:
        DETAILS[name](figure, cloth)


def _hem_width(cut, body):
    hem, ease = cut["hem"], cut.get("ease", 0.01)
    natural = np.interp(hem, (0.26, 0.385, 0.475, 0.8), (body["chest"], body["waist"], body["hip"], body["hip"]))
    return natural + 0.006 + ease * 0.9 + cut.get("flare", 0) + max(hem - 0.5, 0) * 0.06


def _wear_upper(figure, cloth):
    cut = cloth.cut
    outline = _mirrored(_half_bodice(cut, figure.body, cut["hem"], _hem_width(cut, figure.body)))
    if "skew" in cut:
        outline[:, 1] += np.where(outline[:, 1] > 0.40, cut["skew"] * outline[:, 0] * 3 * (outline[:, 1] - 0.40) * 4, 0)
    figure.lay([outline], cloth, _code(cloth))
    _decorate(figure, cloth)


def _wear_lower(figure, cloth):
    cut = cloth.cut
    if "legs" in cut:
        pelvis, right, left = _trousers(cut, figure.body, figure.legs)
        figure.lay([pelvis, left], cloth, _code(cloth))
        figure.lay([right], cloth, _code(cloth, True))
        figure.lay([pelvis[(pelvis[:, 1] < 0.51)]], cloth, _code(cloth), 0.6)
    else:
        figure.lay([_skirt(cut, figure.body, cut.get("waist_y", 0.372))], cloth, _code(cloth))
    _decorate(figure, cloth)


def _wear_dress(figure, cloth):
    cut = cloth.cut
    bodice = _mirrored(_half_bodice(cut, figure.body, 0.392, figure.body["waist"] + 0.006 + cut.get("waist_ease", 0) + cut.get("ease", 0) * 0.5))
    if "legs" in cut:
        pieces = _trousers(cut, figure.body, figure.legs)
        figure.lay(pieces[:2][::-1] + [pieces[2]], cloth, _code(cloth))
        figure.lay([bodice], cloth, _code(cloth), 0.7)
    else:
        figure.lay([_skirt(cut, figure.body, 0.382)], cloth, _code(cloth))
        figure.lay([bodice], cloth, _code(cloth))
    _decorate(figure, cloth)


def _wear_outer(figure, cloth):
    cut, body = cloth.cut, figure.body
    cut = {"neck": "shirt", **cut}
    half = _half_bodice(cut, body, cut["hem"], _hem_width(cut, body))
    gap = cut["open"]
    for side in (1, -1):
        outline = half * (side, 1)
        inner = [(side * gap * 1.0, 0.30), (side * gap * 1.25, cut["hem"] * 0.7 + 0.1), (side * gap * 1.5, cut["hem"])]
        keep = np.abs(outline[:, 0]) > np.interp(outline[:, 1], (0.155, 0.30, cut["hem"], 1), (0.026, gap, gap * 1.5, gap * 1.5))
        panel = np.concatenate([outline[keep], _smooth(inner)[::-1]])
        if "skew" in cut:
            panel[:, 1] += np.where(panel[:, 1] > 0.45, cut["skew"] * panel[:, 0] * 2, 0)
        figure.lay([panel], cloth, _code(cloth))
    # the back of the collar joins both fronts behind the neck
    figure.lay([np.array([(-0.034, 0.150), (0.034, 0.150), (0.036, 0.162), (-0.036, 0.162)])], cloth, _code(cloth))
    _decorate(figure, cloth)


def _arm_and_sleeves(figure, side, clothes):
    arm, skin = figure.arms[side], figure.person["skin"]
    figure.shape(_limb(arm, (0.026, 0.024, 0.020, 0.015), cap=True), skin)
    hand = _step(arm[2], _forearm(arm), 0.030, 1)
    figure.shape(_limb([arm[2], ((arm[2][0] + hand[0]) / 2, (arm[2][1] + hand[1]) / 2), hand], (0.014, 0.019, 0.011)), skin)
    figure.line(_limb(arm, (0.026, 0.024, 0.020, 0.015))[:14], _dark(skin, 0.25), 0.002)
    for cloth in clothes:
        if "white_sleeves" in cloth.cut["details"]:
            white = Cloth(cloth.name, {**cloth.cut, "sleeve": 1.0}, cloth.print, np.full_like(cloth.tile, 240), cloth.names, ((236, 234, 230),) * 3)
            figure.lay([_sleeve(white.cut, arm)], white, _code(cloth, True))
        if cloth.cut.get("sleeve", 0) > 0:
            figure.lay([_sleeve(cloth.cut, arm)], cloth, _code(cloth, True))
            for name in cloth.cut["details"]:
                if name in SLEEVE_DETAILS:
                    SLEEVE_DETAILS[name](figure, cloth, side)


def _forearm(arm):
    """Direction of the forearm in degrees from straight down, to the right positive."""
    return np.degrees(np.arctan2(arm[2][0] - arm[1][0], arm[2][1] - arm[1][1]))


# -------------------------------------------------------------------------------------------------------------------- body, head
def _legs_and_shoes(figure):
    skin = figure.person["skin"]
    shaft, sole, heel = SHOES[figure.person["shoes"]]
    leather_ = figure.person["shoe_colour"]
    for side in (-1, 1):
        leg = figure.legs[side]
        figure.shape(_limb(leg, (0.046, 0.040, 0.030, 0.028, 0.016)), skin)
        figure.line(_limb(leg, (0.046, 0.040, 0.030, 0.028, 0.016))[:12], _dark(skin, 0.2), 0.002)
        x, y = leg[2]
        if figure.person["socks"]:
            figure.shape(_limb(_part_of(leg[::-1], 0.34), (0.019, 0.026, 0.029)), figure.person["socks"])
        toe = x + side * 0.022
        foot = [(x - side * 0.016, y), (x + side * 0.016, y), (toe + side * 0.012, y + 0.030), (toe, y + 0.042), (x - side * 0.018, y + 0.040)]
        if shaft > 0.02:
            figure.shape(_limb(_part_of(leg[::-1], shaft / 0.46), (0.022, 0.030)), leather_)
        figure.shape(_smooth(foot, True), leather_ if figure.person["shoes"] != "sandals" else skin)
        if figure.person["shoes"] == "sandals":
            figure.line([(x - side * 0.014, y + 0.012), (toe, y + 0.028)], leather_, 0.007)
        if sole:
            figure.line([(x - side * 0.018, y + 0.040), (toe + side * 0.006, y + 0.042)], (246, 244, 240), 0.008)
        if heel:
            figure.line([(x - side * 0.014, y + 0.018), (x - side * 0.016, y + 0.048)], leather_, 0.007)


def _torso(figure):
    body, skin = figure.body, figure.person["skin"]
    right = [(0, 0.150), (0.024, 0.152), (body["shoulder"] * 0.7, 0.176), (body["shoulder"] + 0.004, 0.196), (body["chest"], 0.265),
             (body["waist"], 0.385), (body["hip"], 0.470), (body["hip"] * 0.95, 0.530), (0, 0.545)]
    figure.shape(_mirrored(_smooth(right)), skin)
    figure.shape([(-0.024, 0.110), (0.024, 0.110), (0.027, 0.168), (-0.027, 0.168)], _dark(skin, 0.12))
    figure.line([(-0.055, 0.186), (-0.012, 0.190)], _dark(skin, 0.2), 0.002)
    figure.line([(0.055, 0.186), (0.012, 0.190)], _dark(skin, 0.2), 0.002)


def _hair_back(figure):
    hair, cut = figure.person["hair"], figure.person["haircut"]
    length = {"long": 0.265, "waves": 0.235, "bob": 0.150, "ponytail": 0.11, "curly": 0.150}.get(cut, 0)
    if cut == "curly":
        for k in np.linspace(-2.6, 2.6, 13):
            figure.oval(0.062 * np.sin(k), 0.082 - 0.062 * np.cos(k), 0.026, 0.026, hair)
    elif length:
        wide = 0.062 if cut != "ponytail" else 0.050
        figure.shape(_mirrored(_smooth([(0, 0.012), (0.040, 0.024), (0.056, 0.075), (wide, length * 0.7), (wide * 0.85, length), (0.01, length - 0.012), (0, length - 0.012)])), hair)
    if cut == "ponytail":
        figure.shape(_limb([(0.04, 0.05), (0.085, 0.10), (0.080, 0.19)], (0.016, 0.024, 0.006)), hair)
    if cut == "bun":
        figure.oval(0, 0.008, 0.030, 0.026, hair)


def _head(figure):
    skin, hair, cut = figure.person["skin"], figure.person["hair"], figure.person["haircut"]
    figure.shape(_mirrored(_smooth([(0, 0.020), (0.034, 0.030), (0.047, 0.068), (0.041, 0.108), (0.022, 0.138), (0, 0.146)])), skin)
    for side in (-1, 1):
        figure.oval(side * 0.019, 0.080, 0.0075, 0.0042, (250, 248, 246), None)
        figure.dot(side * 0.019, 0.080, 0.0040, (52, 38, 34))
        figure.line([(side * 0.028, 0.0765), (side * 0.019, 0.0745), (side * 0.011, 0.077)], (40, 30, 30), 0.0022)
        figure.line([(side * 0.029, 0.066), (side * 0.012, 0.065)], _dark(hair, 0.3), 0.0032)
        figure.oval(side * 0.029, 0.102, 0.009, 0.006, _mix(skin, (236, 110, 110), 0.25), None)
    figure.line([(0.001, 0.085), (0.005, 0.101), (-0.001, 0.103)], _dark(skin, 0.3), 0.002)
    figure.line([(-0.011, 0.118), (0, 0.121), (0.011, 0.118)], figure.person["lips"], 0.005, True)
    if cut in ("long", "waves", "bob", "ponytail"):
        fringe = [(-0.050, 0.085), (-0.050, 0.045), (-0.030, 0.016), (0.004, 0.008), (0.034, 0.018), (0.050, 0.048), (0.051, 0.088), (0.042, 0.060), (0.012, 0.038),
                  (-0.018, 0.048), (-0.041, 0.066)]
    else:
        fringe = [(-0.049, 0.072), (-0.051, 0.040), (-0.030, 0.012), (0.004, 0.004), (0.036, 0.014), (0.052, 0.042), (0.049, 0.074), (0.040, 0.050), (0.010, 0.044),
                  (-0.022, 0.036), (-0.041, 0.052)]
    figure.shape(_smooth(fringe, True), hair)
    figure.line([(-0.022, 0.020), (0.002, 0.014), (0.026, 0.022)], _light(hair, 0.25), 0.003, True)
    HATS[figure.person["hat"]](figure, figure.person["hat_colour"])


def _brim(figure, colour, wide, crown, band=None):
    figure.shape(_smooth([(-0.042, 0.040), (-0.040, crown), (-0.01, crown - 0.010), (0.01, crown - 0.010), (0.040, crown), (0.042, 0.040)]), colour)
    figure.oval(0, 0.040, wide, 0.014, colour)
    figure.line([(-wide, 0.042), (0, 0.053), (wide, 0.042)], _dark(colour, 0.3), 0.002, True)
    figure.line([(-0.041, 0.031), (0, 0.037), (0.041, 0.031)], band or _dark(colour, 0.5), 0.009, True)


def _cap(figure, colour):
    figure.shape(_smooth([(-0.050, 0.050), (-0.046, 0.014), (0, -0.012), (0.046, 0.014), (0.050, 0.050), (0, 0.040)], True), colour)
    figure.shape(_smooth([(-0.044, 0.046), (0, 0.034), (0.062, 0.046), (0.066, 0.056), (0, 0.050)], True), _dark(colour, 0.25))
    figure.dot(0, 0.018, 0.011, _light(colour, 0.6))


def _beanie(figure, colour):
    figure.shape(_smooth([(-0.051, 0.052), (-0.046, 0.008), (0, -0.016), (0.046, 0.008), (0.051, 0.052), (0, 0.044)], True), colour)
    figure.line([(-0.049, 0.046), (0, 0.037), (0.049, 0.046)], _dark(colour, 0.25), 0.014, True)


def _glasses(figure, colour):
    for side in (-1, 1):
        figure.oval(side * 0.020, 0.081, 0.016, 0.013, (40, 34, 40), None)
        figure.oval(side * 0.020, 0.081, 0.012, 0.010, _mix(colour, (60, 50, 60), 0.5), None)
    figure.line([(-0.006, 0.079), (0.006, 0.079)], (40, 34, 40), 0.003)


def _mohawk(figure, colour):
    spikes = [(-0.020, 0.030)] + [(x, y) for k in range(5) for x, y in ((-0.024 + k * 0.011, -0.040 - 0.01 * (k == 2)), (-0.018 + k * 0.011, -0.004))] + [(0.030, 0.030)]
    figure.shape(spikes, colour)


def _headband(figure, colour):
    figure.line([(-0.049, 0.050), (0, 0.040), (0.049, 0.050)], colour, 0.012, True)
    figure.line([(-0.049, 0.050), (0, 0.040), (0.049, 0.050)], _light(colour, 0.6), 0.003, True)


def _ribbon(figure, colour):
    for side in (-1, 1):
        figure.shape([(0.030, 0.016), (0.030 + side * 0.034, -0.006), (0.030 + side * 0.034, 0.034)], colour)
    figure.dot(0.030, 0.016, 0.008, _dark(colour))


HATS = {
    "none": lambda figure, colour: None, "cap": _cap, "beanie": _beanie, "glasses": _glasses, "shades": lambda f, c: _glasses(f, (20, 20, 24)),
    "straw": lambda f, c: _brim(f, (226, 196, 132), 0.100, 0.0, c), "cowboy": lambda f, c: _brim(f, (136, 94, 62), 0.098, -0.02, (60, 40, 30)),
    "fedora": lambda f, c: _brim(f, _dark(c, 0.4), 0.070, 0.0), "bucket": lambda f, c: _brim(f, c, 0.064, 0.004, _light(c)),
    "mohawk": _mohawk, "band": _headband, "ribbon": _ribbon, "disc": lambda f, c: f.oval(0.02, 0.004, 0.085, 0.022, _dark(c, 0.5)),
    "pin": lambda f, c: (f.line([(-0.05, 0.02), (0.06, -0.012)], (204, 164, 78), 0.005), f.dot(0.06, -0.012, 0.010, c)),
    "beret": lambda f, c: f.shape(_smooth([(-0.052, 0.036), (-0.058, 0.010), (0, -0.016), (0.060, -0.004), (0.050, 0.036), (0, 0.028)], True), c),
}


# --------------------------------------------------------------------------------------------------------------- garment details
# A detail draws over a garment: `detail(figure, cloth)`. Only details that add cloth (fringe, ruffles) touch the labels.
def _hem(cloth):
    return cloth.cut.get("hem", cloth.cut.get("length", 0.5))


def _second(cloth):
    a, b, c = cloth.colours
    return b if sum(np.abs(np.subtract(a, b))) > 90 else (c if sum(np.abs(np.subtract(a, c))) > 90 else _contrast(a))


def _contrast(colour):
    return (246, 244, 238) if sum(colour) < 380 else (52, 46, 52)


def _seams(f, c):
    f.line([(-0.036, 0.164), (0, 0.194), (0.036, 0.164)], c.dark, 0.003, True)


def _ribs(f, c):
    w = _hem_width(c.cut, f.body)
    f.line([(-w, _hem(c) - 0.016), (w, _hem(c) - 0.016)], c.dark, 0.002)
    for x in np.linspace(-w * 0.9, w * 0.9, 12):
        f.line([(x, _hem(c) - 0.014), (x, _hem(c))], c.dark, 0.002)


def _buttons(f, c, x=0.0):
    start = 0.21 if "jacket" not in c.name else 0.30
    f.line([(x, start - 0.02), (x, _hem(c))], c.dark, 0.002)
    for y in np.arange(start, min(_hem(c), 0.70) - 0.01, 0.045):
        f.dot(x, y, 0.0052, _contrast(c.colours[0]))


def _buttons2(f, c):
    for y in (0.36, 0.41):
        f.dot(c.cut["open"] * 1.5 + 0.010, y, 0.0065, (214, 178, 96))


def _double(f, c):
    for y in (0.33, 0.38, 0.43):
        for x in (-0.036, 0.036):
            f.dot(x, y, 0.0075, _dark(c.colours[0], 0.65)), f.dot(x, y, 0.004, _light(c.colours[0], 0.3))
    f.line([(0.012, 0.30), (0.012, _hem(c))], c.dark, 0.003)


def _lapels(f, c):
    tone = _dark(c.colours[0], 0.18) if sum(c.colours[0]) > 260 else _light(c.colours[0], 0.14)
    for s in (-1, 1):
        lapel = [(s * 0.030, 0.150), (s * 0.052, 0.172), (s * 0.066, 0.222), (s * 0.050, 0.226), (s * 0.054, 0.238), (s * c.cut.get("open", 0.02), 0.320)]
        f.shape(lapel, tone, _code(c))
        f.line(lapel + lapel[:1], c.dark, 0.0025)


def _collar(f, c, size=1.0):
    for s in (-1, 1):
        wing = [(s * 0.024, 0.142), (s * 0.040, 0.158), (s * 0.034 * size, 0.158 + 0.040 * size), (s * 0.004, 0.178)]
        f.shape(wing, _light(c.colours[0], 0.18), _code(c))
        f.line(wing + wing[:1], c.dark, 0.0025)


def _big_collar(f, c):
    for s in (-1, 1):
        wing = [(s * 0.022, 0.142), (s * 0.046, 0.156), (s * 0.086, 0.232), (s * 0.030, 0.228), (s * 0.006, 0.196)]
        f.shape(wing, _light(c.colours[2], 0.1), _code(c))
        f.line(wing + wing[:1], c.dark, 0.003)


def _tie(f, c):
    colour = _dark(c.colours[1] if sum(np.abs(np.subtract(c.colours[1], c.colours[0]))) > 150 else c.colours[2], 0.12)
    if sum(colour) > 560:
        colour = (112, 34, 50)
    f.shape([(-0.010, 0.176), (0.010, 0.176), (0.016, 0.36), (0, 0.385), (-0.016, 0.36)], colour, _code(c))
    f.shape([(-0.012, 0.168), (0.012, 0.168), (0.007, 0.190), (-0.007, 0.190)], _dark(colour, 0.3), _code(c))
    for y in np.arange(0.215, 0.35, 0.03):
        f.line([(-0.011, y), (0.012, y + 0.016)], _light(colour, 0.4), 0.004)


def _bow(f, c):
    colour = _mix(c.colours[0], c.colours[1], 0.4)
    for s in (-1, 1):
        f.shape(_smooth([(0, 0.180), (s * 0.048, 0.160), (s * 0.052, 0.205)], True), colour, _code(c))
        f.shape([(0, 0.180), (s * 0.010, 0.182), (s * 0.028, 0.285), (s * 0.010, 0.280)], colour, _code(c))
        f.line([(s * 0.045, 0.166), (0, 0.180), (s * 0.047, 0.202)], c.dark, 0.0025, True)
    f.dot(0, 0.181, 0.010, _dark(colour, 0.3))


def _belt(f, c):
    w, y = f.body["waist"] + 0.010 + c.cut.get("ease", 0), 0.385
    colour = _dark(c.colours[1], 0.25) if c.print in ("tweed", "satin") else _dark(c.colours[0], 0.4)
    f.shape([(-w, y - 0.011), (w, y - 0.011), (w, y + 0.011), (-w, y + 0.011)], colour, None)
    f.shape([(-0.013, y - 0.013), (0.013, y - 0.013), (0.013, y + 0.013), (-0.013, y + 0.013)], (214, 178, 96), None)
    f.shape([(-0.007, y - 0.007), (0.007, y - 0.007), (0.007, y + 0.007), (-0.007, y + 0.007)], colour, None)


def _sash(f, c):
    w = f.body["waist"] + 0.010 + c.cut.get("ease", 0)
    f.shape([(-w, 0.372), (w, 0.372), (w, 0.396), (-w, 0.396)], _second(c), None)
    f.shape([(0.02, 0.39), (0.04, 0.39), (0.055, 0.50), (0.030, 0.49)], _second(c), _code(c))


def _pockets(f, c):
    for s in (-1, 1):
        f.shape([(s * 0.034, 0.440), (s * 0.082, 0.436), (s * 0.082, 0.448), (s * 0.034, 0.452)], _dark(c.colours[0], 0.25), None)
    f.line([(0.04, 0.262), (0.068, 0.256)], _contrast(c.colours[0]), 0.006)


def _flaps(f, c):
    for s in (-1, 1):
        for x, y in ((0.058, 0.255), (0.066, 0.430)):
            f.shape([(s * (x - 0.026), y), (s * (x + 0.026), y), (s * (x + 0.026), y + 0.050), (s * (x - 0.026), y + 0.050)], _dark(c.colours[0], 0.16), None)
            f.shape([(s * (x - 0.028), y - 0.003), (s * (x + 0.028), y - 0.003), (s * (x + 0.028), y + 0.014), (s * x, y + 0.022), (s * (x - 0.028), y + 0.014)],
                    _dark(c.colours[0], 0.34), None)
            f.dot(s * x, y + 0.012, 0.004, (206, 176, 96))
        f.line([(s * 0.05, 0.180), (s * 0.10, 0.192)], _dark(c.colours[0], 0.4), 0.010)


def _chest_pocket(f, c):
    f.line([(0.034, 0.250), (0.070, 0.250), (0.070, 0.295), (0.052, 0.305), (0.034, 0.295), (0.034, 0.250)], c.dark, 0.003)


def _cargo(f, c):
    for s in (-1, 1):
        hip, knee, _ = f.legs[s]
        x, y = (hip[0] * 0.4 + knee[0] * 0.6) + s * 0.034, hip[1] * 0.4 + knee[1] * 0.6
        f.shape([(x - 0.024, y - 0.034), (x + 0.022, y - 0.034), (x + 0.022, y + 0.034), (x - 0.024, y + 0.034)], _dark(c.colours[0], 0.22), None)
        f.shape([(x - 0.026, y - 0.036), (x + 0.024, y - 0.036), (x + 0.024, y - 0.014), (x - 0.026, y - 0.014)], _dark(c.colours[0], 0.40), None)


def _kangaroo(f, c):
    f.shape([(-0.050, 0.405), (0.050, 0.405), (0.076, 0.480), (-0.076, 0.480)], _dark(c.colours[0], 0.14), None)
    f.line([(-0.050, 0.405), (0.050, 0.405), (0.076, 0.480), (-0.076, 0.480), (-0.050, 0.405)], c.dark, 0.003)
    f.line([(-0.052, 0.150), (-0.030, 0.190), (0, 0.205), (0.030, 0.190), (0.052, 0.150)], c.dark, 0.010, True)


def _strings(f, c):
    for s in (-1, 1):
        f.line([(s * 0.018, 0.200), (s * 0.022, 0.290)], _contrast(c.colours[0]), 0.005)


def _cuffs(f, c):
    w = _hem_width(c.cut, f.body)
    if c.cut["hem"] > 0.48:
        f.shape([(-w, _hem(c) - 0.022), (w, _hem(c) - 0.022), (w * 0.97, _hem(c) + 0.004), (-w * 0.97, _hem(c) + 0.004)], _dark(c.colours[0], 0.22), None)


def _chest_text(f, c):
    words = ("WAVE", "SEOUL", "NO.7", "FRESH", "URBAN")[sum(map(ord, c.names[0] + c.names[1])) % 5]
    f.words(words, 0, 0.270, 0.046, _second(c)), f.words("club 1999", 0, 0.320, 0.020, c.colours[2])
    if c.cut["part"] == "아우터":
        f.shape([(-0.10, 0.345), (0.10, 0.345), (0.10, 0.375), (-0.10, 0.375)], _second(c), None)


def _chest_graphic(f, c):
    f.line([(-0.036, 0.164), (0, 0.194), (0.036, 0.164)], c.dark, 0.004, True)


def _number(f, c):
    f.words("23", 0, 0.330, 0.110, _second(c)), f.words("KINGS", 0, 0.245, 0.036, _second(c))


def _placket(f, c):
    f.line([(-0.036, 0.160), (0, 0.238), (0.036, 0.160)], _second(c), 0.010)
    w = _hem_width(c.cut, f.body)
    f.line([(-w, _hem(c) - 0.008), (w, _hem(c) - 0.008)], _second(c), 0.010)


def _crest(f, c):
    f.shape(_smooth([(0.040, 0.246), (0.072, 0.246), (0.070, 0.276), (0.056, 0.290), (0.042, 0.276)], True), (206, 168, 82), None)
    f.shape(_smooth([(0.046, 0.252), (0.066, 0.252), (0.065, 0.270), (0.056, 0.280), (0.047, 0.270)], True), (150, 36, 52), None)


def _piping(f, c):
    gap = c.cut["open"]
    for s in (-1, 1):
        f.line([(s * gap, 0.31), (s * gap * 1.5, _hem(c))], (240, 236, 226), 0.008)
    w = _hem_width(c.cut, f.body)
    for s in (-1, 1):
        f.line([(s * w, _hem(c) - 0.004), (s * gap * 1.5, _hem(c) + 0.002)], (240, 236, 226), 0.008)


def _trim_open(f, c):
    edge = _second(c) if c.print == "tweed" else _dark(c.colours[0], 0.35)
    for s in (-1, 1):
        f.line([(s * 0.030, 0.158), (s * c.cut["open"] * 1.1, 0.300), (s * c.cut["open"] * 1.5, _hem(c))], edge, 0.011)
    w = _hem_width(c.cut, f.body)
    for s in (-1, 1):
        f.line([(s * w, _hem(c) - 0.005), (s * c.cut["open"] * 1.5, _hem(c) - 0.002)], edge, 0.010)
        f.line([(s * 0.038, 0.330), (s * 0.066, 0.326)], edge, 0.008)


def _zip(f, c):
    f.line([(0, 0.160), (0, _hem(c))], (206, 206, 212), 0.005)
    f.line([(0, 0.160), (0, _hem(c))], (120, 120, 128), 0.0015)


def _zips(f, c):
    gap = c.cut["open"]
    f.line([(gap, 0.30), (gap * 1.5, _hem(c))], (210, 210, 216), 0.006)
    f.line([(-0.042, 0.36), (-0.078, 0.34)], (210, 210, 216), 0.006), f.line([(0.046, 0.27), (0.078, 0.25)], (210, 210, 216), 0.006)


def _studs(f, c):
    for s in (-1, 1):
        for k in range(6):
            f.dot(s * (0.052 + k * 0.009), 0.176 + k * 0.0035, 0.0042, (226, 226, 232))
        for k in range(5):
            f.dot(s * (0.058 - k * 0.007), 0.232 + k * 0.018, 0.0038, (226, 226, 232))


def _yoke(f, c):
    f.line([(-0.090, 0.225), (-0.045, 0.250), (0, 0.228), (0.045, 0.250), (0.090, 0.225)], c.dark, 0.005)
    for s in (-1, 1):
        f.line([(s * 0.028, 0.272), (s * 0.066, 0.272), (s * 0.066, 0.315), (s * 0.047, 0.325), (s * 0.028, 0.315), (s * 0.028, 0.272)], c.dark, 0.003)


def _bandana(f, c):
    f.shape([(-0.036, 0.152), (0.036, 0.152), (0.012, 0.222), (-0.006, 0.232)], (190, 46, 50), None)
    for x, y in ((-0.012, 0.168), (0.012, 0.170), (0, 0.192), (0.002, 0.212)):
        f.dot(x, y, 0.004, (248, 240, 232))


def _fringe(f, c, left, right, length, step=0.0085):
    """Strands of cloth hanging from the line left-right."""
    count = max(3, int(abs(right[0] - left[0]) / step))
    for k in range(count):
        x, y = np.asarray(left) + (np.asarray(right) - left) * (k + 0.5) / count
        f.shape([(x - step * 0.46, y), (x + step * 0.46, y), (x + step * 0.2, y + length * (0.9 + 0.2 * (k % 2)))], _dark(c.colours[0], 0.10 + 0.22 * (k % 2)), _code(c))


def _fringe_hem(f, c):
    w, gap = _hem_width(c.cut, f.body) if "hem" in c.cut else f.body["hip"] + c.cut["flare"] * (_hem(c) - 0.42), c.cut.get("open", 0) * 1.5
    for s in (-1, 1):
        _fringe(f, c, (s * gap, _hem(c) - 0.006), (s * w, _hem(c) - 0.006), 0.055)


def _fringe_yoke(f, c):
    for s in (-1, 1):
        _fringe(f, c, (s * max(c.cut["open"], 0.02), 0.262), (s * 0.098, 0.246), 0.075)
        f.line([(s * max(c.cut["open"], 0.02), 0.262), (s * 0.098, 0.246)], c.dark, 0.005)


def _ruffle_neck(f, c):
    for s in (-1, 1):
        for k, (x, y) in enumerate(((0.010, 0.216), (0.028, 0.218), (0.046, 0.216), (0.058, 0.200), (0.062, 0.182), (0.064, 0.166))):
            f.oval(s * x, y, 0.013, 0.012, _light(c.colours[0], 0.45 - 0.2 * (k % 2)), _code(c))


def _tiers(f, c):
    flare, top, hem = c.cut["flare"], 0.385, c.cut["length"]
    hip, waist = f.body["hip"] + 0.008, f.body["waist"]
    for share in (0.36, 0.68, 0.985):
        y = top + (hem - top) * share
        w = max(hip + flare * (y - 0.42), waist + 0.02)
        wave = [(x, y + 0.008 * (1 - (x / w) ** 2) + 0.005 * (-1) ** k) for k, x in enumerate(np.linspace(-w, w, 17))]
        f.line(wave, c.dark, 0.0035, True)
        f.line([(x, v - 0.006) for x, v in wave], _light(c.colours[0], 0.55), 0.003, True)


def _folds(f, c, count=7, strength=0.0035):
    flare, hem = c.cut["flare"], c.cut["length"]
    top = c.cut.get("waist_y", 0.385)
    w0, w1 = f.body["waist"], f.body["hip"] + flare * (hem - 0.42)
    for k in np.linspace(-0.86, 0.86, count):
        f.line([(w0 * k, top + 0.012), ((w0 + w1) / 2.1 * k, (top + hem) / 2), (w1 * k, hem)], c.dark, strength, True)


def _pleats(f, c):
    _folds(f, c, 15, 0.003)
    _waistband(f, c)


def _waistband(f, c):
    w, y = f.body["waist"] + 0.009, c.cut.get("waist_y", 0.376)
    f.line([(-w, y + 0.018), (w, y + 0.018)], c.dark, 0.003)


def _slit(f, c):
    hem = c.cut["length"]
    f.shape([(-0.046, hem - 0.09), (-0.036, hem + 0.01), (-0.056, hem + 0.01)], f.person["skin"])


def _thigh_slit(f, c):
    hem = c.cut["length"]
    f.shape([(0.052, 0.56), (0.078, hem + 0.014), (0.034, hem + 0.016)], f.person["skin"])
    f.line([(0.052, 0.56), (0.034, hem + 0.014)], c.dark, 0.003)


def _crease(f, c):
    for s in (-1, 1):
        hip, knee, ankle = f.legs[s]
        f.line([(knee[0], 0.50), knee, (ankle[0], min(ankle[1], 0.48 + 0.46 * c.cut.get("length", 1)))], c.dark, 0.002, True)
    f.line([(0, 0.39), (0, 0.47)], c.dark, 0.002)
    _waistband(f, c)


def _jeans(f, c):
    stitch = (214, 160, 84)
    w = f.body["waist"] + 0.008
    f.line([(-w, 0.395), (w, 0.395)], stitch, 0.003)
    f.line([(0, 0.395), (0.004, 0.46), (-0.004, 0.50)], stitch, 0.003, True)
    for s in (-1, 1):
        f.line([(s * 0.030, 0.396), (s * 0.050, 0.425), (s * 0.082, 0.432)], stitch, 0.003, True)
        _, knee, ankle = f.legs[s]
        f.shape(_smooth([(knee[0], 0.56), (knee[0] + 0.012, 0.64), (knee[0], 0.73), (knee[0] - 0.012, 0.64)], True), (150, 176, 210), None)


def _rips(f, c):
    for s in (-1, 1):
        _, (x, y), _ = f.legs[s]
        for dy in (-0.03, 0.02):
            f.shape(_smooth([(x - 0.022, y + dy), (x, y + dy - 0.009), (x + 0.022, y + dy), (x, y + dy + 0.009)], True), f.person["skin"], None)
            f.line([(x - 0.020, y + dy), (x + 0.020, y + dy)], (238, 240, 244), 0.003)


def _cuff_legs(f, c):
    for s in (-1, 1):
        path = f.legs[s]
        x, y = path[2][0] * 0.96 + path[1][0] * 0.04, path[2][1] - 0.02
        f.shape([(x - 0.028, y - 0.022), (x + 0.028, y - 0.022), (x + 0.024, y + 0.002), (x - 0.024, y + 0.002)], _dark(c.colours[0], 0.3), None)
    f.line([(-0.012, 0.40), (-0.018, 0.47)], _contrast(c.colours[0]), 0.004), f.line([(0.012, 0.40), (0.016, 0.46)], _contrast(c.colours[0]), 0.004)
    _waistband(f, c)


def _side_stripe(f, c):
    thigh, knee_w, hem_w = c.cut["legs"]
    for s in (-1, 1):
        hip, knee, ankle = f.legs[s]
        path = np.asarray(_part_of([(hip[0] + s * 0.012, 0.40), (hip[0] + s * (thigh - 0.014), 0.50), (knee[0] + s * (knee_w - 0.010), knee[1]), (ankle[0] + s * (hem_w - 0.008), ankle[1])],
                                   c.cut["length"]))
        f.line(path, _second(c), 0.021, True), f.line(path, c.colours[0], 0.004, True)
    _waistband(f, c)


def _straps(f, c):
    for s in (-1, 1):
        f.shape([(s * 0.044, 0.168), (s * 0.053, 0.170), (s * 0.056, 0.232), (s * 0.044, 0.232)], c.colours[0], _code(c))


def _band(f, c):
    w = f.body["chest"] + 0.002
    f.line([(-w, 0.304), (w, 0.304)], _second(c), 0.014)


def _laces(f, c):
    x = 0.014
    for k in range(4):
        y = 0.235 + k * 0.026
        f.line([(-x, y), (x, y + 0.020)], _contrast(c.colours[0]), 0.004), f.line([(x, y), (-x, y + 0.020)], _contrast(c.colours[0]), 0.004)


def _cutouts(f, c):
    for s in (-1, 1):
        f.oval(s * (f.body["waist"] - 0.004), 0.372, 0.024, 0.036, f.person["skin"])
    f.oval(0, 0.275, 0.014, 0.024, f.person["skin"])


def _drape(f, c):
    for k in range(5):
        f.line([(-0.060 + 0.006 * k, 0.185), (-0.01, 0.24 + 0.03 * k), (0.068, 0.30 + 0.022 * k)], c.dark, 0.003, True)


def _panels(f, c):
    for s in (-1, 1):
        side = _smooth([(0.078, 0.245), (0.058, 0.300), (0.046, 0.385), (0.062, 0.470), (0.058, 0.70), (0.085, 0.70), (f.body["hip"] * 1.02, 0.48), (f.body["waist"] + 0.003, 0.385)])
        f.shape(side * (s, 1), _dark(c.colours[1], 0.2), None)


def _pearls(f, c):
    for k in np.linspace(-1, 1, 13):
        f.dot(0.036 * k, 0.168 + 0.036 * (1 - k * k), 0.0055, (246, 240, 230))


def _gold_chain(f, c):
    f.line([(0.040 * k, 0.166 + 0.110 * (1 - k * k)) for k in np.linspace(-1, 1, 9)], (222, 178, 70), 0.009, True)
    f.dot(0, 0.284, 0.015, (238, 198, 92))


def _chain(f, c):
    for k in np.linspace(-1, 1, 15):
        f.dot(0.030 * k, 0.164 + 0.050 * (1 - k * k), 0.0042, (206, 208, 216))
    for k in np.linspace(0, 1, 11):
        f.dot(0.05 + 0.03 * k, 0.40 + 0.35 * k * (1 - k), 0.0042, (206, 208, 216))


def _flounce(f, c):
    w = f.body["shoulder"] + 0.022
    edge = [(x, 0.272 + 0.010 * (-1) ** k) for k, x in enumerate(np.linspace(w, -w, 11))]
    f.lay([np.concatenate([[(-w, 0.214), (w, 0.214)], _smooth(edge)])], c, _code(c))


def _wrap(f, c):
    f.line([(-0.036, 0.160), (0.010, 0.250), (0.058, 0.372)], c.dark, 0.004), f.line([(0.036, 0.160), (0.008, 0.232)], c.dark, 0.004)
    if c.name == "jeogori":
        f.line([(-0.036, 0.156), (0.006, 0.238), (0.040, 0.300)], (250, 248, 244), 0.013), f.line([(0.036, 0.156), (0.008, 0.228)], (250, 248, 244), 0.013)


def _goreum(f, c):
    for dx, length in ((0.0, 0.34), (0.030, 0.30)):
        f.shape([(0.018, 0.262), (0.032, 0.262), (0.036 + dx, 0.262 + length), (0.010 + dx, 0.258 + length)], c.colours[2], _code(c))
    f.shape([(0.026, 0.255), (0.068, 0.235), (0.070, 0.262), (0.026, 0.272)], c.colours[2], _code(c))


def _frog(f, c):
    f.line([(0, 0.168), (0.030, 0.195), (0.070, 0.215), (0.074, 0.262)], _second(c), 0.008, True)
    f.line([(-0.026, 0.146), (0.026, 0.146)], _second(c), 0.007)
    for x, y in ((0.004, 0.172), (0.038, 0.200), (0.072, 0.232)):
        f.line([(x - 0.016, y + 0.006), (x + 0.016, y - 0.006)], _second(c), 0.008)


def _trim(f, c):
    w, hem = f.body["hip"], c.cut["length"]
    f.line([(-w, hem + 0.002), (0, hem + 0.012), (w, hem + 0.002)], _second(c), 0.012, True)


def _slashes(f, c):
    hem = _hem(c)
    f.line([(-0.070, 0.200), (0.030, 0.360), (-0.020, hem - 0.02)], _contrast(c.colours[0]), 0.006)
    f.shape([(0.010, 0.250), (0.120, 0.330), (0.040, 0.420)], _second(c), _code(c))
    f.line([(0.010, 0.250), (0.120, 0.330), (0.040, 0.420), (0.010, 0.250)], c.dark, 0.003)


def _smiley(f, c):
    f.dot(0, 0.290, 0.046, (250, 216, 70)), f.dot(-0.016, 0.278, 0.0065, (44, 34, 34)), f.dot(0.016, 0.278, 0.0065, (44, 34, 34))
    f.line([(-0.024, 0.298), (0, 0.318), (0.024, 0.298)], (44, 34, 34), 0.006, True)


def _skull(f, c):
    bone = (236, 232, 224)
    f.oval(0, 0.268, 0.036, 0.034, bone, None), f.shape([(-0.020, 0.292), (0.020, 0.292), (0.017, 0.322), (-0.017, 0.322)], bone, None)
    f.dot(-0.014, 0.272, 0.010, (30, 26, 30)), f.dot(0.014, 0.272, 0.010, (30, 26, 30))
    for x in (-0.007, 0.002, 0.010):
        f.line([(x, 0.304), (x, 0.322)], (30, 26, 30), 0.003)


def _bib(f, c):
    tone = _light(_mix(c.colours[0], (66, 98, 150), 0.80), 0.12)
    for s in (-1, 1):
        f.shape([(s * 0.040, 0.164), (s * 0.054, 0.166), (s * 0.050, 0.262), (s * 0.038, 0.262)], _dark(tone, 0.2), _code(c))
        f.dot(s * 0.043, 0.264, 0.007, (222, 186, 96))
    f.shape([(-0.028, 0.288), (0.028, 0.288), (0.026, 0.336), (-0.026, 0.336)], tone, None)
    f.line([(-0.028, 0.288), (0.028, 0.288), (0.026, 0.336), (-0.026, 0.336), (-0.028, 0.288)], (214, 160, 84), 0.003)
    f.line([(-0.066, 0.388), (0.066, 0.388)], (214, 160, 84), 0.003)


def _turn_ups(f, c):
    for s in (-1, 1):
        x, y = f.legs[s][2]
        f.shape([(x - 0.046, y - 0.050), (x + 0.046, y - 0.050), (x + 0.045, y - 0.018), (x - 0.045, y - 0.018)], (168, 188, 214), None)


def _apron(f, c):
    hem = c.cut["length"]
    f.shape(_smooth([(-0.050, 0.388), (-0.050, 0.388), (0.050, 0.388), (0.050, 0.388), (0.088, hem - 0.11), (0.06, hem - 0.08), (-0.06, hem - 0.08), (-0.088, hem - 0.11)], True),
            _light(c.colours[2], 0.45), _code(c))
    f.shape([(-0.034, 0.270), (0.034, 0.270), (0.042, 0.39), (-0.042, 0.39)], _light(c.colours[2], 0.45), _code(c))
    f.line([(-0.070, 0.390), (0.070, 0.390)], _dark(c.colours[2], 0.2), 0.008)
    f.line([(-0.050, 0.52), (0.0, 0.53), (0.050, 0.52)], _dark(c.colours[2], 0.2), 0.003)


def _blocks(f, c):
    w = f.body["shoulder"]
    for s in (-1, 1):
        f.shape([(s * 0.034, 0.168), (s * w, 0.190), (s * (w - 0.008), 0.236), (s * 0.010, 0.268), (s * 0.010, 0.250)], _second(c), None)


def _sleeve_stripe(f, c, side):
    arm = f.arms[side]
    path = np.asarray(_part_of(arm, 0.97)) + (side * 0.010, 0)
    f.line(path, _second(c), 0.020), f.line(path, c.colours[0], 0.004)


def _sleeve_fringe(f, c, side):
    path = _part_of(f.arms[side], 0.92)
    for x, y in path[np.linspace(1, 6, 6).astype(int)]:
        _fringe(f, c, (x + side * 0.004, y), (x + side * 0.026, y + 0.006), 0.050)


def _sleeve_cuff(f, c, side):
    path = _part_of(f.arms[side], c.cut["sleeve"])
    f.line([path[-2] * 0.5 + path[-1] * 0.5 + (-0.020, 0), path[-1] * 0.6 + path[-2] * 0.4 + (0.020, 0)], _dark(c.colours[0], 0.35), 0.010)


SLEEVE_DETAILS = {"arm_stripe": _sleeve_stripe, "fringe_sleeves": _sleeve_fringe, "cuffs": _sleeve_cuff}
DETAILS = {
    "seams": _seams, "ribs": _ribs, "buttons": _buttons, "buttons2": _buttons2, "double": _double, "lapels": _lapels, "collar": _collar,
    "big_collar": _big_collar, "tie": _tie, "bow": _bow, "belt": _belt, "sash": _sash, "pockets": _pockets, "flaps": _flaps, "chest_pocket":
    _chest_pocket, "cargo": _cargo, "kangaroo": _kangaroo, "strings": _strings, "cuffs": _cuffs, "chest_text": _chest_text, "chest_graphic":
    _chest_graphic, "number": _number, "placket": _placket, "crest": _crest, "piping": _piping, "trim_open": _trim_open, "zip": _zip,
    "zips": _zips, "studs": _studs, "yoke": _yoke, "bandana": _bandana, "fringe_hem": _fringe_hem, "fringe_yoke": _fringe_yoke,
    "ruffle_neck": _ruffle_neck, "tiers": _tiers, "folds": _folds, "pleats": _pleats, "waistband": _waistband, "slit": _slit, "thigh_slit":
    _thigh_slit, "crease": _crease, "jeans": _jeans, "rips": _rips, "cuff_legs": _cuff_legs, "side_stripe": _side_stripe, "straps": _straps,
    "band": _band, "laces": _laces, "cutouts": _cutouts, "drape": _drape, "panels": _panels, "pearls": _pearls, "gold_chain": _gold_chain, "chain": _chain,
    "flounce": _flounce, "wrap": _wrap, "goreum": _goreum, "frog": _frog, "trim": _trim, "slashes": _slashes, "smiley": _smiley, "skull":
    _skull, "bib": _bib, "turn_ups": _turn_ups, "apron": _apron, "blocks": _blocks,
}
DETAILS |= {name: lambda figure, cloth: None for name in ("arm_stripe", "fringe_sleeves", "white_sleeves")}  # drawn with the sleeves


# -------------------------------------------------------------------------------------------------------------------- backgrounds
# A place draws itself over the whole picture: `place(pixels, rng, hues, hangers)`; `hues` are 5 colours of the look's place, `hangers`
# are Cloths of other styles, which hang, stand and are printed about: they mislead on purpose.
def _gradient(pixels, top, bottom, y0=0, y1=None):
    area = pixels[y0:y1]
    share = np.linspace(0, 1, area.shape[0], dtype=np.float32)[:, None, None]
    area[:] = np.asarray(top, np.float32) * (1 - share) + np.asarray(bottom, np.float32) * share


def _rectangle(pixels, x, y, width, height, colour, edge=None):
    cv2.rectangle(pixels, (int(x), int(y)), (int(x + width), int(y + height)), tuple(map(int, colour)), -1)
    if edge is not None:
        cv2.rectangle(pixels, (int(x), int(y)), (int(x + width), int(y + height)), tuple(map(int, edge)), 1, cv2.LINE_AA)


def _hang(pixels, cloth, x, y, scale, mannequin=False):
    """A garment on a hanger, or on a mannequin, its neck at (x, y)."""
    body, cut = BUILDS["slim"], cloth.cut
    pieces = []
    if "hem" in cut or "neck" in cut:
        hem = cut.get("hem", 0.392)
        width = _hem_width({"hem": hem, **cut}, body)
        pieces.append(_mirrored(_half_bodice({"neck": "round", **cut}, body, hem, width)))
        if cut.get("sleeve", 0) > 0:
            pieces += [_sleeve(cut, _arm(body, (10, 4), side)) for side in (-1, 1)]
    if "flare" in cut and "length" in cut:
        pieces.append(_skirt(cut, body, 0.382 if pieces else 0.372))
    if "legs" in cut:
        pieces += _trousers(cut, body, {side: _leg(body, (3, 2), side) for side in (-1, 1)})
    top = min(p[:, 1].min() for p in pieces)
    shift = 0 if mannequin else 0.15 - top
    placed = [np.asarray((x, y)) + scale * (p + (0, shift - 0.15)) for p in pieces]
    if mannequin:
        stand = (206, 190, 170)
        _fill(pixels, np.asarray((x, y)) + scale * (_mirrored(_smooth([(0, 0.06), (0.020, 0.07), (0.022, 0.15), (0.09, 0.19), (0.07, 0.27), (0.06, 0.385), (0.08, 0.47), (0, 0.55)])) - (0, 0.15)), stand)
        _stroke(pixels, [(x, y + 0.38 * scale), (x, y + 0.84 * scale), (x - 0.08 * scale, y + 0.86 * scale), (x + 0.08 * scale, y + 0.86 * scale)], (70, 62, 60), scale * 0.012)
    else:
        _stroke(pixels, [(x, y - 0.05 * scale), (x, y - 0.01 * scale), (x - 0.08 * scale, y + 0.03 * scale), (x + 0.08 * scale, y + 0.03 * scale), (x, y - 0.01 * scale)], (90, 84, 82), scale * 0.008)
    _lay(pixels, None, placed, cloth, scale, (x, y))


def _rack(pixels, rng, hangers, y, x0, x1, scale):
    """A rail with garments close together."""
    _stroke(pixels, [(x0, y - 0.05 * scale), (x1, y - 0.05 * scale)], (86, 82, 84), max(2, scale * 0.014))
    for x in np.arange(x0 + 0.08 * scale, x1 - 0.04 * scale, scale * rng.uniform(0.15, 0.24)):
        _hang(pixels, hangers[rng.integers(len(hangers))], x, y, scale * rng.uniform(0.95, 1.05))


def _poster(pixels, rng, hues, hangers, x, y, width, height):
    """A framed print: a garment, a pattern or lettering."""
    _rectangle(pixels, x - 3, y - 3, width + 6, height + 6, (40, 36, 38))
    _rectangle(pixels, x, y, width, height, hues[rng.integers(5)])
    kind = rng.integers(3)
    cloth = hangers[rng.integers(len(hangers))]
    x, y, width, height = int(x), int(y), int(width), int(height)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + width, pixels.shape[1]), min(y + height, pixels.shape[0])
    if kind == 0 and x1 > x0 and y1 > y0:
        pixels[y0:y1, x0:x1] = cloth.window(x0, y0, x1 - x0, y1 - y0, height * 1.6)
    elif kind == 1:
        _hang(pixels, cloth, x + width / 2, y + height * 0.24, height * 0.95)
    else:
        for k, word in enumerate(("NEW", "SALE", "OPEN", "MUSIC", "ART")[rng.integers(3):][:3]):
            _text(pixels, word, x + width / 2, y + height * (0.25 + 0.25 * k), height * 0.13, hues[(k + 2) % 5], max(1, height / 45))


def _plant(pixels, rng, x, y, size):
    _fill(pixels, [(x - 0.16 * size, y - 0.28 * size), (x + 0.16 * size, y - 0.28 * size), (x + 0.12 * size, y), (x - 0.12 * size, y)], (186, 108, 74))
    for angle in np.linspace(-1.15, 1.15, 7):
        green = _mix((52, 112, 66), (134, 178, 92), rng.random())
        _leaf(pixels, x + 0.3 * size * np.sin(angle), y - 0.28 * size - 0.3 * size * np.cos(angle), 0.62 * size, angle - np.pi / 2, green)


def _floor(pixels, colour, horizon, boards=True):
    height, width = pixels.shape[:2]
    _gradient(pixels, _dark(colour, 0.25), _light(colour, 0.1), horizon)
    if boards:
        for k in np.linspace(-2.2, 3.2, 19):
            _stroke(pixels, [(width * (0.5 + (k - 0.5) * 0.35), horizon), (width * k, height)], _dark(colour, 0.35), 1)


def studio(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    _gradient(pixels, _light(hues[0], 0.3), _dark(hues[0], 0.12))
    _gradient(pixels, _light(hues[0], 0.15), hues[0], int(height * 0.80))
    _rectangle(pixels, width * rng.uniform(0.0, 0.15), 0, width * 0.28, height * 0.84, hues[1])
    _disc(pixels, (width * rng.uniform(0.6, 0.9), height * rng.uniform(0.2, 0.5)), width * rng.uniform(0.12, 0.22), hues[2])
    _rack(pixels, rng, hangers, height * rng.uniform(0.18, 0.3), width * rng.uniform(-0.1, 0.0), width * rng.uniform(0.30, 0.42), height * 0.62)
    for x in (rng.uniform(0.70, 0.80), rng.uniform(0.86, 0.96)):
        _hang(pixels, hangers[rng.integers(len(hangers))], width * x, height * rng.uniform(0.25, 0.4), height * rng.uniform(0.5, 0.7), True)
    _plant(pixels, rng, width * rng.uniform(0.9, 1.0), height * 0.93, height * 0.22)


def brick(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    pixels[:] = _light(hues[0], 0.2)
    step = height / 30
    for row in range(31):
        for x in np.arange(-(row % 2) * step * 1.2, width, step * 2.4):
            _rectangle(pixels, x + 1, row * step + 1, step * 2.4 - 3, step - 3, _mix(hues[1], hues[0], rng.uniform(0, 0.35)))
    _floor(pixels, hues[3], int(height * 0.86), False)
    for x in (rng.uniform(0.02, 0.1), rng.uniform(0.68, 0.76)):
        _poster(pixels, rng, hues, hangers, width * x, height * rng.uniform(0.08, 0.3), width * 0.24, height * rng.uniform(0.26, 0.36))
    _rack(pixels, rng, hangers, height * rng.uniform(0.4, 0.5), width * rng.uniform(0.62, 0.72), width * 1.06, height * 0.50)
    _text(pixels, ("LOVE", "HELLO", "1988", "DREAM")[rng.integers(4)], width * rng.uniform(0.2, 0.4), height * rng.uniform(0.5, 0.7), height * 0.12, hues[4], height / 60)


def street(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    _gradient(pixels, (176, 206, 234), (236, 236, 228))
    x = -10.0
    while x < width:
        wide, tall = width * rng.uniform(0.2, 0.36), height * rng.uniform(0.5, 0.8)
        wall = hues[rng.integers(5)]
        _rectangle(pixels, x, height * 0.84 - tall, wide, tall, wall, _dark(wall))
        for row in range(3):
            for column in range(3):
                _rectangle(pixels, x + wide * (0.1 + 0.3 * column), height * 0.84 - tall + tall * (0.06 + 0.16 * row), wide * 0.2, tall * 0.10, _mix((120, 150, 176), wall, 0.3), (250, 250, 250))
        _rectangle(pixels, x + wide * 0.06, height * 0.84 - tall * 0.42, wide * 0.88, tall * 0.40, (222, 226, 226), (60, 56, 58))
        for share in (0.3, 0.72):
            _hang(pixels, hangers[rng.integers(len(hangers))], x + wide * share, height * 0.84 - tall * 0.36, min(tall * 0.46, wide * 1.6), True)
        _rectangle(pixels, x, height * 0.84 - tall * 0.50, wide, tall * 0.08, hues[rng.integers(5)])
        _text(pixels, ("CAFE", "SHOP", "BOOKS", "NOODLE", "MODE")[rng.integers(5)], x + wide / 2, height * 0.84 - tall * 0.46, tall * 0.045, (250, 250, 246), max(1, tall / 180))
        x += wide
    _gradient(pixels, (176, 174, 172), (120, 120, 124), int(height * 0.84))
    _rectangle(pixels, 0, height * 0.84, width, height * 0.018, (206, 204, 198))
    _stroke(pixels, [(width * 0.06, height * 0.9), (width * 0.06, height * 0.2), (width * 0.14, height * 0.17)], (58, 60, 64), width * 0.014)
    _disc(pixels, (width * 0.15, height * 0.18), width * 0.022, (252, 238, 196))


def park(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    _gradient(pixels, (156, 200, 236), (232, 240, 236))
    for _ in range(9):
        x, y, size = width * rng.uniform(-0.05, 1.05), height * rng.uniform(0.30, 0.5), height * rng.uniform(0.10, 0.2)
        green = _mix((64, 120, 70), hues[0], rng.uniform(0, 0.7))
        _rectangle(pixels, x - size * 0.08, y, size * 0.16, height * 0.4, (104, 78, 60))
        for dx, dy, r in ((0, 0, 1), (-0.6, 0.25, 0.7), (0.6, 0.2, 0.75), (-0.1, -0.5, 0.7)):
            _disc(pixels, (x + dx * size, y + dy * size), r * size * 0.8, _mix(green, (220, 236, 150), rng.uniform(0, 0.25)))
    _gradient(pixels, (128, 168, 92), (92, 136, 74), int(height * 0.74))
    _fill(pixels, [(width * 0.4, height * 0.74), (width * 0.56, height * 0.74), (width * 0.95, height), (width * 0.1, height)], (218, 202, 170))
    for _ in range(50):
        _disc(pixels, (rng.uniform(0, width), rng.uniform(height * 0.76, height)), height * 0.005, hues[rng.integers(5)])
    _rack(pixels, rng, hangers, height * rng.uniform(0.34, 0.44), -0.02 * width, width * rng.uniform(0.34, 0.44), height * 0.5)
    _rack(pixels, rng, hangers, height * rng.uniform(0.32, 0.46), width * rng.uniform(0.62, 0.74), width * 1.02, height * 0.5)


def shop(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    _gradient(pixels, _light(hues[0], 0.5), _light(hues[0], 0.1))
    _floor(pixels, hues[1], int(height * 0.82))
    for row, y in enumerate((0.10, 0.52)):
        _rack(pixels, rng, hangers, height * (y + rng.uniform(-0.02, 0.05)), 0, width * rng.uniform(0.30, 0.44), height * (0.46 - 0.04 * row))
        _rack(pixels, rng, hangers, height * (y + rng.uniform(-0.02, 0.05)), width * rng.uniform(0.58, 0.70), width, height * (0.46 - 0.04 * row))
    for x in np.linspace(0.1, 0.9, 4):
        _disc(pixels, (width * x, height * 0.02), width * 0.03, (255, 246, 214))


def shelves(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    pixels[:] = _dark(hues[0], 0.15)
    for y in np.linspace(0.04, 0.80, 5):
        for x in np.linspace(0, 1, 5)[:-1]:
            _rectangle(pixels, width * x + 3, height * y, width * 0.24, height * 0.165, _light(hues[0], 0.15))
            if rng.random() < 0.7:
                for k in range(rng.integers(2, 6)):
                    cloth = hangers[rng.integers(len(hangers))]
                    x0, y1 = int(width * x + width * 0.03), int(height * (y + 0.165) - k * height * 0.028)
                    wide, tall = int(width * 0.18), int(height * 0.025)
                    pixels[y1 - tall:y1, x0:x0 + wide] = cloth.window(0, 0, wide, tall, height * 0.8)[:pixels[y1 - tall:y1, x0:x0 + wide].shape[0], :pixels[y1 - tall:y1, x0:x0 + wide].shape[1]]
            else:
                _plant(pixels, rng, width * (x + 0.12), height * (y + 0.165), height * 0.15)
    _floor(pixels, hues[2], int(height * 0.965))
    for x in (rng.uniform(0.06, 0.16), rng.uniform(0.84, 0.94)):
        _hang(pixels, hangers[rng.integers(len(hangers))], width * x, height * rng.uniform(0.28, 0.4), height * rng.uniform(0.6, 0.72), True)


def gallery(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    _gradient(pixels, _light(hues[0], 0.45), _light(hues[0], 0.2))
    _floor(pixels, hues[1], int(height * 0.84), False)
    for x in (0.03, 0.27, 0.51, 0.75):
        for y in (0.05, 0.43):
            _poster(pixels, rng, hues, hangers, width * (x + rng.uniform(-0.01, 0.02)), height * (y + rng.uniform(-0.02, 0.02)), width * 0.20, height * rng.uniform(0.26, 0.34))
    _hang(pixels, hangers[rng.integers(len(hangers))], width * rng.uniform(0.84, 0.94), height * 0.36, height * 0.66, True)


def cafe(pixels, rng, hues, hangers):
    height, width = pixels.shape[:2]
    _gradient(pixels, hues[0], _dark(hues[0], 0.2))
    for x in (0.04, 0.56):
        _rectangle(pixels, width * x, height * 0.12, width * 0.40, height * 0.48, (196, 220, 230), (250, 250, 248))
        _gradient(pixels[:, int(width * (x + 0.01)):int(width * (x + 0.39))], (170, 206, 232), _light(hues[2], 0.4), int(height * 0.13), int(height * 0.59))
        _stroke(pixels, [(width * (x + 0.2), height * 0.12), (width * (x + 0.2), height * 0.6)], (250, 250, 248), 4)
    for k in range(14):
        _fill(pixels, [(width * k / 14, 0), (width * (k + 1) / 14, 0), (width * (k + 1) / 14, height * 0.10), (width * (k + 0.5) / 14, height * 0.125), (width * k / 14, height * 0.10)],
              (hues[3], (248, 246, 240))[k % 2])
    _floor(pixels, hues[1], int(height * 0.82))
    for x in (rng.uniform(0.08, 0.2), rng.uniform(0.8, 0.92)):
        _hang(pixels, hangers[rng.integers(len(hangers))], width * x, height * rng.uniform(0.2, 0.3), height * rng.uniform(0.55, 0.7), bool(rng.random() < 0.5))
        _fill(pixels, [(width * (x - 0.12), height * 0.78), (width * (x + 0.12), height * 0.78), (width * (x + 0.11), height * 0.80), (width * (x - 0.11), height * 0.80)], hues[4])
        _stroke(pixels, [(width * x, height * 0.8), (width * x, height * 0.95)], (60, 54, 54), 4)


PLACES = {"studio": studio, "brick": brick, "street": street, "park": park, "shop": shop, "shelves": shelves, "gallery": gallery, "cafe": cafe}


# ------------------------------------------------------------------------------------------------------------------------- looks
def _stream(seed, *path):
    """A generator that depends on nothing but the numbers given."""
    return np.random.default_rng(np.random.SeedSequence([int(seed), *map(int, path)]))


def _choose(rng, options):
    options = options.split() if isinstance(options, str) else options
    return options[rng.integers(len(options))]


def _shaded_colours(rng, names):
    """RGB of three colour names, moved a little as dyes differ."""
    gain, shift = rng.uniform(0.88, 1.10), rng.normal(0, 9, 3)
    return tuple(tuple(int(v) for v in np.clip(np.asarray(COLOURS[name]) * gain + shift, 6, 250)) for name in names)


def _jittered(rng, cut):
    """The cut with its lengths and widths moved by some per cent."""
    moved = dict(cut)
    for key, spread in (("hem", 0.02), ("length", 0.03), ("wide", 0.08), ("puff", 0.06), ("ease", 0.15), ("flare", 0.12), ("skew", 0.2)):
        if key in cut:
            moved[key] = cut[key] * (1 + rng.uniform(-spread, spread))
    if cut.get("sleeve", 0) not in (0, 1):
        moved["sleeve"] = cut["sleeve"] * rng.uniform(0.9, 1.1)
    if rng.random() < 0.5 and "skew" in cut:
        moved["skew"] = -moved["skew"]
    return moved


def _outfit(rng, style, turn=None):
    """part -> Cloth, in the style's cuts, prints and colours; `turn` walks through the outfits, None takes any."""
    facts = LOOKS[style]
    names = _choose(rng, facts["palettes"]).split()
    colours = _shaded_colours(rng, names)
    outfit = facts["outfits"][(rng.integers(99) if turn is None else turn) % len(facts["outfits"])]
    chosen = {}  # one print name makes one choice a look: a suit's jacket and trousers match
    wardrobe = {}
    for cut_name, prints, order in outfit:
        print_name = chosen.setdefault(prints, _choose(rng, prints))
        cut = _jittered(rng, CUTS[cut_name])
        mine = tuple(colours[int(k)] for k in order)
        wardrobe[cut["part"]] = Cloth(cut_name, cut, print_name, PRINTS[print_name][0](*mine, rng), tuple(names[int(k)] for k in order), mine)
    return wardrobe


def _person(rng, style, wardrobe):
    facts = LOOKS[style]
    masculine = rng.random() < {"매니시": 0.5, "힙합": 0.5, "스트리트": 0.5, "밀리터리": 0.5, "웨스턴": 0.5, "젠더리스": 0.5, "톰보이": 0.3, "스포티": 0.3}.get(style, 0.12)
    skirted = any("flare" in c.cut and "length" in c.cut or c.name in ("bra_top", "corset", "crop_top") for c in wardrobe.values())
    masculine = masculine and not skirted
    build = BUILDS["broad" if masculine else _choose(rng, "slim curvy")]
    first = next(iter(wardrobe.values()))
    colour = COLOURS[_choose(rng, list(COLOURS))]
    bare = skirted or any(c.name in ("sport_shorts",) for c in wardrobe.values())
    return dict(
        body={key: value * rng.uniform(0.97, 1.04) for key, value in build.items()}, skin=SKINS[rng.integers(len(SKINS))], hair=HAIRS[rng.integers(len(HAIRS))],
        haircut="short" if masculine else _choose(rng, HAIRCUTS), lips=_mix((190, 80, 86), (226, 120, 120), rng.random()),
        shoes=_choose(rng, facts["shoes"]), shoe_colour=_choose(rng, ((40, 36, 40), (112, 76, 52), (236, 232, 226), first.colours[1], (60, 60, 70))),
        socks=colour if bare and rng.random() < (0.8 if style in ("키치", "프레피", "스포티") else 0.15) else None,
        hat=_choose(rng, facts["hats"]), hat_colour=first.colours[rng.integers(3)], jewel=JEWELLERY.get(style))


def _pose(rng, size):
    """Pose and camera of one shot; some pictures cut the feet off, as K-Fashion's do."""
    width, height = size
    close = rng.random() < 0.25
    scale = height * (rng.uniform(1.0, 1.12) if close else rng.uniform(0.76, 0.93))
    scale = min(scale, width * 2.1)
    head = rng.uniform(0.03, 0.07) * height if close else (height - scale * 1.0) * rng.uniform(0.45, 0.85)
    arms, legs = list(ARMS), list(LEGS)
    return dict(scale=scale, origin=(width * rng.uniform(0.42, 0.58), head), lean=rng.uniform(-0.014, 0.014), flip=1 if rng.random() < 0.5 else -1,
                arms={side: np.asarray(ARMS[arms[rng.integers(len(arms))]]) + rng.uniform(-4, 4, 2) for side in (1, -1)},
                legs={side: np.asarray(LEGS[legs[rng.integers(len(legs))]]) + rng.uniform(-1, 1, 2) for side in (1, -1)})


BLUR, FADE = 0.008, 0.40  # of the height, of the contrast: with 0 and 0 a small network on whole pictures drops from .70 to .25


def _out_of_focus(pixels):
    """The background as a lens that looks at the figure sees it: softer, and paler towards its own mean colour."""
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(cv2.GaussianBlur(small, (0, 0), BLUR * height / 2), (width, height), interpolation=cv2.INTER_LINEAR)
    mean = np.full_like(soft, cv2.mean(small)[:3])
    return cv2.addWeighted(soft, 1 - FADE, mean, FADE, 0)


def _lit(pixels, rng):
    """Light of one shot: colour cast, exposure and a slope of brightness."""
    gain = np.asarray(LIGHTS[rng.integers(len(LIGHTS))], np.float32) * rng.uniform(0.84, 1.12)
    slope = np.linspace(*rng.uniform(0.88, 1.08, 2), pixels.shape[1], dtype=np.float32)[None, :, None] * gain
    return cv2.multiply(pixels, np.broadcast_to(slope, pixels.shape).copy(), dtype=cv2.CV_8U)


def _draw_shot(shot, wardrobe, person, place, hues, hangers, rng):
    """One photograph: uint8 RGB, and uint8 (2, height, width): the garment seen (0 = none), and a bit for each garment that is there."""
    width, height = shot["size"]
    pixels, labels = np.zeros((height, width, 3), np.uint8), np.zeros((2, height, width), np.uint8)
    PLACES[place](pixels, rng, hues, hangers)
    pixels = _out_of_focus(pixels)
    pose = _pose(rng, shot["size"])
    foot = np.asarray(pose["origin"]) + (0, pose["scale"] * 0.985)
    cv2.ellipse(pixels, tuple(int(v) for v in foot), (int(pose["scale"] * 0.15), int(pose["scale"] * 0.022)), 0, 0, 360, tuple(int(v) for v in _dark(hues[1], 0.65)), -1, cv2.LINE_AA)
    _draw_figure(Figure(pixels, labels, person, pose), wardrobe)
    return _lit(pixels, rng), labels


def _draw_look(look, root, seed):
    """Draws and writes all shots of a look; returns what was planted."""
    rng = _stream(seed, 1, look["index"])
    wardrobe = _outfit(rng, look["style"], look["index"])
    person = _person(rng, look["style"], wardrobe)
    place = list(PLACES)[rng.integers(len(PLACES))]
    hues = [_mix(COLOURS[_choose(rng, list(COLOURS))], (200, 196, 190), rng.uniform(0.0, 0.35)) for _ in range(5)]
    others = [name for name in LOOKS if name != look["style"]]
    hangers = [cloth for _ in range(3) for cloth in _outfit(rng, others[rng.integers(len(others))]).values()]
    planted = {}
    for shot in look["shots"]:
        stream = _stream(seed, 2, look["index"], shot["number"])
        pixels, labels = _draw_shot(shot, wardrobe, person, place, hues, hangers, stream)
        _write_shot(root, look, shot, wardrobe, pixels, labels, stream, planted)
    return planted


# ---------------------------------------------------------------------------------------------------------------- AI Hub's labels
def _outline(mask, fewest=15, most=40):
    """The largest piece of a mask as float points (n, 2), about 15 to 40 of them; None when there is hardly any."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours or cv2.contourArea(largest := max(contours, key=cv2.contourArea)) < 60:
        return None
    slack = 1.2
    points = cv2.approxPolyDP(largest, slack, True)
    while len(points) > most:
        slack *= 1.25
        points = cv2.approxPolyDP(largest, slack, True)
    while len(points) < fewest and slack > 0.3:
        slack *= 0.8
        finer = cv2.approxPolyDP(largest, slack, True)
        if len(finer) > most:  # a straight edge has turned into its pixels' stairs
            break
        points = finer
    return points[:, 0].astype(float)


def _joined(first, second):
    """Two polygons as one point list without a separator: the first ends, the second starts, at a point only it can reach."""
    first = np.roll(first, -1 - int(np.argmin(first[:, 0])), axis=0)
    outside = np.maximum(first.min(0) - second, second - first.max(0)).max(1)
    return np.concatenate([first, np.roll(second, -int(np.argmax(outside)), axis=0)]), outside.max() > 3


def _whole(seen, there):
    """The mask to outline: what is seen, or the whole garment where another one cuts it into pieces."""
    seen = cv2.morphologyEx(seen, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    pieces = [cv2.contourArea(c) for c in cv2.findContours(seen, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]]
    cut_up = len(pieces) > 1 and max(pieces) < 0.85 * sum(pieces)
    return there if cut_up and sum(pieces) > 0.15 * cv2.countNonZero(there) else seen


def _region(labels, cloth, shot, rng, planted):
    """(rect, polygon) of one garment as AI Hub writes them, ({}, {}) when it cannot be seen."""
    code = _code(cloth)
    main, extra = (labels[0] == code).astype(np.uint8), (labels[0] == code + 10).astype(np.uint8)
    points = _outline(_whole(main | extra, (labels[1] >> (code - 1)) & 1))
    if points is None:
        return {}, {}
    first = points
    if rng.random() < JOINED_SHARE and extra.any():
        pieces = _outline(main), _outline(extra)
        if all(p is not None for p in pieces):
            joined, apart = _joined(*pieces)
            if apart:
                points, first = joined, joined[:len(pieces[0])]
                planted["joined_polygons"] = planted.get("joined_polygons", 0) + 1
    if rng.random() < OUTSIDE_SHARE and len(first) == len(points):
        points = first = _pushed_out(points, shot["size"], rng)
        planted["outside_picture"] = planted.get("outside_picture", 0) + 1
    return _as_aihub(points, first, rng)


JOINED_SHARE, OUTSIDE_SHARE = 0.040, 0.012  # of the garments; joined ones need a second piece, so about 3 % come out


def _pushed_out(points, size, rng):
    """Moves the outermost point of a polygon up to 10 pixels beyond the nearest edge of the picture."""
    points = points.copy()
    side = int(np.argmin(np.concatenate([points.min(0), np.asarray(size) - points.max(0)])))
    axis, far = side % 2, side >= 2
    at = int((np.argmax if far else np.argmin)(points[:, axis]))
    points[at, axis] = size[axis] + rng.uniform(2, 10) if far else -rng.uniform(2, 10)
    return points


def _as_aihub(points, first, rng):
    """Rect of the first piece; the points' keys in no order, as in AI Hub's files."""
    points, first = np.round(points, 3), np.round(first, 3)
    (x0, y0), (x1, y1) = first.min(0), first.max(0)
    rect = {"X좌표": float(round(x0 - 0.5, 3)), "Y좌표": float(round(y0 - 0.5, 3)), "가로": int(x1 - x0), "세로": int(y1 - y0)}
    pairs = [(f"{axis}좌표{k + 1}", float(p[i])) for k, p in enumerate(points) for i, axis in enumerate("XY")]
    return rect, {pairs[k][0]: pairs[k][1] for k in rng.permutation(len(pairs))}


def _attributes(cloth):
    """The label of one garment, from its cut, print and colours."""
    cut, upper = cloth.cut, "neck" in cloth.cut or "open" in cloth.cut
    _, print_name, materials = PRINTS[cloth.print]
    label = {"기장": _length_name(cut), "색상": cloth.names[0], "카테고리": cut["category"], "소재": list(materials), "프린트": [print_name], "핏": _fit_name(cut)}
    if cloth.names[1] != cloth.names[0] and cloth.print not in ("solid", "denim", "leather"):
        label["서브색상"] = cloth.names[1]
    if upper:
        label["소매기장"] = _sleeve_name(cut)
        collar = next((COLLAR_NAMES[d] for d in cut["details"] if d in COLLAR_NAMES), None)
        if collar:
            label["옷깃"] = collar
        if "neck" in cut:
            label["넥라인"] = NECK_NAMES[cut["neck"]]
    details = list(dict.fromkeys(DETAIL_NAMES[d] for d in cut["details"] if d in DETAIL_NAMES))
    if details:
        label["디테일"] = details
    return label


def _length_name(cut):
    if "length" in cut and "legs" not in cut:
        return next(name for limit, name in ((0.64, "미니"), (0.73, "니렝스"), (0.84, "미디"), (0.91, "발목"), (9, "맥시")) if cut["length"] < limit)
    if "legs" in cut:
        return next(name for limit, name in ((0.45, "미니"), (0.62, "니렝스"), (0.80, "미디"), (0.99, "발목"), (9, "맥시")) if cut["length"] < limit)
    names = ((0.45, "크롭"), (0.56, "노멀"), (0.66, "하프"), (0.76, "롱"), (9, "맥시")) if cut["part"] == "아우터" else ((0.42, "크롭"), (0.53, "노멀"), (9, "롱"))
    return next(name for limit, name in names if cut["hem"] < limit)


def _sleeve_name(cut):
    return next(name for limit, name in ((0.01, "민소매"), (0.31, "캡"), (0.65, "반팔"), (0.9, "7부소매"), (9, "긴팔")) if cut.get("sleeve", 0) < limit)


def _fit_name(cut):
    if "legs" in cut:
        thigh, knee, hem = cut["legs"]
        if hem > 0.07:
            return "벨보텀"
        return "와이드" if knee > 0.052 else ("스키니" if knee < 0.031 else "노멀")
    ease = cut.get("ease", max(cut.get("flare", 0.1), 0) / 8)
    return next(name for limit, name in ((0.005, "타이트"), (0.018, "노멀"), (0.034, "루즈"), (9, "오버사이즈")) if ease < limit)


def _label(shot, style, parts, rects, polygons):
    """The whole JSON document; `parts` maps part to attributes."""
    height, width = shot["size"][1], shot["size"][0]
    in_all = lambda found: {part: [found.get(part, {})] for part in PARTS}
    return {"이미지 정보": {"이미지 식별자": shot["id"], "이미지 높이": height, "이미지 파일명": shot["name"], "이미지 너비": width},
            "데이터셋 정보": {"파일 생성일자": shot["date"], "데이터셋 상세설명": {
                "렉트좌표": in_all(rects), "폴리곤좌표": in_all(polygons), "라벨링": {"스타일": [style], **in_all(parts)}},
                "파일 번호": shot["id"], "파일 이름": shot["name"]}}


def _write_shot(root, look, shot, wardrobe, pixels, labels, rng, planted):
    """Writes picture and label of one shot, with the flaws that the plan asks for."""
    flaw = shot.get("flaw")
    rects, polygons, parts = {}, {}, {}
    for part, cloth in wardrobe.items():
        rect, polygon = _region(labels, cloth, shot, rng, planted)
        if polygon and flaw != "no_parts":
            rects[part], polygons[part], parts[part] = rect, polygon, _attributes(cloth)
    if flaw == "no_category" and parts:
        parts[next(iter(parts))].pop("카테고리")
    if flaw == "spelling":
        for values in parts.values():
            values["핏"] = values["핏"].replace("노멀", "노말")
            values["프린트"] = [name.replace("하운즈투스", "하운즈\xa0투스") for name in values["프린트"]]
    style = {"스타일": ALIASES.get(look["style"], look["style"]) if flaw == "alias" else look["style"]}
    if look["second"]:
        style["서브스타일"] = look["second"]
    folder = look["style"]
    if flaw == "no_style":
        folder, style = "기타", {}
    picture = _jpeg(pixels)
    for copy in [shot] + shot.get("copies", []):
        factor = copy.get("factor", 1.0)
        scaled = ({p: _scaled(r, factor) for p, r in rects.items()}, {p: _scaled(q, factor) for p, q in polygons.items()})
        if factor != 1.0:
            size = (int(round(shot["size"][0] * factor)), int(round(shot["size"][1] * factor)))
            copy = {**copy, "size": size}
            data = _jpeg(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC))
        else:
            data = picture[:400] if flaw == "unreadable" else picture
        if flaw != "orphan_label":
            _write(root / "원천데이터" / "원천데이터_1" / folder / f"{copy['id']}.jpg", data)
        if flaw != "orphan_picture":
            text = json.dumps(_label(copy, style, parts, *scaled), ensure_ascii=False, separators=(",", ":"))
            _write(root / "라벨링데이터" / folder / f"{copy['id']}.json", text.encode("utf-8"))


def _scaled(values, factor):
    """Rect or polygon of the same photograph at another size; rect X, Y stay polygon minimum - 0.5."""
    if factor == 1.0:
        return values
    if "가로" in values:
        return {key: (int(v * factor) if key in ("가로", "세로") else round((v + 0.5) * factor - 0.5, 3)) for key, v in values.items()}
    return {key: round(v * factor, 3) for key, v in values.items()}


def _jpeg(pixels):
    done, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()


def _write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)


# -------------------------------------------------------------------------------------------------------------------------- plan
def _shares(photos):
    """style -> photographs: K-Fashion's imbalance, softened to the power 0.4, none below about 2.5 %."""
    weights = np.asarray([facts["count"] for facts in LOOKS.values()], float) ** 0.4
    weights = np.maximum(weights / weights.sum(), 0.03)
    wanted = photos * weights / weights.sum()
    counts = np.floor(wanted).astype(int)
    for k in np.argsort(counts - wanted, kind="stable")[:photos - counts.sum()]:
        counts[k] += 1
    while counts.min() < 2:  # a tiny sample: the largest style gives to the smallest
        counts[counts.argmin()] += 1
        counts[counts.argmax()] -= 1
    return dict(zip(LOOKS, map(int, counts)))


def _plan(photos, seed):
    """All looks with their shots, ids, names, sizes and planted flaws: (looks, counts of what is planted)."""
    rng = _stream(seed, 0)
    looks = []
    for style, count in _shares(photos).items():
        number = min(count, max(2, round(count / 3.4)))
        for part in np.array_split(np.arange(count), number) if number else []:
            shots = len(part)
            looks.append(_new_look(rng, len(looks), style, shots))
    return looks, _plant_flaws(rng, looks, photos)


def _new_look(rng, index, style, shots):
    second = [name for name in LOOKS if name != style][rng.integers(len(LOOKS) - 1)] if rng.random() < 0.55 else None
    look = dict(index=index, style=style, second=second, prefix=f"{SHOPS[index % len(SHOPS)]}_{index // len(SHOPS) + 1:03d}", shots=[])
    for _ in range(shots):
        _new_shot(rng, look)
    return look


def _new_shot(rng, look, **flaw):
    number = len(look["shots"]) + sum(len(shot.get("copies", ())) for shot in look["shots"])
    shot = dict(number=number, name=f"{look['prefix']}_{number + 1:02d}.jpg", size=SIZES[rng.integers(len(SIZES))], id=_identifier(look["index"], number), **flaw,
                date=f"2021-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d} {rng.integers(8, 20):02d}:{rng.integers(60):02d}:{rng.integers(60):02d}")
    look["shots"].append(shot)
    return shot


def _identifier(index, number):
    """Unique and without order: a multiplication modulo a prime mixes the running number."""
    return 100000 + (index * 20 + number + 1) * 611953 % 899981


def _plant_flaws(rng, looks, photos):
    """Adds what the real data suffers from (DOMAIN 1.7) and counts it. Extra photographs come on top of `photos`."""
    regular = [(look, shot) for look in looks for shot in look["shots"]]
    order = iter([regular[k] for k in rng.permutation(len(regular))])
    few = max(1, photos // 200)
    counts = {"rescaled_duplicates": few, "identical_duplicates": few, "no_category": 2 * few, "spelling": few, "no_parts": 1}
    for _ in range(few):
        look, shot = next(order)
        _copy(rng, look, shot, factor=float(_choose(rng, (0.6, 0.75, 1.25))))
        look, shot = next(order)
        _copy(rng, look, shot)
    for flaw in ("no_category", "spelling", "no_parts"):
        for _ in range(counts[flaw]):
            next(order, (None, {}))[1]["flaw"] = flaw
    aliased = [shot for look, shot in regular if look["style"] in ALIASES and "flaw" not in shot and "copies" not in shot][:2]
    for shot in aliased:
        shot["flaw"] = "alias"
    for flaw in ("unreadable", "no_style", "orphan_label", "orphan_picture"):
        _new_shot(rng, looks[rng.integers(len(looks))], flaw=flaw)
        counts[flaw] = 1
    return counts | {"alias": len(aliased), "joined_polygons": 0, "outside_picture": 0}


def _copy(rng, look, shot, **changes):
    number = max(s["number"] for s in look["shots"]) + 1 + sum(len(s.get("copies", ())) for s in look["shots"])
    name = f"{look['prefix']}_{number + 1:02d}.jpg" if changes else shot["name"]
    copy = {**{key: shot[key] for key in ("size", "date")}, "id": _identifier(look["index"], number), "name": name, **changes}
    shot["copies"] = shot.get("copies", []) + [copy]


# --------------------------------------------------------------------------------------------------------------------------- API
def draw_sample(root, photos=1200, seed=0, *, workers=None):
    """Draws a K-Fashion of `photos` photographs (and a few planted flaws on top) into `root`, in AI Hub's layout.

    Args:
        root: folder; receives `라벨링데이터/<style>/<id>.json` and `원천데이터/원천데이터_1/<style>/<id>.jpg`.
        photos: regular photographs; at least 46, so that each of the 23 styles has two.
        seed: the same `(photos, seed)` gives the same bytes, whatever `workers` is.
        workers: processes; all cores when None.
    Returns:
        Counts: `photos`, `looks`, `pictures` and `labels` (files), `styles` (style -> regular photographs), and what was planted:
        `rescaled_duplicates identical_duplicates no_category spelling no_parts alias unreadable no_style orphan_label orphan_picture
        joined_polygons outside_picture`.
    Raises:
        ValueError: fewer than 46 photographs.
    """
    if photos < 2 * len(LOOKS):
        raise ValueError(f"photos = {photos}; at least {2 * len(LOOKS)} are needed, two for each of the {len(LOOKS)} styles")
    root = Path(root)
    looks, planted = _plan(photos, seed)
    workers = workers or os.cpu_count() or 1
    draw = delayed(_draw_look)
    jobs = Parallel(n_jobs=workers, return_as="generator")(draw(look, root, seed) for look in looks)
    for found in tqdm(jobs, total=len(looks), desc="drawing looks", unit="look"):
        for name, count in found.items():
            planted[name] = planted.get(name, 0) + count
    shots = sum(len(look["shots"]) for look in looks)
    copies = planted["rescaled_duplicates"] + planted["identical_duplicates"]
    return {"photos": photos, "looks": len(looks), "pictures": shots + copies - planted["orphan_label"], "labels": shots + copies - planted["orphan_picture"],
            "styles": _shares(photos), **planted}
