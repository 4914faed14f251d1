/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/surveys/survey_words.h"

#include <strings.h>

const struct survey_words survey_built_in[SURVEY_BUILT_IN] = {
        {.lang = "en",
         .of = {[SURVEY_ASKS_CSAT] = {"How satisfied are you with the help you got?", "Very dissatisfied",
                                      "Very satisfied"},
                [SURVEY_ASKS_THUMBS] = {"Did our help solve your problem?", "No", "Yes"},
                [SURVEY_ASKS_NPS] = {"How likely are you to recommend us to a friend or colleague?",
                                     "Not at all likely", "Extremely likely"},
                [SURVEY_ASKS_CES] = {"It was easy to get help with my question.", "Strongly disagree",
                                     "Strongly agree"}},
         .comment = "Would you like to tell us more?",
         .contact = "Please contact me about this",
         .thanks = "Thank you for your answer.",
         .send = "Send",
         .required_mark = "needed",
         .answered = "You have answered this survey.",
         .change = "You can still change your answer.",
         .ended = "This survey has ended.",
         .bad_link = "This link is not valid.",
         .bad_answer = "Please choose an answer and send again.",
         .later = "Something went wrong here. Please try again in a moment."},
        {.lang = "ko",
         .of = {[SURVEY_ASKS_CSAT] = {"받으신 상담에 얼마나 만족하셨나요?", "매우 불만족", "매우 만족"},
                [SURVEY_ASKS_THUMBS] = {"상담으로 문제가 해결되었나요?", "아니요", "네"},
                [SURVEY_ASKS_NPS] = {"저희를 친구나 동료에게 추천하실 의향이 얼마나 되시나요?", "전혀 없음",
                                     "매우 높음"},
                [SURVEY_ASKS_CES] = {"문의에 대한 도움을 쉽게 받을 수 있었습니다.", "전혀 그렇지 않다", "매우 그렇다"}},
         .comment = "더 하실 말씀이 있으신가요?",
         .contact = "이 일로 연락을 받고 싶습니다",
         .thanks = "답변해 주셔서 감사합니다.",
         .send = "보내기",
         .required_mark = "필수",
         .answered = "이미 답변하신 설문입니다.",
         .change = "아직 답변을 바꾸실 수 있습니다.",
         .ended = "종료된 설문입니다.",
         .bad_link = "올바르지 않은 링크입니다.",
         .bad_answer = "답을 선택한 뒤 다시 보내 주세요.",
         .later = "문제가 발생했습니다. 잠시 후 다시 시도해 주세요."},
        {.lang = "zh",
         .of = {[SURVEY_ASKS_CSAT] = {"您对这次获得的帮助满意吗？", "非常不满意", "非常满意"},
                [SURVEY_ASKS_THUMBS] = {"我们的帮助解决了您的问题吗？", "没有", "是的"},
                [SURVEY_ASKS_NPS] = {"您有多大可能向朋友或同事推荐我们？", "完全不可能", "非常可能"},
                [SURVEY_ASKS_CES] = {"我很容易就得到了帮助。", "非常不同意", "非常同意"}},
         .comment = "您还有什么想告诉我们的吗？",
         .contact = "请就此事与我联系",
         .thanks = "感谢您的回答。",
         .send = "提交",
         .required_mark = "必答",
         .answered = "您已经回答过这份问卷。",
         .change = "您仍可以修改您的回答。",
         .ended = "这份问卷已经结束。",
         .bad_link = "此链接无效。",
         .bad_answer = "请选择一个答案后再提交。",
         .later = "出了点问题，请稍后再试。"},
        {.lang = "ja",
         .of = {[SURVEY_ASKS_CSAT] = {"今回のサポートにどのくらい満足されましたか？", "とても不満", "とても満足"},
                [SURVEY_ASKS_THUMBS] = {"今回のサポートで問題は解決しましたか？", "いいえ", "はい"},
                [SURVEY_ASKS_NPS] = {"私たちを友人や同僚にすすめる可能性はどのくらいありますか？", "まったくない",
                                     "非常に高い"},
                [SURVEY_ASKS_CES] = {"簡単にサポートを受けることができた。", "まったくそう思わない", "とてもそう思う"}},
         .comment = "ほかにお聞かせいただけることはありますか？",
         .contact = "この件で連絡を希望します",
         .thanks = "ご回答ありがとうございます。",
         .send = "送信",
         .required_mark = "必須",
         .answered = "このアンケートにはすでにお答えいただいています。",
         .change = "回答はまだ変更できます。",
         .ended = "このアンケートは終了しました。",
         .bad_link = "このリンクは無効です。",
         .bad_answer = "回答を選んでから、もう一度送信してください。",
         .later = "問題が発生しました。しばらくしてからもう一度お試しください。"},
};

struct span survey_lang_base(struct span lang)
{
        const char *dash = lang.len > 0 ? memchr(lang.at, '-', lang.len) : NULL;
        return (struct span){lang.at, dash ? (size_t)(dash - lang.at) : lang.len};
}

bool survey_lang_equal(struct span one, struct span other)
{
        return one.len == other.len && (one.len == 0 || strncasecmp(one.at, other.at, one.len) == 0);
}

const struct survey_words *survey_words_of(struct span lang)
{
        struct span base = survey_lang_base(lang);
        for (size_t i = 0; i < SURVEY_BUILT_IN; i++)
                if (survey_lang_equal(base, span_of(survey_built_in[i].lang)))
                        return &survey_built_in[i];
        return NULL;
}

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool survey_lang_is_valid(struct span lang)
{
        char before = '-';
        for (size_t i = 0; i < lang.len; i++) {
                char c = lang.at[i];
                bool is_dash = c == '-' && i >= 2 && before != '-';
                if (!is_letter(c) && !is_dash && !(c >= '0' && c <= '9' && i >= 2))
                        return false;
                before = c;
        }
        return lang.len >= 2 && before != '-';
}
