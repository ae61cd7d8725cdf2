// Do TypeScript clients, made from the document of every kind of field, read what rows may hold, and
// write?
//
//     FIELDS_URL=http://127.0.0.1:8000 node build/fields.js
//
// The rows are empty, null, and older than their validators, and zod looks at every answer.
import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { paths } from "./generated/fields.openapi.js";
import { client } from "./generated/fields/client.gen.js";
import * as hey from "./generated/fields/index.js";
import * as orval from "./generated/fields.orval.js";
import * as orvalZod from "./generated/fields.zod.js";

const baseUrl = process.env["FIELDS_URL"];
assert(baseUrl, "Say where the API is: FIELDS_URL");
const throwing = { throwOnError: true } as const;
client.setConfig({ baseUrl, ...throwing });

// Every list, as all clients read it.
type List = { status: number; data: unknown };
const lists: [() => Promise<{ data: unknown }>, () => Promise<List>, { parse(data: unknown): unknown }][] = [
  [hey.listedArraysGet, orval.listedArraysGet, orvalZod.listedArraysGetResponse],
  [hey.listedComputedGet, orval.listedComputedGet, orvalZod.listedComputedGetResponse],
  [hey.listedDocumentsGet, orval.listedDocumentsGet, orvalZod.listedDocumentsGetResponse],
  [hey.listedDoubledGet, orval.listedDoubledGet, orvalZod.listedDoubledGetResponse],
  [hey.listedFilesGet, orval.listedFilesGet, orvalZod.listedFilesGetResponse],
  [hey.listedKeysGet, orval.listedKeysGet, orvalZod.listedKeysGetResponse],
  [hey.listedLooseGet, orval.listedLooseGet, orvalZod.listedLooseGetResponse],
  [hey.listedMomentsGet, orval.listedMomentsGet, orvalZod.listedMomentsGetResponse],
  [hey.listedNamedGet, orval.listedNamedGet, orvalZod.listedNamedGetResponse],
  [hey.listedNumbersGet, orval.listedNumbersGet, orvalZod.listedNumbersGetResponse],
  [hey.listedRangesGet, orval.listedRangesGet, orvalZod.listedRangesGetResponse],
  [hey.listedRelationsGet, orval.listedRelationsGet, orvalZod.listedRelationsGetResponse],
  [hey.listedSearchableGet, orval.listedSearchableGet, orvalZod.listedSearchableGetResponse],
  [hey.listedCompositeGet, orval.listedCompositeGet, orvalZod.listedCompositeGetResponse],
  [hey.listedTextsGet, orval.listedTextsGet, orvalZod.listedTextsGetResponse],
];
for (const [list, listAgain, schema] of lists) {
  const { data } = await list(); // looks at it itself
  assert(Array.isArray(data) && data.length > 0);
  const again = await listAgain();
  assert.equal(again.status, 200);
  assert.deepEqual(schema.parse(again.data), data);
}

// Each kind of range is of one type, and loses nothing.
const ranges: hey.Ranges[] = (await hey.listedRangesGet(throwing)).data;
assert.deepEqual(ranges[1]?.decimals, { lower: "1.50", upper: null, bounds: "[)" });
const range: hey.RangesCreate = { integers: { lower: 1, upper: 4, bounds: "[]" } };
const made = (await hey.createRangesPost({ ...throwing, body: range })).data;
assert.deepEqual(made.integers, { lower: 1, upper: 5, bounds: "[)" });

// Create, read, replace, change, set to null and delete, by each client.
const texts = { char: "a", slug: "a-b", email: "a@example.com", url: "https://example.com/" };
const body = { ...texts, color: "red", nullable: "here" } as const;
{
  const { data: created } = await hey.createTextsPost({ ...throwing, body });
  const path = { key: created.id };
  assert.deepEqual(created, { id: created.id, text: "", ...body });
  const { data: patched } = await hey.patchTextsKeyPatch({ ...throwing, path, body: { nullable: null } });
  assert.deepEqual(patched, { ...created, nullable: null });
  const { data: replaced } = await hey.updateTextsKeyPut({ ...throwing, path, body });
  assert.deepEqual(replaced, created);
  assert.deepEqual((await hey.retrieveTextsKeyGet({ ...throwing, path })).data, created);
  await hey.deleteTextsKeyDelete({ ...throwing, path });
}
{
  const created = await orval.createTextsPost(body);
  assert(created.status === 201);
  const { id } = created.data;
  const patched = await orval.patchTextsKeyPatch(id, { nullable: null });
  assert(patched.status === 200);
  assert.deepEqual(patched.data, { ...created.data, nullable: null });
  assert.equal((await orval.deleteTextsKeyDelete(id)).status, 204);
  const gone = await orval.retrieveTextsKeyGet(id);
  assert(gone.status === 404);
  assert.equal(gone.data.title, "Not Found");
}

// Conflicts and what is refused have types.
const api = createClient<paths>({ baseUrl });
const conflict = await api.POST("/named/", { body: { name: "twice" } });
assert.equal(conflict.response.status, 201);
const second = await api.POST("/named/", { body: { name: "twice" } });
assert.equal(second.response.status, 409);
assert.equal(second.error?.status, 409);
const refused = await api.POST("/texts/", { body: { ...body, slug: "no slug" } });
assert.equal(refused.response.status, 422);
assert.deepEqual(refused.error?.errors?.[0]?.loc, ["body", "slug"]);

// What does not fit the document does not compile.
export async function wrong(): Promise<void> {
  // @ts-expect-error The slug may not be null.
  await api.PATCH("/texts/{key}/", { params: { path: { key: 1 } }, body: { slug: null } });
  // @ts-expect-error The key is no part of a body.
  await hey.createTextsPost({ body: { ...body, id: 1 } });
  // @ts-expect-error There is no such color.
  await orval.createTextsPost({ ...body, color: "blue" });
}

console.log("TypeScript, every field: read, created, updated and deleted");
