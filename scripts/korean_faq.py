# SPDX-License-Identifier: Apache-2.0
"""A made set for scripts/bot-eval: 1,000 Korean answers with ten paraphrases each, 50 things by 20 wishes.

Five paraphrases of an answer are learned, the other five are asked; they differ in ending, order, particles and one word
in three. It is made by rule: it tells how the ranker copes with very many near answers, not how people write.
"""
import random

THINGS = """냉장고 세탁기 청소기 노트북 모니터 키보드 이어폰 스피커 카메라 프린터 운동화 구두 장화 외투 셔츠 치마 청바지 양말 모자 장갑
가방 지갑 우산 시계 목걸이 책상 의자 침대 소파 책장 커튼 이불 베개 냄비 프라이팬 접시 주전자 식칼 도마 텐트 자전거 헬멧 킥보드 유모차
장난감 물감 화분 향수 비누 면도기""".split()

# What it is about, twice said; what is to be told of it.
WISHES = (
    ("배송", "배달", "언제 되는지|날짜|일정|며칠 걸리는지"), ("환불", "돈 반환", "방법|받는 법|절차|어떻게 하는지"),
    ("교환", "바꾸기", "방법|신청하는 법|조건|어떻게 하는지"), ("가격", "값", "얼마인지|정보|어떻게 되는지|얼마나 하는지"),
    ("재고", "남은 수량", "있는지|현황|몇 개인지|언제 들어오는지"), ("사용", "쓰는", "방법|순서|법|설명서"),
    ("수리", "고치는", "방법|비용|센터|접수하는 법"), ("색상", "색깔", "종류|어떤 게 있는지|고르는 법|몇 가지인지"),
    ("크기", "사이즈", "어떻게 되는지|재는 법|정보|얼마인지"), ("보증", "무상 보장", "기간|조건|몇 년인지|받는 법"),
    ("취소", "주문 철회", "방법|하는 법|절차|어떻게 하는지"), ("할인", "세일", "받는 법|언제 하는지|조건|행사"),
    ("설치", "조립", "방법|비용|예약하는 법|기사 오는 날"), ("세척", "닦기", "방법|주기|하는 법|주의할 점"),
    ("보관", "간수", "방법|장소|하는 법|온도"), ("재질", "소재", "무엇인지|정보|종류|어떤 건지"),
    ("원산지", "만든 나라", "어디인지|정보|확인하는 법|표시"), ("무게", "몇 킬로", "얼마인지|정보|재는 법|나가는지"),
    ("포장", "싸는 것", "선물용으로 되는지|비용|방법|종류"), ("추천", "고를 만한 것", "모델|목록|이유|순위"),
)
ASKING = ("알려 주세요", "좀 알려줘", "궁금합니다", "알 수 있을까요?", "물어보려고요", "말씀해 주실래요?", "설명 부탁드립니다",
          "혹시 아세요?", "확인해 줘", "찾아봐 주세요")
ORDERS = ("{thing} {what} {told} {asking}", "{thing} {what} {told} {asking}", "{what} {told} {asking} {thing}요",
          "{asking} {thing} {what} {told}", "제가 산 {thing} {what} {told} {asking}", "{thing} 말인데요 {what} {told}")


def phrases(thing, wish, source):
    often, seldom, told = wish
    while True:
        yield source.choice(ORDERS).format(thing=thing, what=source.choice((often, often, seldom)),
                                           told=source.choice(told.split("|")), asking=source.choice(ASKING))


def rows(seed):
    """(split, label, text) of all answers: five paraphrases to learn and five others to ask of each."""
    source = random.Random(seed)
    for thing in THINGS:
        for number, wish in enumerate(WISHES):
            lines = []
            for line in phrases(thing, wish, source):
                if line not in lines:
                    lines.append(line)
                if len(lines) == 10:
                    break
            for place, line in enumerate(lines):
                yield "train" if place < 5 else "test", f"{thing}.{number}", line
