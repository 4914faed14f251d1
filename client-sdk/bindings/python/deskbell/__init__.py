# SPDX-License-Identifier: Apache-2.0
"""libdeskbell for Python 3.9 and later: support messaging inside an application, on the C library.

    import deskbell
    with deskbell.Client(url="wss://support.example.com/v1/ws", app="app_0000000000000", token=token,
                         data_dir="/home/me/.local/share/example",
                         on_entry=lambda entry: print(entry.author, entry.text)) as client:
        conversation = client.open_conversation("main")
        client.connect()
        conversation.send("Hello")
"""
from ._native import lib as _lib
from .aio import AsyncClient
from .client import Client, Conversation, form_check, survey_check
from .transport import Exchange, HttpRequest, Link, Transport
from .types import (Availability, Choice, Connection, ConversationInfo, DeviceAnswer, Entry, Error, ErrorCode, Fetched, File,
                    FileSource, FormField, FormValue, Found, HistoryPage, Kind, Level, Log, Marks, Message, MessageState, Notice,
                    NoticeKind, Opened, Operation, Options, Origin, Presence, PresenceOf, Progress, Push, SearchPage, State,
                    Status, Survey, SurveyQuestion, SurveySaid, SurveyState, Typing)

__version__ = "0.1.0"


def library_version() -> str:
    """Of the C library that runs, which may be newer than this package."""
    return _lib.deskbell_version().decode()


__all__ = ["AsyncClient", "Availability", "Choice", "Client", "Connection", "Conversation", "ConversationInfo",
           "DeviceAnswer", "Entry",
           "Error", "ErrorCode", "Exchange", "Fetched", "File", "FileSource", "FormField", "FormValue", "Found", "HistoryPage",
           "HttpRequest", "Kind", "Level", "Link", "Log", "Marks", "Message", "MessageState", "Notice", "NoticeKind",
           "Opened", "Operation", "Options", "Origin", "Presence", "PresenceOf", "Progress", "Push", "SearchPage",
           "State", "Status", "Survey", "SurveyQuestion", "SurveySaid", "SurveyState", "Transport", "Typing", "form_check",
           "library_version", "survey_check"]
