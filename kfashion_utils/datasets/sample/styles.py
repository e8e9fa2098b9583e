"""The table of styles: what K-Fashion's 23 styles are drawn from."""

# Columns:
#   count        photographs in one counted subset of K-Fashion (64,026 rows; drawn with a softer imbalance)
#   shoes, hats  names to choose from; a name given twice is twice as likely
#   palettes     three colour names each
#   outfits      garments, each (cut, prints to choose from, order of the palette's colours)
STYLES = {
    "레트로": dict(
        count=483,
        shoes="boots heels",
        hats="none none glasses",
        palettes=(
            "오렌지 브라운 옐로우",
            "브라운 베이지 오렌지",
            "옐로우 그린 브라운",
            "와인 옐로우 베이지",
            "민트 오렌지 브라운",
        ),
        outfits=(
            (("disco_shirt", "rings waves", "012"), ("bell_pants", "corduroy", "102")),
            (("mod_dress", "rings waves", "012"),),
            (("disco_shirt", "waves rings", "210"), ("bell_pants", "corduroy", "012")),
        ),
    ),
    "로맨틱": dict(
        count=5537,
        shoes="heels sandals",
        hats="none none ribbon",
        palettes=(
            "핑크 화이트 레드",
            "화이트 핑크 그린",
            "라벤더 화이트 핑크",
            "베이지 핑크 화이트",
            "스카이블루 화이트 핑크",
        ),
        outfits=(
            (("ruffle_dress", "floral", "012"),),
            (("lace_dress", "lace", "012"),),
            (("ruffle_blouse", "lace floral", "102"), ("maxi_skirt", "floral", "012")),
        ),
    ),
    "리조트": dict(
        count=6471,
        shoes="sandals",
        hats="straw straw none shades",
        palettes=(
            "화이트 그린 스카이블루",
            "스카이블루 화이트 그린",
            "옐로우 그린 오렌지",
            "오렌지 화이트 그린",
            "민트 그린 핑크",
        ),
        outfits=(
            (("sun_dress", "tropical bloom", "012"),),
            (("aloha", "tropical", "012"), ("shorts", "linen", "102")),
            (("off_dress", "tropical bloom", "012"),),
        ),
    ),
    "매니시": dict(
        count=478,
        shoes="loafers",
        hats="none fedora",
        palettes=(
            "그레이 화이트 네이비",
            "네이비 화이트 와인",
            "블랙 화이트 그레이",
            "브라운 베이지 네이비",
            "베이지 화이트 브라운",
        ),
        outfits=(
            (("tie_shirt", "solid", "120"), ("wide_pants", "pinstripe", "010"), ("power_blazer", "pinstripe", "010")),
            (("tie_shirt", "solid", "120"), ("slacks", "pinstripe", "010"), ("blazer", "pinstripe", "010")),
        ),
    ),
    "모던": dict(
        count=5281,
        shoes="loafers heels",
        hats="none none shades",
        palettes=(
            "블랙 화이트 그레이",
            "화이트 블랙 베이지",
            "그레이 블랙 화이트",
            "베이지 블랙 화이트",
            "네이비 화이트 그레이",
        ),
        outfits=(
            (("turtle", "solid", "000"), ("slacks", "solid", "000"), ("long_coat", "solid", "111")),
            (("plain_dress", "solid", "000"),),
            (("turtle", "solid", "111"), ("slacks", "solid", "000"), ("long_vest", "solid", "000")),
        ),
    ),
    "밀리터리": dict(
        count=154,
        shoes="boots",
        hats="none cap",
        palettes=("카키 그린 브라운", "카키 베이지 블랙", "그린 카키 베이지", "브라운 카키 베이지"),
        outfits=(
            (("tee", "solid", "222"), ("cargo", "camo", "012"), ("field_jacket", "solid canvas", "000")),
            (("tee", "solid", "111"), ("cargo", "canvas", "000"), ("field_jacket", "camo", "012")),
            (("jumpsuit", "camo", "012"),),
        ),
    ),
    "섹시": dict(
        count=431,
        shoes="heels tall",
        hats="none",
        palettes=("블랙 레드 골드", "레드 블랙 골드", "와인 블랙 골드", "베이지 브라운 블랙", "골드 브라운 블랙"),
        outfits=(
            (("body_dress", "leopard", "012"),),
            (("slit_dress", "satin", "012"),),
            (("corset", "satin", "120"), ("mini_skirt", "leopard", "012")),
            (("off_top", "satin", "120"), ("mini_skirt", "leopard", "012")),
        ),
    ),
    "소피스트케이티드": dict(
        count=2097,
        shoes="heels",
        hats="none",
        palettes=(
            "화이트 블랙 골드",
            "와인 베이지 골드",
            "네이비 화이트 골드",
            "베이지 브라운 골드",
            "블랙 화이트 골드",
        ),
        outfits=(
            (("sheath", "tweed", "012"),),
            (("turtle", "solid", "111"), ("pencil", "tweed", "012"), ("peplum", "tweed", "012")),
        ),
    ),
    "스트리트": dict(
        count=28286,
        shoes="sneakers",
        hats="cap beanie none",
        palettes=(
            "블랙 화이트 레드",
            "그레이 블랙 오렌지",
            "화이트 블랙 블루",
            "네온 블랙 화이트",
            "퍼플 화이트 블랙",
            "블루 화이트 블랙",
        ),
        outfits=(
            (("hoodie", "solid", "012"), ("joggers", "solid", "100")),
            (("big_tee", "letters", "012"), ("joggers", "solid", "100")),
            (("windbreaker", "letters", "012"), ("big_tee", "solid", "120"), ("joggers", "solid", "100")),
        ),
    ),
    "스포티": dict(
        count=1033,
        shoes="sneakers",
        hats="none cap band",
        palettes=("블루 화이트 네온", "레드 화이트 블랙", "네온 블랙 화이트", "핑크 화이트 블랙", "오렌지 화이트 블랙"),
        outfits=(
            (("bra_top", "mesh", "010"), ("leggings", "solid", "010"), ("track_jacket", "solid", "012")),
            (("bra_top", "mesh", "010"), ("sport_shorts", "solid", "010"), ("track_jacket", "solid", "012")),
            (("tee", "solid", "111"), ("track_jacket", "solid", "012"), ("track_pants", "solid", "012")),
        ),
    ),
    "아방가르드": dict(
        count=261,
        shoes="boots tall",
        hats="none disc",
        palettes=("블랙 화이트 그레이", "화이트 블랙 레드", "그레이 블랙 화이트", "블랙 와인 화이트"),
        outfits=(
            (("slab_dress", "slabs", "012"),),
            (("slab_top", "slabs", "102"), ("slab_skirt", "slabs", "012")),
            (("cape", "slabs", "012"), ("slab_skirt", "slabs", "102")),
        ),
    ),
    "오리엔탈": dict(
        count=308,
        shoes="loafers heels",
        hats="none pin",
        palettes=("레드 골드 네이비", "화이트 레드 네이비", "민트 골드 와인", "네이비 골드 레드", "핑크 골드 퍼플"),
        outfits=(
            (("qipao", "clouds", "012"),),
            (("jeogori", "clouds", "012"), ("hanbok_skirt", "medallion", "120")),
            (("qipao_top", "medallion", "012"), ("maxi_skirt", "clouds", "120")),
        ),
    ),
    "웨스턴": dict(
        count=105,
        shoes="tall",
        hats="cowboy cowboy none",
        palettes=("브라운 베이지 블루", "베이지 브라운 네이비", "브라운 화이트 블루", "카키 브라운 블루"),
        outfits=(
            (("west_shirt", "denim", "211"), ("jeans", "denim", "200"), ("fringe_jacket", "suede", "010")),
            (("west_shirt", "plains", "120"), ("jeans", "denim", "200"), ("fringe_jacket", "suede", "010")),
        ),
    ),
    "젠더리스": dict(
        count=687,
        shoes="loafers sneakers",
        hats="none",
        palettes=(
            "베이지 화이트 브라운",
            "그레이 화이트 블랙",
            "라벤더 그레이 화이트",
            "민트 화이트 그레이",
            "스카이블루 네이비 화이트",
        ),
        outfits=(
            (("box_shirt", "halves", "010"), ("half_pants", "solid", "000")),
            (("long_shirt", "halves", "010"), ("wide_pants", "solid", "000")),
            (("long_shirt", "halves", "100"), ("half_pants", "solid", "111")),
        ),
    ),
    "컨트리": dict(
        count=2255,
        shoes="boots loafers",
        hats="straw none none",
        palettes=(
            "레드 화이트 베이지",
            "그린 화이트 베이지",
            "브라운 화이트 베이지",
            "블루 화이트 베이지",
            "옐로우 화이트 베이지",
        ),
        outfits=(
            (("gingham_dress", "gingham", "012"),),
            (("ruffle_blouse", "gingham", "012"), ("maxi_skirt", "linen", "222")),
            (("shirt_dress", "gingham", "012"),),
        ),
    ),
    "클래식": dict(
        count=2292,
        shoes="loafers heels",
        hats="none none beret",
        palettes=(
            "베이지 브라운 화이트",
            "브라운 베이지 화이트",
            "그레이 블랙 화이트",
            "네이비 베이지 화이트",
            "블랙 베이지 화이트",
        ),
        outfits=(
            (("knit", "solid", "222"), ("slacks", "houndstooth", "021"), ("trench", "solid", "000")),
            (("shirt", "solid", "222"), ("pleated_midi", "houndstooth", "021"), ("cardigan", "ribbed", "000")),
            (("shirt", "solid", "222"), ("slacks", "solid", "111"), ("blazer", "houndstooth", "021")),
        ),
    ),
    "키치": dict(
        count=316,
        shoes="sneakers boots",
        hats="ribbon none none",
        palettes=(
            "핑크 옐로우 스카이블루",
            "옐로우 핑크 퍼플",
            "네온 핑크 블루",
            "레드 옐로우 블루",
            "라벤더 네온 핑크",
        ),
        outfits=(
            (("cartoon_tee", "hearts", "012"), ("tutu", "candy", "120")),
            (("candy_dress", "hearts", "012"),),
            (("cartoon_tee", "candy", "012"), ("pleated_mini", "hearts", "120")),
        ),
    ),
    "톰보이": dict(
        count=457,
        shoes="sneakers",
        hats="cap none beanie",
        palettes=(
            "화이트 네이비 블루",
            "화이트 레드 블루",
            "그레이 블랙 네이비",
            "베이지 브라운 블루",
            "옐로우 화이트 블루",
        ),
        outfits=(
            (("tee", "breton", "012"), ("overalls", "denim", "200")),
            (("sweatshirt", "breton", "012"), ("ripped_jeans", "denim", "200")),
        ),
    ),
    "펑크": dict(
        count=21,
        shoes="boots tall",
        hats="mohawk none",
        palettes=("블랙 레드 화이트", "블랙 퍼플 실버", "레드 블랙 실버", "블랙 그린 실버"),
        outfits=(
            (("ripped_tee", "solid", "000"), ("pleated_mini", "tartan", "102"), ("biker", "leather", "000")),
            (("ripped_tee", "zebra", "021"), ("slacks", "tartan", "102"), ("biker", "leather", "000")),
        ),
    ),
    "페미닌": dict(
        count=6325,
        shoes="heels",
        hats="none none beret",
        palettes=(
            "화이트 핑크 베이지",
            "핑크 와인 화이트",
            "스카이블루 화이트 네이비",
            "네이비 화이트 핑크",
            "라벤더 화이트 퍼플",
            "베이지 브라운 화이트",
        ),
        outfits=(
            (("blouse", "solid", "111"), ("flare_skirt", "dots", "012")),
            (("wrap_dress", "dots", "012"),),
            (("blouse", "dots", "012"), ("flare_skirt", "solid", "000")),
        ),
    ),
    "프레피": dict(
        count=162,
        shoes="loafers",
        hats="none",
        palettes=("네이비 와인 화이트", "그린 네이비 화이트", "와인 네이비 화이트", "네이비 옐로우 화이트"),
        outfits=(
            (("tie_shirt", "solid", "210"), ("pleated_mini", "tartan", "102"), ("crest_blazer", "solid", "010")),
            (("knit_vest", "argyle", "012"), ("pleated_mini", "tartan", "102")),
        ),
    ),
    "히피": dict(
        count=455,
        shoes="sandals boots",
        hats="band band none",
        palettes=(
            "오렌지 퍼플 옐로우",
            "브라운 옐로우 퍼플",
            "블루 오렌지 옐로우",
            "베이지 와인 민트",
            "핑크 스카이블루 옐로우",
        ),
        outfits=(
            (("tunic", "tiedye", "012"), ("bell_pants", "patchwork denim", "120")),
            (("boho_dress", "tiedye", "012"),),
            (("tunic", "tiedye", "012"), ("bell_pants", "paisley patchwork", "120"), ("fringe_vest", "suede", "200")),
        ),
    ),
    "힙합": dict(
        count=88,
        shoes="sneakers",
        hats="bucket cap",
        palettes=("블랙 화이트 골드", "레드 화이트 블랙", "화이트 네이비 레드", "옐로우 블랙 화이트", "실버 블랙 블루"),
        outfits=(
            (("big_tee", "solid", "110"), ("baggy_jeans", "denim", "100"), ("puffer", "quilt", "000")),
            (("jersey", "jersey", "012"), ("baggy_jeans", "denim", "100")),
        ),
    ),
}
ALIASES = {
    "키치": "키치/키덜트",
    "펑크": "펑크/로커",
    "젠더리스": "젠더리스/젠더플루이드",
}  # spellings that other releases use
JEWELLERY = {
    "힙합": "gold_chain",
    "펑크": "chain",
    "소피스트케이티드": "pearls",
}  # details that a person of the style wears
