"""Facts about Korean text, for telling it from what else the bytes of a table may be.

CP949 gives a letter to nearly every pair of high bytes, so text of other encodings (Chinese, Japanese, western) decodes
too. But what it decodes to are letters that Korean seldom or never writes.
"""

import re

from kfashion_utils.tables.tasks import HEADS, PARENTS, PARTS

FREQUENT = frozenset(
    "가각간감강개거건검것게겨격견결경계고공과관광교구국군권규그근글금급기길김나난남내너네노농누는늘니님다단달담당대"
    "더데도독동되두드든들등디라락란람래량러런레려력련령로록론료루류르른를름리린림마막만말망매머메면명모목무문물미민"
    "바박반발방배백번법변별병보복본볼부북분불브비사산살상새색생서석선설성세소속손송쇼수순술스습승시식신실심아안알암"
    "애야약양어언얼업없에여역연열영예오온올와완외요용우운울원월위유육은을음의이인일임입있자작장재저적전절점정제조족"
    "존종주준중즈증지직진질집차착찬참창채책처천철청체초총최추축출치친카코크키타탁태터테토통투트특티파판패편평포표품"
    "프피하학한할함합항해행향허현형호화확환활회후희"
)
COMMON = FREQUENT | frozenset(
    "갈갑값갓갖같객갤걸겁겉겹곡곤골곳굴궁귀균극긋긴깃깅깊까깨꺼께꼬꼭꽃꾸꿈끈끝끼낙날납낸냉널넓넘넣넥녀년념녹논놀높"
    "놓눈눌뉴느능닌닐닝닥답댁덕던덜덟덥델돈돌된될둘둥뒤듀득딕딩따딱딸때떤떨또뛰뜨뜻랍랑랙랜램랩랫럭럼럽렀렁렌렐렬례"
    "롤롱룩릭릴립링많맑맘맛맞맥맨맵먹먼멀멜며멸몰몸못몽묶뮤뮬므밀밑받밝밤밥밴밸뱅버벌범베벤벨벽봄봉붉뷔뷰블빅빈빌빛"
    "빨쁘삼샤섬섭섹센셀셔션셜셰솔솜숄숍숙숲쉐쉬슈슐슨슬십싱쌍써쓰쓴씨악앉않압앗았앙앞앤앱억엄엇었엔엘염였옥옷왕왼움"
    "웃웅워웠웨윙윤율으응익읽잉잎잔잘잠잡잭쟈접젠져졸좋좌죽줄줌즉짐징짚짜째쪽첫첼촉촌춘충취츠측층침칸칼캐캔캡커컨컬"
    "컵컷케켓콘콜쿠퀘퀼큐큰클큼킨킹탄택탠턴털텍텐텔템텝톡톤톱퇴튀튜튼틀틱틴팅팩팬퍼퍽펀펌페펠펼폭폴푸풀풍퓨플픽핀필"
    "핑핵핸했헤혈협혹홀홈홍황획효훈휴흐흑흥흰히힙"
)
WORDS = frozenset(
    [
        *"""
        모자 신발 가방 안경 시계 양말 장갑 바지 치마 상의 하의 셔츠 티셔츠 블라우스 니트 니트웨어
        후드티 청바지 팬츠 스커트 레깅스 코트 재킷 자켓 점퍼 패딩 조끼 베스트 가디건 드레스 원피스
        운동화 구두 부츠 샌들 빨강 파랑 초록 노랑 검정 하양 회색 분홍 보라 주황 갈색 빨간색
        파란색 검은색 흰색 남자 여자 남성 여성 의류 패션 스타일 사진 학습 훈련 검증 시험 정답
        번호 이름 경로
        """.split(),
        *PARENTS,
        *PARTS,
        *(name for head in HEADS.values() for name in head.classes),
    ]
)  # that say more than their letters
SIGNS = frozenset("·…‘’“”―～×÷±°℃→←↑↓★☆○●◎◇◆□■△▲▽▼※㎜㎝㎏㎡①②③④⑤⑥⑦⑧⑨")  # that Korean writers use beside letters
LEAST_LETTERS, LEAST_FREQUENT = 3, 2  # different syllables, and frequent ones, without which a text proves nothing
LEAST_SHARE, LEAST_WITH_WORD = 0.8, 0.5  # of the different syllables, those that are common; beside a known word
HANGUL = re.compile("[가-힣]+")


def is_surely_korean(text):
    """Whether a text that was decoded from CP949 is Korean beyond doubt: beside ASCII and usual signs nothing but
    syllables of the standard (KS X 1001), and among them a known word, or mostly common ones."""
    syllables = {letter for letter in set(text) if not letter.isascii()} - SIGNS
    if not syllables or not all(_is_standard(letter) for letter in syllables):
        return False
    share = len(syllables & COMMON) / len(syllables)
    if not WORDS.isdisjoint(HANGUL.findall(text)):
        return share >= LEAST_WITH_WORD
    enough = len(syllables) >= LEAST_LETTERS and len(syllables & FREQUENT) >= LEAST_FREQUENT
    return enough and share >= LEAST_SHARE


def _is_standard(letter):
    return "가" <= letter <= "힣" and len(letter.encode("euc_kr")) == 2
