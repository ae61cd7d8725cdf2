#!/usr/bin/env bash
# @hey-api/openapi-ts 0.95.0 with its plugin zod: of the pattern `^[^\u0000]*$` in a document, a text
# without NUL, it writes a regular expression with the byte 0 itself into zod.gen.ts.
#
# A good guess: a pattern is copied as it is, as `^[^\x00]*$` is, which means the same. But escapes of
# `\u` are replaced by their characters. The code works; grep and git take the file for binary, show
# no difference of it, and find nothing in it. Needs node and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --silent @hey-api/openapi-ts@0.95.0 typescript@5.9.3
cat > openapi.json <<'JSON'
{
  "openapi": "3.1.0",
  "info": {"title": "Notes", "version": "1"},
  "paths": {},
  "components": {
    "schemas": {
      "Escaped": {"type": "string", "pattern": "^[^\\u0000]*$"},
      "Hexadecimal": {"type": "string", "pattern": "^[^\\x00]*$"}
    }
  }
}
JSON
cat > openapi-ts.config.mjs <<'JS'
export default { input: "./openapi.json", output: "client", plugins: ["@hey-api/typescript", "zod"] };
JS
npx --no-install openapi-ts --silent
python3 - <<'PY' | tee output
code = open("client/zod.gen.ts", "rb").read()
for name in (b"Escaped", b"Hexadecimal"):
    [line] = [line for line in code.splitlines() if b"const z" + name in line]
    print(line)
PY
grep -qF '[^\x00]*$/);' output
[[ $(tr -cd '\0' < client/zod.gen.ts | wc -c) == 1 ]]
