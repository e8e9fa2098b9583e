"""A report in Korean: the page's texts, looked up in a table of what it says in English.

What a run brings (names of classes, runs, files and recipes, code, messages) stays as it is.
"""

import re
from html import escape, unescape

WHOLE = {  # a text between two tags
    # How good is it
    "How good is it?": "얼마나 맞힐까요?",
    "this model": "이 모델",
    "majority baseline": "최다 클래스 기준선",
    "Majority baseline: always answering the most frequent one.": "최다 클래스 기준선: 언제나 가장 흔한 클래스로 "
    "답하기.",
    "balanced accuracy": "균형 정확도",
    "macro F1": "매크로 F1",
    "top 3": "상위 3",
    "parents": "상위 분류",
    "mean over the classes": "클래스별 값의 평균",
    "the truth is among three answers": "정답이 답 세 개 안에 있음",
    "the coarser group is right": "더 큰 분류가 맞음",
    "and": "~",
    "New pictures have no annotation": "새 사진에는 사람이 그린 상자나 윤곽선이 없습니다",
    "In two class mixes": "두 가지 클래스 구성에서",
    "figure": "지표",
    "accuracy": "정확도",
    "photos as they come": "사진 그대로",
    "rows as they come": "행 그대로",
    "every class as often": "모든 클래스가 똑같이",
    "recall and specificity, mean over the classes": "재현율과 특이도의 클래스 평균",
    # What was done, a board's rules
    "What is missing here": "여기에 없는 것",
    "What was done": "무엇을 했나",
    "Question": "질문",
    "Network": "신경망",
    "Pixels": "픽셀",
    "Training": "학습",
    "Rows": "행",
    "Rows without a region": "영역이 없는 행",
    "Catalog": "카탈로그",
    "Time": "시간",
    "Versions and commit": "버전과 커밋",
    "package": "패키지",
    "version": "버전",
    "For a board's rules": "리더보드 규칙을 위해",
    "Pretrained weights": "사전 학습 가중치",
    "Annotation in training": "학습에 쓴 주석",
    "A new picture needs": "새 사진에 필요한 것",
    "Models that found regions": "영역을 찾은 모델",
    "Labels": "라벨",
    "Learned from": "배운 행",
    "Chosen by validation rows": "검증 행으로 고른 것",
    "none": "없음",
    "those of the catalog": "카탈로그의 라벨",
    "nothing but the picture itself": "사진 그 자체뿐",
    "nothing: they had no part in the weights": "없음: 검증 행은 가중치에 관여하지 않았습니다",
    # Curves, classes, calibration
    "Learning curves": "학습 곡선",
    "class": "클래스",
    "parent": "상위 분류",
    "photos": "사진",
    "rows": "행",
    "recall": "재현율",
    "precision": "정밀도",
    "What is taken for what": "무엇을 무엇으로 보았나",
    "How sure may one be?": "확률은 얼마나 믿을 만한가",
    "probabilities": "확률",
    "ECE (0 is best)": "ECE (0이 가장 좋음)",
    "how sure": "확신",
    "how right": "적중",
    "log loss": "로그 손실",
    "as predicted": "예측 그대로",
    "with a temperature": "온도 적용",
    # Audit, pictures, how to repeat
    "What the audit found": "감사에서 찾은 것",
    "found": "찾은 것",
    "how often": "횟수",
    "validation rows": "검증 행",
    "for example": "예",
    "how many": "몇 장",
    "all": "전체",
    "near-duplicates": "거의 같은 사진",
    "without near-duplicates": "거의 같은 사진 제외",
    "Pictures, as the model saw them": "모델이 본 그대로의 사진",
    "The most confident mistakes": "가장 자신 있게 틀린 사진",
    "Drawn at random": "무작위로 뽑은 사진",
    "Where it looked": "어디를 보았나",
    "no picture": "사진 없음",
    "✓ right": "✓ 맞음",
    "✗ wrong": "✗ 틀림",
    "How to repeat it": "다시 하려면",
    ": the folder with its photographs.": ": 그 사진이 있는 폴더.",
    ": the part": ": 다음의",
    "of this run's": "부분, 이 런의",
}
# anywhere in a text: `{}` for what differs, {0}, {1} … where it stands in Korean; longer ones come first
WITHIN = (
    (
        "Every figure on this page is of the validation rows, which the model did not learn from.",
        "이 페이지의 모든 숫자는 모델이 배우지 않은 검증 행의 것입니다.",
    ),
    (
        "It learned from every row; every figure on this page is out of fold: each row was judged by a classifier that "
        "had not seen its group.",
        "모든 행에서 배웠습니다. 이 페이지의 숫자는 모두, 그 그룹을 본 적 없는 분류기가 각 행을 판단한 것입니다.",
    ),
    (", trained on {} rows;", ", 학습 {0}행;"),
    ("of {} validation photos answered correctly", "검증 사진 {0}장 중 맞힌 비율"),
    ("of {} validation rows answered correctly", "검증 행 {0}개 중 맞힌 비율"),
    ("of {} photos answered correctly", "사진 {0}장 중 맞힌 비율"),
    ("of {} rows answered correctly", "행 {0}개 중 맞힌 비율"),
    ("of {} validation photos with all labels right", "검증 사진 {0}장 중 라벨을 모두 맞힌 비율"),
    ("of {} validation rows with all labels right", "검증 행 {0}개 중 라벨을 모두 맞힌 비율"),
    ("of {} photos with all labels right", "사진 {0}장 중 라벨을 모두 맞힌 비율"),
    ("says little: {} classes occur", "의미가 적음: 클래스 {0}개만 나옴"),
    ("says little: 1 class occurs", "의미가 적음: 클래스 하나만 나옴"),
    ("All of the {} classes have photos here.", "클래스 {0}개 모두 여기에 사진이 있습니다."),
    ("All of the {} classes have rows here.", "클래스 {0}개 모두 여기에 행이 있습니다."),
    ("{} of the {} classes have photos here.", "클래스 {1}개 중 {0}개에 사진이 있습니다."),
    ("{} of the {} classes have rows here.", "클래스 {1}개 중 {0}개에 행이 있습니다."),
    (
        "How sure the accuracy is cannot be told from {} {} of photos.",
        "그룹이 {0}개뿐이라 정확도가 얼마나 확실한지 말할 수 없습니다.",
    ),
    (
        "How sure the accuracy is cannot be told from {} {} of rows.",
        "그룹이 {0}개뿐이라 정확도가 얼마나 확실한지 말할 수 없습니다.",
    ),
    ("With {} photos of {} groups the accuracy lies between", "사진 {0}장(그룹 {1}개)에서 정확도는"),
    ("With {} rows of {} groups the accuracy lies between", "행 {0}개(그룹 {1}개)에서 정확도는"),
    (
        "(95 % interval; photos of one look, person or original are drawn together).",
        "사이입니다 (95 % 구간; 같은 룩·사람·원본의 사진은 함께 뽑습니다).",
    ),
    ("Only one of the {} classes occurs among these photos", "이 사진에는 클래스 {0}개 중 하나만 나옵니다"),
    ("Only one of the {} classes occurs among these rows", "이 행에는 클래스 {0}개 중 하나만 나옵니다"),
    (
        ": always answering it would be right every time, so these figures tell nothing.",
        ": 언제나 그 답만 해도 매번 맞으므로 이 숫자는 아무것도 말해 주지 않습니다.",
    ),
    ("Without the annotators' boxes and polygons at test time:", "시험할 때 사람이 그린 상자와 윤곽선이 없으면:"),
    (
        "(balanced {}). That is what a board whose pictures come without them would see.",
        "(균형 {0}). 상자 없는 사진으로 채점하는 리더보드에서 보게 될 숫자입니다.",
    ),
    (
        "This recipe reads no box and no polygon: the model sees whole pictures, as a leaderboard gives them.",
        "이 레시피는 상자도 윤곽선도 읽지 않습니다. 모델은 리더보드가 주는 그대로의 사진 전체를 봅니다.",
    ),
    (
        "The model sees the garment's {}. Of the regions in these pictures, {}.",
        "모델은 옷의 {0}만 봅니다. 이 사진들의 영역은 {1}.",
    ),
    (
        ": expect less there, or let a model find their regions before they are predicted.",
        ": 그런 사진에서는 점수가 낮을 수 있으니, 예측하기 전에 모델로 영역을 찾게 하세요.",
    ),
    (
        "Between data sets figures differ by their class mix more than by the method.",
        "데이터가 다르면 숫자는 방법보다 클래스 구성 때문에 더 달라집니다.",
    ),
    (
        "As they come, {} of these photos are of the most frequent class; a board may count every class the same.",
        "이 사진의 {0}가 가장 흔한 클래스입니다. 리더보드는 클래스를 똑같이 셀 수도 있습니다.",
    ),
    (
        "As they come, {} of these rows are of the most frequent class; a board may count every class the same.",
        "이 행의 {0}가 가장 흔한 클래스입니다. 리더보드는 클래스를 똑같이 셀 수도 있습니다.",
    ),
    ("any number of them apply", "여러 개가 해당할 수 있음"),
    ("exactly one applies", "정확히 하나"),
    ("in {} parent groups", "상위 분류 {0}개"),
    (", the same table and splits give the same hash", ", 같은 표와 분할이면 해시도 같습니다"),
    (
        "{} of the training rows: where the polygon is missing the box is used, where both are missing the whole "
        "picture",
        "학습 행의 {0}: 윤곽선이 없으면 상자를, 둘 다 없으면 사진 전체를 씁니다",
    ),
    ("all {} train and valid rows", "학습·검증 {0}행 전부"),
    ("{} train and valid rows", "학습·검증 {0}행"),
    ("{} train rows; not from valid or test rows", "학습 {0}행; 검증·시험 행에서는 배우지 않았습니다"),
    ("the train rows; not from valid or test rows", "학습 행; 검증·시험 행에서는 배우지 않았습니다"),
    ("{} train, {} valid", "학습 {0}, 검증 {1}"),
    ("{} pictures rejected", "사진 {0}장 제외"),
    ("{} picture rejected", "사진 {0}장 제외"),
    ("{} seconds, finished", "{0}초, 끝난 때"),
    ("{} minutes, finished", "{0}분, 끝난 때"),
    ("{} hours, finished", "{0}시간, 끝난 때"),
    (
        "nothing: each row was judged by a classifier that had not seen its group (out of fold)",
        "없음: 각 행은 그 그룹을 본 적 없는 분류기가 판단했습니다",
    ),
    (
        "so the figures on this page are slightly too good; those of a test split are not",
        "그래서 이 페이지의 숫자는 조금 낙관적이고, 시험 분할의 숫자는 그렇지 않습니다",
    ),
    ("the weights with the lowest validation loss", "검증 손실이 가장 낮은 가중치"),
    ("{} of the way from the frozen start to epoch {},", "얼린 시작에서 {1}에폭까지 가는 길의 {0},"),
    (
        ": check that the rules allow the data they were trained on",
        ": 그 가중치가 배운 데이터가 규칙에 맞는지 확인하세요",
    ),
    ("the class labels, and each row's {}:", "클래스 라벨과 각 행의 {0}:"),
    ("the class labels; no box and no polygon is read", "클래스 라벨; 상자와 윤곽선은 읽지 않음"),
    ("it is not known who drew them", "누가 그렸는지 알 수 없음"),
    (
        "its {}: from annotators, drawn by hand, or found by a model",
        "그 사진의 {0}: 사람이 그렸거나, 손으로 그렸거나, 모델이 찾은 것",
    ),
    ("drawn by annotators", "주석자가 그림"),
    ("drawn by hand", "손으로 그림"),
    ("not given, so the whole picture is used", "없어서 사진 전체를 씀"),
    ("found by", "찾은 모델"),
    ("nothing is known", "알려진 것이 없음"),
    ("starting from", "시작:"),
    ("from random weights", "무작위 가중치에서"),
    ("the published ImageNet weights", "공개된 ImageNet 가중치"),
    ("the weights that the preset brings", "프리셋의 가중치"),
    ("the run ", "런 "),
    ("the file ", "파일 "),
    ("the whole picture, ", "사진 전체, "),
    ("cut to the row's box", "행의 상자로 자름"),
    (" with a margin of {},", "(여백 {0}),"),
    ("everything outside its polygon painted {},", "윤곽선 밖은 {0}으로 칠함,"),
    ("padded with {} to {} × {}", "{0}으로 채워 {1} × {2}"),
    ("stretched to {} × {}", "{0} × {1}로 늘임"),
    ("JPEG quality", "JPEG 품질"),
    ("white", "흰색"),
    ("black", "검은색"),
    ("grey", "회색"),
    ("a linear classifier solved", "선형 분류기를 풂"),
    ("a hidden classifier trained for {} epochs", "hidden 분류기를 {0}에폭 학습"),
    ("a residual classifier trained for {} epochs", "residual 분류기를 {0}에폭 학습"),
    ("on frozen features", "(얼린 특징)"),
    ("mean, deviation and maximum of the last two stages", "마지막 두 단계의 평균·편차·최댓값"),
    ("the last layer", "마지막 층"),
    (", seen at {} pixels", ", {0}픽셀로 봄"),
    ("each picture and its mirror image", "사진과 그 거울상"),
    ("{} variants of each picture", "사진마다 변형 {0}개"),
    ("; each picture", "; 사진 한 번"),
    ("no fine-tuning", "미세 조정 없음"),
    ("second opinions take a share of the label, chosen by cross-validation", "둘째 라벨의 몫은 교차 검증으로"),
    ("rare classes count more (square root of their share)", "드문 클래스를 더 셈(비율의 제곱근)"),
    ("all classes count the same (weights)", "모든 클래스를 똑같이 셈(가중치)"),
    ("all classes count the same (logit adjustment)", "모든 클래스를 똑같이 셈(로짓 보정)"),
    ("rare classes drawn more often", "드문 클래스를 더 자주 뽑음"),
    ("what is already known counts less (focal loss)", "이미 아는 것은 덜 셈(focal loss)"),
    ("pictures and labels interpolated (MixUp)", "사진과 라벨을 섞음(MixUp)"),
    ("rectangles of pictures exchanged (CutMix)", "사진의 사각형을 바꿈(CutMix)"),
    ("MixUp or CutMix, one of them a batch", "배치마다 MixUp 또는 CutMix"),
    ("the whole network fine-tuned for", "신경망 전체를 미세 조정:"),
    ("the whole network trained for", "신경망 전체를 학습:"),
    ("the classifier and the top {} layers of the backbone fine-tuned for", "분류기와 위쪽 {0}개 층을 미세 조정:"),
    ("the classifier and the top {} layers of the backbone trained for", "분류기와 위쪽 {0}개 층을 학습:"),
    ("the classifier fine-tuned for", "분류기를 미세 조정:"),
    ("the classifier trained for", "분류기를 학습:"),
    ("the classifier's rate {} times as high", "분류기의 학습률은 {0}배"),
    (
        "up to {} epochs, ended after {} epochs without a lower validation loss",
        "최대 {0}에폭, 검증 손실이 {1}에폭 동안 낮아지지 않으면 끝",
    ),
    ("× {} after {} epochs without a lower validation loss", "검증 손실이 {1}에폭 동안 낮아지지 않으면 × {0}"),
    ("× {} every {} epochs", "{1}에폭마다 × {0}"),
    ("× {} every epoch", "에폭마다 × {0}"),
    ("grown from 0 over {} epochs", "{0}에폭에 걸쳐 0에서 늘림"),
    ("sinking to 0 along a cosine", "코사인을 따라 0으로"),
    ("{} epochs", "{0}에폭"),
    ("weight decay", "가중치 감쇠"),
    ("batches of {},", "배치 {0},"),
    ("pictures unchanged", "사진 그대로"),
    ("light augmentation (mirror, shift, zoom, brightness, colour)", "가벼운 증강(거울, 이동, 확대, 밝기, 색)"),
    ("strong augmentation (turned and partly erased, too)", "강한 증강(회전, 일부 지우기 포함)"),
    ("two random operations on each picture (RandAugment)", "사진마다 무작위 조작 두 개(RandAugment)"),
    ("{} of the people pasted on other backgrounds", "사람의 {0}를 다른 배경에 붙임"),
    ("a moving average of the weights is kept (momentum {})", "가중치의 이동 평균을 남김(모멘텀 {0})"),
    ("label smoothing", "라벨 스무딩"),
    (
        "a loss that forgives wrong labels (generalized cross-entropy)",
        "틀린 라벨을 용서하는 손실(generalized cross-entropy)",
    ),
    ("{} of the loss taken over the parent groups", "손실의 {0}는 상위 분류에서"),
    ("half precision where a GPU gains by it", "GPU가 빨라지면 반정밀도"),
    (", rate ", ", 학습률 "),
    ("(rate ", "(학습률 "),
    ("seed ", "시드 "),
    (
        "The network was not fine-tuned, so there is one step: the classifier solved on frozen features.",
        "신경망은 미세 조정하지 않았으므로 단계는 하나뿐입니다. 얼린 특징 위에서 분류기를 풀었습니다.",
    ),
    ("Class by class:", "클래스별:"),
    (
        "Recall: the share of the class's {} that are found. Precision: the share of its answers that are right. "
        "Beside "
        "each its 95 % interval, where one can be computed.",
        "재현율: 그 클래스 중 찾아낸 비율. 정밀도: 그 답 중 맞은 비율. 계산할 수 있으면 95 % 구간을 함께 적습니다.",
    ),
    (
        "{} more classes have no photos here and were never answered:",
        "나머지 클래스 {0}개는 여기에 사진이 없고, 답으로도 나오지 않았습니다:",
    ),
    (
        "{} more classes have no rows here and were never answered:",
        "나머지 클래스 {0}개는 여기에 행이 없고, 답으로도 나오지 않았습니다:",
    ),
    (
        "Each row holds the {} of one true class; a dark cell off the diagonal is a class it is mistaken for.",
        "한 줄이 정답 클래스 하나입니다. 대각선 밖의 진한 칸이 잘못 본 클래스입니다.",
    ),
    (
        "Each row holds the {} that have a class, each column a class that was answered for them.",
        "한 줄은 그 클래스가 있는 사진, 한 열은 그 사진에 답한 클래스입니다.",
    ),
    (
        "On the diagonal an answer given with 0.8 is right in 8 of 10 {}.",
        "대각선 위에서는 0.8로 답한 것이 열에 여덟 번 맞습니다.",
    ),
    (
        "Dividing log-probabilities by one number, the temperature ({} and {}; above 1 = it was too sure), changes no "
        "answer. The groups were cut into two halves, and each half was given the temperature fitted on the "
        "other: so it "
        "is judged on {} that it was not fitted to.",
        "로그 확률을 온도({0}, {1}; 1보다 크면 너무 확신한 것)로 나누어도 답은 바뀌지 않습니다. 그룹을 둘로 "
        "나누어 다른 쪽에서 맞춘 온도를 썼으므로, "
        "맞추는 데 쓰지 않은 것으로 판단합니다.",
    ),
    ("No temperature could be fitted:", "온도를 맞출 수 없었습니다:"),
    ("It looked at the whole catalog and found nothing.", "카탈로그 전체를 보았고 아무것도 찾지 못했습니다."),
    ("With and without near-duplicates of training pictures", "학습 사진과 거의 같은 사진을 넣었을 때와 뺐을 때"),
    ("No validation photo is in a pair: nothing has to be left out.", "짝이 있는 검증 사진이 없어 뺄 것이 없습니다."),
    (
        "The pairs of validation photos are within the validation photos: none has a near-duplicate in training, "
        "nothing "
        "has to be left out.",
        "검증 사진의 짝은 모두 검증 사진 안에 있습니다. 학습에 거의 같은 사진이 없으므로 뺄 것이 없습니다.",
    ),
    (
        "A photo counts as seen if the audit's pairs lead from it to a row that is not a validation row; give the full "
        "catalog, and only train rows count.",
        "감사의 짝을 따라 검증이 아닌 행에 닿으면 본 사진으로 셉니다. 전체 카탈로그를 주면 학습 행만 셉니다.",
    ),
    ("likely wrong labels:", "틀렸을 법한 라벨:"),
    ("pairs:", "짝:"),
    (
        "Look here first: a wrong label in the data, a picture that shows two things, or a real weakness.",
        "여기부터 보세요. 데이터의 틀린 라벨이거나, 두 가지가 함께 찍힌 사진이거나, 진짜 약점입니다.",
    ),
    (
        "Among the other validation photos, seed {}: what is normal.",
        "나머지 검증 사진 중에서 (시드 {0}): 보통은 이렇습니다.",
    ),
    ("Among the other {}, seed {}: what is normal.", "나머지 중에서 (시드 {1}): 보통은 이렇습니다."),
    ("truth:", "정답:"),
    (
        "Each picture beside its heat: bright is what speaks for the answer (Grad-CAM: the last maps of the network, "
        "weighted by what they do for the answer).",
        "사진 옆의 밝은 곳이 그 답을 뒷받침합니다 (Grad-CAM: 답에 미친 영향으로 가중한 마지막 특징 맵).",
    ),
    ("In {} pictures with polygons", "윤곽선이 있는 사진 {0}장에서"),
    (
        "of the heat lies on the garments, which cover {} of the area; heat spread evenly would have no more than that "
        "there.",
        "만큼이 옷 위에 있습니다. 옷은 넓이의 {0}이므로, 고르게 퍼졌다면 그 이상은 아니었을 것입니다.",
    ),
    ("{} of the heat on {} of the area", "넓이 {1}에 열의 {0}"),
    (": the table whose train and valid rows have the hash", ": 학습·검증 행의 해시가 다음과 같은 표"),
    (
        "The same command on the same folder continues an interrupted training, or returns the finished run.",
        "같은 폴더에 같은 명령을 다시 부르면 끊긴 학습을 이어서 하거나, 끝난 런을 돌려줍니다.",
    ),
    (
        "This is not the catalog the run was trained with: its own metrics.json holds other figures than those "
        "computed "
        "here.",
        "이 런이 배운 카탈로그가 아닙니다. 런의 metrics.json에 여기서 계산한 것과 다른 숫자가 있습니다.",
    ),
    ("({} classes)", "(클래스 {0}개)"),
    ("({} class)", "(클래스 {0}개)"),
    (": {} classes,", ": 클래스 {0}개,"),
    (" box and polygon", " 상자와 윤곽선"),
    (" box", " 상자"),
    (" polygon", " 윤곽선"),
)
KEPT = ("style", "code", "pre", "title", "h1", "i")  # elements whose texts stay
SKIPPED = re.compile(
    rf'(<({"|".join(KEPT)})\b[^>]*>.*?</\2>|<span lang="ko">.*?</span>|<div lang="en">.*?</div>|<[^>]+>)', re.DOTALL
)


def _pattern(english):
    """A pattern of `{}` for a text that differs and is as short as can be."""
    return re.compile(re.escape(english).replace(r"\{\}", r"([^\s<]+(?: [^\s<]+)*?)"))


PATTERNS = [(_pattern(english), korean) for english, korean in sorted(WITHIN, key=lambda row: -len(row[0]))]


def in_korean(document):
    """The HTML of a report with its texts in Korean."""
    pieces = re.split(SKIPPED, document)
    texts = [_text(piece) if number % 3 == 0 else piece for number, piece in enumerate(pieces) if number % 3 < 2]
    return "".join(texts).replace('<html lang="en">', '<html lang="ko">', 1)


def _text(piece):
    words = unescape(piece)
    stripped = words.strip()
    if not stripped:
        return piece
    translated = WHOLE.get(stripped)
    if translated is None:
        translated = stripped
        for pattern, korean in PATTERNS:
            translated = pattern.sub(lambda found, korean=korean: korean.format(*found.groups()), translated)
    before, after = words[: len(words) - len(words.lstrip())], words[len(words.rstrip()) :]
    return before + escape(translated, quote=False) + after
