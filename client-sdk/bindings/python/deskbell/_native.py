# SPDX-License-Identifier: Apache-2.0
"""The C library as ctypes sees it: structures, function types and prototypes, one for one with deskbell.h.

Always true: the members of each structure are those of the header, in its order (the tests compare every offset). The
library must be at least as new as this file, and of the same series: what it fills may have grown at the end, never
shrunk. It is found by the variable DESKBELL_LIBRARY (a path), else by the system's loader.
"""
import ctypes
import ctypes.util
import os
from ctypes import (CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_int, c_int64, c_size_t, c_uint8, c_void_p)

VERSION = (0, 1, 0)


class State(Structure):
    _fields_ = [("connection", c_int), ("retry_in_ms", c_int64), ("why", c_char_p), ("caught_up", c_int),
                ("principal", c_char_p), ("name", c_char_p), ("epoch", c_char_p)]


class Choice(Structure):
    _fields_ = [("id", c_char_p), ("label", c_char_p)]


class FormField(Structure):
    _fields_ = [("id", c_char_p), ("label", c_char_p), ("input", c_char_p), ("required", c_int)]


class FormValue(Structure):
    _fields_ = [("id", c_char_p), ("value", c_char_p)]


class SurveyQuestion(Structure):
    _fields_ = [("id", c_char_p), ("kind", c_char_p), ("text", c_char_p), ("choices", POINTER(Choice)),
                ("choices_count", c_size_t), ("min", c_int), ("max", c_int), ("low", c_char_p), ("high", c_char_p),
                ("required", c_int), ("from_score", c_int), ("to_score", c_int)]


class SurveySaid(Structure):
    _fields_ = [("question", c_char_p), ("chosen", POINTER(c_char_p)), ("chosen_count", c_size_t), ("number", c_int),
                ("words", c_char_p)]


class Survey(Structure):
    _fields_ = [("offer", c_char_p), ("survey", c_char_p), ("version", c_int64), ("metric", c_char_p),
                ("style", c_char_p), ("min", c_int), ("max", c_int), ("low", c_char_p), ("high", c_char_p),
                ("questions", POINTER(SurveyQuestion)), ("questions_count", c_size_t), ("comment", c_char_p),
                ("contact", c_char_p), ("thanks", c_char_p), ("colour", c_char_p), ("brand", c_char_p),
                ("state", c_int), ("until_ms", c_int64), ("score", c_int), ("said", c_char_p),
                ("answers", POINTER(SurveySaid)), ("answers_count", c_size_t), ("wants_contact", c_int),
                ("is_locked", c_int)]


class Rating(Structure):
    _fields_ = [("size", c_size_t), ("score", c_int), ("said", c_char_p), ("answers", POINTER(SurveySaid)),
                ("answers_count", c_size_t), ("wants_contact", c_int), ("cmid", c_char_p), ("wait_for_disk", c_int)]


class File(Structure):
    _fields_ = [("id", c_char_p), ("name", c_char_p), ("media", c_char_p), ("size", c_int64), ("width", c_int),
                ("height", c_int), ("sha256", c_uint8 * 32)]


class Entry(Structure):
    _fields_ = [("conversation", c_void_p), ("origin", c_int), ("log", c_int), ("number", c_int64),
                ("at_seq", c_int64), ("epoch", c_char_p), ("ts_ms", c_int64), ("author", c_char_p),
                ("name", c_char_p), ("is_mine", c_int), ("cmid", c_char_p), ("kind", c_int), ("version", c_int64),
                ("of", c_int64), ("reply_to", c_int64), ("text", c_char_p), ("choices", POINTER(Choice)),
                ("choices_count", c_size_t), ("form", POINTER(FormField)), ("form_count", c_size_t),
                ("title", c_char_p), ("link", c_char_p), ("pressed_seq", c_int64), ("pressed_id", c_char_p),
                ("hash", c_uint8 * 16), ("files", POINTER(File)), ("files_count", c_size_t), ("filled_seq", c_int64),
                ("filled", POINTER(FormValue)), ("filled_count", c_size_t), ("survey", POINTER(Survey))]


class Message(Structure):
    _fields_ = [("conversation", c_void_p), ("cmid", c_char_p), ("operation", c_int), ("state", c_int),
                ("is_again", c_int), ("log", c_int), ("number", c_int64), ("at_seq", c_int64), ("ts_ms", c_int64),
                ("epoch", c_char_p), ("is_duplicate", c_int), ("tag", c_char_p), ("text", c_char_p),
                ("of", c_int64), ("hash", c_uint8 * 16), ("files", POINTER(File)), ("files_count", c_size_t),
                ("is_paused", c_int), ("pressed_seq", c_int64), ("filled_seq", c_int64), ("rated_seq", c_int64)]


class Progress(Structure):
    _fields_ = [("conversation", c_void_p), ("cmid", c_char_p), ("file", c_size_t), ("files", c_size_t),
                ("sent", c_int64), ("total", c_int64)]


class Presence(Structure):
    _fields_ = [("of", c_int), ("is_here", c_int), ("conversation", c_void_p), ("customer", c_char_p),
                ("last_seen_ms", c_int64)]


class DeviceAnswer(Structure):
    _fields_ = [("conversation", c_void_p), ("cmid", c_char_p), ("text", c_char_p), ("rule", c_char_p),
                ("version", c_char_p), ("ts_ms", c_int64), ("is_again", c_int), ("is_taken_back", c_int)]


class Marks(Structure):
    _fields_ = [("customer_recv", c_int64), ("customer_read", c_int64), ("staff_recv", c_int64),
                ("staff_read", c_int64)]


class ConversationInfo(Structure):
    _fields_ = [("conversation", c_void_p), ("id", c_char_p), ("key", c_char_p), ("customer", c_char_p),
                ("customer_name", c_char_p), ("has_left", c_int), ("head", c_int64), ("ihead", c_int64),
                ("rev", c_int64), ("marks", Marks), ("unread", c_int64), ("unanswered", c_int64),
                ("waiting_since_ms", c_int64), ("last_ts_ms", c_int64), ("last_author", c_char_p),
                ("last_preview", c_char_p)]


class HttpRequest(Structure):
    _fields_ = [("size", c_size_t), ("method", c_char_p), ("url", c_char_p), ("headers", POINTER(c_char_p)),
                ("headers_count", c_size_t), ("body", c_void_p), ("body_len", c_size_t),
                ("max_answer_bytes", c_size_t)]


class HttpAnswer(Structure):
    _fields_ = [("size", c_size_t), ("status", c_int), ("headers", POINTER(c_char_p)), ("headers_count", c_size_t),
                ("body", c_void_p), ("body_len", c_size_t)]


TransportOpen = CFUNCTYPE(c_int, c_void_p, c_char_p, c_char_p, c_size_t, c_void_p)
TransportSend = CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, c_size_t)
TransportClose = CFUNCTYPE(None, c_void_p, c_void_p, c_int)
TransportResume = CFUNCTYPE(None, c_void_p, c_void_p)
TransportStop = CFUNCTYPE(None, c_void_p)
TransportHttp = CFUNCTYPE(c_int, c_void_p, POINTER(HttpRequest), c_void_p)
TransportHttpCancel = CFUNCTYPE(None, c_void_p, c_void_p)


class Transport(Structure):
    _fields_ = [("size", c_size_t), ("data", c_void_p), ("open", TransportOpen), ("send", TransportSend),
                ("close", TransportClose), ("resume", TransportResume), ("stop", TransportStop),
                ("http", TransportHttp), ("http_cancel", TransportHttpCancel)]


ClockFn = CFUNCTYPE(c_int64, c_void_p)
RandomFn = CFUNCTYPE(None, c_void_p, c_void_p, c_size_t)
OnState = CFUNCTYPE(None, c_void_p, POINTER(State), c_void_p)
OnEntry = CFUNCTYPE(None, c_void_p, POINTER(Entry), c_void_p)
OnMessage = CFUNCTYPE(None, c_void_p, POINTER(Message), c_void_p)
OnConversation = CFUNCTYPE(None, c_void_p, POINTER(ConversationInfo), c_void_p)
OnOpened = CFUNCTYPE(None, c_void_p, c_void_p, c_int64, c_int64, c_void_p)
OnTyping = CFUNCTYPE(None, c_void_p, c_void_p, c_char_p, c_int, c_void_p)
OnUnread = CFUNCTYPE(None, c_void_p, c_int64, c_void_p)
OnToken = CFUNCTYPE(None, c_void_p, c_void_p)
OnNotice = CFUNCTYPE(None, c_void_p, c_int, c_void_p, c_char_p, c_void_p)
OnLog = CFUNCTYPE(None, c_int, c_char_p, c_void_p)
OnProgress = CFUNCTYPE(None, c_void_p, POINTER(Progress), c_void_p)
OnPresence = CFUNCTYPE(None, c_void_p, POINTER(Presence), c_void_p)
OnPushSettled = CFUNCTYPE(None, c_void_p, c_int, c_void_p)
OnDeviceAnswer = CFUNCTYPE(None, c_void_p, POINTER(DeviceAnswer), c_void_p)


class Options(Structure):
    _fields_ = [("size", c_size_t), ("url", c_char_p), ("app", c_char_p), ("data_dir", c_char_p),
                ("token", c_char_p), ("is_visitor", c_int), ("agent_token", c_char_p), ("user", c_char_p),
                ("locale", c_char_p), ("client_name", c_char_p), ("client_version", c_char_p),
                ("callbacks_by_dispatch", c_int), ("manual_ack", c_int), ("first_page", c_int), ("snapshot", c_int),
                ("with_team_log", c_int), ("ca_file", c_char_p), ("transport", POINTER(Transport)),
                ("mono_ms", ClockFn), ("wall_ms", ClockFn), ("random", RandomFn), ("data", c_void_p),
                ("on_state", OnState), ("on_entry", OnEntry), ("on_message", OnMessage),
                ("on_conversation", OnConversation), ("on_opened", OnOpened), ("on_typing", OnTyping),
                ("on_unread", OnUnread), ("on_token", OnToken), ("on_notice", OnNotice), ("on_log", OnLog),
                ("claims_visitor", c_int), ("on_progress", OnProgress), ("on_presence", OnPresence),
                ("on_push_settled", OnPushSettled), ("cache_max_bytes", c_int64),
                ("cache_max_entries_per_conversation", c_int),
                ("tls_pins", POINTER(c_char_p)), ("tls_pins_count", c_size_t), ("proxy", c_char_p),
                ("store_key", c_char_p), ("store_key_len", c_size_t),
                ("answers", c_void_p), ("on_device_answer", OnDeviceAnswer)]


class SendOptions(Structure):
    _fields_ = [("size", c_size_t), ("log", c_int), ("reply_to", c_int64), ("pressed_seq", c_int64),
                ("pressed_id", c_char_p), ("cmid", c_char_p), ("filled_seq", c_int64),
                ("filled", POINTER(FormValue)), ("filled_count", c_size_t), ("wait_for_disk", c_int)]


class FileSource(Structure):
    _fields_ = [("path", c_char_p), ("bytes", c_void_p), ("bytes_len", c_size_t), ("name", c_char_p),
                ("media", c_char_p)]


class FileOptions(Structure):
    _fields_ = [("size", c_size_t), ("files", POINTER(FileSource)), ("files_count", c_size_t), ("text", c_char_p),
                ("log", c_int), ("reply_to", c_int64), ("cmid", c_char_p), ("wait_for_disk", c_int)]


class HistoryOptions(Structure):
    _fields_ = [("size", c_size_t), ("log", c_int), ("before", c_int64), ("after", c_int64), ("limit", c_int),
                ("from_server", c_int)]


class Status(Structure):
    _fields_ = [("size", c_size_t), ("queued", c_int64), ("queued_bytes", c_int64), ("failed", c_int64),
                ("unread", c_int64), ("is_online", c_int), ("is_caught_up", c_int), ("callbacks_waiting", c_int)]


class SearchOptions(Structure):
    _fields_ = [("size", c_size_t), ("limit", c_int), ("before", c_char_p)]


class Found(Structure):
    _fields_ = [("conversation", c_char_p), ("customer", c_char_p), ("log", c_int), ("number", c_int64),
                ("ts_ms", c_int64), ("author", c_char_p), ("kind", c_char_p), ("before", c_char_p),
                ("hit", c_char_p), ("after", c_char_p)]


EachFn = CFUNCTYPE(c_int, POINTER(ConversationInfo), c_void_p)
HistoryFn = CFUNCTYPE(None, c_void_p, c_int, POINTER(Entry), c_size_t, c_int64, c_int, c_void_p)
FetchProgressFn = CFUNCTYPE(None, c_void_p, c_int64, c_int64, c_int64, c_void_p)
FetchDoneFn = CFUNCTYPE(None, c_void_p, c_int64, c_int, c_char_p, c_void_p)
SearchFn = CFUNCTYPE(None, c_void_p, c_int, POINTER(Found), c_size_t, c_char_p, c_int, c_void_p)

#: The header's structs and what stands for them here.
STRUCTS = {"deskbell_state": State, "deskbell_choice": Choice, "deskbell_form_field": FormField,
           "deskbell_form_value": FormValue, "deskbell_file": File, "deskbell_entry": Entry, "deskbell_message": Message,
           "deskbell_progress": Progress, "deskbell_presence": Presence, "deskbell_marks": Marks,
           "deskbell_conversation_info": ConversationInfo, "deskbell_http_request": HttpRequest,
           "deskbell_http_answer": HttpAnswer, "deskbell_transport": Transport, "deskbell_options": Options,
           "deskbell_send_options": SendOptions, "deskbell_file_source": FileSource,
           "deskbell_file_options": FileOptions, "deskbell_history_options": HistoryOptions,
           "deskbell_status": Status, "deskbell_search_options": SearchOptions, "deskbell_found": Found,
           "deskbell_device_answer": DeviceAnswer, "deskbell_survey_question": SurveyQuestion,
           "deskbell_survey_said": SurveySaid, "deskbell_survey": Survey, "deskbell_rating": Rating}

#: name -> (result, arguments)
FUNCTIONS = {
    "deskbell_error_text": (c_char_p, [c_int]),
    "deskbell_version": (c_char_p, []),
    "deskbell_link_opened": (None, [c_void_p]),
    "deskbell_link_text": (c_int, [c_void_p, c_char_p, c_size_t]),
    "deskbell_link_closed": (None, [c_void_p, c_int]),
    "deskbell_link_failed": (None, [c_void_p, c_char_p, c_char_p, c_int64]),
    "deskbell_http_done": (None, [c_void_p, POINTER(HttpAnswer)]),
    "deskbell_open": (c_int, [POINTER(Options), POINTER(c_void_p)]),
    "deskbell_close": (c_int, [c_void_p]),
    "deskbell_mute": (c_int, [c_void_p]),
    "deskbell_connect": (c_int, [c_void_p]),
    "deskbell_disconnect": (c_int, [c_void_p]),
    "deskbell_network_changed": (c_int, [c_void_p]),
    "deskbell_tick": (None, [c_void_p]),
    "deskbell_set_token": (c_int, [c_void_p, c_char_p]),
    "deskbell_set_background": (c_int, [c_void_p, c_int]),
    "deskbell_change_store_key": (c_int, [c_void_p, c_char_p, c_size_t]),
    "deskbell_log_out": (c_int, [c_void_p, c_int, POINTER(c_int)]),
    "deskbell_set_push": (c_int, [c_void_p, c_int, c_char_p]),
    "deskbell_push_received": (c_int, [c_void_p, c_char_p, c_int64, POINTER(c_int)]),
    "deskbell_fd": (c_int, [c_void_p]),
    "deskbell_dispatch": (c_int, [c_void_p, c_int]),
    "deskbell_conversation_open": (c_int, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "deskbell_conversation_open_id": (c_int, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "deskbell_conversation_close": (c_int, [c_void_p]),
    "deskbell_conversations": (c_int, [c_void_p, EachFn, c_void_p]),
    "deskbell_conversation_client": (c_void_p, [c_void_p]),
    "deskbell_conversation_id": (None, [c_void_p, c_char * 18]),
    "deskbell_cmid_new": (None, [c_void_p, c_char * 33]),
    "deskbell_send": (c_int, [c_void_p, c_char_p, POINTER(SendOptions), c_char * 33]),
    "deskbell_form_check": (c_int, [POINTER(FormField), c_size_t, POINTER(FormValue), c_size_t, POINTER(c_char_p)]),
    "deskbell_survey_check": (c_int, [POINTER(Survey), POINTER(Rating), POINTER(c_char_p)]),
    "deskbell_survey_answer": (c_int, [c_void_p, c_int64, POINTER(Rating), c_char * 33]),
    "deskbell_edit": (c_int, [c_void_p, c_int64, c_int64, c_char_p, POINTER(SendOptions), c_char * 33]),
    "deskbell_erase": (c_int, [c_void_p, c_int64, POINTER(SendOptions), c_char * 33]),
    "deskbell_retry": (c_int, [c_void_p, c_char_p, c_char * 33]),
    "deskbell_forget": (c_int, [c_void_p, c_char_p]),
    "deskbell_send_file": (c_int, [c_void_p, POINTER(FileOptions), c_char * 33]),
    "deskbell_upload_pause": (c_int, [c_void_p, c_char_p]),
    "deskbell_upload_resume": (c_int, [c_void_p, c_char_p]),
    "deskbell_upload_cancel": (c_int, [c_void_p, c_char_p]),
    "deskbell_file_fetch": (c_int, [c_void_p, POINTER(File), c_char_p, FetchProgressFn, FetchDoneFn, c_void_p,
                                    POINTER(c_int64)]),
    "deskbell_file_fetch_cancel": (c_int, [c_void_p, c_int64]),
    "deskbell_mark_read": (c_int, [c_void_p, c_int64]),
    "deskbell_typing": (c_int, [c_void_p]),
    "deskbell_set_presence": (c_int, [c_void_p, c_int]),
    "deskbell_entry_done": (c_int, [c_void_p, c_int, c_int64]),
    "deskbell_history": (c_int, [c_void_p, POINTER(HistoryOptions), HistoryFn, c_void_p]),
    "deskbell_search": (c_int, [c_void_p, c_char_p, POINTER(SearchOptions), SearchFn, c_void_p]),
    "deskbell_status": (c_int, [c_void_p, POINTER(Status)]),
}


def _load() -> ctypes.CDLL:
    path = os.environ.get("DESKBELL_LIBRARY") or ctypes.util.find_library("deskbell") or "libdeskbell.so.0"
    try:
        found = ctypes.CDLL(path)
    except OSError as e:
        raise ImportError(f"deskbell: {path} cannot be loaded (set DESKBELL_LIBRARY to its path): {e}") from e
    for name, (result, arguments) in FUNCTIONS.items():
        try:
            function = getattr(found, name)
        except AttributeError as e:
            raise ImportError(f"deskbell: {path} is too old: it has no {name}") from e
        function.restype, function.argtypes = result, arguments
    told = tuple(int(part) for part in found.deskbell_version().decode().split(".")[:3])
    if told < VERSION or told[:2] != VERSION[:2]:
        raise ImportError(f"deskbell: {path} is version {told}, and this package is for {VERSION}")
    return found


lib = _load()
