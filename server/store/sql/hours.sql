-- SPDX-License-Identifier: Apache-2.0
-- Schedules, SLA policies and the clocks of tickets.

-- :schedules_all
SELECT id, ext, name, removed_ms FROM schedule WHERE workspace = $1 ORDER BY id

-- :schedule_insert
INSERT INTO schedule(workspace, ext, name, created_ms) VALUES ($1, $2, $3, $4)

-- :schedule_rename
UPDATE schedule SET name = $2 WHERE id = $1

-- :schedule_remove
UPDATE schedule SET removed_ms = $2 WHERE id = $1

-- :schedule_versions
SELECT v.id, v.schedule, v.from_ms, v.zone, v.hours, v.days, v.tzdata, v.zone_data
FROM schedule_version v JOIN schedule s ON s.id = v.schedule WHERE s.workspace = $1 ORDER BY v.schedule, v.id

-- :schedule_version_insert
INSERT INTO schedule_version(schedule, from_ms, zone, hours, days, tzdata, zone_data) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- :sla_policies_all
SELECT id, ext, is_removed, removed_from_ms FROM sla_policy WHERE workspace = $1 ORDER BY place, id

-- :sla_policy_insert
INSERT INTO sla_policy(workspace, ext, place, created_ms) VALUES ($1, $2, $3, $4)

-- :sla_policy_place
UPDATE sla_policy SET place = $2 WHERE id = $1

-- :sla_policy_remove
UPDATE sla_policy SET is_removed = 1, removed_from_ms = $2 WHERE id = $1

-- :sla_versions
SELECT v.id, v.policy, v.from_ms, v.name, v.condition, v.schedule, v.targets, v.pauses, v.warn_percent
FROM sla_version v JOIN sla_policy p ON p.id = v.policy WHERE p.workspace = $1 ORDER BY v.policy, v.id

-- :sla_version_insert
INSERT INTO sla_version(policy, from_ms, name, condition, schedule, targets, pauses, warn_percent, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- :sla_clock
SELECT terms, status, priority, misses, events, last_ms, meters FROM sla_clock WHERE ticket = $1

-- :sla_clock_save
INSERT INTO sla_clock(ticket, terms, status, priority, misses, events, last_ms, meters, first_phase, first_ms,
        resolution_phase, resolution_ms, total_ms, bot_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT(ticket) DO UPDATE SET terms = excluded.terms, status = excluded.status, priority = excluded.priority,
        misses = excluded.misses, events = excluded.events, last_ms = excluded.last_ms, meters = excluded.meters,
        first_phase = excluded.first_phase, first_ms = excluded.first_ms,
        resolution_phase = excluded.resolution_phase, resolution_ms = excluded.resolution_ms,
        total_ms = excluded.total_ms, bot_ms = excluded.bot_ms

-- :sla_event_put
INSERT INTO sla_event(ticket, number, kind, at_ms, status, priority, seq, terms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- :sla_events
SELECT kind, at_ms, status, priority, seq, terms FROM sla_event WHERE ticket = $1 ORDER BY ticket, number

-- :sla_miss_put
INSERT INTO sla_miss(ticket, metric, seq, due_ms, found_ms, terms, team, assignee)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING

-- :sla_misses
SELECT metric, seq, due_ms, found_ms FROM sla_miss WHERE ticket = $1 ORDER BY due_ms, metric

