-- :routing_given_of_agents
-- The newest of each: whose turn it is.
SELECT agent, MAX(id) FROM routing_given GROUP BY agent

-- :routing_given_of_team
-- The newest ones that waited at a known place.
SELECT waited_ms, place FROM routing_given WHERE team = $1 AND place > 0 ORDER BY id DESC LIMIT $2

-- :routing_given_last
-- Whom a customer had last.
SELECT agent, at_ms FROM routing_given WHERE customer = $1 ORDER BY id DESC LIMIT 1

-- :routing_given_move
-- $1 and $2 are one person.
UPDATE routing_given SET customer = $2 WHERE customer = $1

-- :routing_given_put
INSERT INTO routing_given(team, agent, customer, ticket, at_ms, how, waited_ms, place)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- :routing_offer_get
SELECT agent, until_ms FROM routing_offer WHERE ticket = $1

-- :routing_offer_put
INSERT INTO routing_offer(ticket, agent, until_ms) VALUES ($1, $2, $3)
ON CONFLICT (ticket) DO UPDATE SET agent = excluded.agent, until_ms = excluded.until_ms

-- :routing_offer_remove
DELETE FROM routing_offer WHERE ticket = $1

-- :routing_setting_get
SELECT silent_ms, default_team, miss_is_away FROM routing_setting WHERE workspace = $1

-- :routing_setting_put
INSERT INTO routing_setting(workspace, silent_ms, default_team, miss_is_away) VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace) DO UPDATE SET silent_ms = excluded.silent_ms, default_team = excluded.default_team,
       miss_is_away = excluded.miss_is_away

-- :routing_weights
SELECT app, priority, weight FROM routing_weight WHERE workspace = $1 ORDER BY place

-- :routing_weights_remove
DELETE FROM routing_weight WHERE workspace = $1

-- :routing_weight_put
INSERT INTO routing_weight(workspace, place, app, priority, weight) VALUES ($1, $2, $3, $4, $5)
