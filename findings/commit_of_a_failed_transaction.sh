#!/usr/bin/env bash
# psycopg 3.3.9 with PostgreSQL: `commit()` of a transaction in which a statement has failed raises
# nothing, and stores nothing.
#
# A good guess: an error that was caught leaves the transaction as it was, or `commit()` raises. But
# PostgreSQL answers `ROLLBACK` to the `COMMIT` of a failed transaction, which is a success for the
# protocol, and psycopg passes no word of it on. Only the status before the commit tells: INERROR.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "psycopg[binary]==3.3.9"
cat > "$folder/finding.py" <<'PY'
import contextlib
import os

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("CREATE TEMP TABLE note (n int UNIQUE) ON COMMIT PRESERVE ROWS")
    connection.commit()
    connection.execute("INSERT INTO note VALUES (1)")
    with contextlib.suppress(psycopg.errors.UniqueViolation):
        connection.execute("INSERT INTO note VALUES (1)")
    print("before:", connection.info.transaction_status.name)
    connection.commit()
    [rows] = connection.execute("SELECT count(*) FROM note").fetchone()
    print("commit() raised nothing, rows:", rows)
PY
: "${DATABASE_URL:?Set DATABASE_URL to a PostgreSQL that may be used: postgresql://user@host/name}"
"$folder/venv/bin/python" "$folder/finding.py" | tee "$folder/output"
grep -qx "before: INERROR" "$folder/output"
grep -qx "commit() raised nothing, rows: 0" "$folder/output"
