# SPDX-License-Identifier: Apache-2.0
"""Copies of what C gives into the values of types.py."""
from typing import Any, List

from . import types
from ._core import Core, decode


def _list(copy: Any, at: Any, count: int) -> List[Any]:
    return [copy(at[i]) for i in range(count)]


def state(c: Any) -> types.State:
    return types.State(types.known(types.Connection, c.connection), c.retry_in_ms, decode(c.why), bool(c.caught_up),
                       decode(c.principal), decode(c.name), decode(c.epoch))


def file(c: Any) -> types.File:
    return types.File(decode(c.id), decode(c.name), decode(c.media), c.size, c.width, c.height, bytes(c.sha256))


def choice(c: Any) -> types.Choice:
    return types.Choice(decode(c.id), decode(c.label))


def form_field(c: Any) -> types.FormField:
    return types.FormField(decode(c.id), decode(c.label), decode(c.input), bool(c.required))


def form_value(c: Any) -> types.FormValue:
    return types.FormValue(decode(c.id), decode(c.value))


def _question(c: Any) -> types.SurveyQuestion:
    return types.SurveyQuestion(decode(c.id), decode(c.kind), decode(c.text), _list(choice, c.choices, c.choices_count),
                                c.min, c.max, decode(c.low), decode(c.high), bool(c.required), c.from_score, c.to_score)


def _said(c: Any) -> types.SurveySaid:
    return types.SurveySaid(decode(c.question), _list(decode, c.chosen, c.chosen_count),
                            c.number if c.number >= 0 else None, decode(c.words))


def survey(c: Any) -> types.Survey:
    return types.Survey(
        offer=decode(c.offer), survey=decode(c.survey), version=c.version, metric=decode(c.metric),
        style=decode(c.style), min=c.min, max=c.max, low=decode(c.low), high=decode(c.high),
        questions=_list(_question, c.questions, c.questions_count), comment=decode(c.comment),
        contact=decode(c.contact), thanks=decode(c.thanks), colour=decode(c.colour), brand=decode(c.brand),
        state=types.known(types.SurveyState, c.state), until_ms=c.until_ms, score=c.score if c.score >= 0 else None,
        said=decode(c.said), answers=_list(_said, c.answers, c.answers_count),
        wants_contact=bool(c.wants_contact) if c.wants_contact >= 0 else None, is_locked=bool(c.is_locked))


def entry(core: Core, c: Any) -> types.Entry:
    return types.Entry(
        conversation=_name(core, c.conversation), origin=types.known(types.Origin, c.origin),
        log=types.known(types.Log, c.log), number=c.number, at_seq=c.at_seq, epoch=decode(c.epoch), ts_ms=c.ts_ms,
        author=decode(c.author), name=decode(c.name), is_mine=bool(c.is_mine), cmid=decode(c.cmid),
        kind=types.known(types.Kind, c.kind), version=c.version, of=c.of, reply_to=c.reply_to, text=decode(c.text),
        choices=_list(choice, c.choices, c.choices_count), form=_list(form_field, c.form, c.form_count),
        title=decode(c.title), link=decode(c.link), pressed_seq=c.pressed_seq, pressed_id=decode(c.pressed_id),
        hash=bytes(c.hash), files=_list(file, c.files, c.files_count), filled_seq=c.filled_seq,
        filled=_list(form_value, c.filled, c.filled_count), survey=survey(c.survey.contents) if c.survey else None)


def message(core: Core, c: Any) -> types.Message:
    return types.Message(
        conversation=_name(core, c.conversation), cmid=decode(c.cmid),
        operation=types.known(types.Operation, c.operation), state=types.known(types.MessageState, c.state),
        is_again=bool(c.is_again), log=types.known(types.Log, c.log), number=c.number, at_seq=c.at_seq,
        ts_ms=c.ts_ms, epoch=decode(c.epoch), is_duplicate=bool(c.is_duplicate), tag=decode(c.tag),
        text=decode(c.text), of=c.of, hash=bytes(c.hash), files=_list(file, c.files, c.files_count),
        is_paused=bool(c.is_paused), pressed_seq=c.pressed_seq, filled_seq=c.filled_seq,
        rated_seq=c.rated_seq)


def progress(core: Core, c: Any) -> types.Progress:
    return types.Progress(_name(core, c.conversation), decode(c.cmid), c.file, c.files, c.sent, c.total)


def presence(core: Core, c: Any) -> types.Presence:
    return types.Presence(types.known(types.PresenceOf, c.of), bool(c.is_here),
                          _name(core, c.conversation) if c.conversation else None, decode(c.customer),
                          c.last_seen_ms)


def device_answer(core: Core, c: Any) -> types.DeviceAnswer:
    return types.DeviceAnswer(
        conversation=_name(core, c.conversation), cmid=decode(c.cmid), text=decode(c.text), rule=decode(c.rule),
        version=decode(c.version), ts_ms=c.ts_ms, is_again=bool(c.is_again), is_taken_back=bool(c.is_taken_back))


def info(core: Core, c: Any) -> types.ConversationInfo:
    marks = types.Marks(c.marks.customer_recv, c.marks.customer_read, c.marks.staff_recv, c.marks.staff_read)
    return types.ConversationInfo(
        _name(core, c.conversation), decode(c.id), decode(c.key), decode(c.customer), decode(c.customer_name),
        bool(c.has_left), c.head, c.ihead, c.rev, marks, c.unread, c.unanswered, c.waiting_since_ms, c.last_ts_ms,
        decode(c.last_author), decode(c.last_preview))


def found(c: Any) -> types.Found:
    return types.Found(decode(c.conversation), decode(c.customer), types.known(types.Log, c.log), c.number, c.ts_ms,
                       decode(c.author), decode(c.kind), decode(c.before), decode(c.hit), decode(c.after))


def _name(core: Core, raw: int) -> Any:
    from .client import Conversation  # pylint: disable=import-outside-toplevel
    with core.turn:
        known = core.conversations.get(raw)
        if known is None:
            known = core.conversations[raw] = Conversation(core, raw)
        return known


conversation = _name
