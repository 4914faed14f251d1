-- SPDX-License-Identifier: Apache-2.0
-- Surveys: what is asked. Offers are in 0010.

-- version: number of the newest one. removed_ms: 0 = it is there.
CREATE TABLE survey (
        id INTEGER NOT NULL PRIMARY KEY,
        workspace INTEGER NOT NULL REFERENCES workspace (id),
        ext INTEGER NOT NULL,
        version INTEGER NOT NULL,
        removed_ms INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX survey_ext ON survey (ext);

-- One version of a survey; never changed. number: from 1. name, metric (1 csat, 2 nps, 3 ces), top: as in form. condition:
-- the audience as server/desk/rules prints it. form: survey_form as JSON, whole but for `when`. created_by: principal, 0 = the
-- operator.
CREATE TABLE survey_version (
        id INTEGER NOT NULL PRIMARY KEY,
        survey INTEGER NOT NULL REFERENCES survey (id),
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        metric INTEGER NOT NULL,
        top INTEGER NOT NULL,
        condition TEXT NOT NULL,
        form TEXT NOT NULL,
        created_by INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX survey_version_of ON survey_version (survey, number);
