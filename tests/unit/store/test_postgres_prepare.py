#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL takes our schema and prepares every statement of store/sql as it is written, $n and all; and its
schema is the one that migrations/schema.json describes. Skipped (77) where PostgreSQL is not installed."""
import glob
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import schema_facts

BIN = "/usr/lib/postgresql/15/bin"

COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position"""
VIEWS = """
SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.views v
USING (table_schema, table_name) WHERE c.table_schema = 'public' ORDER BY c.table_name, c.ordinal_position"""
KEYS = """
SELECT t.relname, a.attname FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY u(number, place)
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.number
WHERE k.contype = 'p' AND t.relnamespace = 'public'::regnamespace ORDER BY t.relname, u.place"""
REFERENCES = """
SELECT t.relname, a.attname, r.relname, b.attname FROM pg_constraint k
JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]
JOIN pg_attribute b ON b.attrelid = r.oid AND b.attnum = k.confkey[1] WHERE k.contype = 'f'"""
INDEXES = """
SELECT t.relname, i.relname, x.indisunique, coalesce(pg_get_expr(x.indpred, t.oid), ''),
       (SELECT string_agg(a.attname, ',' ORDER BY u.place) FROM unnest(x.indkey) WITH ORDINALITY u(number, place)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.number)
FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
WHERE t.relnamespace = 'public'::regnamespace AND NOT x.indisprimary"""


class Server:
    """One server in a folder of its own, on a socket there, without a port."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="deskbell-pg-", dir="/tmp")
        self.as_other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.as_other:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.data = os.path.join(self.folder, "data")
        self.run(f"{BIN}/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
                 "--locale=C.UTF-8")
        self.run(f"{BIN}/pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.folder, "log"), "-o",
                 f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off", "start")

    def run(self, *command):
        subprocess.run([*self.as_other, *command], check=True, stdout=subprocess.DEVNULL, cwd="/tmp")

    def psql(self, script, *options):
        done = subprocess.run([f"{BIN}/psql", "-X", "-q", "-h", self.folder, "-U", "postgres", "-v", "ON_ERROR_STOP=1",
                               *options, "-f", "-"], input=script, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def rows(self, query):
        code, out, err = self.psql(query, "-At", "-F", "\x1f")
        if code != 0:
            raise AssertionError(err)
        return [line.split("\x1f") for line in out.splitlines()]

    def stop(self):
        subprocess.run([*self.as_other, f"{BIN}/pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop"], check=False,
                       stdout=subprocess.DEVNULL, cwd="/tmp")
        shutil.rmtree(self.folder, ignore_errors=True)


def statements():
    spec = importlib.util.spec_from_file_location("sqlgen", os.path.join(schema_facts.STORE, "sqlgen.py"))
    sqlgen = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sqlgen)
    return sqlgen.read_all(glob.glob(os.path.join(schema_facts.STORE, "sql", "*.sql")))


def of_postgres(server):
    tables = {}
    for table, name, kind, nullable, default in server.rows(COLUMNS):
        facts = tables.setdefault(table, {"columns": {}, "key": [], "references": {}, "indexes": {}})
        facts["columns"][name] = schema_facts.column(kind, nullable == "NO", default or None)
    for table, name in server.rows(KEYS):
        tables[table]["key"].append(name)
    for table, name, target, target_name in server.rows(REFERENCES):
        tables[table]["references"][name] = f"{target}.{target_name}"
    for table, name, is_unique, where, columns in server.rows(INDEXES):
        tables[table]["indexes"][name] = schema_facts.index(columns.split(","), is_unique == "t", where)
    return tables


class Postgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        for name, text in schema_facts.migrations("postgres"):
            code, _, err = cls.server.psql(text, "--single-transaction")
            if code != 0:
                cls.server.stop()
                raise AssertionError(f"{name}: {err}")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_every_statement_can_be_prepared(self):
        refused = []
        for name, text, _ in statements():
            code, _, err = self.server.psql(f"PREPARE {name} AS {text};")
            if code != 0:
                refused.append(f"{name}: {err.strip()}")
        self.assertEqual([], refused)

    def test_a_statement_that_is_wrong_would_be_seen(self):
        self.assertNotEqual(0, self.server.psql("PREPARE wrong AS SELECT nothing FROM entry WHERE conv = $1;")[0])

    def test_the_schema_is_the_one_described(self):
        expected = schema_facts.shared()
        expected["meta"]["columns"]["value"] = "bytes"  # SQLite keeps any type there
        self.assertEqual([], schema_facts.differences(expected, of_postgres(self.server)))

    def test_views_have_the_same_columns_in_the_same_order(self):
        found = {}
        for view, column in self.server.rows(VIEWS):
            found.setdefault(view, []).append(column)
        self.assertEqual(schema_facts.views_of_sqlite(), found)


if __name__ == "__main__":
    if not os.path.exists(f"{BIN}/initdb"):
        print("PostgreSQL 15 is not installed")
        sys.exit(77)
    unittest.main()
