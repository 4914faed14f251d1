/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of test_reach.c: every method an agent may call. */

/* of one conversation, by its id */
{"conversation.watch", NOT_FOUND, "{\"conv\":\"%C\"}"}, {"conversation.unwatch", NOT_FOUND, "{\"conv\":\"%C\"}"},
        {"conversation.give", NOT_FOUND, "{\"conv\":\"%C\",\"to\":\"people\"}"},
        {"conversation.invite", NOT_FOUND, "{\"cmid\":\"%M\",\"conv\":\"%C\",\"agent\":\"%A\"}"},
        {"entries.read", NOT_FOUND, "{\"conv\":\"%C\"}"},
        {"message.send", NOT_FOUND, "{\"cmid\":\"%M\",\"conv\":\"%C\",\"kind\":\"text\",\"text\":\"x\"}"},
        {"message.edit", NOT_FOUND, "{\"cmid\":\"%M\",\"conv\":\"%C\",\"of\":1,\"version\":1,\"text\":\"x\"}"},
        {"message.erase", NOT_FOUND, "{\"cmid\":\"%M\",\"conv\":\"%C\",\"of\":1}"},
        {"upload.begin", NOT_FOUND,
         "{\"cmid\":\"%M\",\"conv\":\"%C\",\"name\":\"x\",\"size\":1,\"media\":\"image/png\"}"},
        {"marks", SILENT, "{\"marks\":[{\"conv\":\"%C\",\"recv\":1,\"read\":1}]}"},
        {"typing", SILENT, "{\"conv\":\"%C\"}"}, {"canned.render", NOT_FOUND, "{\"shortcut\":\"x\",\"conv\":\"%C\"}"},
        {"draft.set", NOT_FOUND, "{\"conv\":\"%C\",\"version\":0,\"text\":\"x\"}"},
        {"draft.get", NOT_FOUND, "{\"conv\":\"%C\"}"}, {"viewing", SILENT, "{\"conv\":\"%C\",\"on\":true}"},
        {"mention.seen", NOT_FOUND, "{\"conv\":\"%C\"}"},

        /* of one ticket */
        {"ticket.get", NOT_FOUND, "{\"ticket\":\"%T\"}"},
        {"ticket.set", NOT_FOUND, "{\"cmid\":\"%M\",\"ticket\":\"%T\",\"version\":1,\"priority\":\"high\"}"},
        {"ticket.assign", NOT_FOUND, "{\"cmid\":\"%M\",\"ticket\":\"%T\",\"version\":1,\"nobody\":true}"},
        {"ticket.move", NOT_FOUND, "{\"cmid\":\"%M\",\"ticket\":\"%T\",\"version\":1,\"to\":\"solved\"}"},
        {"ticket.merge", NOT_FOUND, "{\"cmid\":\"%M\",\"ticket\":\"%T\",\"version\":1,\"into\":\"%T\"}"},
        {"ticket.split", NOT_FOUND, "{\"cmid\":\"%M\",\"ticket\":\"%T\",\"version\":1,\"seqs\":[1]}"},
        {"sla.explain", NOT_FOUND, "{\"ticket\":\"%T\"}"}, {"rule.test", NOT_FOUND, "{\"ticket\":\"%T\"}"},
        {"offer.accept", NOT_FOUND, "{\"ticket\":\"%T\"}"}, {"offer.decline", NOT_FOUND, "{\"ticket\":\"%T\"}"},
        {"survey.offer", NOT_FOUND, "{\"cmid\":\"%M\",\"ticket\":\"%T\"}"},
        {"survey.withdraw", NOT_FOUND, "{\"cmid\":\"%M\",\"offer\":\"%O\"}"},
        {"recovery.open", NOT_FOUND, "{\"cmid\":\"%M\",\"conv\":\"%C\"}"},
        {"survey.link", NOT_FOUND, "{\"offer\":\"%O\"}"},
        {"macro.run", NOT_FOUND, "{\"cmid\":\"%M\",\"macro\":\"mac_0000000000001\",\"ticket\":\"%T\",\"version\":1}"},

        /* lists */
        {"search.entries", ABSENT, "{\"query\":\"gloxinia\"}"}, {"conversation.list", ABSENT, "{\"customer\":\"%U\"}"},
        {"feed.read", ABSENT, "{\"rev\":0}"}, {"ticket.list", ABSENT, "{}"}, {"ticket.closed", ABSENT, "{}"},
        {"survey.offers", ABSENT, "{}"}, {"survey.answers", ABSENT, "{}"}, {"recovery.list", ABSENT, "{}"},
        {"recovery.report", ABSENT, "{\"from\":0,\"to\":9000000000000}"}, {"mention.list", ABSENT, "{}"},
        {"view.list", ABSENT, "{}"}, {"offer.list", ABSENT, "{}"},

        /* of a customer who has no conversation within reach */
        {"customer.get", NOT_FOUND, "{\"customer\":\"%U\"}"}, {"customer.list", ABSENT, "{}"},
        {"timeline.read", NOT_FOUND, "{\"customer\":\"%U\"}"},
        {"customer.set", NOT_FOUND, "{\"cmid\":\"%M\",\"customer\":\"%U\",\"add_tags\":[\"x\"]}"},
        {"customer.note", NOT_FOUND, "{\"cmid\":\"%M\",\"customer\":\"%U\",\"text\":\"x\"}"},
        {"customer.block", NOT_FOUND, "{\"cmid\":\"%M\",\"customer\":\"%U\"}"},
        {"customer.unblock", NOT_FOUND, "{\"cmid\":\"%M\",\"customer\":\"%U\"}"},
        {"customer.merge", NOT_FOUND, "{\"cmid\":\"%M\",\"from\":\"%U\",\"into\":\"%Z\"}"},

        /* of nobody's conversation */
        {"session.alive", NOTHING, ""}, {"presence.set", NOTHING, ""}, {"upload.end", NOTHING, ""},
        {"upload.cancel", NOTHING, ""}, {"file.link", NOTHING, ""}, /* people_reach.py asks for a file */
        {"login.totp_begin", NOTHING, ""}, {"login.totp_confirm", NOTHING, ""}, {"login.sessions", NOTHING, ""},
        {"login.end", NOTHING, ""}, {"agent.list", NOTHING, ""}, {"agent.add", NOTHING, ""},
        {"agent.revoke", NOTHING, ""}, {"agent.set", NOTHING, ""}, {"attribute.add", NOTHING, ""},
        {"attribute.list", NOTHING, ""}, {"attribute.remove", NOTHING, ""}, {"tier.set", NOTHING, ""},
        {"tier.list", NOTHING, ""}, {"schedule.add", NOTHING, ""}, {"schedule.set", NOTHING, ""},
        {"schedule.list", NOTHING, ""}, {"schedule.show", NOTHING, ""}, {"schedule.remove", NOTHING, ""},
        {"schedule.test", NOTHING, ""}, {"sla.add", NOTHING, ""}, {"sla.set", NOTHING, ""}, {"sla.list", NOTHING, ""},
        /* of a case: tests/unit/recovery/test_owner.c */
        {"recovery.get", NOTHING, ""}, {"recovery.assign", NOTHING, ""}, {"recovery.contact", NOTHING, ""},
        {"recovery.action_add", NOTHING, ""}, {"recovery.action_done", NOTHING, ""}, {"recovery.cause", NOTHING, ""},
        {"recovery.compensate", NOTHING, ""}, {"recovery.resolve", NOTHING, ""}, {"recovery.reopen", NOTHING, ""},
        {"recovery.cause_add", NOTHING, ""}, {"recovery.cause_remove", NOTHING, ""},
        {"recovery.cause_list", NOTHING, ""}, {"recovery.settings", NOTHING, ""},
        {"recovery.settings_set", NOTHING, ""}, {"sla.order", NOTHING, ""}, {"sla.remove", NOTHING, ""},
        {"survey.add", NOTHING, ""}, {"survey.set", NOTHING, ""}, {"survey.remove", NOTHING, ""},
        {"survey.list", NOTHING, ""}, {"survey.get", NOTHING, ""}, {"survey.preview", NOTHING, ""},
        {"team.add", NOTHING, ""}, {"team.set", NOTHING, ""}, {"team.remove", NOTHING, ""}, {"team.list", NOTHING, ""},
        {"team.members", NOTHING, ""}, {"team.member_add", NOTHING, ""}, {"team.member_remove", NOTHING, ""},
        {"role.add", NOTHING, ""}, {"role.set", NOTHING, ""}, {"role.remove", NOTHING, ""}, {"role.list", NOTHING, ""},
        {"status.set", NOTHING, ""}, {"status.list", NOTHING, ""}, {"status.history", NOTHING, ""},
        {"away.set", NOTHING, ""}, {"away.remove", NOTHING, ""}, {"away.list", NOTHING, ""},
        {"audit.list", NOTHING, ""}, /* its own permission: it names objects, never what was written */
        {"queue.list", NOTHING, ""}, /* the board, with its own permission: counts of all teams */
        /* reports, with their own permissions: numbers and ids of all; without, his own: tests/unit/reports */
        {"report.metrics", NOTHING, ""}, {"report.query", NOTHING, ""}, {"report.overview", NOTHING, ""},
        {"report.list", NOTHING, ""}, {"report.words", NOTHING, ""}, {"report.export", NOTHING, ""},
        {"report.target_list", NOTHING, ""}, {"report.target_set", NOTHING, ""}, {"routing.get", NOTHING, ""},
        {"routing.set", NOTHING, ""}, {"rule.add", NOTHING, ""}, {"rule.set", NOTHING, ""}, {"rule.order", NOTHING, ""},
        {"rule.remove", NOTHING, ""}, {"rule.list", NOTHING, ""}, {"ticket.labels", NOTHING, ""},
        {"ticket.label_set", NOTHING, ""}, {"ticket.settings", NOTHING, ""}, {"ticket.settings_set", NOTHING, ""},
        {"view.add", NOTHING, ""}, {"view.set", NOTHING, ""}, {"view.remove", NOTHING, ""},
        {"view.open", NOTHING, ""}, /* rows and counts: tests/unit/views */
        {"view.close", NOTHING, ""}, {"canned.add", NOTHING, ""}, {"canned.set", NOTHING, ""},
        {"canned.remove", NOTHING, ""}, {"canned.list", NOTHING, ""}, {"canned.get", NOTHING, ""},
        {"canned.used", NOTHING, ""}, {"macro.add", NOTHING, ""}, {"macro.set", NOTHING, ""},
        {"macro.remove", NOTHING, ""}, {"macro.list", NOTHING, ""},
        {"ticket.bulk", NOTHING, ""}, /* a result for each of many: tests/unit/tools */
