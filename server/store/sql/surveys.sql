-- SPDX-License-Identifier: Apache-2.0
-- Surveys: definitions and their versions.

-- :surveys_all
SELECT s.id, s.ext, s.removed_ms, v.id, v.number, v.created_ms, v.condition, v.form
FROM survey s JOIN survey_version v ON v.survey = s.id AND v.number = s.version
WHERE s.workspace = $1 ORDER BY s.id

-- :survey_version_get
SELECT created_ms, condition, form FROM survey_version WHERE survey = $1 AND number = $2

-- :survey_insert
INSERT INTO survey(workspace, ext, version, created_ms) VALUES ($1, $2, 1, $3)

-- :survey_remove
UPDATE survey SET removed_ms = $2 WHERE id = $1

-- :survey_version_is
UPDATE survey SET version = $2 WHERE id = $1

-- :survey_version_insert
INSERT INTO survey_version(survey, number, name, metric, top, condition, form, created_by, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
