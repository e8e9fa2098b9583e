"""Facts about people: the parts of an outfit, colours, skins and hair, builds, poses, shoes.

Colours are RGB 0..255; lengths are in figure heights.
"""

PARTS = ("아우터", "하의", "원피스", "상의")  # outerwear, bottom, dress, top: AI Hub's order

# K-Fashion's colour names, one RGB each; a look moves every colour a little.
COLOURS = {
    "블랙": (40, 38, 44),
    "화이트": (244, 242, 236),
    "그레이": (142, 144, 150),
    "베이지": (218, 199, 168),
    "브라운": (124, 84, 56),
    "네이비": (36, 50, 94),
    "블루": (56, 102, 186),
    "스카이블루": (152, 200, 234),
    "레드": (206, 46, 54),
    "와인": (122, 34, 58),
    "핑크": (242, 164, 188),
    "퍼플": (124, 76, 160),
    "라벤더": (194, 176, 224),
    "민트": (158, 216, 198),
    "그린": (54, 128, 84),
    "카키": (108, 110, 72),
    "옐로우": (245, 208, 78),
    "오렌지": (234, 128, 52),
    "골드": (204, 164, 78),
    "실버": (192, 196, 204),
    "네온": (192, 240, 66),
}
SKINS = ((250, 222, 200), (240, 202, 172), (224, 178, 142), (198, 146, 108), (160, 108, 76), (116, 76, 54))
HAIRS = (
    (34, 28, 30),
    (52, 38, 34),
    (84, 56, 40),
    (122, 78, 48),
    (176, 130, 78),
    (214, 186, 140),
    (150, 60, 48),
    (110, 104, 112),
)
# Colour casts of a shot: gains of the three channels.
LIGHTS = ((1.0, 1.0, 1.0), (1.06, 1.0, 0.90), (0.92, 0.98, 1.07), (1.04, 0.96, 0.98), (0.97, 1.03, 0.97))

# Half widths of the body; arms and legs as (upper, lower) angles in degrees from straight down, outwards positive.
BUILDS = {
    "slim": dict(shoulder=0.094, chest=0.072, waist=0.058, hip=0.080),
    "curvy": dict(shoulder=0.097, chest=0.078, waist=0.061, hip=0.090),
    "broad": dict(shoulder=0.110, chest=0.088, waist=0.074, hip=0.080),
}
ARMS = {
    "hang": (9, 3),
    "relaxed": (15, 8),
    "hip": (44, -48),
    "pocket": (22, -16),
    "wave": (52, 158),
    "out": (30, 24),
    "bag": (12, 46),
}
LEGS = {"stand": (3, 2), "wide": (8, 7), "step": (2, -3), "bent": (10, -5), "cross": (-1, -4)}
HAIRCUTS = ("long", "bob", "short", "bun", "ponytail", "curly", "waves")
SHOES = {  # height of the shaft (figure heights), sole, heel
    "sneakers": (0.012, True, False),
    "boots": (0.085, True, False),
    "heels": (0.0, False, True),
    "loafers": (0.006, False, False),
    "sandals": (0.0, False, False),
    "tall": (0.15, False, True),
}
